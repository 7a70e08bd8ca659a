//! Python's stubs, found on tokens and indentation.
//!
//! Invariant: linear in the tokens and no recursion, whatever the text is. Abstract methods, protocols, overloads
//! and test doubles are never reported.

mod blocks;
mod bodies;
mod raises;
mod scopes;

use super::Selection;
use crate::finding::Found;
use crate::language::tokens::Tokens;

use blocks::Blocks;
use scopes::Scopes;

/// The stubs in a text. `evidence` are the offsets of comments that say that code is missing, in order.
pub(crate) fn stubs(code: &Tokens<'_>, evidence: &[usize], rules: Selection) -> Vec<Found> {
    let blocks = Blocks::of(code);
    let scopes = Scopes::of(code, &blocks);
    let mut found = raises::find(code, &blocks, &scopes);
    found.extend(bodies::find(code, &blocks, &scopes, evidence));
    found.retain(|found| rules.has(found.rule));
    found
}
