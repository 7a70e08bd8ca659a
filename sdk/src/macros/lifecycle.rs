//! The configuration behind `plugin!(config: …)`.

use serde::de::DeserializeOwned;

use crate::{Code, Error, json_text};

/// What `plugin!(config: …)` may name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the plugin's configuration",
    label = "cannot be read from JSON",
    note = "put `#[derive(serde::Deserialize)]` on `{Self}`"
)]
pub trait Settings: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Settings for T {}

/// Reads the operator's configuration.
///
/// # Errors
/// Which key is wrong, and why.
pub fn configuration<T: Settings>(config: &str) -> Result<T, Error> {
    json_text::read(config).map_err(|what| {
        let message =
            format!("the plugin's configuration is wrong {what}; mend it in the operator's hubcap.toml");
        Error::new(Code::Unavailable, message)
    })
}
