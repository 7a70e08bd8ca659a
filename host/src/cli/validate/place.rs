//! Lines and columns of a text.
//!
//! Invariant: lines end with a line feed, columns count characters (Unicode code points) from 1, and a
//! byte order mark at the start counts as none.

use serde::Serialize;

use crate::model::TextSpan;

/// Bytes between two marks: what is counted anew for one column.
const STEP: usize = 1 << 10;
/// What some programs put at the start of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A span in lines and columns; the end is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Offset of the first byte of each line.
    starts: Vec<usize>,
    /// Characters before each multiple of [`STEP`] that the text reaches.
    marks: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let starts = std::iter::once(first).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut marks = vec![0];
        for step in text.as_bytes().chunks_exact(STEP) {
            marks.push(marks[marks.len() - 1] + count(step));
        }
        Self { text, starts, marks }
    }

    /// Where a span is.
    pub(super) fn region(&self, span: TextSpan) -> Region {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end);
        Region { line, column, end_line, end_column }
    }

    /// Offsets of the first byte of a line, and of the byte after what it shows.
    pub(super) fn bounds(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line - 1];
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let shown = self.text[start..end].trim_end_matches('\r');
        (start, start + shown.len())
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        (line, self.before(offset.max(start)) - self.before(start) + 1)
    }

    /// Characters before an offset.
    fn before(&self, offset: usize) -> usize {
        let mark = offset / STEP;
        self.marks[mark] + count(&self.text.as_bytes()[mark * STEP..offset])
    }
}

/// Characters that begin in these bytes of a text.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::{Lines, Region, STEP};
    use crate::model::{TextSpan, text};

    #[test]
    fn every_offset_has_the_line_and_column_that_counting_gives() {
        let long = "é漢a".repeat(STEP);
        for judged in ["", "a", "\n", "a\r\nbé\n\nc", long.as_str(), &"x".repeat(2 * STEP)] {
            let lines = Lines::new(judged);
            for offset in (0..=judged.len()).filter(|at| judged.is_char_boundary(*at)).step_by(7) {
                assert_eq!(lines.position(offset), text::Positions::of(judged).at(offset), "{offset}");
            }
            assert_eq!(lines.position(judged.len()), text::Positions::of(judged).at(judged.len()));
        }
    }

    #[test]
    fn a_span_ends_before_its_end_column() {
        let lines = Lines::new("ab\r\nçde");
        let region = |start, end| lines.region(TextSpan { start, end });
        assert_eq!(region(1, 7), Region { line: 1, column: 2, end_line: 2, end_column: 3 });
        assert_eq!(region(4, 4), Region { line: 2, column: 1, end_line: 2, end_column: 1 });
    }

    #[test]
    fn a_byte_order_mark_counts_as_nothing() {
        let lines = Lines::new("\u{feff}ab\n");
        assert_eq!([0, 3, 4].map(|at| lines.position(at)), [(1, 1), (1, 1), (1, 2)]);
        assert_eq!(lines.bounds(1), (3, 5));
    }

    #[test]
    fn a_line_is_shown_without_its_end() {
        let lines = Lines::new("ab\r\n\ncd");
        assert_eq!([1, 2, 3].map(|line| lines.bounds(line)), [(0, 2), (4, 4), (5, 7)]);
    }
}
