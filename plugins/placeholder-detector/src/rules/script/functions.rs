//! The functions of a script whose body is short, read backwards from the body.
//!
//! Invariant: each head is read a bounded way back. What is an argument of a call, a default, a constructor or a
//! setter is no function here: those may well be empty.

use std::ops::Range;

use crate::language::tokens::{Token, Tokens};

/// Longest result type and longest list of type parameters, in tokens.
const TYPE_MAX: usize = 48;

/// Longest value behind an arrow, in tokens.
const VALUE_MAX: usize = 16;

/// Words that stand where a function's name could, or in front of a block.
const KEYWORDS: [&str; 31] = [
    "if",
    "for",
    "while",
    "switch",
    "catch",
    "with",
    "else",
    "try",
    "finally",
    "do",
    "return",
    "throw",
    "new",
    "class",
    "extends",
    "implements",
    "interface",
    "namespace",
    "module",
    "enum",
    "await",
    "yield",
    "case",
    "default",
    "import",
    "export",
    "super",
    "constructor",
    "delete",
    "declare",
    "global",
];

/// Words in front of a method.
const MODIFIERS: [&str; 9] =
    ["public", "private", "protected", "static", "async", "override", "readonly", "get", "accessor"];

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `function name() {}`, or a constant or a field that is a function.
    Named,
    /// In a class or an object.
    Method,
}

/// A function, in indices of tokens.
pub(super) struct Function<'a> {
    pub(super) form: Form,
    pub(super) name: &'a str,
    pub(super) start: usize,
    pub(super) parameters: Range<usize>,
    pub(super) returns: Range<usize>,
    pub(super) body: Range<usize>,
}

impl<'a> Function<'a> {
    /// The function whose body opens at `open`.
    pub(super) fn at(code: &Tokens<'a>, open: usize) -> Option<Self> {
        let close = code.partner(open)?;
        let arrow = open >= 2 && code.is(open - 1, b'>') && code.is(open - 2, b'=');
        Self::before(code, if arrow { open - 2 } else { open }, open + 1..close)
    }

    /// The function whose value stands without braces behind the arrow that ends at `arrow`.
    pub(super) fn with_value(code: &Tokens<'a>, arrow: usize) -> Option<Self> {
        let head = arrow.checked_sub(1).filter(|head| code.is(*head, b'='))?;
        if code.is(arrow + 1, b'{') {
            return None;
        }
        let end = value_end(code, arrow + 1).filter(|end| *end > arrow + 1)?;
        Self::before(code, head, arrow + 1..end)
    }

    /// The function with this body whose head ends before `head`, which is an arrow or a brace.
    fn before(code: &Tokens<'a>, head: usize, body: Range<usize>) -> Option<Self> {
        let (end, returns) = result(code, head)?;
        let start = code.partner(end)?;
        let before = before_generics(code, start);
        let arrow = code.is(head, b'=');
        let (form, name, start) = if arrow { constant(code, before)? } else { named(code, before)? };
        let parameters = code.partner(end)? + 1..end;
        Some(Self { form, name, start, parameters, returns, body })
    }
}

/// Where a short value ends that is a statement's last part.
fn value_end(code: &Tokens<'_>, start: usize) -> Option<usize> {
    let mut index = start;
    while index < start + VALUE_MAX {
        let ends = index >= code.len() || code.is(index, b';') || code.is(index, b'}');
        if ends || index > start && code.indent(index).is_some() && !expects(code, index - 1) {
            return Some(index);
        }
        if [b',', b')', b']', b'?'].into_iter().any(|mark| code.is(index, mark)) {
            return None;
        }
        index = code.partner(index).filter(|partner| *partner > index).unwrap_or(index) + 1;
    }
    None
}

