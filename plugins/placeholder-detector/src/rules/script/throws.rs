//! `throw new Error("not implemented")` and its kin.
//!
//! Invariant: a finding spans from `throw`, or from the call that rejects, to the end of what is thrown.

use std::ops::Range;

use super::classes::Classes;
use crate::finding::{Confidence, Found, Severity};
use crate::language::tokens::Tokens;
use crate::rules::{RuleId, message};

const MESSAGE: &str = "This fails because something is not implemented: write the code, or fail with an error that says \
                       why this is not supported.";

/// Most tokens of an error's arguments that are looked at.
const ARGUMENTS_MAX: usize = 12;

/// All of them outside of classes that are exempt.
pub(super) fn find(code: &Tokens<'_>, classes: &Classes) -> Vec<Found> {
    let mut cursor = classes.cursor();
    let mut found = Vec::new();
    for index in code.words(&["throw", "Promise", "reject"]) {
        let Some((percent, last)) = thrown(code, index) else { continue };
        if cursor.at(index).is_some_and(|class| class.exempt) {
            continue;
        }
        let (start, end) = (code.start(index), code.end(last));
        let (severity, confidence) = (Severity::Error, Confidence(percent));
        found.push(Found {
            rule: RuleId::StubThrow,
            start,
            end,
            severity,
            confidence,
            message: MESSAGE,
            fix: None,
        });
    }
    found
}

/// Percent and the last token, where a throw or a rejection at `index` says that code is missing.
fn thrown(code: &Tokens<'_>, index: usize) -> Option<(u8, usize)> {
    let member = index > 0 && code.is(index - 1, b'.');
    match code.name(index)? {
        "throw" if !member => value(code, index + 1),
        "Promise" if code.is(index + 1, b'.') && code.name(index + 2) == Some("reject") => {
            rejected(code, index + 3)
        }
        "reject" if !member => rejected(code, index + 1),
        _ => None,
    }
}

fn rejected(code: &Tokens<'_>, open: usize) -> Option<(u8, usize)> {
    let close = code.partner(open).filter(|_| code.is(open, b'('))?;
    value(code, open + 1).map(|(percent, _)| (percent, close))
}

/// Percent and the last token of a value that says so: a string, or an error made with `new` or without.
fn value(code: &Tokens<'_>, start: usize) -> Option<(u8, usize)> {
    if code.is_text(start) {
        return Some((says(code, start..start + 1)?, start));
    }
    let mut open = start + usize::from(code.name(start) == Some("new"));
    let mut class = code.name(open)?;
    while code.is(open + 1, b'.') {
        open += 2;
        class = code.name(open)?;
    }
    open += 1;
    if !code.is(open, b'(') {
        return is_telling(class).then_some((90, open - 1));
    }
    let last = code.partner(open).unwrap_or(open);
    let arguments = open + 1..last.min(open + 1 + ARGUMENTS_MAX);
    if arguments.clone().any(|index| code.is_text(index) && message::is_abstract(code.text(index))) {
        return None;
    }
    let percent = if is_telling(class) { Some(90) } else { says(code, arguments) };
    Some((percent?, last))
}

/// Whether the name of an error says so.
fn is_telling(class: &str) -> bool {
    let name = class.trim_end_matches("Exception").trim_end_matches("Error");
    matches!(name, "NotImplemented" | "NotYetImplemented" | "MethodNotImplemented" | "Unimplemented" | "Todo")
}

/// Percent, where the first argument is a message that starts or ends with such words.
fn says(code: &Tokens<'_>, arguments: Range<usize>) -> Option<u8> {
    let first = arguments.start;
    if !code.is_text(first) {
        return None;
    }
    let opens = message::opens_missing(code.text(first));
    // Up to the next argument: a template is cut where it has code in it.
    let mut own = arguments.take_while(|index| !code.is(*index, b','));
    opens.or_else(|| {
        own.find_map(|index| message::closes_missing(code.text(index)).filter(|_| code.is_text(index)))
    })
}
