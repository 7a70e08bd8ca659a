//! What a test saw of an adversarial case, for the table that `cargo test --test cases` prints.
//!
//! Invariant: whoever says something here has seen it: it is said after what asserts it.

use std::fmt::Display;

/// Says in one short line what a test saw of a case.
#[expect(clippy::print_stdout, reason = "the harness keeps it, and the table reads it there")]
pub(crate) fn observed(case: &str, saw: impl Display) {
    println!("{case}: {saw}");
}
