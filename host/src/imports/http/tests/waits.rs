//! How long each step may take: what is in time, and what is not.

use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use wasmtime_wasi_http::{Error, RequestOptions};

use super::server::{Server, ok};
use super::{HERE, SHORT, SOON, Times, call, egress_with, fetch, get, grant, here, read, send, word};
use crate::observed::observed;

#[tokio::test]
async fn a_name_that_takes_too_long_is_given_up_and_holds_one_of_four_places() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = |name: &str| format!("http://{name}.test:{}", server.address.port());
    let (release, hanging) = mpsc::channel::<()>();
    let hanging = Mutex::new(hanging);
    let resolver = move |name: &str| {
        if name == "slow.test" {
            let _ = hanging.lock().unwrap().recv_timeout(SOON);
        }
        Ok(vec![HERE])
    };
    let times = Times { dns: SHORT, ..Times::default() };
    let egress = egress_with(vec![grant(&url("slow")), grant(&url("quick"))], times, resolver);
    let mut call = call(&egress);
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(word(send(&mut call, get(&url("slow"))).await), "DnsTimeout");
    }
    let each = start.elapsed() / 3;
    assert!(fetch(&mut call, get(&url("quick"))).await.is_ok(), "the fourth place is free");
    assert_eq!(word(send(&mut call, get(&url("slow"))).await), "DnsTimeout");
    assert_eq!(egress.lookups.available_permits(), 0, "a lookup holds its place to its own end");
    for _ in 0..4 {
        release.send(()).unwrap();
    }
    let free = async {
        while egress.lookups.available_permits() < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SOON, free).await.expect("a lookup that ends gives its place back");
    observed(
        "F14",
        format_args!("a resolver that hangs, bound {SHORT:?}: given up after {each:.0?}; others resolve"),
    );
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_given_up() {
    // A full queue of connections: the kernel drops the next one without a word.
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = full.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }
    let url = format!("http://server.test:{}", address.port());
    let times = Times { connect: SHORT, ..Times::default() };
    let mut call = call(&egress_with(vec![grant(&url)], times, here));
    let start = Instant::now();
    let word = word(send(&mut call, get(&url)).await);
    let waited = start.elapsed();
    assert_eq!(word, "ConnectionTimeout");
    observed("F05", format_args!("packets dropped, bound {SHORT:?}: {word} after {waited:.0?}"));
}

#[tokio::test]
async fn an_address_that_does_not_answer_costs_the_next_one_a_moment() {
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let listener = full.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }
    let open = tokio::net::TcpListener::bind(("127.0.0.1", address.port())).await.unwrap();
    let start = Instant::now();
    let connected = super::super::dial::connect(&[address, open.local_addr().unwrap()], SOON).await.unwrap();
    assert_eq!(connected.peer_addr().unwrap().ip(), HERE);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let server = Server::start(|mut peer| async move { drop(peer.rest().await) }).await;
    let url = format!("https://server.test:{}", server.address.port());
    let times = Times { tls: SHORT, ..Times::default() };
    let mut call = call(&egress_with(vec![grant(&url)], times, here));
    let start = Instant::now();
    let word = word(send(&mut call, get(&url)).await);
    let waited = start.elapsed();
    assert_eq!(word, "ConnectionTimeout");
    server.until_over(1).await;
    observed("C20", format_args!("a handshake that never ends, bound {SHORT:?}: {word} after {waited:.0?}"));
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_given_up_and_one_that_does_may_take_its_time() {
    let server = Server::start(|mut peer| async move {
        let slow = peer.head().await.is_some_and(|head| head.contains("/never"));
        if !slow {
            tokio::time::sleep(SHORT / 3).await;
            peer.write(&ok(0)).await;
        }
        peer.rest().await;
    })
    .await;
    let url = format!("http://server.test:{}", server.address.port());
    let times = Times { first_byte: SHORT, ..Times::default() };
    let mut call = call(&egress_with(vec![grant(&url)], times, here));
    assert!(fetch(&mut call, get(&url)).await.is_ok());
    assert_eq!(word(send(&mut call, get(&format!("{url}/never"))).await), "HttpResponseTimeout");
    server.until_over(1).await;
}

#[tokio::test]
async fn a_flood_of_interim_answers_is_no_answer() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        while peer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let url = format!("http://server.test:{}", server.address.port());
    let times = Times { first_byte: SHORT, ..Times::default() };
    let mut call = call(&egress_with(vec![grant(&url)], times, here));
    let word = word(send(&mut call, get(&url)).await);
    assert_eq!(word, "HttpResponseTimeout");
    server.until_over(1).await;
    observed("C21", format_args!("interim answers for ever: {word}"));
}

#[tokio::test]
async fn a_body_that_stops_is_given_up_and_one_that_drips_is_read() {
    let server = Server::start(|mut peer| async move {
        let head = peer.head().await.unwrap_or_default();
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nx").await;
        for _ in 0..3 {
            if head.contains("/stops") {
                break;
            }
            tokio::time::sleep(SHORT / 3).await;
            peer.write(b"x").await;
        }
        if head.contains("/stops") {
            peer.rest().await;
        }
    })
    .await;
    let url = format!("http://server.test:{}", server.address.port());
    let times = Times { idle: SHORT, ..Times::default() };
    let mut call = call(&egress_with(vec![grant(&url)], times, here));
    assert_eq!(fetch(&mut call, get(&url)).await.unwrap().1, "xxxx");
    let start = Instant::now();
    let stopped = word(fetch(&mut call, get(&format!("{url}/stops"))).await);
    let waited = start.elapsed();
    assert_eq!(stopped, "ConnectionReadTimeout");
    observed("C21", format_args!("a body that stops, bound {SHORT:?}: {stopped} after {waited:.0?}"));
    observed("F06", format_args!("a body that stops, bound {SHORT:?}: {stopped} after {waited:.0?}"));
}

#[tokio::test]
async fn a_guest_that_asks_for_no_time_gets_a_millisecond_and_no_panic() {
    let server = Server::start(|mut peer| async move { drop(peer.rest().await) }).await;
    let url = format!("http://server.test:{}", server.address.port());
    let mut call = call(&egress_with(vec![grant(&url)], Times::default(), here));
    let none = RequestOptions {
        connect_timeout: None,
        first_byte_timeout: Some(Duration::ZERO),
        between_bytes_timeout: Some(Duration::from_nanos(u64::MAX)),
    };
    let job = call.admit(get(&url), Some(none)).unwrap();
    let start = Instant::now();
    let end = job.send().await;
    let waited = start.elapsed();
    assert!(matches!(end, Err(Error::HttpResponseTimeout)));
    observed("A34", format_args!("a first byte within 0 ns: {} after {waited:.0?}", word(end)));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(0)).await {} }).await;
    let url = format!("http://server.test:{}", server.address.port());
    let times = Times { keep: SHORT, ..Times::default() };
    let egress = egress_with(vec![grant(&url)], times, here);
    let mut call = call(&egress);
    let answer = send(&mut call, get(&url)).await.unwrap();
    read(answer).await.unwrap();
    assert_eq!(egress.pool.len(), 1);
    server.until_over(1).await;
    assert_eq!(egress.pool.len(), 0);
}
