//! A source line with marks under the part that a finding is about.
//!
//! Invariant: at most [`WIDTH`] columns and two signs for what was cut, and nothing that a terminal obeys.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::validate::place::{Lines, Region};
use crate::model::{TextSpan, text};

/// Columns of the line that are shown.
const WIDTH: usize = 100;
/// Columns of the marked part that are shown, where it is longer.
const MARKED: usize = 60;
/// Stands for what was cut.
const CUT: &str = "…";
/// A tab, whose width otherwise depends on where the line begins on the terminal.
const TAB: &str = "    ";

/// The first line of a span, cut to what fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The part before the span.
    pub(super) before: String,
    /// The part in the span.
    pub(super) marked: String,
    /// The part after the span.
    pub(super) after: String,
    /// Lines of the span after the first.
    pub(super) more: usize,
}

impl Excerpt {
    pub(super) fn new(judged: &str, lines: &Lines<'_>, span: TextSpan, region: &Region) -> Self {
        let (first, last) = lines.bounds(region.line);
        let start = span.start.clamp(first, last);
        let end = span.end.clamp(start, last);
        let marked = Piece::head(&judged[start..end], MARKED);
        let (before, after) = (&judged[first..start], &judged[end..last]);
        let room = WIDTH - marked.columns;
        // What one side does not need is the other's.
        let before = Piece::tail(before, room - Piece::head(after, room / 2).columns);
        let after = Piece::head(if marked.cut { "" } else { after }, room - before.columns);
        let ends = |cut: bool| if cut { CUT } else { "" };
        Self {
            before: ends(before.cut).to_owned() + &before.text,
            marked: marked.text + ends(marked.cut),
            after: after.text + ends(after.cut),
            more: further_lines(region),
        }
    }

    /// Blanks up to the marks.
    pub(super) fn indent(&self) -> String {
        " ".repeat(self.before.width())
    }

    /// The marks: one where the span is empty.
    pub(super) fn carets(&self) -> String {
        "^".repeat(self.marked.width().max(1))
    }
}

/// Lines of a span after its first; one that it only reaches the start of is none.
fn further_lines(region: &Region) -> usize {
    let reached = usize::from(region.end_line > region.line && region.end_column == 1);
    region.end_line - region.line - reached
}

/// A part of a line as it is shown.
struct Piece {
    text: String,
    columns: usize,
    cut: bool,
}

impl Piece {
    /// As much from the start as fits.
    fn head(line: &str, room: usize) -> Self {
        let (parts, columns, cut) = fitting(line.chars(), room);
        Self { text: parts.concat(), columns, cut }
    }

    /// As much from the end as fits.
    fn tail(line: &str, room: usize) -> Self {
        let (mut parts, columns, cut) = fitting(line.chars().rev(), room);
        parts.reverse();
        Self { text: parts.concat(), columns, cut }
    }
}

/// The characters that fit, what they take, and whether there are more.
fn fitting(chars: impl Iterator<Item = char>, room: usize) -> (Vec<String>, usize, bool) {
    let (mut parts, mut columns) = (Vec::new(), 0);
    for c in chars {
        let part = shown(c);
        // A mark on the character before it takes no column; it counts all the same, so that a line of
        // nothing else has an end.
        let width = if part.len() == c.len_utf8() { c.width().unwrap_or(1).max(1) } else { part.len() };
        if columns + width > room {
            return (parts, columns, true);
        }
        columns += width;
        parts.push(part);
    }
    (parts, columns, false)
}

fn shown(c: char) -> String {
    match c {
        '\t' => TAB.to_owned(),
        _ => text::one_line(c.encode_utf8(&mut [0; 4])).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::{Excerpt, MARKED, WIDTH};
    use crate::cli::validate::place::Lines;
    use crate::model::TextSpan;

    fn excerpt(judged: &str, start: usize, end: usize) -> Excerpt {
        let lines = Lines::new(judged);
        let span = TextSpan { start, end };
        Excerpt::new(judged, &lines, span, &lines.region(span))
    }

    /// The line and the marks under it.
    fn drawn(excerpt: &Excerpt) -> [String; 2] {
        [
            [&excerpt.before, &excerpt.marked, &excerpt.after].map(String::as_str).concat(),
            excerpt.indent() + &excerpt.carets(),
        ]
    }

    #[test]
    fn the_marks_stand_under_the_span() {
        assert_eq!(drawn(&excerpt("one\ntwo bad words\r\n", 8, 11)), ["two bad words", "    ^^^"]);
        assert_eq!(drawn(&excerpt("\tx = bad", 5, 8)), ["    x = bad", "        ^^^"]);
        assert_eq!(drawn(&excerpt("漢字bad漢", 6, 9)), ["漢字bad漢", "    ^^^"]);
        assert_eq!(drawn(&excerpt("e\u{301}漢", 3, 6)), ["e\u{301}漢", " ^^"]);
    }

    #[test]
    fn an_empty_span_has_one_mark_wherever_it_is() {
        for (judged, at, marks) in [("ab", 2, "  ^"), ("", 0, "^"), ("a\r\nb", 2, " ^"), ("a\n", 2, "^")] {
            assert_eq!(excerpt(judged, at, at).indent() + &excerpt(judged, at, at).carets(), marks);
        }
    }

    #[test]
    fn of_a_span_over_lines_the_first_is_shown_and_the_rest_counted() {
        let judged = "if a {\n  b\n}\n";
        assert_eq!(drawn(&excerpt(judged, 3, 12)), ["if a {", "   ^^^"]);
        // With the last line's end, and without.
        assert_eq!([12, 13].map(|end| excerpt(judged, 3, end).more), [2, 2]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let judged = format!("{}bad{}", "x".repeat(5_000), "y".repeat(5_000));
        let cut = excerpt(&judged, 5_000, 5_003);
        let [line, marks] = drawn(&cut);
        assert_eq!(line.width(), WIDTH + 2);
        assert!(line.starts_with("…x") && line.ends_with("y…"), "{line}");
        assert_eq!(marks.trim_start(), "^^^");
        assert_eq!(&line.chars().skip(marks.len() - 3).take(3).collect::<String>(), "bad");
        let wide = excerpt(&judged, 10, 9_000);
        assert_eq!(drawn(&wide)[0].width(), 10 + MARKED + 1);
    }

    #[test]
    fn what_one_side_does_not_need_is_the_others() {
        let judged = format!("ab {}", "y".repeat(500));
        assert_eq!(drawn(&excerpt(&judged, 0, 2))[0].width(), WIDTH + 1);
        let judged = format!("{} ab", "x".repeat(500));
        assert_eq!(drawn(&excerpt(&judged, 501, 503))[0].width(), WIDTH + 1);
    }

    #[test]
    fn hidden_characters_are_seen_and_a_line_of_marks_on_characters_ends() {
        assert_eq!(drawn(&excerpt("\u{202e}bad", 3, 6)), ["\\u{202e}bad", "        ^^^"]);
        let judged = "\u{301}".repeat(100_000);
        assert!(excerpt(&judged, 0, 2).after.chars().count() <= WIDTH);
    }
}
