//! Calls cheap host functions for ever: reading the clock, and waiting for timers that are due.

use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::{now, subscribe_duration};
use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

fn read(arguments: &Value) -> Result<Output, Error> {
    let mut reads = 0;
    while number(arguments, "n") == 0 || reads < number(arguments, "n") {
        now();
        reads += 1;
    }
    answer(reads)
}

fn busy_poll(arguments: &Value) -> Result<Output, Error> {
    let mut polls = 0;
    while number(arguments, "n") == 0 || polls < number(arguments, "n") {
        subscribe_duration(0).block();
        polls += 1;
    }
    answer(polls)
}

test_guests::tools! { "read" => read, "busy-poll" => busy_poll }
