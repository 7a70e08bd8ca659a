//! Functions without a real body: `pass`, `...`, a docstring, or a constant where more is promised.
//!
//! Invariant: a body alone is never enough. A comment in it says that code is missing, or its annotation promises a
//! value, or its name and its unused parameters do.

use std::ops::Range;

use super::blocks::{Blocks, Line, Opener};
use super::raises::is_documentation;
use super::scopes::{Class, Place, Scopes, decorator_name, is_abstract};
use crate::finding::{Confidence, Found, Severity};
use crate::language::tokens::{Token, Tokens};
use crate::rules::RuleId;
use crate::rules::bodies::{CONSTANT, NAMED, PROMISED, SAID};
use crate::rules::names::{is_double, promises};

/// Decorators that leave a body what it is.
const PLAIN: [&str; 9] = [
    "staticmethod",
    "classmethod",
    "property",
    "cached_property",
    "lru_cache",
    "cache",
    "override",
    "final",
    "wraps",
];

/// Results that nothing need be returned for.
const NOTHING: [&str; 17] = [
    "None",
    "NoReturn",
    "Never",
    "Any",
    "object",
    "Optional",
    "Generator",
    "AsyncGenerator",
    "Iterator",
    "AsyncIterator",
    "Iterable",
    "AsyncIterable",
    "ContextManager",
    "Self",
    "TypeGuard",
    "TypeIs",
    "Incomplete",
];

/// What a body comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// There is none: the text breaks off, or is broken.
    Missing,
    /// `pass`, documentation, or `return` without anything.
    Nothing,
    /// `...`.
    Dots,
    /// `return None`.
    None,
    /// Another constant.
    Constant,
}

/// All such functions. `evidence` are offsets of telling comments, in order.
pub(super) fn find(code: &Tokens<'_>, blocks: &Blocks, scopes: &Scopes, evidence: &[usize]) -> Vec<Found> {
    let functions = (0..blocks.lines.len()).filter_map(|line| Function::at(code, blocks, line));
    functions.filter_map(|function| function.judge(code, (blocks, scopes), evidence)).collect()
}

struct Function {
    line: usize,
    /// Indices of `def` and of the last token.
    span: (usize, usize),
    parameters: Range<usize>,
    returns: Range<usize>,
    body: Body,
}

impl Function {
    fn at(code: &Tokens<'_>, blocks: &Blocks, line: usize) -> Option<Self> {
        let Opener::Function(keyword) = blocks.opener(code, line) else { return None };
        let end = blocks.lines[line].tokens.end;
        let open = (keyword + 2..end.min(keyword + 64)).find(|index| code.is(*index, b'('))?;
        let close = code.partner(open).filter(|close| *close < end)?;
        let colon = colon(code, close + 1..end)?;
        let arrow = code.is(close + 1, b'-') && code.is(close + 2, b'>');
        let returns = if arrow { close + 3..colon } else { colon..colon };
        let (body, last) = body(code, blocks, line, colon + 1..end)?;
        Some(Self { line, span: (keyword, last), parameters: open + 1..close, returns, body })
    }

    fn judge(
        &self,
        code: &Tokens<'_>,
        (blocks, scopes): (&Blocks, &Scopes),
        evidence: &[usize],
    ) -> Option<Found> {
        let name = code.text(self.span.0 + 1);
        let mut decorators =
            blocks.decorators(code, self.line).map(|range| (decorator_name(code, range.clone()), range));
        let place = scopes.place(code, blocks, self.line);
        if place == Place::Exempt || is_double(name) {
            return None;
        }
        let mut plain = true;
        if decorators.any(|(decorator, range)| {
            plain &= PLAIN.contains(&decorator);
            is_abstract(code, range)
        }) {
            return None;
        }
        let (severity, percent, message) = if self.is_said(code, blocks, evidence) {
            (Severity::Error, 85, SAID)
        } else if plain {
            self.promise(code, scopes, place, name)?
        } else {
            return None;
        };
        let (start, end) = (code.start(self.span.0), code.end(self.span.1));
        let (confidence, fix) = (Confidence(percent), None);
        Some(Found { rule: RuleId::StubBody, start, end, severity, confidence, message, fix })
    }

    /// What a body that no comment explains breaks of the signature's promise.
    fn promise(
        &self,
        code: &Tokens<'_>,
        scopes: &Scopes,
        place: Place,
        name: &str,
    ) -> Option<(Severity, u8, &'static str)> {
        let class = if let Place::Method(line) = place { scopes.class(line) } else { Class::default() };
        if class.is_base || name.starts_with("__") && name.ends_with("__") {
            return None;
        }
        let open = place == Place::Module || matches!(place, Place::Method(_)) && !class.derives;
        match self.body {
            Body::Nothing if self.promises_value(code) => Some((Severity::Error, 85, PROMISED)),
            Body::Dots if self.promises_value(code) => Some((Severity::Error, 80, PROMISED)),
            Body::None if self.promises_value(code) => Some((Severity::Warning, 70, PROMISED)),
            // An annotation that allows for nothing is kept.
            Body::Nothing | Body::Dots | Body::None if !self.returns.is_empty() => None,
            Body::Nothing | Body::Dots if place == Place::Module && self.is_expected(code, name) => {
                Some((Severity::Warning, 60, NAMED))
            }
            Body::None | Body::Constant if open && self.is_expected(code, name) => {
                Some((Severity::Warning, 50, CONSTANT))
            }
            _ => None,
        }
    }

