//! Which headers a guest may not set, and those that the host sets itself.
//!
//! Invariant: framing, routing and identity of a connection are the host's: no header of a guest can say
//! where a message ends, whom it is for or whom it comes from.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

use super::origin::{Origin, Scheme};

/// Whether a guest may neither set nor see a header.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    let text = name.as_str();
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || [header::COOKIE, header::FORWARDED, header::TE, header::TRAILER].contains(name)
        || text.starts_with("proxy-")
        || text.starts_with("x-forwarded-")
}

/// A header that the host adds to requests for one host: a secret that the guest never sees.
#[derive(Clone)]
pub(crate) struct BoundHeader {
    /// The host in its canonical form.
    pub(crate) host: String,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// The headers as they go out. What is bound to the host replaces what the guest wrote, and goes over TLS
/// only.
pub(super) fn complete(headers: &mut HeaderMap, origin: &Origin, bound: &[BoundHeader]) -> Option<()> {
    headers.insert(header::HOST, HeaderValue::try_from(origin.authority()).ok()?);
    let host = origin.host.to_string();
    for header in bound.iter().filter(|bound| bound.host == host && origin.scheme == Scheme::Https) {
        let mut value = header.value.clone();
        value.set_sensitive(true);
        headers.insert(header.name.clone(), value);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
    use url::Host;

    use super::{BoundHeader, Origin, Scheme, complete, is_forbidden};

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
    fn a_bound_header_replaces_the_guests_at_its_host_over_tls_and_is_nowhere_else() {
        let bound = [BoundHeader {
            host: "api.example.com".to_owned(),
            name: AUTHORIZATION,
            value: HeaderValue::from_static("Bearer secret"),
        }];
        let sent = |scheme, host: &str| {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static("guest"));
            headers.append(AUTHORIZATION, HeaderValue::from_static("again"));
            let origin = Origin { scheme, host: Host::Domain(host.to_owned()), port: 444 };
            complete(&mut headers, &origin, &bound).unwrap();
            assert_eq!(headers[HOST], format!("{host}:444"));
            headers
        };
        let at_home = sent(Scheme::Https, "api.example.com");
        assert_eq!(at_home.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), ["Bearer secret"]);
        assert!(at_home[AUTHORIZATION].is_sensitive());
        for elsewhere in [sent(Scheme::Https, "example.com"), sent(Scheme::Http, "api.example.com")] {
            assert_eq!(elsewhere.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), ["guest", "again"]);
        }
    }
}
