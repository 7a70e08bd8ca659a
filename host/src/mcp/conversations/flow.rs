//! What is in flight: bounds, cancelling, and the end.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncWriteExt, BufReader, duplex};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{A_WHILE, Conversation, PATIENCE, Seen, call, line, meta};
use crate::mcp::StdioLimits;

#[tokio::test]
async fn an_id_in_flight_is_refused_a_second_time_and_the_first_request_is_unharmed() {
    let mut client = Conversation::new();
    client.call(7, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.call(7, "now").await;
    assert_eq!(client.answers(1).await, [json!([7, -32600])]);
    client.desk.releases.add_permits(1);
    assert_eq!(client.answers(1).await, [json!([7, "released"])]);
    client.call(7, "now").await;
    assert_eq!(client.answers(1).await, [json!([7, "now"])]);
}

#[tokio::test]
async fn a_cancelled_request_ends_without_a_word_and_its_id_is_free_at_once() {
    let mut client = Conversation::new();
    client.call(7, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.call(7, "wait").await;
    assert_eq!(client.answers(1).await, [json!([7, -32600])]);
    client.cancel(7).await;
    client.call(7, "now").await;
    assert_eq!(client.answers(1).await, [json!([7, "now"])]);
    client.until(|seen| *seen == Seen { running: 0, cancelled: 1 }).await;
    client.cancel(7).await;
    client.cancel(8).await;
    client.input = None;
    client.end().await.unwrap();
}

#[tokio::test]
async fn the_end_of_input_lets_requests_in_flight_finish() {
    let mut client = Conversation::new();
    client.call(1, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.input = None;
    assert!(timeout(A_WHILE, &mut client.served).await.is_err(), "a request is in flight");
    client.desk.releases.add_permits(1);
    assert_eq!(client.answers(1).await, [json!([1, "released"])]);
    client.end().await.unwrap();
}

#[tokio::test]
async fn a_request_right_before_the_end_of_input_is_answered_even_without_a_line_end() {
    let mut client = Conversation::new();
    client.send(call(1, "now").trim_end()).await;
    client.input = None;
    assert_eq!(client.answers(1).await, [json!([1, "now"])]);
    client.end().await.unwrap();
}

#[tokio::test]
async fn what_still_runs_when_the_drain_is_over_is_cancelled_and_answered() {
    let mut client = Conversation::with(StdioLimits { drain: A_WHILE, ..StdioLimits::default() });
    client.call(1, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.input = None;
    assert_eq!(client.answers(1).await, [json!([1, "cancelled"])]);
    client.end().await.unwrap();
}

#[tokio::test]
async fn stop_is_like_the_end_of_input() {
    let mut client = Conversation::new();
    client.call(1, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.stop.cancel();
    assert!(timeout(A_WHILE, &mut client.served).await.is_err(), "a request is in flight");
    client.desk.releases.add_permits(1);
    assert_eq!(client.answers(1).await, [json!([1, "released"])]);
    client.end().await.unwrap();
}

#[tokio::test]
async fn with_nothing_in_flight_the_end_comes_at_once() {
    for cancelled in [false, true] {
        let mut client = Conversation::new();
        client.call(1, "now").await;
        client.answers(1).await;
        if cancelled {
            client.call(2, "wait").await;
            client.until(|seen| seen.running == 1).await;
            client.cancel(2).await;
        }
        let begun = Instant::now();
        client.input = None;
        client.end().await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_client_that_reads_no_more_ends_everything() {
    let mut client = Conversation::new();
    client.call(1, "wait").await;
    client.until(|seen| seen.running == 1).await;
    let (_, gone) = duplex(1);
    drop(std::mem::replace(&mut client.output, BufReader::new(gone)));
    client.call(2, "now").await;
    let seen = client.until(|seen| seen.running == 0).await;
    assert_eq!(seen.cancelled, 1);
    timeout(PATIENCE, client.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_reader_stops_the_reading_and_gets_every_answer_later() {
    const CALLS: usize = 800;
    let limits = StdioLimits { queue_bytes: 100_000, in_flight: 8, ..StdioLimits::default() };
    let mut client = Conversation::with(limits);
    let mut input = client.input.take().unwrap();
    let sent = watch::Sender::new(0);
    let sending = tokio::spawn({
        let sent = sent.clone();
        async move {
            for id in 0..CALLS {
                input.write_all(call(id as u32, "large").as_bytes()).await.unwrap();
                sent.send_replace(id + 1);
            }
        }
    });
    let mut seen = sent.subscribe();
    while timeout(A_WHILE, seen.changed()).await.is_ok() {}
    // 5 answers fill the queue, 8 requests are in flight, and some hundred are in the pipe.
    assert!(*sent.borrow() < 600, "{} requests were read ahead", *sent.borrow());
    let mut ids: Vec<_> = client.answers(CALLS).await.iter().map(|it| it[0].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..CALLS as u64));
    sending.await.unwrap();
    client.end().await.unwrap();
}

#[tokio::test]
async fn no_more_requests_run_than_may_be_in_flight() {
    let mut client = Conversation::with(StdioLimits { in_flight: 3, ..StdioLimits::default() });
    for id in 0..5 {
        client.call(id, "wait").await;
    }
    client.until(|seen| seen.running == 3).await;
    assert!(timeout(A_WHILE, client.desk.seen.subscribe().wait_for(|seen| seen.running > 3)).await.is_err());
    client.desk.releases.add_permits(1);
    client.answers(1).await;
    client.desk.releases.add_permits(4);
    client.answers(4).await;
}

#[tokio::test]
async fn a_cancelled_request_makes_room_for_the_next() {
    let mut client = Conversation::with(StdioLimits { in_flight: 1, ..StdioLimits::default() });
    client.call(1, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.cancel(1).await;
    client.call(2, "now").await;
    assert_eq!(client.answers(1).await, [json!([2, "now"])]);
}

#[tokio::test]
async fn large_requests_count_for_more_than_one() {
    let mut client = Conversation::with(StdioLimits { in_flight: 3, ..StdioLimits::default() });
    let large = json!({"name": "wait", "arguments": {"x": "x".repeat(70_000)}, "_meta": meta()});
    for id in 0..2 {
        client.send(&line(id, "tools/call", large.clone())).await;
    }
    client.until(|seen| seen.running == 1).await;
    assert!(timeout(A_WHILE, client.desk.seen.subscribe().wait_for(|seen| seen.running > 1)).await.is_err());
    client.desk.releases.add_permits(2);
    assert_eq!(client.answers(2).await, [json!([0, "released"]), json!([1, "released"])]);
}

#[tokio::test]
async fn a_request_larger_than_all_places_is_served_alone() {
    let mut client = Conversation::with(StdioLimits { in_flight: 2, ..StdioLimits::default() });
    let large = json!({"name": "now", "arguments": {"x": "x".repeat(3_000_000)}, "_meta": meta()});
    client.send(&line(1, "tools/call", large)).await;
    assert_eq!(client.answers(1).await, [json!([1, "now"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_at_once_get_one_answer_each() {
    const CALLS: u32 = 10_000;
    let mut client = Conversation::new();
    let mut input = client.input.take().unwrap();
    let sending = tokio::spawn(async move {
        for id in 0..CALLS {
            input.write_all(call(id, "now").as_bytes()).await.unwrap();
        }
    });
    let mut ids: Vec<_> =
        client.answers(CALLS as usize).await.iter().map(|it| it[0].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..u64::from(CALLS)));
    sending.await.unwrap();
    client.end().await.unwrap();
}
