//! Requests to other hosts.
//!
//! ```no_run
//! use hubcap_sdk::{Error, http};
//!
//! #[derive(serde::Deserialize)]
//! struct Issue {
//!     title: String,
//! }
//!
//! fn title(number: u32) -> Result<String, Error> {
//!     let url = format!("https://api.github.com/repos/rust-lang/rust/issues/{number}");
//!     let issue: Issue = http::get(&url).header("accept", "application/json").send()?.ok()?.json()?;
//!     Ok(issue.title)
//! }
//! ```
//!
//! Up to six requests run at once, as [handles](crate::handle):
//!
//! ```no_run
//! use hubcap_sdk::{Error, handle, http};
//!
//! fn both() -> Result<Vec<u16>, Error> {
//!     let one = http::get("https://one.example/").start()?;
//!     let two = http::post("https://two.example/").json(&["a", "b"]).start()?;
//!     handle::join(vec![one, two], |_, never| match never {})
//!         .into_iter()
//!         .map(|answer| Ok(answer?.status()))
//!         .collect()
//! }
//! ```
//!
//! Bodies have up to 8 MiB each way, and come as they were sent: nothing is unpacked. Redirects are followed,
//! at most five; the host asks the grants at each one, and what proves who you are stays with its origin.
//!
//! # Denied
//! The plugin's author asks for each origin in `[[ask.http]]` of `plugin.toml`, and the operator grants it. A
//! request to anything else fails with the code `denied`, whether or not it is there, and the message has the
//! line that grants it:
//!
//! ```no_run
//! use hubcap_sdk::{Code, http};
//!
//! let denied = http::get("https://example.org/").send().unwrap_err();
//! assert_eq!(denied.code(), Code::Denied);
//! assert!(denied.message().contains("http = [\"https://example.org\"]"));
//! ```
//!
//! Granted or not, a request does not reach addresses that are not of the internet unless the operator names
//! them. More than 6 requests at once, or 64 in one call, fail with the code `limit`, and so does a body that
//! is too large. What goes wrong on the way or at the server has the code `upstream`. Outside of WebAssembly,
//! as in unit tests, there is no host to ask and sending panics.

mod failure;
mod pending;
mod response;
mod url;

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::handle::Handle;
use crate::{Error, json_text};

pub use pending::Pending;
pub use response::Response;

use url::Url;

/// Redirects that are followed.
const MAX_REDIRECTS: u8 = 5;

/// Asks for what is at `url`.
pub fn get(url: &str) -> Request {
    Request::new("GET", url)
}

/// Sends something to `url`.
pub fn post(url: &str) -> Request {
    Request::new("POST", url)
}

/// A request that is being put together. What is wrong with a part of it is told when it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url: Result<Url, Error>,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    timeout: Option<Duration>,
    redirects: Option<u8>,
}

impl Request {
    /// A request by any method that is granted.
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: Url::parse(url),
            headers: Vec::new(),
            body: None,
            timeout: None,
            redirects: Some(MAX_REDIRECTS),
        }
    }

    /// Adds `key=value` to the query, with what is special in it encoded.
    #[must_use]
    pub fn query(mut self, key: &str, value: &str) -> Self {
        if let Ok(url) = &mut self.url {
            url.add_query(key, value);
        }
        self
    }

    /// Sets a header. The host sets `host` and those that concern the connection itself.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.as_bytes().to_vec()));
        self
    }

    /// Sends these bytes.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends a value as JSON.
    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.header("content-type", "application/json").body(json),
            Err(error) => Self { url: Err(error.into()), ..self },
        }
    }

    /// Gives up after this time in all, the body of the answer included. The host gives up where connecting
    /// takes 5 s, the first byte 15 s, or the next one 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gives back a redirect as it is.
    #[must_use]
    pub fn no_redirects(mut self) -> Self {
        self.redirects = None;
        self
    }

    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    /// `denied` where it is not granted, `limit` where a bound is reached, `invalid-arguments` where the URL
    /// is none, `upstream` for what goes wrong on the way. A status like 404 is an answer: see
    /// [`Response::ok`].
    pub fn send(self) -> Result<Response, Error> {
        self.start()?.finish()
    }

    /// Starts the request and waits for nothing.
    ///
    /// # Errors
    /// As [`Request::send`], where that can be told at once.
    pub fn start(self) -> Result<Pending, Error> {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let url = self.url?;
        let hop = pending::Hop { method: self.method, url, headers: self.headers, body: self.body };
        Pending::start(hop, deadline, self.redirects)
    }
}

/// Reads JSON so that an error says where it is wrong.
fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    json_text::read(text).map_err(|what| Error::upstream(format!("the answer does not fit {what}")))
}
