//! Which headers a guest may not set, and those that the host sets itself.
//!
//! Invariant: framing, routing and identity of a connection are the host's: no header of a guest can say
//! where a message ends, whom it is for or whom it comes from.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

use super::grant;
use super::target::Target;
use crate::origin::Origin;

/// Whether a guest may neither set nor see a header.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    let text = name.as_str();
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || [header::COOKIE, header::FORWARDED, header::TE, header::TRAILER].contains(name)
        || text.starts_with("proxy-")
        || text.starts_with("x-forwarded-")
}

/// A header that the host adds to the requests of one origin: a secret that the guest never sees.
pub(crate) struct BoundHeader {
    /// Where it goes, and nowhere else.
    pub(crate) origin: Origin,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// The headers as they go out. What is bound to the origin replaces what the guest wrote.
pub(super) fn complete(headers: &mut HeaderMap, target: &Target, bound: &[BoundHeader]) -> Option<()> {
    headers.insert(header::HOST, HeaderValue::try_from(target.authority()).ok()?);
    // A secret that is bound to every host is bound to none.
    let is_here = |bound: &&BoundHeader| bound.origin.host.is_some() && grant::is_at(&bound.origin, target);
    for header in bound.iter().filter(is_here) {
        headers.insert(header.name.clone(), header.value.clone());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};

    use super::{BoundHeader, Origin, Target, complete, is_forbidden};

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

    #[test]
    fn a_bound_header_replaces_the_guests_at_its_origin_and_is_nowhere_else() {
        let sent = |bound: &str, url: &str| {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static("guest"));
            headers.append(AUTHORIZATION, HeaderValue::from_static("again"));
            let value = HeaderValue::from_static("Bearer secret");
            let bound = BoundHeader { origin: Origin::parse(bound).unwrap(), name: AUTHORIZATION, value };
            complete(&mut headers, &Target::of(&url.parse().unwrap()).unwrap(), &[bound]).unwrap();
            assert_eq!(headers[HOST], url.split_once("://").unwrap().1);
            headers
                .get_all(AUTHORIZATION)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let home = "https://api.example.com:444";
        assert_eq!(sent(home, home), ["Bearer secret"]);
        for elsewhere in ["https://example.com:444", "http://api.example.com:444", "https://api.example.com"]
        {
            assert_eq!(sent(home, elsewhere), ["guest", "again"], "{elsewhere}");
        }
        assert_eq!(sent("https://*:444", home), ["guest", "again"]);
    }
}
