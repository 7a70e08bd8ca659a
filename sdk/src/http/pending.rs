//! A request on its way, with its redirects.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Instant;

use super::response::{Response, wait};
use super::url::Url;
use super::{MAX_REDIRECTS, failure};
use crate::bindings::plugin::wasi::http::outgoing_handler;
use crate::bindings::plugin::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, Scheme,
};
use crate::bindings::plugin::wasi::io::poll::Pollable;
use crate::bindings::plugin::wasi::io::streams::OutputStream;
use crate::handle::{Handle, Next};
use crate::{Code, Error};

/// One request of a chain of redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Hop {
    /// The request that a redirect asks for.
    fn redirected(&self, status: u16, location: &str) -> Result<Self, Error> {
        let url = self.url.join(location).ok_or_else(|| {
            Error::upstream(format!("{} redirects to what is no URL of HTTP", self.url.origin()))
        })?;
        let mut next = Self { url, ..self.clone() };
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        if (status == 303 && !reads) || (matches!(status, 301 | 302) && self.method == "POST") {
            next.method = "GET".to_owned();
            next.body = None;
            next.headers.retain(|(name, _)| !name.starts_with("content-"));
        }
        if !next.url.same_origin(&self.url) {
            next.headers.retain(|(name, _)| !matches!(name.as_str(), "authorization" | "cookie"));
        }
        Ok(next)
    }
}

/// A request that was started: dropping it ends it.
pub struct Pending(RefCell<State>);

struct State {
    flight: Flight,
    hop: Hop,
    deadline: Option<Instant>,
    /// Redirects that are still followed; nothing where they are given back.
    redirects: Option<u8>,
    answer: Option<IncomingResponse>,
}

impl Pending {
    pub(super) fn start(hop: Hop, deadline: Option<Instant>, redirects: Option<u8>) -> Result<Self, Error> {
        let flight = Flight::start(&hop)?;
        Ok(Self(RefCell::new(State { flight, hop, deadline, redirects, answer: None })))
    }
}

impl State {
    /// Goes on as far as that takes no waiting. True at the end.
    fn advance(&mut self) -> Result<bool, Error> {
        if self.answer.is_some() {
            return Ok(true);
        }
        self.flight.upload();
        let Some(end) = self.flight.answer.get() else { return Ok(false) };
        let answer = end.map_err(|()| Error::new(Code::Internal, "the answer was taken before"))?;
        let answer = answer.map_err(|code| self.failed(&code))?;
        let Some((location, left)) = location(&answer).zip(self.redirects) else {
            self.answer = Some(answer);
            return Ok(true);
        };
        let Some(left) = left.checked_sub(1) else { return Err(self.too_many()) };
        let next = self.hop.redirected(answer.status(), &location)?;
        // The host counts a request until its answer is gone.
        drop(answer);
        self.flight = Flight::start(&next)?;
        self.hop = next;
        self.redirects = Some(left);
        Ok(false)
    }

    fn failed(&self, code: &ErrorCode) -> Error {
        failure::of(&self.hop.method, &self.hop.url.origin(), code)
    }

    fn too_many(&self) -> Error {
        Error::upstream(format!("{} redirects once more after {MAX_REDIRECTS} times", self.hop.url.origin()))
    }
}

impl Handle for Pending {
    type Event = Infallible;
    type Output = Response;

    fn subscribe(&self) -> Pollable {
        let state = self.0.borrow();
        match &state.flight.upload {
            Some(upload) => upload.stream.subscribe(),
            None => state.flight.answer.subscribe(),
        }
    }

    fn next(&self) -> Result<Next<Infallible>, Error> {
        let over = self.0.borrow_mut().advance()?;
        Ok(if over { Next::Over } else { Next::Nothing })
    }

    fn finish(self) -> Result<Response, Error> {
        loop {
            if self.0.borrow_mut().advance()? {
                break;
            }
            let ready = self.subscribe();
            if !wait(&ready, self.0.borrow().deadline) {
                return Err(failure::too_late(
                    &self.0.borrow().hop.method,
                    &self.0.borrow().hop.url.origin(),
                ));
            }
        }
        let State { hop, deadline, answer, .. } = self.0.into_inner();
        match answer {
            Some(answer) => Response::new(answer, hop, deadline),
            None => Err(Error::new(Code::Internal, "a request ended without an answer")),
        }
    }
}

/// Where an answer redirects to, if it does.
fn location(answer: &IncomingResponse) -> Option<String> {
    if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get("location").into_iter().next()?;
    String::from_utf8(location).ok()
}

