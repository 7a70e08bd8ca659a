//! Waits: for ever, for nothing, and for very many things.

use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::subscribe_duration;
use hubcap_sdk::bindings::plugin::wasi::io::poll::{Pollable, poll};
use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

fn forever(_: &Value) -> Result<Output, Error> {
    subscribe_duration(u64::MAX).block();
    answer("woke")
}

fn empty(_: &Value) -> Result<Output, Error> {
    answer(poll(&[]).len())
}

fn many(arguments: &Value) -> Result<Output, Error> {
    let timers: Vec<Pollable> = (0..number(arguments, "n")).map(|_| subscribe_duration(0)).collect();
    answer(poll(&timers.iter().collect::<Vec<_>>()).len())
}

/// One timer that is never due, named very often in one list.
fn repeated(arguments: &Value) -> Result<Output, Error> {
    let timer = subscribe_duration(u64::MAX);
    let list: Vec<&Pollable> = (0..number(arguments, "n")).map(|_| &timer).collect();
    answer(poll(&list).len())
}

test_guests::tools! { "forever" => forever, "empty" => empty, "many" => many, "repeated" => repeated }
