//! How much may pass, and how much at once: at the edge, and beyond it.

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::Method;
use http::header::CONTENT_LENGTH;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::server::{Peer, Server, ok};
use super::{
    SHORT, Times, call, call_to, egress, egress_with, fetch, get, grant, here, nothing, pieces, read,
    request, send, whole, word,
};
use crate::imports::http::body::MAX_BODY;
use crate::imports::http::{MAX_HEADERS, MAX_IN_FLIGHT, MAX_REQUESTS};
use crate::observed::observed;

const MOST: usize = MAX_BODY as usize;

#[tokio::test]
async fn an_answer_of_8_mib_is_read_and_a_longer_one_is_not() {
    let server = Server::start(|mut peer| async move {
        while let Some(head) = peer.head().await {
            peer.write(&ok(if head.contains("/more") { MOST + 1 } else { MOST })).await;
        }
    })
    .await;
    let (mut call, url) = call_to(server.address);
    assert_eq!(fetch(&mut call, get(&url)).await.unwrap().1.len(), MOST);
    // The announcement is enough: nothing of it is read.
    assert_eq!(word(send(&mut call, get(&format!("{url}/more"))).await), "HttpResponseBodySize");
}

#[tokio::test]
async fn an_endless_answer_ends_at_8_mib() {
    let server = Server::start(|mut peer| async move {
        peer.answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65_536], b"\r\n"].concat();
        while peer.write(&chunk).await {}
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let word = word(fetch(&mut call, get(&url)).await);
    assert_eq!(word, "HttpResponseBodySize");
    server.until_over(1).await;
    observed("C21", format_args!("chunks for ever: {word}, connection closed"));
    observed("F06", format_args!("chunks for ever: {word}, connection closed"));
}

/// Reads uploads to their ends and answers how long they were.
async fn measure(mut peer: Peer) {
    while let Some(length) = upload(&mut peer).await {
        let text = length.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        peer.write(answer.as_bytes()).await;
    }
}

/// The length of an upload that comes to its end.
async fn upload(peer: &mut Peer) -> Option<usize> {
    let head = peer.head().await?;
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if let Some(length) = announced.and_then(|length| length.parse().ok()) {
        let mut body = vec![0; length];
        peer.stream.read_exact(&mut body).await.ok()?;
        return Some(length);
    }
    let mut body = Vec::new();
    while !body.ends_with(b"\r\n0\r\n\r\n") {
        (peer.stream.read_buf(&mut body).await.ok()? > 0).then_some(())?;
    }
    Some(body.iter().filter(|byte| **byte == b'u').count())
}

#[tokio::test]
async fn a_request_of_8_mib_is_sent_and_a_longer_one_is_not() {
    let server = Server::start(measure).await;
    let (mut call, url) = call_to(server.address);
    let announced = |length: usize| {
        let mut asked = request(Method::POST, &url, whole(vec![b'u'; length]));
        asked.headers_mut().insert(CONTENT_LENGTH, length.to_string().parse().unwrap());
        asked
    };
    assert_eq!(fetch(&mut call, announced(MOST)).await.unwrap().1, MOST.to_string());
    assert_eq!(word(send(&mut call, announced(MOST + 1)).await), "HttpRequestBodySize");
    assert_eq!(server.accepted(), 1, "what announces too much is not begun");
    let streamed = |count: usize, last: usize| {
        let parts = stream::iter((0..count).map(|_| Bytes::from(vec![b'u'; 65_536])));
        request(Method::POST, &url, pieces(parts.chain(stream::iter([vec![b'u'; last].into()]))))
    };
    let sent = fetch(&mut call, streamed(MOST / 65_536 - 1, 65_536)).await.unwrap().1;
    assert_eq!(sent, MOST.to_string());
    assert_eq!(word(send(&mut call, streamed(MOST / 65_536, 1)).await), "HttpRequestBodySize");
}

