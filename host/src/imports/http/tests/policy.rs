//! What is denied, and that nothing is connected to for it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request};

use super::server::Server;
use super::{
    HERE, Times, call, call_to, egress, egress_with, fetch, get, grant, nothing, request, send, word,
};
use crate::imports::http::Hooks;
use crate::observed::observed;

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_granted_request_arrives_as_it_was_meant() {
    let server = Server::answering(HELLO).await;
    let (mut call, url) = call_to(server.address);
    let mut asked = get(&format!("{}/a?b=c", url.to_uppercase().replace("HTTP", "http")));
    asked.headers_mut().insert("accept", HeaderValue::from_static("text/plain"));
    assert_eq!(fetch(&mut call, asked).await.unwrap(), (200, "hello".into()));
    let expected = format!(
        "GET /a?b=c HTTP/1.1\r\naccept: text/plain\r\nhost: server.test:{}\r\n\r\n",
        server.address.port()
    );
    assert_eq!(server.heard(), [expected]);
}

#[tokio::test]
async fn what_is_not_granted_reaches_nobody() {
    let server = Server::answering(HELLO).await;
    let port = server.address.port();
    let (mut call, url) = call_to(server.address);
    let cases = [
        (get(&format!("http://127.0.0.1:{port}/")), "HttpRequestDenied"),
        (get(&format!("http://127.1:{port}/")), "HttpRequestDenied"),
        (get(&format!("http://2130706433:{port}/")), "HttpRequestDenied"),
        (get(&format!("http://other.test:{port}/")), "HttpRequestDenied"),
        (get(&format!("http://sub.server.test:{port}/")), "HttpRequestDenied"),
        (get(&format!("https://server.test:{port}/")), "HttpRequestDenied"),
        (get("http://server.test/"), "HttpRequestDenied"),
        (get(&format!("http://server.test@127.0.0.1:{port}/")), "HttpRequestUriInvalid"),
        (get(&format!("http://user:pass@server.test:{port}/")), "HttpRequestUriInvalid"),
        (get(&format!("{url}//other.test/")), "HttpRequestUriInvalid"),
        (get("http://server.test:0/"), "HttpRequestUriInvalid"),
        (request(Method::DELETE, &url, nothing()), "HttpRequestDenied"),
        (request(Method::CONNECT, &url, nothing()), "HttpRequestMethodInvalid"),
        (request(Method::TRACE, &url, nothing()), "HttpRequestMethodInvalid"),
        (request(Method::from_bytes(&[b'M'; 9_000]).unwrap(), &url, nothing()), "HttpRequestDenied"),
    ];
    for (request, expected) in cases {
        let shown = request.uri().to_string();
        assert_eq!(word(send(&mut call, request).await), expected, "{shown}");
    }
    assert_eq!(server.accepted(), 0);
    assert!(fetch(&mut call, get(&url)).await.is_ok());
}

#[tokio::test]
async fn a_literal_address_needs_the_grant_of_its_host_and_of_itself() {
    let server = Server::answering(HELLO).await;
    let url = format!("http://127.0.0.1:{}", server.address.port());
    let mut without = grant(&url);
    without.addresses.clear();
    assert_eq!(word(send(&mut call(&egress(vec![without])), get(&url)).await), "DestinationIpProhibited");
    assert_eq!(server.accepted(), 0);
    assert!(fetch(&mut call(&egress(vec![grant(&url)])), get(&url)).await.is_ok());
}

#[tokio::test]
async fn a_header_that_frames_or_routes_does_not_go_out_whoever_let_it_pass() {
    let server = Server::answering(HELLO).await;
    let (mut call, url) = call_to(server.address);
    for name in ["host", "connection", "transfer-encoding", "upgrade", "cookie", "x-forwarded-for", "proxy-x"]
    {
        let mut asked = get(&url);
        asked.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        assert_eq!(word(send(&mut call, asked).await), "HttpRequestDenied", "{name}");
    }
    assert_eq!(server.accepted(), 0);
}

/// A call to `server.test`, whose addresses the function gives.
fn resolved(
    server: &Server,
    resolver: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
) -> (Hooks, Request<wasmtime_wasi_http::WasiBody>) {
    let url = format!("http://server.test:{}", server.address.port());
    (call(&egress_with(vec![grant(&url)], Times::default(), resolver)), get(&url))
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn of_mixed_answers_only_what_was_vetted_is_connected_to() {
    let server = Server::answering(HELLO).await;
    // The metadata service first: where it were tried, the request would not end in time.
    let mixed = ["169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "::1", "127.0.0.1"];
    let (mut call, asked) = resolved(&server, move |_| Ok(addresses(&mixed)));
    assert!(fetch(&mut call, asked).await.is_ok());
    let (mut call, asked) = resolved(&server, move |_| Ok(addresses(&mixed[..4])));
    let without = word(send(&mut call, asked).await);
    assert_eq!(without, "DestinationIpProhibited");
    assert_eq!(server.accepted(), 1);
    observed("C14", format_args!("4 inner answers and a granted one: only that one; without it: {without}"));
}

#[tokio::test]
async fn a_name_that_flips_is_judged_by_the_answer_that_is_connected_to() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (mut call, first) = resolved(&server, move |_| {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        Ok(if turn == 0 { vec![HERE] } else { addresses(&["127.0.0.2"]) })
    });
    assert!(fetch(&mut call, first).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a connection resolves once");
    let url = format!("http://server.test:{}", server.address.port());
    let flipped = word(send(&mut call, get(&url)).await);
    assert_eq!(flipped, "DestinationIpProhibited");
    assert_eq!((asked.load(Ordering::SeqCst), server.accepted()), (2, 1));
    observed("C14", format_args!("a name that flips: resolved once for each connection, then {flipped}"));
}

#[tokio::test]
async fn ten_thousand_answers_are_an_answer_and_none_is_an_error() {
    let server = Server::answering(HELLO).await;
    let (mut call, asked) = resolved(&server, |_| {
        let private = (0..10_000u32).map(|n| IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
        Ok(private.chain([HERE]).collect())
    });
    assert!(fetch(&mut call, asked).await.is_ok());
    let connections = server.accepted();
    let (mut call, asked) = resolved(&server, |_| Ok(Vec::new()));
    let empty = word(send(&mut call, asked).await);
    assert_eq!(empty, "DnsError");
    let (mut call, asked) = resolved(&server, |_| Err(io::Error::other("no such name")));
    let failed = word(send(&mut call, asked).await);
    assert_eq!(failed, "DnsError");
    observed("C14", format_args!("10000 inner answers and a granted one: {connections} connection"));
    observed("F14", format_args!("no addresses: {empty}; an error of the resolver: {failed}"));
}
