//! What went wrong with a request, for the plugin and its callers.
//!
//! Invariant: a message names the origin and never the path, which may hold a secret; denied, refused, timed
//! out, cut off, TLS and too large are told apart.

use crate::bindings::plugin::wasi::http::types::ErrorCode;
use crate::{Code, Error};

/// The error of a request to an origin.
pub(super) fn of(method: &str, origin: &str, code: &ErrorCode) -> Error {
    let (code, what) = match code {
        ErrorCode::HttpRequestDenied => return denied(method, origin),
        ErrorCode::DestinationIpProhibited => (
            Code::Denied,
            "it leads to no address of the internet, and the operator granted none besides; the log of hubcap has the line that would",
        ),
        ErrorCode::ConnectionLimitReached => (
            Code::Limit,
            "more than 6 requests at once or 64 in one call; read or drop an answer before the next",
        ),
        ErrorCode::HttpRequestBodySize(_) => (Code::Limit, "the body has more than 8 MiB"),
        ErrorCode::HttpResponseBodySize(_) => (Code::Limit, "the answer has more than 8 MiB; ask for less"),
        ErrorCode::HttpResponseHeaderSectionSize(_) | ErrorCode::HttpResponseTrailerSectionSize(_) => {
            (Code::Limit, "the headers of the answer have more than 64 KiB")
        }
        ErrorCode::HttpRequestUriInvalid => (Code::InvalidArguments, "the URL cannot be requested"),
        ErrorCode::HttpRequestMethodInvalid => (Code::Internal, "the method cannot be requested"),
        ErrorCode::ConfigurationError => {
            (Code::Unavailable, "its grant in hubcap.toml cannot be used; the log of hubcap says why")
        }
        other => (Code::Upstream, upstream(other)),
    };
    Error::new(code, format!("{method} {origin}: {what}"))
}

/// The request's own time is over.
pub(super) fn too_late(method: &str, origin: &str) -> Error {
    Error::upstream(format!("{method} {origin}: timed out: it took longer than the plugin waits"))
}

fn denied(method: &str, origin: &str) -> Error {
    let line = match method {
        "GET" => format!("http = [\"{origin}\"]"),
        _ => format!("http = [{{ url = \"{origin}\", methods = [\"{method}\"] }}]"),
    };
    let message = format!(
        "{method} {origin} is not granted; the operator adds `{line}` under [plugins.<id>.grant] in hubcap.toml"
    );
    Error::new(Code::Denied, message)
}

fn upstream(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::DnsTimeout => "timed out: its name was not resolved in time",
        ErrorCode::DnsError(_) => "its name has no address",
        ErrorCode::ConnectionRefused => "refused: nobody listens there",
        ErrorCode::ConnectionTimeout => "timed out: it could not be connected to in time",
        ErrorCode::HttpResponseTimeout => "timed out: no answer came in time",
        ErrorCode::ConnectionReadTimeout => "timed out: the answer stopped coming",
        ErrorCode::ConnectionTerminated => "cut off: the connection was closed before the answer",
        ErrorCode::HttpResponseIncomplete => "cut off: the answer ended too early",
        ErrorCode::TlsCertificateError => {
            "TLS: its certificate is not trusted, has expired or is for another name"
        }
        ErrorCode::TlsProtocolError => "TLS: it does not speak TLS, or none that is safe",
        ErrorCode::TlsAlertReceived(_) => "TLS: it refused the handshake",
        ErrorCode::DestinationIpUnroutable | ErrorCode::DestinationUnavailable => "it cannot be reached",
        _ => "what came is no answer in HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, of};
    use crate::Code;

    #[test]
    fn what_is_denied_is_told_with_the_line_that_grants_it() {
        let told = |method| {
            let error = of(method, "https://example.org", &ErrorCode::HttpRequestDenied);
            assert_eq!(error.code(), Code::Denied);
            error.message().to_owned()
        };
        assert_eq!(
            told("GET"),
            "GET https://example.org is not granted; the operator adds `http = [\"https://example.org\"]` under [plugins.<id>.grant] in hubcap.toml"
        );
        assert!(told("POST").contains("`http = [{ url = \"https://example.org\", methods = [\"POST\"] }]`"));
    }

    #[test]
    fn ends_are_told_apart() {
        let words = [
            (ErrorCode::ConnectionRefused, "refused: "),
            (ErrorCode::ConnectionTimeout, "timed out: "),
            (ErrorCode::HttpResponseTimeout, "timed out: "),
            (ErrorCode::ConnectionTerminated, "cut off: "),
            (ErrorCode::TlsCertificateError, "TLS: "),
        ];
        for (code, word) in words {
            let error = of("GET", "https://example.org", &code);
            assert_eq!(error.code(), Code::Upstream);
            assert!(error.message().starts_with(&format!("GET https://example.org: {word}")), "{error}");
        }
        let limit = of("GET", "https://example.org", &ErrorCode::HttpResponseBodySize(None));
        assert_eq!(limit.code(), Code::Limit);
    }
}
