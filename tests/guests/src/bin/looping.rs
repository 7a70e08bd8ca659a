//! Uses processor time: for ever, or as many rounds as asked for.

use std::hint::black_box;

use hubcap_sdk::{Error, Output, progress};
use test_guests::{Value, answer, number};

/// Says that it runs, and never ends.
fn spin(_: &Value) -> Result<Output, Error> {
    progress::report(1.0, None, None);
    let mut round = 0u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

fn count(arguments: &Value) -> Result<Output, Error> {
    let rounds = number(arguments, "n");
    let mut round = 0;
    while round < rounds {
        round = black_box(round + 1);
    }
    answer(round)
}

test_guests::tools! { "spin" => spin, "count" => count }
