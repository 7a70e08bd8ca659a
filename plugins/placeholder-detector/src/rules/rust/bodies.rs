//! Functions without a real body, where something says that they are stubs.
//!
//! Invariant: a body alone is never enough. Either a comment in it says that code is missing, or a parameter is
//! left unused that does not say so by its name, which the compiler would warn about too.

use std::ops::Range;

use crate::finding::{Confidence, Found, Severity};
use crate::language::rust::Code;
use crate::language::tokens::Token;
use crate::rules::RuleId;
use crate::rules::regions::covers;

const SAID: &str = "This function has no real body, and a comment in it says so: write the body.";
const UNUSED: &str = "This function ignores its parameters and returns a constant or nothing: write the body, or name \
                      the parameters with `_` if it is meant so.";

/// Longest body, in tokens, that can be a constant.
const CONSTANT_MAX: usize = 24;

/// Longest list in an attribute that is searched, in tokens.
const ATTRIBUTE_MAX: usize = 128;

/// Attributes that do not change what a function does with its parameters.
const INERT: [&str; 8] =
    ["inline", "must_use", "doc", "deprecated", "cfg", "cold", "track_caller", "rustfmt"];

/// Functions of values that stand for "nothing".
const EMPTY_VALUES: [&str; 3] = ["new", "default", "empty"];

/// All such functions outside of `exempt`. `evidence` are offsets of telling comments, in order.
pub(super) fn find(code: &Code<'_>, exempt: &[Range<usize>], evidence: &[usize]) -> Vec<Found> {
    let allowed = allows_unused(code);
    let functions = code.functions().filter_map(|index| Function::at(code, index));
    functions
        .filter(|function| !covers(exempt, code.start(function.index)))
        .filter_map(|function| function.judge(code, evidence, allowed))
        .collect()
}

/// A function with a body, in indices of tokens.
struct Function {
    index: usize,
    parameters: Range<usize>,
    body: Range<usize>,
}

impl Function {
    fn at(code: &Code<'_>, index: usize) -> Option<Self> {
        code.name(index + 1)?;
        let open = parameters_open(code, index + 2)?;
        let close = code.partner(open)?;
        let body_open = body_open(code, close + 1)?;
        let body_close = code.partner(body_open)?;
        Some(Self { index, parameters: open + 1..close, body: body_open + 1..body_close })
    }

    fn judge(&self, code: &Code<'_>, evidence: &[usize], allowed: bool) -> Option<Found> {
        let (silenced, value) = without_silencers(code, self.body.clone());
        if !is_constant(code, value) {
            return None;
        }
        let (start, end) = (code.end(self.body.start - 1), code.start(self.body.end));
        let first = evidence.partition_point(|offset| *offset < start);
        let said = evidence.get(first).is_some_and(|offset| *offset < end);
        let (severity, percent, message) = if said {
            (Severity::Error, 85, SAID)
        } else if !silenced && !allowed && self.ignores_parameters(code) {
            (Severity::Warning, 60, UNUSED)
        } else {
            return None;
        };
        Some(Found {
            rule: RuleId::StubBody,
            start: code.start(self.index),
            end: code.end(self.body.end),
            severity,
            confidence: Confidence(percent),
            message,
            fix: None,
        })
    }

    /// Whether a parameter is named, without `_`, and nothing else can use it. The body uses none: it is a
    /// constant.
    fn ignores_parameters(&self, code: &Code<'_>) -> bool {
        let named = parameters(code, self.parameters.clone());
        named.iter().any(|name| !name.starts_with('_')) && only_inert_attributes(code, self.index)
    }
}

/// The `(` of the parameters, behind perhaps generics.
fn parameters_open(code: &Code<'_>, from: usize) -> Option<usize> {
    let mut depth = 0u32;
    let mut index = from;
    loop {
        match code.token(index)? {
            Token::Mark(b'(') if depth == 0 => return Some(index),
            Token::Mark(b'(' | b'[') => index = code.partner(index)?,
            Token::Mark(b'<') => depth += 1,
            Token::Mark(b'>') if !code.is(index - 1, b'-') => depth = depth.checked_sub(1)?,
            Token::Mark(b'{' | b'}' | b';' | b')' | b']') => return None,
            Token::Name if code.text(index) == "fn" => return None,
            _ => {}
        }
        index += 1;
    }
}

/// The `{` of the body, behind perhaps a result and bounds.
fn body_open(code: &Code<'_>, from: usize) -> Option<usize> {
    let mut index = from;
    loop {
        match code.token(index)? {
            Token::Mark(b'{') => return Some(index),
            Token::Mark(b'(' | b'[') => index = code.partner(index)?,
            Token::Mark(b';' | b'}' | b')' | b']') => return None,
            Token::Name if code.text(index) == "fn" && code.name(index + 1).is_some() => return None,
            _ => {}
        }
        index += 1;
    }
}

