//! Calls of macros that stand for code: `todo!()`, and panics that say "not implemented".
//!
//! Invariant: a finding spans the call from its name to its closing bracket.

use std::ops::Range;

use crate::finding::{Confidence, Found, Severity};
use crate::language::rust::Code;
use crate::language::tokens::Token;
use crate::rules::regions::covers;
use crate::rules::{RuleId, message};

const TODO: &str = "`todo!` panics when it is reached: write the code before this lands.";
const UNIMPLEMENTED: &str = "`unimplemented!` panics when it is reached: write the code, or return an error that says \
                             why this is not supported.";
const PANIC: &str = "This fails because something is not implemented: write the code, or return an error that says \
                     why this is not supported.";

/// Macros that fail with a message.
const FAILING: [&str; 4] = ["panic", "unreachable", "bail", "anyhow"];

/// All such calls outside of `exempt`.
pub(super) fn find(code: &Code<'_>, exempt: &[Range<usize>]) -> Vec<Found> {
    let calls = code.calls().filter_map(|index| call(code, index));
    calls.filter(|found| !covers(exempt, found.start)).collect()
}

fn call(code: &Code<'_>, index: usize) -> Option<Found> {
    let name = code.name(index)?;
    let open = index + 2;
    let opens = [b'(', b'[', b'{'].into_iter().any(|mark| code.is(open, mark));
    if !opens {
        return None;
    }
    let (rule, percent, message) = match name {
        "todo" if is_std(code, index) => (RuleId::StubMacro, 95, TODO),
        "unimplemented" if is_std(code, index) => {
            let silent = code.partner(open) == Some(open + 1);
            (RuleId::StubMacro, if silent { 90 } else { 70 }, UNIMPLEMENTED)
        }
        _ if FAILING.contains(&name) => (RuleId::StubPanic, message_says(code, open)?, PANIC),
        _ => return None,
    };
    let close = code.partner(open).unwrap_or(open);
    let (severity, confidence) = (Severity::Error, Confidence(percent));
    Some(Found {
        rule,
        start: code.start(index),
        end: code.end(close),
        severity,
        confidence,
        message,
        fix: None,
    })
}

/// A bare name, or one of `std` or `core`: `other::todo!` is another macro.
fn is_std(code: &Code<'_>, index: usize) -> bool {
    !code.after_path(index) || index >= 3 && matches!(code.name(index - 3), Some("std" | "core"))
}

/// Percent, where the call's first argument says that code is missing.
fn message_says(code: &Code<'_>, open: usize) -> Option<u8> {
    if code.token(open + 1) != Some(Token::Text) {
        return None;
    }
    message::opens_missing(code.text(open + 1))
}
