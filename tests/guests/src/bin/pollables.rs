//! Opens as many pollables as asked for and keeps them all.

use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::subscribe_duration;
use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

fn open(arguments: &Value) -> Result<Output, Error> {
    let kept: Vec<_> = (0..number(arguments, "n")).map(|_| subscribe_duration(u64::MAX)).collect();
    answer(kept.len())
}

test_guests::tools! { "open" => open }
