//! Takes random bytes, at once or in pieces.

use hubcap_sdk::bindings::plugin::wasi::random::random::get_random_bytes;
use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};

fn take(arguments: &Value) -> Result<Output, Error> {
    let mut taken = 0;
    for _ in 0..number(arguments, "pieces") {
        taken += get_random_bytes(number(arguments, "bytes")).len();
    }
    answer(taken)
}

test_guests::tools! { "take" => take }
