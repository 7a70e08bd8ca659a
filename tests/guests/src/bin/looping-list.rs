//! Never comes out of `list-tools`.

use std::hint::black_box;

use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools};

struct Guest;

impl Plugin for Guest {}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        while black_box(true) {}
        Ok(Vec::new())
    }

    fn call_tool(_: &str, _: &str, _: Context) -> Result<Output, Error> {
        Ok(Output::text("never"))
    }
}

test_guests::register!(Guest);
