//! Uses processor time: for ever, or as many rounds as asked for.

use std::hint::black_box;

use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

fn spin(_: &Value) -> Result<Output, Error> {
    let mut round = 0u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

fn count(arguments: &Value) -> Result<Output, Error> {
    let mut round = 0u64;
    while round < number(arguments, "n") {
        round = black_box(round + 1);
    }
    answer(round)
}

test_guests::tools! { "spin" => spin, "count" => count }
