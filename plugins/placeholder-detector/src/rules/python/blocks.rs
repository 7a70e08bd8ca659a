//! The logical lines of a Python text, and which of them opens the block that a line is in.
//!
//! Invariant: every token belongs to one line; a line's parent comes before it. Brackets without a partner do not
//! join lines, so that one missing bracket costs one line.

use std::ops::Range;

use crate::language::tokens::Tokens;

/// A line that may run over several lines of the text.
pub(super) struct Line {
    /// Columns before its first token.
    pub(super) indent: u32,
    /// Its tokens.
    pub(super) tokens: Range<usize>,
    /// The line that opens the block it is in.
    pub(super) parent: Option<usize>,
}

/// All lines.
pub(super) struct Blocks {
    pub(super) lines: Vec<Line>,
}

/// What a line is, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    /// `def`, with the index of that token.
    Function(usize),
    /// `class`, with the index of that token.
    Class(usize),
    /// `if TYPE_CHECKING:`.
    TypeChecking,
    /// Anything else.
    Other,
}

impl Blocks {
    /// The lines of a text.
    pub(super) fn of(code: &Tokens<'_>) -> Self {
        let mut blocks = Self { lines: Vec::new() };
        let mut open: Vec<(u32, usize)> = Vec::new();
        let mut index = 0;
        while index < code.len() {
            let end = line_end(code, index);
            let indent = code.indent(index).unwrap_or_default();
            while open.last().is_some_and(|(outer, _)| *outer >= indent) {
                open.pop();
            }
            let parent = open.last().map(|(_, line)| *line);
            open.push((indent, blocks.lines.len()));
            blocks.lines.push(Line { indent, tokens: index..end, parent });
            index = end;
        }
        blocks
    }

    /// The line that a token is in.
    pub(super) fn line_of(&self, token: usize) -> usize {
        self.lines.partition_point(|line| line.tokens.start <= token).saturating_sub(1)
    }

    /// The lines around a line, the innermost first.
    pub(super) fn parents(&self, line: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.lines[line].parent, |parent| self.lines[*parent].parent)
    }

    /// The lines of the block that a line opens, not those of blocks inside it.
    pub(super) fn children(&self, line: usize) -> impl Iterator<Item = &Line> {
        let indent = self.lines[line].indent;
        let inside = self.lines[line + 1..].iter().take_while(move |child| child.indent > indent);
        inside.filter(move |child| child.parent == Some(line))
    }

    /// What a line opens.
    pub(super) fn opener(&self, code: &Tokens<'_>, line: usize) -> Opener {
        let first = self.lines[line].tokens.start;
        match code.name(first) {
            Some("async") if code.name(first + 1) == Some("def") => Opener::Function(first + 1),
            Some("def") => Opener::Function(first),
            Some("class") => Opener::Class(first),
            Some("if")
                if self.lines[line]
                    .tokens
                    .clone()
                    .take(6)
                    .any(|index| code.text(index) == "TYPE_CHECKING") =>
            {
                Opener::TypeChecking
            }
            _ => Opener::Other,
        }
    }

    /// The first tokens, behind the `@`, of the decorators right above a line.
    pub(super) fn decorators<'a>(
        &'a self,
        code: &'a Tokens<'_>,
        line: usize,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let above = self.lines[..line].iter().rev();
        let decorators = above.take_while(|above| code.is(above.tokens.start, b'@'));
        decorators.map(|above| above.tokens.start + 1..above.tokens.end)
    }
}

/// The index behind the last token of the line that starts at `start`.
fn line_end(code: &Tokens<'_>, start: usize) -> usize {
    let mut index = start;
    loop {
        index = code.partner(index).filter(|partner| *partner > index).unwrap_or(index) + 1;
        if index >= code.len() || code.indent(index).is_some() && !continues(code, index) {
            return index.min(code.len());
        }
    }
}

/// Whether a backslash joins the line of the token at `index` to the one above.
fn continues(code: &Tokens<'_>, index: usize) -> bool {
    code.is(index - 1, b'\\') && matches!(code.gap(index), [b'\n', ..] | [b'\r', b'\n', ..])
}

#[cfg(test)]
mod tests {
    use super::Blocks;
    use crate::language::{Code, read};

    fn shape(text: &str) -> Vec<(u32, Option<usize>)> {
        let Code::Python(code) = read(Some("python"), None, text).code else { panic!("not read") };
        Blocks::of(&code).lines.iter().map(|line| (line.indent, line.parent)).collect()
    }

    #[test]
    fn a_line_runs_over_brackets_strings_and_backslashes() {
        assert_eq!(shape("f(a,\n  b)\nx = 1 + \\\r\n  2\n\"\"\"a\nb\"\"\"\ny"), [(0, None); 4]);
    }

    #[test]
    fn blocks_follow_spaces_tabs_and_dedents() {
        let text = "class A:\r\n\tdef f():\r\n\t\tpass\r\n        x = 1\r\n# c\r\ny\r\n";
        assert_eq!(shape(text), [(0, None), (8, Some(0)), (16, Some(1)), (8, Some(0)), (0, None)]);
    }

    #[test]
    fn a_bracket_that_is_never_closed_costs_only_its_own_line() {
        assert_eq!(
            shape("def f(a:\n  g(1\ndef h(b):\n  pass"),
            [(0, None), (2, Some(0)), (0, None), (2, Some(2))]
        );
    }
}
