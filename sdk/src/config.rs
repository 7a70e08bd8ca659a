//! The operator's configuration as a type.
//!
//! `plugin!(config: Settings, …)` reads `[plugins.<id>.config]` of the operator's file into `Settings`
//! before anything else in every call; the host has checked it against the schema under `[config]` in
//! `plugin.toml`, if there is one. A tool gets at it with [`get`]:
//!
//! ```
//! use hubcap_sdk::{Error, config};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     #[serde(default)]
//!     loud: bool,
//! }
//!
//! /// Greets somebody by name.
//! #[hubcap_sdk::tool(pure)]
//! fn greet(name: String) -> Result<String, Error> {
//!     let settings = config::get::<Settings>()?;
//!     Ok(if settings.loud { format!("HELLO, {name}!") } else { format!("Hello, {name}.") })
//! }
//!
//! hubcap_sdk::plugin!(tools: [greet], config: Settings);
//!
//! // A test has no operator: it says what the configuration is.
//! config::set(Settings { loud: true });
//! assert_eq!(greet("Ada".into()).unwrap(), "HELLO, Ada!");
//! ```
//!
//! # Denied
//! There is nothing to grant: a plugin without configuration gets `{}`. Where the configuration does not
//! fit the type, every call fails with a message that names the key, and so does loading the plugin:
//! ``the plugin's configuration is wrong at /loud: invalid type: string "yes", expected a boolean``. So
//! give defaults to what an operator may leave out, and refuse unknown keys.
//!
//! Invariant: it is read once in an instance, and an instance serves one call.

use std::any::Any;
use std::cell::Cell;

use crate::{Code, Error};

thread_local! {
    /// Every call has an instance of its own, so this is the call's; in tests it is the test's.
    static CONFIGURATION: Cell<Option<&'static dyn Any>> = const { Cell::new(None) };
}

/// A type that `plugin!(config: …)` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the plugin's configuration",
    note = "name the type in the registration: `hubcap_sdk::plugin!(config: {Self}, …)`"
)]
pub trait Configuration: Any {}

/// The configuration.
///
/// # Errors
/// Where nothing has set it, which only happens in tests: they use [`set`].
pub fn get<T: Configuration>() -> Result<&'static T, Error> {
    CONFIGURATION.get().and_then(|value| value.downcast_ref()).ok_or_else(|| {
        let kind = std::any::type_name::<T>();
        Error::new(
            Code::Internal,
            format!("no configuration `{kind}` was read; a test sets it with `config::set`"),
        )
    })
}

/// Sets the configuration, as `plugin!(config: …)` does first in every call. The value stays for as long
/// as the program runs.
pub fn set<T: Configuration>(value: T) {
    CONFIGURATION.set(Some(Box::leak(Box::new(value))));
}

#[cfg(test)]
mod tests {
    use super::{Configuration, get, set};

    #[derive(Debug)]
    struct Settings(u8);
    impl Configuration for Settings {}

    #[derive(Debug)]
    struct Other;
    impl Configuration for Other {}

    #[test]
    fn what_was_set_last_is_read_and_nothing_else_is() {
        assert!(get::<Settings>().unwrap_err().message().contains("config::set"));
        set(Settings(1));
        set(Settings(2));
        assert_eq!(get::<Settings>().unwrap().0, 2);
        assert!(get::<Other>().unwrap_err().message().contains("Other"));
    }
}
