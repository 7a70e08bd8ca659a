//! Panics with a message of the size that it is given.

use hubcap_sdk::{Error, Output};
use test_guests::{Value, number};

fn panic(arguments: &Value) -> Result<Output, Error> {
    panic!("{}", "p".repeat(number(arguments, "bytes") as usize))
}

test_guests::tools! { "panic" => panic }
