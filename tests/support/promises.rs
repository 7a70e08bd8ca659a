//! The promises that hubcap makes in numbers: how long a test of one takes, and the line in which it says
//! what it measured.
//!
//! `HUBCAP_LONG=1 cargo test --release --lib --test hubcap -- --show-output | grep '^P[0-9]'` takes the long forms.
//!
//! Invariant: the long form asserts what the short one does, of more.

use std::fmt::Display;

/// The value for the short form, or the one for the long form where that is wished for.
pub(crate) fn short_or_long<T>(short: T, long: T) -> T {
    if std::env::var_os("HUBCAP_LONG").is_some_and(|wish| wish == "1") { long } else { short }
}

/// Says in one short line what a test measured of a promise, after it asserted the promise.
#[expect(clippy::print_stdout, reason = "whoever runs the promises reads it there")]
pub(crate) fn kept(promise: &str, measured: impl Display) {
    println!("{promise}: {measured}");
}
