//! Parts of a script that are tests or defaults which are meant to fail.
//!
//! Invariant: regions are byte ranges in order, none inside another.

use std::ops::Range;

use crate::language::tokens::Tokens;

/// Functions that take a title and a test.
const SUITES: [&str; 7] = ["describe", "it", "test", "suite", "context", "specify", "bench"];

/// Objects of test doubles.
const DOUBLES: [&str; 4] = ["jest", "vi", "sinon", "td"];

/// All of them, and functions whose argument is what holds until something else is given.
const NAMES: [&str; 13] = [
    "describe",
    "it",
    "test",
    "suite",
    "context",
    "specify",
    "bench",
    "jest",
    "vi",
    "sinon",
    "td",
    "createContext",
    "mock",
];

/// All such calls.
pub(crate) fn tests(code: &Tokens<'_>) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut next = 0;
    for index in code.words(&NAMES) {
        let open = if index < next { None } else { opened(code, index) };
        let Some(close) = open.and_then(|open| code.partner(open)) else { continue };
        regions.push(code.start(index)..code.end(close));
        next = close;
    }
    regions
}

/// The `(` of such a call whose name is at `index`.
fn opened(code: &Tokens<'_>, index: usize) -> Option<usize> {
    let name = code.name(index)?;
    let member = index > 0 && code.is(index - 1, b'.');
    if SUITES.contains(&name) && !member {
        // `it.each(table)("title", …)` and `test.only("title", …)` too.
        let open = (index + 1..index + 4).find(|open| code.is(*open, b'('))?;
        return code.is_text(open + 1).then_some(open);
    }
    if DOUBLES.contains(&name) && !member && code.is(index + 1, b'.') {
        return Some(index + 3).filter(|open| code.is(*open, b'('));
    }
    // `createContext<Type>(…)`
    let open = (index + 1..index + 16).find(|open| code.is(*open, b'(') || code.is(*open, b';'));
    open.filter(|open| code.is(*open, b'(') && (*open == index + 1 || code.is(index + 1, b'<')))
}
