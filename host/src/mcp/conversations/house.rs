//! A full house: what still works while all places are taken, and what is turned away.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use super::{A_WHILE, Conversation, Seen, call, initialize, line, meta};
use crate::mcp::StdioLimits;

/// How soon giving up a request takes effect.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A server of so many places, all of which are taken by calls with the ids from 0 on.
async fn full_house(places: u32) -> Conversation {
    let mut client = Conversation::with(StdioLimits { in_flight: places, ..StdioLimits::default() });
    for id in 0..places {
        client.call(id, "wait").await;
    }
    client.until(|seen| seen.running == places as usize).await;
    client
}

fn large_call(id: u32, bytes: usize) -> String {
    line(id, "tools/call", json!({"name": "wait", "arguments": {"x": "x".repeat(bytes)}, "_meta": meta()}))
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_a_large_call_behind_a_full_house_takes_effect_at_once() {
    let mut client = Conversation::new();
    // Fifteen take 975 of the 1,024 places; five more wait, and so does a small one behind them.
    for id in 0..20 {
        client.send(&large_call(id, 4_190_000)).await;
    }
    client.until(|seen| seen.running == 15).await;
    client.call(20, "now").await;
    let begun = Instant::now();
    for id in 0..20 {
        client.cancel(id).await;
    }
    let seen = client.until(|seen| seen.running == 0).await;
    assert!(seen.cancelled >= 15, "{seen:?}");
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(client.answers(1).await, [json!([20, "now"])]);
    client.input = None;
    client.end().await.unwrap();
}

#[tokio::test]
async fn a_request_that_waits_can_be_given_up_and_its_id_is_free_at_once() {
    let mut client = full_house(1).await;
    client.call(7, "wait").await;
    client.call(7, "now").await;
    assert_eq!(client.answers(1).await, [json!([7, -32600])]);
    client.cancel(7).await;
    client.call(7, "now").await;
    client.desk.releases.add_permits(1);
    assert_eq!(client.answers(2).await, [json!([0, "released"]), json!([7, "now"])]);
    assert_eq!(client.until(|seen| seen.running == 0).await, Seen::default());
    client.input = None;
    client.end().await.unwrap();
}

#[tokio::test]
async fn a_ping_and_a_refusal_need_no_place() {
    let mut client = full_house(1).await;
    client.call(1, "now").await;
    client.send(&line(2, "ping", json!({}))).await;
    client.send(&line(3, "prompts/list", json!({}))).await;
    client.send(&line(0, "ping", json!({}))).await;
    let expected = [json!([0, -32600]), json!([2, null]), json!([3, -32601])];
    assert_eq!(client.answers(3).await, expected);
    client.desk.releases.add_permits(1);
    assert_eq!(client.answers(2).await, [json!([0, "released"]), json!([1, "now"])]);
}

#[tokio::test]
async fn a_ping_of_a_revision_without_ping_is_refused() {
    let mut client = Conversation::new();
    client.send(&line(1, "ping", json!({ "_meta": meta() }))).await;
    assert_eq!(client.answers(1).await, [json!([1, -32601])]);
}

#[tokio::test]
async fn who_comes_when_enough_wait_is_told_to_come_back() {
    let mut client = full_house(2).await;
    for id in 2..4 {
        client.call(id, "now").await;
    }
    client.call(4, "now").await;
    let told = client.read().await;
    assert_eq!(told["id"], 4);
    assert_eq!(told["result"]["isError"], true);
    let words = "overloaded: too many requests are waiting; try again in 1 s";
    assert_eq!(told["result"]["content"], json!([{"type": "text", "text": words}]));
    assert_eq!(told["result"]["_meta"]["hubcap/error"], json!({"code": "overloaded", "blame": "host"}));
    assert_eq!(told["result"]["resultType"], "complete");
    client.send(&line(5, "tools/list", json!({"_meta": meta()}))).await;
    let told = client.read().await["error"].clone();
    assert_eq!((&told["code"], &told["message"]), (&json!(-32000), &json!(words)));
    assert_eq!(told["data"], json!({"code": "overloaded", "blame": "host"}));
    client.desk.releases.add_permits(2);
    client.answers(4).await;
    client.call(4, "now").await;
    assert_eq!(client.answers(1).await, [json!([4, "now"])]);
}

#[tokio::test]
async fn an_older_client_is_told_in_its_own_words() {
    let mut client = Conversation::with(StdioLimits { in_flight: 1, ..StdioLimits::default() });
    client.send(&initialize(100, "2025-06-18")).await;
    client.read().await;
    let call = |id, tool: &str| line(id, "tools/call", json!({ "name": tool }));
    client.send(&call(0, "wait")).await;
    client.until(|seen| seen.running == 1).await;
    client.send(&(call(1, "now") + &call(2, "now"))).await;
    let told = client.read().await;
    assert_eq!((&told["id"], &told["result"]["isError"]), (&json!(2), &json!(true)));
    assert_eq!(told["result"].get("resultType"), None);
    let meta = told["result"]["_meta"].as_object().unwrap();
    assert_eq!(meta.keys().collect::<Vec<_>>(), ["hubcap/error"]);
}

#[tokio::test]
async fn giving_up_works_behind_any_number_of_requests_that_are_told_to_come_back() {
    const MORE: u32 = 5_000;
    let mut client = full_house(2).await;
    let mut input = client.input.take().unwrap();
    let sending = tokio::spawn(async move {
        for id in 2..MORE {
            input.write_all(call(id, "wait").as_bytes()).await.unwrap();
        }
        let params = json!({ "requestId": 1 });
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        input.write_all(format!("{cancel}\n").as_bytes()).await.unwrap();
        input
    });
    let told = client.answers(MORE as usize - 4).await;
    assert!(told.iter().all(|it| it[1].as_str().is_some_and(|text| text.starts_with("overloaded: "))));
    let input = sending.await.unwrap();
    let begun = Instant::now();
    client.until(|seen| seen.cancelled == 1 && seen.running == 2).await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    client.desk.releases.add_permits(3);
    let ids: Vec<Value> = client.answers(3).await.iter().map(|it| it[0].clone()).collect();
    assert_eq!(ids, [json!(0), json!(2), json!(3)]);
    drop(input);
    client.end().await.unwrap();
}

#[tokio::test]
async fn what_waits_is_bounded_in_bytes_and_so_is_what_runs() {
    let mut client = Conversation::with(StdioLimits { in_flight: 20, ..StdioLimits::default() });
    // Each is worth 7 places: two run, two wait.
    for id in 0..6 {
        client.send(&large_call(id, 400_000)).await;
    }
    let told = client.answers(2).await;
    assert!(told[0][0] == 4 && told[1][0] == 5, "{told:?}");
    assert!(timeout(A_WHILE, client.desk.seen.subscribe().wait_for(|seen| seen.running > 2)).await.is_err());
    client.desk.releases.add_permits(4);
    client.answers(4).await;
}

#[tokio::test]
async fn many_small_values_count_like_the_memory_that_they_take() {
    let mut client = Conversation::with(StdioLimits { in_flight: 20, ..StdioLimits::default() });
    let objects = vec![json!({"a": 1}); 1_000];
    // Eight thousand bytes, three thousand values: 12 places.
    for id in 0..3 {
        let params = json!({"name": "wait", "arguments": {"x": objects}, "_meta": meta()});
        client.send(&line(id, "tools/call", params)).await;
    }
    let told = client.read().await;
    assert_eq!((&told["id"], &told["result"]["isError"]), (&json!(2), &json!(true)));
    assert_eq!(client.until(|seen| seen.running > 0).await.running, 1);
    client.desk.releases.add_permits(2);
    client.answers(2).await;
}

#[tokio::test]
async fn what_waits_at_the_end_of_input_still_has_its_turn() {
    let mut client = full_house(2).await;
    client.call(2, "wait").await;
    client.call(3, "now").await;
    client.input = None;
    assert!(timeout(A_WHILE, &mut client.served).await.is_err(), "requests are in flight");
    client.desk.releases.add_permits(3);
    let answers = client.answers(4).await;
    assert_eq!(answers[2..], [json!([2, "released"]), json!([3, "now"])]);
    client.end().await.unwrap();
}

#[tokio::test]
async fn what_still_waits_when_the_drain_is_over_is_answered() {
    let limits = StdioLimits { drain: A_WHILE, in_flight: 1, ..StdioLimits::default() };
    let mut client = Conversation::with(limits);
    client.call(0, "wait").await;
    client.until(|seen| seen.running == 1).await;
    client.call(1, "wait").await;
    client.input = None;
    let text = "cancelled: the conversation ended before this call had its turn; nothing was done";
    assert_eq!(client.answers(2).await, [json!([0, "cancelled"]), json!([1, text])]);
    client.end().await.unwrap();
}
