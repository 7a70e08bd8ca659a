//! State that outlives a call: keys and values, the plugin's own, on disk when a function returns.
//!
//! ```no_run
//! use hubcap_sdk::{Error, kv};
//!
//! fn remember(page: &str) -> Result<i64, Error> {
//!     kv::set("last-page", page)?;
//!     if kv::get("first-page")?.is_none() {
//!         kv::set("first-page", page)?;
//!     }
//!     for key in kv::list("old/") {
//!         kv::delete(&key?)?;
//!     }
//!     // Whatever runs at the same time, each call counts.
//!     kv::increment("pages", 1)
//! }
//! ```
//!
//! The manifest asks for it, with `kv = "1MiB"` under `[ask]`, and the operator grants it in bytes of keys and
//! values. A key has 1 to 512 bytes, a value at most 64 KiB, and there are at most 1,000 keys. Keys are compared
//! byte by byte and mean nothing: `../a` is a key like any other, and no key leads to another plugin's state.
//! Each function is a step of its own; what has to be done in one step is a
//! [`compare_and_swap`] or an [`increment`].
//!
//! # Denied
//! Where it is not granted, every function fails with [`Code::Denied`](crate::Code::Denied) and the line that
//! the operator would add; nothing else of the plugin is touched by that. More than the quota is
//! [`Code::Limit`](crate::Code::Limit), a disk that fails or a state that another hubcap uses is
//! [`Code::Unavailable`](crate::Code::Unavailable). Outside of WebAssembly, as in unit tests, there is no host
//! to ask and all functions panic.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::plugin::hubcap::plugin::kv;
use crate::{Code, Error, json_text};

/// What a key holds, if it is there.
///
/// # Errors
/// As in [the module](self), and [`Code::InvalidArguments`] where it is no key.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    kv::get(key).map_err(Error::from_host)
}

/// Writes a value over whatever was there.
///
/// # Errors
/// As [`get`].
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
    kv::set(key, value.as_ref()).map_err(Error::from_host)
}

/// Removes a key. One that is not there is no error.
///
/// # Errors
/// As [`get`].
pub fn delete(key: &str) -> Result<(), Error> {
    kv::delete(key).map_err(Error::from_host)
}

/// The keys with a prefix, in byte order; all of them for `""`. They come in pages, each as it is when its turn
/// comes.
///
/// # Errors
/// Each key, as [`get`]; after an error there is nothing more.
pub fn list(prefix: &str) -> Keys {
    Keys { prefix: prefix.to_owned(), page: Vec::new().into_iter(), next: Some(None) }
}

/// The keys of [`list`].
#[derive(Debug)]
pub struct Keys {
    prefix: String,
    page: std::vec::IntoIter<String>,
    /// Where the next page starts, if there is one.
    next: Option<Option<String>>,
}

impl Iterator for Keys {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.page.next() {
                return Some(Ok(key));
            }
            match kv::list(&self.prefix, self.next.take()?.as_deref()) {
                Ok(page) => {
                    self.page = page.keys.into_iter();
                    self.next = page.next.map(Some);
                }
                Err(error) => return Some(Err(Error::from_host(error))),
            }
        }
    }
}

/// Adds to a counter and returns the sum. A key that is not there counts as 0.
///
/// # Errors
/// As [`get`]; [`Code::InvalidArguments`] also where the key holds no counter (8 bytes, little-endian) or the
/// sum does not fit.
pub fn increment(key: &str, by: i64) -> Result<i64, Error> {
    kv::increment(key, by).map_err(Error::from_host)
}

/// Writes `value` if the key holds exactly `expected` (`None`: is not there), and says whether it did.
///
/// # Errors
/// As [`get`].
pub fn compare_and_swap(key: &str, expected: Option<&[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
    kv::compare_and_swap(key, expected, value.as_ref()).map_err(Error::from_host)
}

/// What [`set_json`] wrote.
///
/// # Errors
/// As [`get`], and [`Code::Internal`] where the value is not what the type needs.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let Some(value) = get(key)? else { return Ok(None) };
    let text = std::str::from_utf8(&value)?;
    let read = json_text::read(text);
    read.map(Some)
        .map_err(|what| Error::new(Code::Internal, format!("the value of {key:?} does not fit {what}")))
}

/// Writes a value as JSON.
///
/// # Errors
/// As [`get`], and [`Code::Internal`] where the value cannot be written as JSON.
pub fn set_json<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Error> {
    set(key, serde_json::to_vec(value)?)
}
