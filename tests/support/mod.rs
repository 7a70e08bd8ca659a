//! What the tests share: guests, a home for each test, a client of our own, and the look at the process.
//!
//! Invariant: nothing here names the host's code. What a test knows, it knows from outside.

pub(crate) mod case;
pub(crate) mod cases;
pub(crate) mod clock;
pub(crate) mod facts;
pub(crate) mod ground;
pub(crate) mod guests;
pub(crate) mod home;
pub(crate) mod message;
pub(crate) mod programs;
pub(crate) mod promises;
pub(crate) mod requests;
pub(crate) mod server;
pub(crate) mod shell;
pub(crate) mod sources;
pub(crate) mod stdio;
pub(crate) mod told;
pub(crate) mod transcript;
pub(crate) mod web;

use std::time::{Duration, Instant};

/// How long a test waits for what has to come at once, on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Waits until a condition holds; says whether it did in time.
pub(crate) fn holds_within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether something holds in one of three tries. For promises about milliseconds: what the rest of the machine
/// does can break one try, and a host that does not keep its promise breaks all three.
pub(crate) fn in_one_of_three(mut holds: impl FnMut() -> bool) -> bool {
    (0..3).any(|_| holds())
}