#[tokio::test]
async fn the_head_of_an_answer_has_64_kib_and_no_more() {
    let server = Server::start(|mut peer| async move {
        while let Some(head) = peer.head().await {
            let more = head.contains("/more");
            let value = "v".repeat(if more { MAX_HEADERS } else { MAX_HEADERS - 200 });
            peer.write(format!("HTTP/1.1 200 OK\r\nlong: {value}\r\ncontent-length: 0\r\n\r\n").as_bytes())
                .await;
        }
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let answer = send(&mut call, get(&url)).await.unwrap();
    assert_eq!(answer.headers()["long"].len(), MAX_HEADERS - 200);
    assert_eq!(word(send(&mut call, get(&format!("{url}/more"))).await), "HttpResponseHeaderSectionSize");
}

#[tokio::test]
async fn endless_headers_end() {
    let server = Server::start(|mut peer| async move {
        peer.answer(b"HTTP/1.1 200 OK\r\n").await;
        while peer.write(b"x-more: and more\r\n").await {}
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let word = word(send(&mut call, get(&url)).await);
    assert_eq!(word, "HttpResponseHeaderSectionSize");
    server.until_over(1).await;
    observed("C21", format_args!("headers for ever: {word}, connection closed"));
}

#[tokio::test]
async fn six_requests_of_a_call_are_in_flight_and_the_seventh_is_refused() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(9)).await {} }).await;
    let (mut call, url) = call_to(server.address);
    let mut unread = Vec::new();
    for _ in 0..MAX_IN_FLIGHT {
        unread.push(send(&mut call, get(&url)).await.unwrap());
    }
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionLimitReached");
    read(unread.pop().unwrap()).await.unwrap();
    let seventh = send(&mut call, get(&url)).await.unwrap();
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionLimitReached");
    drop(seventh);
    assert!(send(&mut call, get(&url)).await.is_ok());
}

#[tokio::test]
async fn a_call_has_64_requests_and_no_more() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(0)).await {} }).await;
    let (mut call, url) = call_to(server.address);
    for _ in 0..MAX_REQUESTS {
        assert!(fetch(&mut call, get(&url)).await.is_ok());
    }
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionLimitReached");
    // What is denied counts too: the log of it is bounded by that.
    let (mut call, url) = call_to(server.address);
    for _ in 0..MAX_REQUESTS {
        assert_eq!(word(send(&mut call, get("https://other.test/")).await), "HttpRequestDenied");
    }
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionLimitReached");
}

#[tokio::test]
async fn twenty_four_requests_of_a_plugin_are_in_flight_and_the_next_waits_its_turn() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(9)).await {} }).await;
    let url = format!("http://server.test:{}", server.address.port());
    let times = Times { connect: SHORT, ..Times::default() };
    let egress = egress_with(vec![grant(&url)], times, here);
    let mut calls: Vec<_> = (0..5).map(|_| call(&egress)).collect();
    let mut unread = Vec::new();
    for call in &mut calls[..4] {
        for _ in 0..6 {
            unread.push(send(call, get(&url)).await.unwrap());
        }
    }
    assert_eq!(word(send(&mut calls[4], get(&url)).await), "ConnectionLimitReached");
    let waiting = calls[4].admit(get(&url), None).unwrap();
    let (answer, _) = tokio::join!(waiting.send(), async { drop(unread.pop()) });
    assert!(answer.is_ok());
    let other = super::egress(vec![grant(&url)]);
    assert!(send(&mut call(&other), get(&url)).await.is_ok(), "another plugin has its own places");
}

#[tokio::test]
async fn a_call_that_is_over_never_completes_its_upload() {
    let server = Server::start(|mut peer| async move {
        let Some(_) = peer.head().await else { return };
        let rest = peer.rest().await;
        assert!(rest.windows(4).any(|window| window == b"part"), "{rest:?}");
        assert!(!rest.windows(5).any(|window| window == b"0\r\n\r\n"), "it looks complete");
    })
    .await;
    let (mut call, url) = call_to(server.address);
    let (feed, mut fed) = mpsc::unbounded_channel();
    let parts = stream::poll_fn(move |context| fed.poll_recv(context));
    let job = call.admit(request(Method::POST, &url, pieces(parts)), None).unwrap();
    let sending = tokio::spawn(job.send());
    feed.send(Bytes::from_static(b"part")).unwrap();
    while server.heard().is_empty() {
        tokio::task::yield_now().await;
    }
    // As a store is dropped: the hooks first, then what fed the body.
    drop(call);
    drop(feed);
    assert_eq!(word(sending.await.unwrap().map(drop)), "ConnectionTerminated");
    server.until_over(1).await;
}

#[tokio::test]
async fn places_come_back_whatever_the_end() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    let url = format!("http://server.test:{}", server.address.port());
    let egress = egress(vec![grant(&url)]);
    let mut call = call(&egress);
    drop(send(&mut call, get(&url)).await.unwrap());
    assert_eq!(word(send(&mut call, request(Method::DELETE, &url, nothing())).await), "HttpRequestDenied");
    drop(call.admit(get(&url), None).unwrap());
    assert_eq!((call.in_flight.available_permits(), egress.in_flight.available_permits()), (6, 24));
}
