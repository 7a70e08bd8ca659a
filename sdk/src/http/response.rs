//! An answer: its head at once, its body piece by piece.

use std::fmt;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::pending::Hop;
use super::{failure, read_json};
use crate::bindings::plugin::wasi::clocks::monotonic_clock;
use crate::bindings::plugin::wasi::http::types::{IncomingBody, IncomingResponse, http_error_code};
use crate::bindings::plugin::wasi::io::poll::{self, Pollable};
use crate::bindings::plugin::wasi::io::streams::{InputStream, StreamError};
use crate::{Code, Error};

/// Bytes that are asked for at once.
const PIECE: u64 = 64 << 10;
/// Characters of a body that an error shows.
const SHOWN: usize = 500;

/// What a server answered.
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    hop: Hop,
    deadline: Option<Instant>,
    body: Body,
}

/// The stream goes before the body that it belongs to, and that before its answer.
struct Body {
    stream: InputStream,
    _body: IncomingBody,
    _answer: IncomingResponse,
}

impl Response {
    pub(super) fn new(answer: IncomingResponse, hop: Hop, deadline: Option<Instant>) -> Result<Self, Error> {
        let taken = |()| Error::new(Code::Internal, "the host gave out a body twice");
        let body = answer.consume().map_err(taken)?;
        let stream = body.stream().map_err(taken)?;
        let (status, headers) = (answer.status(), answer.headers().entries());
        Ok(Self { status, headers, hop, deadline, body: Body { stream, _body: body, _answer: answer } })
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Where it came from, after redirects.
    pub fn url(&self) -> String {
        self.hop.url.to_string()
    }

    /// A header, where it is there and text; the first of several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&found.1).ok()
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Itself, where the status says that it went well.
    ///
    /// # Errors
    /// `upstream`, with the status and the start of the body; `rate-limited` for 429.
    pub fn ok(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let (status, method, origin) = (self.status, self.hop.method.clone(), self.hop.url.origin());
        let body = self.text().unwrap_or_default();
        let shown: String = body.trim().chars().take(SHOWN).collect();
        let code = if status == 429 { Code::RateLimited } else { Code::Upstream };
        Err(Error::new(
            code,
            format!("{method} {origin}: the answer is {status}: {shown}").trim_end_matches(": "),
        ))
    }

    /// The next piece of the body; nothing at its end.
    ///
    /// # Errors
    /// `upstream` where it ends too early or stops coming, `limit` where it is too large.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.body.stream.read(PIECE) {
                Ok(piece) if piece.is_empty() => {
                    if !wait(&self.body.stream.subscribe(), self.deadline) {
                        return Err(failure::too_late(&self.hop.method, &self.hop.url.origin()));
                    }
                }
                Ok(piece) => return Ok(Some(piece)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    let (method, origin) = (&self.hop.method, self.hop.url.origin());
                    return Err(match http_error_code(&error) {
                        Some(code) => failure::of(method, &origin, &code),
                        None => Error::upstream(format!("{method} {origin}: the answer broke off")),
                    });
                }
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`Response::chunk`].
    pub fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.chunk()? {
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`Response::chunk`], and `upstream` where it is not UTF-8.
    pub fn text(self) -> Result<String, Error> {
        let origin = self.hop.url.origin();
        String::from_utf8(self.bytes()?)
            .map_err(|_| Error::upstream(format!("{origin}: the answer is no text in UTF-8")))
    }

    /// The whole body, read as JSON.
    ///
    /// # Errors
    /// As [`Response::text`], and `upstream` with the place where it does not fit the type.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        read_json(&self.text()?)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Waits for something, or for a point in time. False where that came first.
pub(super) fn wait(ready: &Pollable, deadline: Option<Instant>) -> bool {
    let Some(deadline) = deadline else {
        ready.block();
        return true;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left == Duration::ZERO {
        return false;
    }
    let nanos = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
    let clock = monotonic_clock::subscribe_duration(nanos);
    poll::poll(&[ready, &clock]).contains(&0)
}
