//! Which language a text is in, and where its comments are.
//!
//! Invariant: reading never fails; text that is no valid program is read as far as its tokens go.

mod lexer;
mod prose;
pub(crate) mod rust;
mod syntax;
mod table;

use std::ops::Range;

use table::Grammar;

/// What a stretch of text is to the rules for comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A comment to the end of the line.
    Line,
    /// A comment with a closing mark.
    Block,
    /// A comment that documentation is made of.
    Doc,
    /// A line of an unknown language that starts as comments do in many.
    Guess,
    /// A line of running text.
    Prose,
}

/// A comment, or what stands for one in text of no known language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// What it is.
    pub(crate) kind: Kind,
    /// The whole, with its marks.
    pub(crate) span: Range<usize>,
    /// What is written in it.
    pub(crate) body: Range<usize>,
}

/// What the rules need of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lexed {
    /// The comments, in order, none inside another.
    pub(crate) comments: Vec<Comment>,
    /// Three dots that stand alone on a line of code where the language has no use for them.
    pub(crate) dots: Vec<Range<usize>>,
}

/// A text as its language reads it.
pub(crate) struct Reading<'a> {
    /// Its comments.
    pub(crate) lexed: Lexed,
    /// Its tokens, where it is Rust.
    pub(crate) rust: Option<rust::Code<'a>>,
}

/// Reads a text in the language of that name, or in the one that path or text tell.
pub(crate) fn read<'a>(name: Option<&str>, path: Option<&str>, text: &'a str) -> Reading<'a> {
    let lexed = match table::detect(name, path, text).grammar {
        Grammar::Rust => {
            let (lexed, code) = rust::read(text);
            return Reading { lexed, rust: Some(code) };
        }
        Grammar::Code(syntax) => lexer::lex(text, syntax),
        Grammar::Markdown => prose::markdown(text),
        Grammar::Plain => prose::plain(text),
    };
    Reading { lexed, rust: None }
}

/// The dots at `at` and their end, where they stand alone on their line between statements.
/// `before` is the last character of code before them, 0 at the start.
fn lone_dots(bytes: &[u8], at: usize, before: u8) -> Option<Range<usize>> {
    if !matches!(before, 0 | b'{' | b'}' | b';') {
        return None;
    }
    let rest = &bytes[at..];
    let length = if rest.starts_with(b"...") {
        3
    } else if rest.starts_with("…".as_bytes()) {
        "…".len()
    } else {
        return None;
    };
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
    let left = bytes[..at].iter().rev().find(|byte| !blank(byte));
    let right = rest[length..].iter().find(|byte| !blank(byte));
    let alone = matches!(left, None | Some(b'\n')) && matches!(right, None | Some(b'\n'));
    alone.then_some(at..at + length)
}
