//! The lines of comments, with what a rule has to know of their neighbours.
//!
//! Invariant: lines in code blocks of documentation are left out, and so are comments that are only dots.

use std::ops::Range;

use crate::language::{Comment, Kind, Lexed};

/// A line of a comment that has something on it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// What is written there.
    pub(super) text: &'a str,
    /// Where it starts in the whole text.
    pub(super) offset: usize,
    /// What it is a line of.
    pub(super) kind: Kind,
    /// Whether it does not go on with a sentence of the line above.
    pub(super) opens: bool,
    /// Whether its sentence does not go on in the line below.
    pub(super) closes: bool,
}

/// What the comments of a text are made of.
pub(super) struct Gathered<'a> {
    /// All lines, in order.
    pub(super) lines: Vec<Line<'a>>,
    /// The comments that are nothing but dots and stand alone: not the dots of a drawing or of a list that goes
    /// on over several comments.
    pub(super) dots: Vec<Range<usize>>,
}

/// All lines of all comments.
pub(super) fn gather<'a>(text: &'a str, lexed: &Lexed) -> Gathered<'a> {
    let mut gathering = Gathering { lines: Vec::new(), fenced: false, joined: false };
    let mut dots = Vec::new();
    let comments = &lexed.comments;
    for (index, comment) in comments.iter().enumerate() {
        let above = index.checked_sub(1).is_some_and(|above| adjoins(text, &comments[above], comment));
        gathering.fenced &= above;
        gathering.joined &= above;
        if !is_dots(text, comment) {
            gathering.comment(text, comment);
            continue;
        }
        let below = || comments.get(index + 1).is_some_and(|below| adjoins(text, comment, below));
        let plain = !matches!(comment.kind, Kind::Doc | Kind::Prose);
        if plain && !above && stands_alone(text.as_bytes(), &comment.span) && !below() {
            dots.push(comment.span.clone());
        }
    }
    Gathered { lines: gathering.lines, dots }
}

struct Gathering<'a> {
    lines: Vec<Line<'a>>,
    /// Inside a code block.
    fenced: bool,
    /// The last line is directly above.
    joined: bool,
}

impl<'a> Gathering<'a> {
    fn comment(&mut self, text: &'a str, comment: &Comment) {
        let mut offset = comment.body.start;
        for line in text[comment.body.clone()].split('\n') {
            self.line(line.strip_suffix('\r').unwrap_or(line), offset, comment.kind);
            offset += line.len() + 1;
        }
    }

    fn line(&mut self, text: &'a str, offset: usize, kind: Kind) {
        let content =
            text.trim_start_matches(|c: char| matches!(c, ' ' | '*' | '/' | '!' | '#') || c.is_whitespace());
        let fence = content.starts_with("```") || content.starts_with("~~~");
        self.fenced ^= fence;
        if content.is_empty() || fence || self.fenced {
            self.joined = false;
            return;
        }
        let above = self.lines.last_mut().filter(|_| self.joined);
        let mut opens = true;
        if let Some(above) = above {
            opens = ends_sentence(above.text);
            above.closes = opens;
        }
        self.lines.push(Line { text, offset, kind, opens, closes: true });
        self.joined = true;
    }
}

fn ends_sentence(line: &str) -> bool {
    line.trim_end().ends_with(['.', '!', '?', ':', ';', '…'])
}

/// Whether the comment goes on what the previous one says: the same kind, on the next line.
fn adjoins(text: &str, previous: &Comment, comment: &Comment) -> bool {
    let between = &text.as_bytes()[previous.span.end..comment.span.start];
    previous.kind == comment.kind
        && between.iter().all(u8::is_ascii_whitespace)
        && between.iter().filter(|byte| **byte == b'\n').count() == 1
}

fn is_dots(text: &str, comment: &Comment) -> bool {
    let body = text[comment.body.clone()].trim_start();
    if !body.starts_with(['.', '…']) {
        return false;
    }
    let body = body.trim_end();
    body == "…" || (body.len() >= 3 && body.bytes().all(|byte| byte == b'.'))
}

/// Whether nothing but braces stands beside the comment on its line.
fn stands_alone(bytes: &[u8], span: &Range<usize>) -> bool {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
    let left = bytes[..span.start].iter().rev().find(|byte| !blank(byte));
    let right = bytes[span.end..].iter().find(|byte| !blank(byte));
    matches!(left, None | Some(b'\n' | b'{')) && matches!(right, None | Some(b'\n' | b'}'))
}

#[cfg(test)]
mod tests {
    use super::gather;
    use crate::language::rust::read;

    #[test]
    fn a_line_knows_whether_its_sentence_runs_over_it() {
        let text = "// one\n// two.\n// three\n\n// four\n//\n// five\nx(); // six\n";
        let (lexed, _) = read(text);
        let lines = gather(text, &lexed).lines;
        let shape: Vec<_> = lines.iter().map(|line| (line.text.trim(), line.opens, line.closes)).collect();
        let expected = [
            ("one", true, false),
            ("two.", false, true),
            ("three", true, true),
            ("four", true, true),
            ("five", true, true),
            ("six", true, true),
        ];
        assert_eq!(shape, expected);
    }

    #[test]
    fn code_blocks_of_documentation_are_left_out() {
        let text = "/// one\n/// ```\n/// two\n/// ```\n/// three\nfn f() {}\n/** ```\r\n * four\n */";
        let (lexed, _) = read(text);
        let lines: Vec<_> = gather(text, &lexed).lines.into_iter().map(|line| line.text.trim()).collect();
        assert_eq!(lines, ["one", "three"]);
    }
}
