//! Ends the process in the middle of a call, with the status that it is given.

use hubcap_sdk::{Error, Output};
use test_guests::{Value, number};

fn exit(arguments: &Value) -> Result<Output, Error> {
    std::process::exit(number(arguments, "status") as i32)
}

test_guests::tools! { "exit" => exit }