/// What the host has of one request.
struct Flight {
    upload: Option<Upload>,
    answer: FutureIncomingResponse,
}

/// What is left to send. The stream goes before the body that it belongs to.
struct Upload {
    stream: OutputStream,
    body: OutgoingBody,
    bytes: Vec<u8>,
    sent: usize,
}

impl Flight {
    fn start(hop: &Hop) -> Result<Self, Error> {
        let request = request(hop)?;
        let taken = "the host gave out a part of a request twice";
        let upload = match &hop.body {
            None => None,
            Some(bytes) => {
                let body = request.body().map_err(|()| Error::new(Code::Internal, taken))?;
                let stream = body.write().map_err(|()| Error::new(Code::Internal, taken))?;
                Some(Upload { stream, body, bytes: bytes.clone(), sent: 0 })
            }
        };
        let answer = outgoing_handler::handle(request, None)
            .map_err(|code| failure::of(&hop.method, &hop.url.origin(), &code))?;
        Ok(Self { upload, answer })
    }

    /// Sends as much as the host takes now.
    fn upload(&mut self) {
        while let Some(upload) = &mut self.upload {
            let left = &upload.bytes[upload.sent..];
            if left.is_empty() {
                if let Some(Upload { stream, body, .. }) = self.upload.take() {
                    drop(stream);
                    // Where it fails, so does the answer, which says why.
                    let _ = OutgoingBody::finish(body, None);
                }
                return;
            }
            match upload.stream.check_write() {
                Ok(0) => return,
                Ok(room) => {
                    let piece = &left[..left.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                    if upload.stream.write(piece).is_ok() {
                        upload.sent += piece.len();
                        continue;
                    }
                    self.upload = None;
                }
                // The server wants no more, or is gone: the answer tells.
                Err(_) => self.upload = None,
            }
        }
    }
}

/// The request as the host takes it.
fn request(hop: &Hop) -> Result<OutgoingRequest, Error> {
    let fields = Fields::new();
    let length =
        hop.body.as_ref().map(|body| ("content-length".to_owned(), body.len().to_string().into_bytes()));
    let written = hop.headers.iter().filter(|(name, _)| name != "content-length");
    for (name, value) in written.chain(&length) {
        fields.append(name, value).map_err(|error| match error {
            HeaderError::Forbidden => {
                Error::new(Code::Denied, format!("a plugin cannot set the header `{name}`: the host does"))
            }
            HeaderError::InvalidSyntax | HeaderError::Immutable => Error::invalid_arguments(format!(
                "{name:?} is no header, or its value has a line break in it"
            )),
        })?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = if hop.url.secure { Scheme::Https } else { Scheme::Http };
    let set = request
        .set_method(&method(&hop.method))
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(&hop.url.authority)))
        .and_then(|()| request.set_path_with_query(Some(&hop.url.path)));
    set.map_err(|()| {
        Error::invalid_arguments(format!("{} {} cannot be requested", hop.method, hop.url.origin()))
    })?;
    Ok(request)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hop, Url};

    fn hop(method: &str) -> Hop {
        let header = |name: &str| (name.to_owned(), b"x".to_vec());
        Hop {
            method: method.to_owned(),
            url: Url::parse("https://example.org/a/b").unwrap(),
            headers: ["authorization", "cookie", "accept", "content-type"].map(header).to_vec(),
            body: Some(b"body".to_vec()),
        }
    }

    fn names(hop: &Hop) -> Vec<&str> {
        hop.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn what_proves_an_identity_stays_with_its_origin() {
        let home = hop("GET").redirected(307, "/c").unwrap();
        assert_eq!(names(&home), ["authorization", "cookie", "accept", "content-type"]);
        for away in ["https://other.example/", "http://example.org/a/b", "https://example.org:8443/"] {
            assert_eq!(
                names(&hop("GET").redirected(307, away).unwrap()),
                ["accept", "content-type"],
                "{away}"
            );
        }
        assert!(hop("GET").redirected(302, "file:///etc/passwd").is_err());
    }

    #[test]
    fn a_redirect_keeps_the_method_or_reads() {
        for (method, status, expected) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("PUT", 303, "GET"),
            ("PUT", 302, "PUT"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("HEAD", 303, "HEAD"),
        ] {
            let next = hop(method).redirected(status, "/c").unwrap();
            assert_eq!(next.method, expected, "{method} {status}");
            let kept = method == expected;
            assert_eq!(next.body.is_some(), kept);
            assert_eq!(names(&next).contains(&"content-type"), kept);
        }
    }
}
