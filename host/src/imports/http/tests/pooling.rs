//! Connections that are used again, and those that must not be.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::Barrier;

use super::server::{Server, ok};
use super::{call, call_to, egress, fetch, get, grant, methods, nothing, read, request, send, whole, word};
use crate::imports::http::pool::MAX_IDLE;

#[tokio::test]
async fn a_second_request_finds_the_connection_of_the_first_in_another_call_too() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(3)).await {} }).await;
    let url = format!("http://server.test:{}", server.address.port());
    let egress = egress(vec![grant(&url)]);
    for _ in 0..3 {
        let mut call = call(&egress);
        for _ in 0..3 {
            assert!(fetch(&mut call, get(&url)).await.is_ok());
        }
    }
    assert_eq!(server.accepted(), 1);
    assert_eq!(server.heard().len(), 9);
}

#[tokio::test]
async fn a_connection_is_for_one_plugin_one_grant_and_one_origin() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(0)).await {} }).await;
    let port = server.address.port();
    let [one, other] = ["one", "other"].map(|name| format!("http://{name}.test:{port}"));
    let mut posts = grant(&one);
    posts.methods = methods(&["POST"]);
    let mut gets = grant(&one);
    gets.methods = methods(&["GET"]);
    let egress = egress(vec![gets, posts, grant(&other)]);
    let mut call = call(&egress);
    assert!(fetch(&mut call, get(&one)).await.is_ok());
    assert!(fetch(&mut call, request(Method::POST, &one, nothing())).await.is_ok());
    assert!(fetch(&mut call, get(&other)).await.is_ok());
    assert!(fetch(&mut super::call(&super::egress(vec![grant(&one)])), get(&one)).await.is_ok());
    assert_eq!(server.accepted(), 4);
}

#[tokio::test]
async fn a_connection_is_not_used_again_before_its_answer_was_read() {
    let server = Server::start(|mut peer| async move { while peer.answer(&ok(3)).await {} }).await;
    let (mut call, url) = call_to(server.address);
    let first = send(&mut call, get(&url)).await.unwrap();
    let second = send(&mut call, get(&url)).await.unwrap();
    read(first).await.unwrap();
    drop(second);
    assert!(fetch(&mut call, get(&url)).await.is_ok());
    assert_eq!(server.accepted(), 2, "the one that was read is used again, the other is closed");
}

#[tokio::test]
async fn an_answer_before_the_request_has_ended_leaves_no_connection_behind() {
    let server = Server::start(|mut peer| async move {
        peer.answer(&ok(2)).await;
        peer.rest().await;
    })
    .await;
    let url = format!("http://server.test:{}", server.address.port());
    let egress = egress(vec![grant(&url)]);
    let mut call = call(&egress);
    let endless = super::pieces(futures::stream::pending());
    assert_eq!(fetch(&mut call, request(Method::POST, &url, endless)).await.unwrap().0, 200);
    server.until_over(1).await;
    assert_eq!(egress.pool.len(), 0);
}

/// Closes the first connection after its first answer, without a word, when the second request comes.
async fn dying() -> Server {
    Server::start(|mut peer| async move {
        peer.answer(&ok(0)).await;
        if peer.number == 1 {
            peer.head().await;
            return;
        }
        while peer.answer(&ok(0)).await {}
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_died_is_tried_anew_where_that_does_no_harm() {
    let server = dying().await;
    let (mut call, url) = call_to(server.address);
    for _ in 0..2 {
        assert!(fetch(&mut call, get(&url)).await.is_ok());
    }
    assert_eq!((server.accepted(), server.heard().len()), (2, 3));
}

#[tokio::test]
async fn a_request_that_may_have_done_something_is_not_sent_twice() {
    for body in [nothing(), whole("once")] {
        let server = dying().await;
        let (mut call, url) = call_to(server.address);
        assert!(fetch(&mut call, get(&url)).await.is_ok());
        let lost = send(&mut call, request(Method::POST, &url, body)).await;
        assert_eq!(word(lost), "ConnectionTerminated");
        assert_eq!((server.accepted(), server.heard().len()), (1, 2));
    }
    let server = dying().await;
    let (mut call, url) = call_to(server.address);
    assert!(fetch(&mut call, get(&url)).await.is_ok());
    assert_eq!(
        word(send(&mut call, request(Method::PUT, &url, whole("once"))).await),
        "ConnectionTerminated"
    );
}

#[tokio::test]
async fn a_server_that_always_dies_is_tried_once_more_and_not_for_ever() {
    let server = Server::start(|mut peer| async move {
        if peer.number == 1 {
            peer.answer(&ok(0)).await;
        }
        peer.head().await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    assert!(fetch(&mut call, get(&url)).await.is_ok());
    assert_eq!(word(send(&mut call, get(&url)).await), "ConnectionTerminated");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_a_post_nothing() {
    let server = Server::start(|mut peer| async move {
        peer.answer(&ok(0)).await;
    })
    .await;
    let (mut call, url) = call_to(server.address);
    assert!(fetch(&mut call, get(&url)).await.is_ok());
    server.until_over(1).await;
    // The end has arrived by now, or does while the request waits for its connection.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(fetch(&mut call, request(Method::POST, &url, nothing())).await.is_ok());
}

#[tokio::test]
async fn eight_connections_are_kept_and_the_ninth_takes_the_place_of_the_oldest() {
    let all_here = Arc::new(Barrier::new(MAX_IDLE + 1));
    let server = Server::start(move |mut peer| {
        let all_here = Arc::clone(&all_here);
        async move {
            peer.head().await;
            all_here.wait().await;
            peer.write(&ok(0)).await;
            peer.rest().await;
        }
    })
    .await;
    let url = format!("http://server.test:{}", server.address.port());
    let egress = egress(vec![grant(&url)]);
    let jobs = (0..=MAX_IDLE).map(|_| call(&egress).admit(get(&url), None).unwrap().send());
    let answers = futures::future::join_all(jobs).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(egress.pool.len(), MAX_IDLE);
    server.until_over(1).await;
    assert_eq!(egress.pool.len(), MAX_IDLE);
    drop((egress, answers));
    server.until_over(MAX_IDLE + 1).await;
}
