//! Counters that outlive a call: a key of the plugin's state for each.

use hubcap_sdk::{Error, kv, tool};

/// What stands before the name in a key, so that there is room for other things beside counters.
const PREFIX: &str = "counter/";

/// Adds to a counter and says what it is now.
#[tool(title = "Count")]
fn count(
    /// Name of the counter; one that is not there yet is 0.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// How much is added; 1 where absent.
    by: Option<i64>,
) -> Result<i64, Error> {
    kv::increment(&format!("{PREFIX}{name}"), by.unwrap_or(1))
}

/// Lists the names of all counters.
#[tool(title = "List counters", read_only)]
fn list() -> Result<Vec<String>, Error> {
    kv::list(PREFIX).map(|key| Ok(key?[PREFIX.len()..].to_owned())).collect()
}

/// Removes a counter.
#[tool(title = "Forget a counter", idempotent)]
fn forget(
    /// Name of the counter.
    #[schemars(length(min = 1, max = 100))]
    name: String,
) -> Result<(), Error> {
    kv::delete(&format!("{PREFIX}{name}"))
}

hubcap_sdk::plugin!(tools: [count, list, forget]);
