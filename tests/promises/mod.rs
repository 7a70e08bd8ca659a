//! The promises that hubcap makes in numbers, each as a test that asserts its number and prints a line with
//! what it measured, `P09: …`. Where a test elsewhere asserts the number already, that one prints the line.
//!
//! `HUBCAP_LONG=1 cargo test --release --lib --test hubcap -- --show-output | grep '^P[0-9]'` takes the long forms.
//!
//! Invariant: a number that is printed was asserted.

mod answers;
mod beginnings;
mod calls;
mod canary;
mod corpus;
mod definitions;
mod dependencies;
mod ends;
mod lines;
mod lists;
mod locked;
mod queues;
mod spinning;
