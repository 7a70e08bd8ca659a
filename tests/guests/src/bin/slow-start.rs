//! Takes its time before its first call: `init` and `list-tools` sleep as long as the configuration says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools};
use test_guests::{Value, number};

static LIST_MS: AtomicU64 = AtomicU64::new(0);

struct Guest;

impl Plugin for Guest {
    fn init(config: &str) -> Result<(), Error> {
        let config: Value = serde_json::from_str(config)?;
        LIST_MS.store(number(&config, "list-ms"), Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(number(&config, "init-ms")));
        Ok(())
    }
}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        std::thread::sleep(Duration::from_millis(LIST_MS.load(Ordering::Relaxed)));
        Ok(vec![test_guests::tool("run")])
    }

    fn call_tool(_: &str, _: &str, _: Context) -> Result<Output, Error> {
        Ok(Output::text("done"))
    }
}

test_guests::register!(Guest);
