//! Where an offset is in a text, and what its line looks like.
//!
//! Invariant: linear over all findings of a text, even where the text is one huge line.

/// Longest excerpt, in characters.
pub(crate) const EXCERPT_CHARS: usize = 200;

/// How much of the line is shown before a finding that stands far to the right.
const LEAD_CHARS: usize = 80;

/// Turns ascending offsets into 1-based lines and columns. A line ends at `\n`; a column counts Unicode
/// scalar values.
pub(crate) struct Positions<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Positions<'a> {
    /// Starts at line 1, column 1.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), offset: 0, line: 1, column: 1 }
    }

    /// Line and column of `offset`, which must not lie before the one asked for last.
    pub(crate) fn at(&mut self, offset: usize) -> (usize, usize) {
        for &byte in self.bytes.get(self.offset..offset).unwrap_or_default() {
            if byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.column += 1;
            }
        }
        self.offset = self.offset.max(offset);
        (self.line, self.column)
    }
}

/// The line around `offset`, without its indentation, cut to [`EXCERPT_CHARS`] with `…` where it was cut.
/// Control characters become spaces.
pub(crate) fn excerpt(text: &str, offset: usize) -> String {
    let (before, after) = text.split_at(offset);
    let line_start = before.rfind_within(LEAD_CHARS);
    let cut_left = line_start > 0 && !before[..line_start].ends_with('\n');
    let lead = if cut_left { &before[line_start..] } else { before[line_start..].trim_start() };
    let room = EXCERPT_CHARS - lead.chars().count() - 2;
    let rest = after.char_indices().take(room + 1).find(|&(_, c)| c == '\n');
    let (tail, cut_right) = match rest {
        Some((end, _)) => (&after[..end], false),
        None => match after.char_indices().nth(room) {
            Some((end, _)) => (&after[..end], true),
            None => (after, false),
        },
    };
    let shown = if cut_right { tail } else { tail.trim_end() };
    let clean = lead.chars().chain(shown.chars()).map(|c| if c.is_control() { ' ' } else { c });
    let left = cut_left.then_some('…');
    left.into_iter().chain(clean).chain(cut_right.then_some('…')).collect()
}

/// Looking back a bounded way.
trait LookBack {
    /// Offset of the line's start, or of the character `chars` before the end where the line starts earlier.
    fn rfind_within(&self, chars: usize) -> usize;
}

impl LookBack for str {
    fn rfind_within(&self, chars: usize) -> usize {
        let mut start = self.len();
        for (offset, c) in self.char_indices().rev().take(chars) {
            if c == '\n' {
                return start;
            }
            start = offset;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::{EXCERPT_CHARS, Positions, excerpt};

    #[test]
    fn columns_count_characters_and_start_again_on_each_line() {
        let text = "aé𝄞b\r\nc";
        let mut positions = Positions::new(text);
        assert_eq!(positions.at(text.find('b').unwrap()), (1, 4));
        assert_eq!(positions.at(text.find('c').unwrap()), (2, 1));
        assert_eq!(positions.at(text.len()), (2, 2));
    }

    #[test]
    fn an_excerpt_is_the_trimmed_line() {
        assert_eq!(excerpt("one\n  two three\t\r\nfour", 6), "two three");
        assert_eq!(excerpt("", 0), "");
        assert_eq!(excerpt("x", 1), "x");
        assert_eq!(excerpt("a\n", 2), "");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides_around_the_finding() {
        let text = "é".repeat(5_000);
        let cut = excerpt(&text, 2_000);
        assert!(cut.starts_with("…é") && cut.ends_with("é…"), "{cut}");
        assert_eq!(cut.chars().count(), EXCERPT_CHARS);
    }

    #[test]
    fn control_characters_are_not_repeated() {
        assert_eq!(excerpt("a\u{1b}[31mb", 0), "a [31mb");
    }
}
