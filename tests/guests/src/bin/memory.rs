//! Takes memory: in steps of 1 MiB or at once, asking politely or insisting.

use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

const MEBIBYTE: usize = 1 << 20;

/// Takes and touches up to `mebibytes` one by one, and says how many it got.
fn steps(arguments: &Value) -> Result<Output, Error> {
    let mut taken = Vec::new();
    for _ in 0..number(arguments, "mebibytes") {
        let mut step = Vec::new();
        if step.try_reserve_exact(MEBIBYTE).is_err() {
            break;
        }
        step.resize(MEBIBYTE, 1u8);
        taken.push(step);
    }
    answer(taken.len())
}

/// The same, but aborts where it does not get all of it.
fn insist(arguments: &Value) -> Result<Output, Error> {
    let taken: Vec<Vec<u8>> = (0..number(arguments, "mebibytes")).map(|_| vec![1u8; MEBIBYTE]).collect();
    answer(taken.len())
}

/// Takes all at once, and aborts where it does not get it.
fn at_once(arguments: &Value) -> Result<Output, Error> {
    let taken = vec![1u8; number(arguments, "mebibytes") as usize * MEBIBYTE];
    answer(taken.len() / MEBIBYTE)
}

test_guests::tools! { "steps" => steps, "insist" => insist, "at-once" => at_once }
