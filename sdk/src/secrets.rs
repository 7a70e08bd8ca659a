//! Secrets that the plugin itself has to see. Most do not have to be seen: a secret that only goes into a
//! header is asked for with `url` and `header`, and the host adds it to the requests there.
//!
//! ```toml
//! # plugin.toml
//! [[ask.secrets]]
//! name = "signing-key"
//! reveal = true
//! why = "signs what it sends"
//! ```
//!
//! ```no_run
//! use hubcap_sdk::{Error, secrets};
//!
//! # fn sign(text: &str) -> Result<String, Error> {
//! let key = secrets::reveal("signing-key")?;
//! # Ok(key + text)
//! # }
//! ```
//!
//! # Denied
//! Where the operator did not grant to see it, or where there is none of that name, [`reveal`] is the error
//! [`Code::Denied`](crate::Code::Denied), with what the operator would write. A revealed secret is replaced by
//! its name in results, errors, progress and logs.

use crate::bindings::plugin::hubcap::plugin::secrets;
use crate::error::Error;

/// Whether a secret of this name can be used: in requests, or to be seen.
pub fn exists(name: &str) -> bool {
    secrets::exists(name)
}

/// The secret itself.
///
/// # Errors
/// [`Code::Denied`](crate::Code::Denied), whether or not there is one of that name.
pub fn reveal(name: &str) -> Result<String, Error> {
    secrets::reveal(name).map_err(Error::from_host)
}