/// The body without `let _ = …;` at its start, and whether there were any.
fn without_silencers(code: &Code<'_>, body: Range<usize>) -> (bool, Range<usize>) {
    let mut start = body.start;
    while code.name(start) == Some("let") && code.name(start + 1) == Some("_") && code.is(start + 2, b'=') {
        let inert = |index: &usize| {
            matches!(code.token(*index), Some(Token::Name | Token::Mark(b'&' | b'(' | b')' | b',')))
        };
        let end = (start + 3..body.end).find(|index| !inert(index)).unwrap_or(body.end);
        if !code.is(end, b';') {
            break;
        }
        start = end + 1;
    }
    (start > body.start, start..body.end)
}

/// Nothing, or one constant, perhaps in `Ok(…)`, `Some(…)` or `Err(…)`.
fn is_constant(code: &Code<'_>, body: Range<usize>) -> bool {
    let (mut start, mut end) = (body.start, body.end);
    if end - start > CONSTANT_MAX {
        return false;
    }
    if code.name(start) == Some("return") {
        start += 1;
    }
    if end > start && code.is(end - 1, b';') {
        end -= 1;
    }
    while matches!(code.name(start), Some("Ok" | "Some" | "Err"))
        && code.is(start + 1, b'(')
        && code.partner(start + 1) == Some(end - 1)
    {
        (start, end) = (start + 2, end - 1);
    }
    is_value(code, start..end)
}

fn is_value(code: &Code<'_>, value: Range<usize>) -> bool {
    let start = value.start;
    match value.len() {
        0 => true,
        1 => match code.token(start) {
            Some(Token::Text | Token::Literal) => true,
            _ => matches!(code.name(start), Some("true" | "false" | "None")),
        },
        2 if code.is(start, b'-') => code.token(start + 1) == Some(Token::Literal),
        2 => code.is(start, b'(') && code.is(start + 1, b')'),
        4 if code.name(start) == Some("vec") => {
            code.is(start + 1, b'!') && code.partner(start + 2) == Some(start + 3)
        }
        5 if code.token(start) == Some(Token::Text) => {
            let owned = matches!(code.name(start + 2), Some("to_string" | "into" | "to_owned"));
            owned && code.is(start + 1, b'.') && code.partner(start + 3) == Some(start + 4)
        }
        _ => is_empty_value(code, value),
    }
}

/// `Vec::new()`, `Default::default()` and the like.
fn is_empty_value(code: &Code<'_>, value: Range<usize>) -> bool {
    let Some(name) = value.end.checked_sub(3).filter(|name| *name > value.start) else {
        return false;
    };
    let path = (value.start..name).all(|index| code.name(index).is_some() || code.is(index, b':'));
    let empty = code.name(name).is_some_and(|name| EMPTY_VALUES.contains(&name));
    path && empty && code.after_path(name) && code.partner(name + 1) == Some(name + 2)
}

/// The names of the parameters, without `self`.
fn parameters<'a>(code: &Code<'a>, range: Range<usize>) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut index = range.start;
    let mut first = true;
    while index < range.end {
        if first {
            while let Some((next, _)) = code.attribute(index) {
                index = next;
            }
            index += usize::from(code.name(index) == Some("mut"));
            let typed = code.is(index + 1, b':') && !code.is(index + 2, b':');
            names.extend(code.name(index).filter(|name| typed && *name != "self"));
        }
        first = code.is(index, b',');
        if code.is(index, b'(') || code.is(index, b'[') || code.is(index, b'{') {
            index = code.partner(index).unwrap_or(index);
        }
        index += 1;
    }
    names
}

/// Whether the attributes in front of the function leave its parameters alone.
fn only_inert_attributes(code: &Code<'_>, function: usize) -> bool {
    let mut index = function;
    while index > 0 {
        let before = index - 1;
        if code.is(before, b']') {
            let Some(open) = code.partner(before).filter(|open| *open > 0 && code.is(open - 1, b'#')) else {
                return true;
            };
            if !is_inert(code, open + 1..before) {
                return false;
            }
            index = open - 1;
        } else if code.is(before, b')') {
            // `pub(crate)`
            let Some(open) = code.partner(before) else { return true };
            index = open;
        } else if matches!(code.name(before), Some("pub" | "async" | "const" | "unsafe" | "default" | "safe"))
        {
            index = before;
        } else {
            // `extern "C"`: others decide on the parameters.
            return code.token(before) != Some(Token::Text) && code.name(before) != Some("extern");
        }
    }
    true
}

fn is_inert(code: &Code<'_>, attribute: Range<usize>) -> bool {
    match code.name(attribute.start) {
        Some("allow" | "expect") => !mentions_unused(code, attribute),
        Some(name) => INERT.contains(&name),
        None => false,
    }
}

/// Looks at a bounded number of tokens, because attributes nest in broken code.
fn mentions_unused(code: &Code<'_>, attribute: Range<usize>) -> bool {
    attribute.take(ATTRIBUTE_MAX).any(|index| code.name(index).is_some_and(|name| name.starts_with("unused")))
}

/// Whether the file allows unused names as a whole.
fn allows_unused(code: &Code<'_>) -> bool {
    let inner = code.items().filter(|index| code.is(*index + 1, b'!'));
    inner.filter_map(|index| code.attribute(index)).any(|(_, attribute)| mentions_unused(code, attribute))
}
