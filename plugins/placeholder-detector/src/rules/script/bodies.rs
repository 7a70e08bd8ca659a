//! Functions without a real body: empty, or a constant where more is promised.
//!
//! Invariant: a body alone is never enough. A comment in it says that code is missing, or its result type promises a
//! value, or its name and its unused parameters do.

use std::ops::Range;

use super::classes::{Class, Classes};
use super::functions::{Form, Function};
use crate::finding::{Confidence, Found, Severity};
use crate::language::tokens::{Token, Tokens};
use crate::rules::RuleId;
use crate::rules::bodies::{CONSTANT, NAMED, PROMISED, SAID};
use crate::rules::names::{is_double, promises};

/// Longest body, in tokens, that can be a constant.
const CONSTANT_MAX: usize = 16;

/// Result types that nothing need be returned for.
const NOTHING: [&str; 18] = [
    "void",
    "undefined",
    "null",
    "never",
    "any",
    "unknown",
    "this",
    "asserts",
    "object",
    "Generator",
    "AsyncGenerator",
    "Iterator",
    "AsyncIterator",
    "IterableIterator",
    "AsyncIterableIterator",
    "Iterable",
    "AsyncIterable",
    "Maybe",
];

/// What a body comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// It is empty, or returns without anything.
    Empty,
    /// `null` or `undefined`.
    Nothing,
    /// Something that a cast makes look like what is wanted: `{} as User`.
    Cast,
    /// Another constant.
    Constant,
}

/// All such functions. `evidence` are offsets of telling comments, in order.
pub(super) fn find(code: &Tokens<'_>, classes: &Classes, evidence: &[usize]) -> Vec<Found> {
    let mut cursor = classes.cursor();
    let mut found = Vec::new();
    for open in code.marks(b'{') {
        let short = code.partner(open).is_some_and(|close| close - open <= CONSTANT_MAX + 1);
        let Some(function) = short.then(|| Function::at(code, open)).flatten() else { continue };
        let Some(body) = body(code, function.body.clone()) else { continue };
        found.extend(judge(code, &function, body, cursor.at(open), evidence));
    }
    let mut cursor = classes.cursor();
    for arrow in code.marks(b'>') {
        let Some(function) = Function::with_value(code, arrow) else { continue };
        let Some(body) = value(code, without_brackets(code, function.body.clone())) else { continue };
        found.extend(judge(code, &function, body, cursor.at(arrow), evidence));
    }
    found
}

/// `({})` is `{}`.
fn without_brackets(code: &Tokens<'_>, value: Range<usize>) -> Range<usize> {
    let wrapped = code.is(value.start, b'(') && code.partner(value.start) == Some(value.end - 1);
    if wrapped { value.start + 1..value.end - 1 } else { value }
}

fn judge(
    code: &Tokens<'_>,
    function: &Function<'_>,
    body: Body,
    class: Option<Class>,
    evidence: &[usize],
) -> Option<Found> {
    // The brace, or the value's last token.
    let braced = code.is(function.body.start - 1, b'{');
    let end = code.end(function.body.end - usize::from(!braced));
    let first = evidence.partition_point(|offset| *offset < code.end(function.body.start - 1));
    let said = evidence.get(first).is_some_and(|offset| *offset < end);
    if is_double(function.name) {
        return None;
    }
    let (severity, percent, message) = if said {
        (Severity::Error, 85, SAID)
    } else if class.is_some_and(|class| class.exempt) {
        return None;
    } else {
        promise(code, function, body, class)?
    };
    let (start, confidence, fix) = (code.start(function.start), Confidence(percent), None);
    Some(Found { rule: RuleId::StubBody, start, end, severity, confidence, message, fix })
}

