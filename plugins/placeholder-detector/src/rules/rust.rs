//! Rust's own stubs, found on tokens.
//!
//! Invariant: linear in the tokens. Tests, macro definitions and quoted token trees are never reported.

mod bodies;
mod macros;
mod regions;

use std::ops::Range;

use super::Selection;
use super::regions::{covers, merge};
use crate::finding::Found;
use crate::language::rust::Code;

/// The parts of a text where other measures hold, as byte ranges in order.
#[derive(Default)]
pub(crate) struct Regions {
    /// What is compiled only for tests.
    pub(crate) tests: Vec<Range<usize>>,
    /// Macro definitions and quoted token trees.
    templates: Vec<Range<usize>>,
}

impl Regions {
    /// The regions of a Rust text.
    pub(crate) fn of(code: &Code<'_>) -> Self {
        Self { tests: regions::tests(code), templates: regions::templates(code) }
    }

    /// Regions of a text that has tests only.
    pub(crate) fn of_tests(tests: Vec<Range<usize>>) -> Self {
        Self { tests, templates: Vec::new() }
    }

    /// Whether an offset lies in tokens that are data: there `...` may be syntax.
    pub(crate) fn is_template(&self, offset: usize) -> bool {
        covers(&self.templates, offset)
    }
}

/// The stubs in a text. `evidence` are the offsets of comments that say that code is missing, in order.
pub(crate) fn stubs(code: &Code<'_>, regions: &Regions, evidence: &[usize], rules: Selection) -> Vec<Found> {
    let exempt = merge(&regions.tests, &regions.templates);
    let mut found = macros::find(code, &exempt);
    found.extend(bodies::find(code, &exempt, evidence));
    found.retain(|found| rules.has(found.rule));
    found
}

#[cfg(test)]
#[path = "../tests/rust.rs"]
mod tests;
