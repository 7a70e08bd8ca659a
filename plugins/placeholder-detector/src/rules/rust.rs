//! Rust's own stubs, found on tokens.
//!
//! Invariant: linear in the tokens. Tests, macro definitions and quoted token trees are never reported.

mod bodies;
mod macros;
mod regions;

use std::ops::Range;

use super::Selection;
use crate::finding::Found;
use crate::language::rust::Code;

pub(crate) use regions::tests as test_regions;

/// The stubs in a text. `tests` are its test regions, `evidence` the offsets of comments that say that code is
/// missing; both in order.
pub(crate) fn stubs(
    code: &Code<'_>,
    tests: &[Range<usize>],
    evidence: &[usize],
    rules: Selection,
) -> Vec<Found> {
    let templates = regions::templates(code);
    let exempt = regions::merge(tests, &templates);
    let mut found = macros::find(code, &exempt);
    found.extend(bodies::find(code, &exempt, evidence));
    found.retain(|found| rules.has(found.rule));
    found
}

#[cfg(test)]
#[path = "../tests/rust.rs"]
mod tests;
