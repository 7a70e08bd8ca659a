//! Which headers a guest may not set, and those that the host sets itself.
//!
//! Invariant: framing, routing and identity of a connection are the host's: no header of a guest can say
//! where a message ends, whom it is for or whom it comes from.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

use super::target::Target;
use crate::secrets::Secrets;

/// Whether a guest may neither set nor see a header.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    let text = name.as_str();
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || [header::COOKIE, header::FORWARDED, header::TE, header::TRAILER].contains(name)
        || text.starts_with("proxy-")
        || text.starts_with("x-forwarded-")
}

/// The headers as they go out. What is bound to the origin replaces what the guest wrote. Says whether a
/// secret is among them.
pub(super) fn complete(headers: &mut HeaderMap, target: &Target, secrets: &Secrets) -> Option<bool> {
    let mut has_secret = false;
    for (name, value) in secrets.headers(&target.origin()) {
        has_secret = true;
        headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    headers.insert(header::HOST, HeaderValue::try_from(target.authority()).ok()?);
    Some(has_secret)
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::is_forbidden;

    #[test]
    fn what_frames_routes_or_identifies_is_forbidden_and_the_rest_is_not() {
        for name in [
            "host",
            "connection",
            "keep-alive",
            "transfer-encoding",
            "upgrade",
            "te",
            "trailer",
            "cookie",
            "proxy-authorization",
            "proxy-authenticate",
            "proxy-connection",
            "proxy-anything",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "http2-settings",
        ] {
            assert!(is_forbidden(&HeaderName::from_static(name)), "{name}");
        }
        for name in [
            "authorization",
            "accept",
            "content-length",
            "content-type",
            "user-agent",
            "x-api-key",
            "set-cookie",
        ] {
            assert!(!is_forbidden(&HeaderName::from_static(name)), "{name}");
        }
    }
}
