//! Never comes out of `init`.

use std::hint::black_box;

use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools};

struct Guest;

impl Plugin for Guest {
    fn init(_config: &str) -> Result<(), Error> {
        while black_box(true) {}
        Ok(())
    }
}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        Ok(vec![test_guests::tool("never")])
    }

    fn call_tool(_: &str, _: &str, _: Context) -> Result<Output, Error> {
        Ok(Output::text("never"))
    }
}

test_guests::register!(Guest);
