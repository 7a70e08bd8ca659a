//! Returns a string that is no UTF-8.

use hubcap_sdk::{Error, Output};
use test_guests::Value;

fn run(_: &Value) -> Result<Output, Error> {
    // SAFETY: none. The bytes are no UTF-8, and the host has to find out.
    let lie = unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) };
    Ok(Output::text(lie))
}

test_guests::tools! { "run" => run }