    /// Whether there is an annotation that `None` does not meet.
    fn promises_value(&self, code: &Tokens<'_>) -> bool {
        let lenient = |index: usize| match code.token(index) {
            Some(Token::Name) => NOTHING.contains(&code.text(index)),
            Some(Token::Text) => NOTHING.iter().any(|name| code.text(index).contains(name)),
            _ => false,
        };
        !self.returns.is_empty() && !self.returns.clone().any(lenient)
    }

    /// Whether the name promises something of parameters that the body does not use: it is a constant.
    fn is_expected(&self, code: &Tokens<'_>, name: &str) -> bool {
        let mut first = true;
        let mut index = self.parameters.start;
        let mut named = false;
        while index < self.parameters.end {
            let parameter = code.name(index).filter(|_| first);
            named |= parameter.is_some_and(|name| !name.starts_with('_') && !matches!(name, "self" | "cls"));
            first = code.is(index, b',');
            index = code.partner(index).filter(|partner| *partner > index).unwrap_or(index) + 1;
        }
        named && promises(name)
    }

    /// Whether a comment inside says that code is missing: behind the header and deeper than it.
    fn is_said(&self, code: &Tokens<'_>, blocks: &Blocks, evidence: &[usize]) -> bool {
        let line = &blocks.lines[self.line];
        let start = code.end(self.parameters.end);
        let after = blocks.line_of(self.span.1) + 1;
        let end = blocks.lines.get(after).map_or(code.text_len(), |next| code.start(next.tokens.start));
        let first = evidence.partition_point(|offset| *offset < start);
        let inside = evidence[first..].iter().take_while(|offset| **offset < end);
        // A comment at the margin behind the body belongs to what comes next.
        let last = code.end(self.span.1);
        inside.take(8).any(|offset| code.same_line(last, *offset) || code.indent_at(*offset) > line.indent)
    }
}

/// The `:` that ends a header.
fn colon(code: &Tokens<'_>, rest: Range<usize>) -> Option<usize> {
    let mut index = rest.start;
    while index < rest.end && !code.is(index, b':') {
        index = code.partner(index).filter(|partner| *partner > index).unwrap_or(index) + 1;
    }
    (index < rest.end).then_some(index)
}

/// What a body comes to, and its last token; `None` where it is a real one.
fn body(code: &Tokens<'_>, blocks: &Blocks, line: usize, inline: Range<usize>) -> Option<(Body, usize)> {
    if !inline.is_empty() {
        return Some((statement(code, inline.clone())?, inline.end - 1));
    }
    let (mut found, mut last) = (Body::Missing, inline.end - 1);
    for Line { tokens, .. } in blocks.children(line) {
        let next = match found {
            Body::Missing | Body::Nothing if is_documentation(code, tokens.clone()) => Body::Nothing,
            Body::Missing | Body::Nothing => statement(code, tokens.clone())?,
            _ => return None,
        };
        (found, last) = (next, tokens.end - 1);
    }
    Some((found, last))
}

/// What one statement comes to; `None` where it does something.
fn statement(code: &Tokens<'_>, tokens: Range<usize>) -> Option<Body> {
    let end = if code.is(tokens.end - 1, b';') { tokens.end - 1 } else { tokens.end };
    let returned = code.name(tokens.start) == Some("return");
    let start = tokens.start + usize::from(returned);
    match (returned, end.saturating_sub(start)) {
        (true, 0) => Some(Body::Nothing),
        (false, 1) if code.name(start) == Some("pass") => Some(Body::Nothing),
        (false, 3) if (start..end).all(|index| code.is(index, b'.')) => Some(Body::Dots),
        (true, 1) if code.name(start) == Some("None") => Some(Body::None),
        (true, _) if is_constant(code, start..end) => Some(Body::Constant),
        _ => None,
    }
}

fn is_constant(code: &Tokens<'_>, value: Range<usize>) -> bool {
    let start = value.start;
    match value.len() {
        1 => match code.token(start) {
            Some(Token::Text | Token::Literal) => true,
            _ => matches!(code.name(start), Some("True" | "False")),
        },
        2 if code.is(start, b'-') => code.token(start + 1) == Some(Token::Literal),
        2 => code.partner(start) == Some(start + 1),
        3 => {
            let made = matches!(code.name(start), Some("list" | "dict" | "set" | "tuple" | "str"));
            made && code.partner(start + 1) == Some(start + 2)
        }
        _ => false,
    }
}