/// The `)` of the parameters and the result type between it and `head`.
fn result(code: &Tokens<'_>, head: usize) -> Option<(usize, Range<usize>)> {
    let mut index = head.checked_sub(1)?;
    if code.is(index, b')') {
        return Some((index, head..head));
    }
    for _ in 0..TYPE_MAX {
        match code.token(index)? {
            Token::Mark(b':') => {
                let end = index.checked_sub(1).filter(|end| code.is(*end, b')'))?;
                return (index + 1 < head).then_some((end, index + 1..head));
            }
            Token::Mark(b'}' | b']' | b')') => index = code.partner(index)?,
            Token::Mark(b'|' | b'&' | b'.' | b',' | b'<' | b'>') | Token::Text | Token::Literal => {}
            Token::Mark(b'=') if code.is(index + 1, b'>') => {}
            Token::Name if !KEYWORDS.contains(&code.text(index)) => {}
            _ => return None,
        }
        index = index.checked_sub(1)?;
    }
    None
}

/// The index before the type parameters that end right before `open`, or right before it.
fn before_generics(code: &Tokens<'_>, open: usize) -> Option<usize> {
    let last = open.checked_sub(1)?;
    if !code.is(last, b'>') || last > 0 && code.is(last - 1, b'=') {
        return Some(last);
    }
    let mut depth = 0u32;
    for index in (last.saturating_sub(TYPE_MAX)..=last).rev() {
        if code.is(index, b'>') && !(index > 0 && code.is(index - 1, b'=')) {
            depth += 1;
        } else if code.is(index, b'<') {
            depth -= 1;
            if depth == 0 {
                return index.checked_sub(1);
            }
        }
    }
    None
}

/// Form, name and first token of a function with `function`, or of a method, whose name is at `before`.
fn named<'a>(code: &Tokens<'a>, before: Option<usize>) -> Option<(Form, &'a str, usize)> {
    let at = before?;
    let name = code.name(at).filter(|name| !KEYWORDS.contains(name))?;
    if name == "function" {
        return constant(code, at.checked_sub(1));
    }
    let mut index = at;
    while index > 0 && (code.is(index - 1, b'*') || code.is(index - 1, b'#')) {
        index -= 1;
    }
    let word = index.checked_sub(1).and_then(|before| code.name(before));
    if word == Some("function") {
        let before = behind(code, index - 1, &["async", "export", "default"]);
        return starts_statement(code, before).then_some((Form::Named, name, index - 1));
    }
    let start = behind(code, index, &MODIFIERS);
    (word != Some("set") && starts_member(code, start)).then_some((Form::Method, name, start))
}

/// The same of a function without a name that is the value of `const name =` or of a field.
fn constant<'a>(code: &Tokens<'a>, before: Option<usize>) -> Option<(Form, &'a str, usize)> {
    let mut equals = before?;
    if code.name(equals) == Some("async") {
        equals = equals.checked_sub(1)?;
    }
    let at = equals.checked_sub(1).filter(|_| code.is(equals, b'='))?;
    let name = code.name(at)?;
    let word = at.checked_sub(1).and_then(|before| code.name(before));
    if matches!(word, Some("const" | "let" | "var")) {
        return Some((Form::Named, name, at));
    }
    let start = behind(code, at, &MODIFIERS);
    let field = start < at || at > 0 && code.is(at - 1, b'#');
    field.then_some((Form::Method, name, start))
}

/// The first of the given words in a row that end right before `index`, or `index`.
fn behind(code: &Tokens<'_>, mut index: usize, words: &[&str]) -> usize {
    while index > 0 && code.name(index - 1).is_some_and(|name| words.contains(&name)) {
        index -= 1;
    }
    index
}

/// Whether a statement can start here: a function elsewhere is a value.
fn starts_statement(code: &Tokens<'_>, index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else { return true };
    let marks = [b';', b'{', b'}'];
    marks.into_iter().any(|mark| code.is(before, mark))
        || code.gap(index).contains(&b'\n') && !expects(code, before)
}

/// Whether something must follow the token.
fn expects(code: &Tokens<'_>, index: usize) -> bool {
    match code.token(index) {
        Some(Token::Mark(mark)) => !matches!(mark, b')' | b']' | b'}'),
        _ => matches!(code.name(index), Some("return" | "throw" | "new" | "await" | "yield")),
    }
}

/// Whether a member can start here: after a bracket, the end of another one, or a decorator.
fn starts_member(code: &Tokens<'_>, index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else { return true };
    let marks = [b';', b'{', b'}', b','];
    marks.into_iter().any(|mark| code.is(before, mark))
        || code.gap(index).contains(&b'\n') && !expects(code, before)
}
