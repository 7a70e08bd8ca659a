//! What went wrong, in the words of `wasi:http`.
//!
//! Invariant: refused, timed out, cut off, TLS, too large and denied are different words. A guest learns
//! the word, never the text of a library.

use std::error::Error as _;
use std::io;

use tokio_rustls::rustls;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use super::MAX_HEADERS;

/// Why connecting failed.
pub(super) fn of_connect(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
        _ => Error::DestinationUnavailable,
    }
}

/// Why the TLS handshake failed.
pub(super) fn of_tls(error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: None }
        }
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}

/// Why a request got no answer.
pub(super) fn of_exchange(error: &hyper::Error) -> Error {
    of_hyper(error, Error::ConnectionTerminated)
}

/// Why an answer's body did not come to its end.
pub(super) fn of_body(error: &hyper::Error) -> Error {
    of_hyper(error, Error::HttpResponseIncomplete)
}

fn of_hyper(error: &hyper::Error, cut_off: Error) -> Error {
    if let Some(ours) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        return of_upload(ours);
    }
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(u32::try_from(MAX_HEADERS).ok());
    }
    if error.is_parse() || error.is_user() {
        return Error::HttpProtocolError;
    }
    cut_off
}

/// The error with which the request's own body ended, which hyper only lends.
fn of_upload(error: &Error) -> Error {
    match error {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        Error::ConnectionTerminated => Error::ConnectionTerminated,
        _ => Error::HttpProtocolError,
    }
}

/// The code of an error with which a body can end, for guests that ask for it.
pub(super) fn code(error: &Error) -> Option<ErrorCode> {
    Some(match error {
        Error::HttpResponseBodySize(size) => ErrorCode::HttpResponseBodySize(*size),
        Error::HttpResponseHeaderSectionSize(size) => ErrorCode::HttpResponseTrailerSectionSize(*size),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        _ => return None,
    })
}
