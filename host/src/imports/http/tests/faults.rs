//! Servers and connections that break: each end has its own word.

use std::time::Duration;

use tokio::net::TcpListener;

use super::server::Server;
use super::{call_to, fetch, get, nothing, read, request, send, word};
use crate::observed::observed;

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (mut call, url) = call_to(address);
    let word = word(send(&mut call, get(&url)).await);
    assert_eq!(word, "ConnectionRefused");
    observed("F05", format_args!("nobody listens: {word}"));
}

#[tokio::test]
async fn a_connection_that_is_closed_or_reset_before_the_answer_is_cut_off() {
    for reset in [false, true] {
        let server = Server::start(move |mut peer| async move {
            peer.head().await;
            if reset {
                peer.stream.set_zero_linger().unwrap();
            }
        })
        .await;
        let (mut call, url) = call_to(server.address);
        assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionTerminated", "reset: {reset}");
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_or_half_closed_in_the_middle_of_a_body_is_incomplete() {
    let mut words = Vec::new();
    for reset in [false, true] {
        let (begun, begins) = tokio::sync::oneshot::channel::<()>();
        let begins = std::sync::Mutex::new(Some(begins));
        let server = Server::start(move |mut peer| {
            let begins = begins.lock().unwrap().take().expect("one connection");
            async move {
                peer.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
                begins.await.unwrap();
                if reset {
                    peer.stream.set_zero_linger().unwrap();
                } else {
                    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
                    peer.rest().await;
                }
            }
        })
        .await;
        let (mut call, url) = call_to(server.address);
        let answer = send(&mut call, get(&url)).await.unwrap();
        begun.send(()).unwrap();
        words.push(word(read(answer).await));
        assert_eq!(words[words.len() - 1], "HttpResponseIncomplete", "reset: {reset}");
        server.until_over(1).await;
    }
    observed("F05", format_args!("half-closed and reset in the middle of a body: {}", words.join(", ")));
}

#[tokio::test]
async fn half_a_head_and_a_closed_end_is_cut_off() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionTerminated");
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_error() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nname : value\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let server = Server::answering(garbage).await;
        let (mut call, url) = call_to(server.address);
        assert_eq!(word(fetch(&mut call, get(&url)).await), "HttpProtocolError", "{garbage:?}");
    }
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_fails() {
    let server = Server::answering("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n").await;
    let (mut call, url) = call_to(server.address);
    let word = word(send(&mut call, get(&url)).await);
    assert_eq!(word, "HttpUpgradeFailed");
    observed("C18", format_args!("a server that upgrades by itself: {word}"));
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_incomplete() {
    let mut words = Vec::new();
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhello",
    ] {
        let server = Server::start(move |mut peer| async move {
            peer.answer(answer.as_bytes()).await;
        })
        .await;
        let (mut call, url) = call_to(server.address);
        words.push(word(fetch(&mut call, get(&url)).await));
        assert_eq!(words[words.len() - 1], "HttpResponseIncomplete", "{answer}");
    }
    observed("C21", format_args!("shorter than announced, three ways: {}", words.join(", ")));
}

#[tokio::test]
async fn a_chunk_that_is_no_chunk_is_an_error() {
    let server =
        Server::answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")
            .await;
    let (mut call, url) = call_to(server.address);
    let failed = word(fetch(&mut call, get(&url)).await);
    assert!(["HttpProtocolError", "HttpResponseIncomplete"].contains(&failed.as_str()), "{failed}");
}

#[tokio::test]
async fn a_body_longer_than_announced_poisons_no_later_request() {
    let server = Server::start(|mut peer| async move {
        let number = peer.number;
        peer.answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}").as_bytes()).await;
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison").await;
        peer.rest().await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let mut bodies = Vec::new();
    for turn in 1..=3 {
        let (_, body) = fetch(&mut call, get(&url)).await.unwrap();
        assert_eq!(body, turn.to_string());
        bodies.push(String::from_utf8(body.into()).unwrap());
        // Time for the rest to arrive while the connection is idle: that is when it is noticed.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    observed("C21", format_args!("longer than announced, {} times: each got its own body", bodies.len()));
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_whatever_it_announces() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    let (mut call, url) = call_to(server.address);
    let (status, body) = fetch(&mut call, request(http::Method::HEAD, &url, nothing())).await.unwrap();
    assert_eq!((status, body.len()), (200, 0));
}

#[tokio::test]
async fn an_end_by_closing_is_an_end() {
    let server = Server::start(|mut peer| async move {
        peer.answer(b"HTTP/1.0 200 OK\r\n\r\nhello").await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    assert_eq!(fetch(&mut call, get(&url)).await.unwrap(), (200, "hello".into()));
}

#[tokio::test]
async fn dropping_a_request_or_its_answer_closes_the_socket() {
    let server = Server::start(|mut peer| async move {
        if peer.head().await.is_some_and(|head| head.contains("/endless")) {
            peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx").await;
        }
        peer.rest().await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let waiting = call.admit(get(&format!("{url}/silent")), None).unwrap();
    let waiting = tokio::spawn(waiting.send());
    let answer = send(&mut call, get(&format!("{url}/endless"))).await.unwrap();
    while server.heard().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    waiting.abort();
    drop(answer);
    let start = std::time::Instant::now();
    server.until_over(2).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(call.in_flight.available_permits(), 6);
}