/// What a body that no comment explains breaks of the signature's promise.
fn promise(
    code: &Tokens<'_>,
    function: &Function<'_>,
    body: Body,
    class: Option<Class>,
) -> Option<(Severity, u8, &'static str)> {
    let typed = promises_value(code, function.returns.clone());
    let open = function.form == Form::Named || class.is_some_and(|class| !class.derives);
    match body {
        Body::Empty if typed => Some((Severity::Error, 85, PROMISED)),
        Body::Nothing if typed => Some((Severity::Warning, 70, PROMISED)),
        Body::Cast if typed => Some((Severity::Warning, 65, PROMISED)),
        Body::Empty
            if function.returns.is_empty() && function.form == Form::Named && is_expected(code, function) =>
        {
            Some((Severity::Warning, 60, NAMED))
        }
        Body::Nothing | Body::Constant if open && is_expected(code, function) => {
            Some((Severity::Warning, 50, CONSTANT))
        }
        _ => None,
    }
}

/// Whether there is a result type that `undefined` does not meet.
fn promises_value(code: &Tokens<'_>, returns: Range<usize>) -> bool {
    // `{}` is the type of everything.
    let all = returns.len() == 2 && code.is(returns.start, b'{');
    !returns.is_empty() && !all && !returns.clone().any(|index| code.name(index).is_some_and(is_lenient))
}

fn is_lenient(name: &str) -> bool {
    NOTHING.contains(&name)
}

/// Whether the name promises something of parameters that the body does not use: it is a constant.
fn is_expected(code: &Tokens<'_>, function: &Function<'_>) -> bool {
    let mut first = true;
    let mut named = false;
    let mut index = function.parameters.start;
    while index < function.parameters.end {
        named |= first && code.name(index).is_some_and(|name| !name.starts_with('_') && name != "this");
        // A parameter that is taken apart has names too.
        named |= first && code.is(index, b'{');
        first = code.is(index, b',');
        index = code.partner(index).filter(|partner| *partner > index).unwrap_or(index) + 1;
    }
    named && promises(function.name)
}

/// What a body comes to; `None` where it is a real one.
fn body(code: &Tokens<'_>, body: Range<usize>) -> Option<Body> {
    let (mut start, mut end) = (body.start, body.end);
    if end > start && code.is(end - 1, b';') {
        end -= 1;
    }
    if start == end {
        return Some(Body::Empty);
    }
    if code.name(start) != Some("return") {
        return None;
    }
    start += 1;
    let promised = code.name(start) == Some("Promise") && code.name(start + 2) == Some("resolve");
    if promised && code.partner(start + 3) == Some(end - 1) {
        (start, end) = (start + 4, end - 1);
    }
    value(code, start..end)
}

/// What a returned value comes to.
fn value(code: &Tokens<'_>, value: Range<usize>) -> Option<Body> {
    if value.is_empty() {
        return Some(Body::Empty);
    }
    let (start, end) = (value.start, value.end);
    let cast = value.clone().find(|index| code.name(*index) == Some("as"));
    if let Some(cast) = cast.filter(|cast| *cast > start) {
        let made = self::value(code, start..cast).is_some();
        // `as const` only narrows.
        return (made && code.name(cast + 1) != Some("const")).then_some(Body::Cast);
    }
    if value.len() == 2 && code.is(end - 1, b'!') {
        return matches!(code.name(start), Some("null" | "undefined")).then_some(Body::Cast);
    }
    match value.len() {
        1 => match code.token(start) {
            Some(Token::Text | Token::Literal) => Some(Body::Constant),
            _ => match code.name(start) {
                Some("null" | "undefined") => Some(Body::Nothing),
                Some("true" | "false") => Some(Body::Constant),
                _ => None,
            },
        },
        2 if code.name(start) == Some("void") => Some(Body::Nothing),
        2 if code.is(start, b'-') => {
            (code.token(start + 1) == Some(Token::Literal)).then_some(Body::Constant)
        }
        2 => (code.partner(start) == Some(start + 1)).then_some(Body::Constant),
        4 if code.name(start) == Some("new") => {
            let made = matches!(code.name(start + 1), Some("Map" | "Set" | "Array"));
            (made && code.partner(start + 2) == Some(start + 3)).then_some(Body::Constant)
        }
        _ => None,
    }
}
