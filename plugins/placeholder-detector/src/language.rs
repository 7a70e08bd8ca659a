//! Which language a text is in, and where its comments are.
//!
//! Invariant: reading never fails; text that is no valid program is read as far as its tokens go.

mod lexer;
mod prose;
pub(crate) mod rust;
mod script;
mod syntax;
mod table;
pub(crate) mod tokens;

use std::ops::Range;

use syntax::Family;
use table::Grammar;
use tokens::Tokens;

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

/// What the rules for stubs look at.
pub(crate) enum Code<'a> {
    /// Nothing: they do not know the language.
    Unread,
    /// Rust.
    Rust(rust::Code<'a>),
    /// Python.
    Python(Tokens<'a>),
    /// JavaScript or TypeScript.
    Script(Tokens<'a>),
}

/// A text as its language reads it.
pub(crate) struct Reading<'a> {
    /// Its comments.
    pub(crate) lexed: Lexed,
    /// Its tokens.
    pub(crate) code: Code<'a>,
}

/// What TypeScript is called where it has no markup: there `<` may open a cast.
const WITHOUT_MARKUP: [&str; 4] = ["typescript", "ts", "mts", "cts"];

/// Reads a text in the language of that name, or in the one that path or text tell.
pub(crate) fn read<'a>(name: Option<&str>, path: Option<&str>, text: &'a str) -> Reading<'a> {
    let lexed = match table::detect(name, path, text).grammar {
        Grammar::Rust => {
            let (lexed, code) = rust::read(text);
            return Reading { lexed, code: Code::Rust(code) };
        }
        Grammar::Code(syntax) if syntax.family != Family::Other => {
            let (lexed, tokens) = lexer::read(text, syntax, may_have_markup(name, path));
            let python = syntax.family == Family::Python;
            return Reading { lexed, code: if python { Code::Python(tokens) } else { Code::Script(tokens) } };
        }
        Grammar::Code(syntax) => lexer::lex(text, syntax),
        Grammar::Markdown => prose::markdown(text),
        Grammar::Plain => prose::plain(text),
    };
    Reading { lexed, code: Code::Unread }
}

/// Whether a script may have elements in it: the path knows better than a name for all of TypeScript.
fn may_have_markup(name: Option<&str>, path: Option<&str>) -> bool {
    let end = path.and_then(|path| path.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase());
    if matches!(end.as_deref(), Some("tsx" | "jsx")) {
        return true;
    }
    let called = name.map(|name| name.trim().to_ascii_lowercase()).or(end);
    called.is_none_or(|called| !WITHOUT_MARKUP.contains(&called.as_str()))
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
