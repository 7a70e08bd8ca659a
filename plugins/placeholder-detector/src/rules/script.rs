//! The stubs of JavaScript and TypeScript, found on tokens.
//!
//! Invariant: linear in the tokens and no recursion, whatever the text is. Abstract classes, declarations, callbacks
//! and test doubles are never reported.

mod bodies;
mod classes;
mod functions;
mod regions;
mod throws;

use std::ops::Range;

use super::Selection;
use crate::finding::Found;
use crate::language::tokens::Tokens;

use classes::Classes;
pub(crate) use regions::tests;

/// The stubs in a text, outside of `tests`. `evidence` are the offsets of comments that say that code is missing,
/// in order.
pub(crate) fn stubs(
    code: &Tokens<'_>,
    tests: &[Range<usize>],
    evidence: &[usize],
    rules: Selection,
) -> Vec<Found> {
    let classes = Classes::of(code);
    let mut found = throws::find(code, &classes);
    found.extend(bodies::find(code, &classes, evidence));
    found.retain(|found| rules.has(found.rule) && !super::regions::covers(tests, found.start));
    found
}
