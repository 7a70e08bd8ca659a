//! What is said: lines, eras, revisions, progress.

use serde_json::{Map, Value, json};
use tokio::io::duplex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Conversation, Desk, PATIENCE, initialize, line, meta};
use crate::mcp::{Client, StdioLimits, run};

#[tokio::test]
async fn lines_that_are_no_message_are_answered_and_the_next_ones_work() {
    let mut client = Conversation::with(StdioLimits { line_bytes: 1000, ..StdioLimits::default() });
    client.send("\u{feff}nonsense\r\n\r\n").await;
    assert_eq!(client.answers(1).await, [json!([null, -32700])]);
    client.send(&format!("{}\n", "x".repeat(300_000))).await;
    assert_eq!(client.answers(1).await, [json!([null, -32600])]);
    client.send("{\"id\":1.5,\"method\":\"ping\",\"jsonrpc\":\"2.0\"}\n[]\n").await;
    assert_eq!(client.answers(2).await, [json!([null, -32600]), json!([null, -32600])]);
    client.call(1, "now").await;
    assert_eq!(client.answers(1).await, [json!([1, "now"])]);
}

#[tokio::test]
async fn a_refusal_without_an_id_says_null() {
    let mut client = Conversation::new();
    client.send("{\n").await;
    let refusal = client.read().await;
    assert_eq!(refusal.get("id"), Some(&Value::Null));
}

#[tokio::test]
async fn an_older_client_may_send_everything_at_once() {
    let mut client = Conversation::new();
    let initialized = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    let list = line(2, "tools/list", json!({}));
    client.send(&[&initialize(1, "2025-06-18"), initialized, &list].concat()).await;
    let welcome = client.read().await;
    assert_eq!(welcome["result"]["protocolVersion"], json!("2025-06-18"));
    let listed = client.read().await;
    assert_eq!(listed["result"]["tools"][0]["name"], json!("now"));
    assert_eq!(listed["result"].get("resultType"), None);
}

#[tokio::test]
async fn every_older_revision_is_spoken_and_another_is_answered_with_the_newest_of_them() {
    for (asked, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut client = Conversation::new();
        client.send(&initialize(1, asked)).await;
        assert_eq!(client.read().await["result"]["protocolVersion"], json!(agreed), "{asked}");
    }
}

#[tokio::test]
async fn a_request_must_say_its_revision_unless_initialize_came_first() {
    let mut client = Conversation::new();
    let initialized = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    client.send(initialized).await;
    client.send(&line(1, "tools/list", json!({}))).await;
    assert_eq!(client.answers(1).await, [json!([1, -32602])]);
    client.send(&line(2, "ping", json!({}))).await;
    assert_eq!(client.answers(1).await, [json!([2, null])]);
    client.send(&initialize(3, "2025-11-25")).await;
    client.send(&line(4, "tools/call", json!({"name": "now"}))).await;
    assert_eq!(client.answers(2).await, [json!([3, null]), json!([4, "now"])]);
}

#[tokio::test]
async fn both_eras_work_in_one_conversation_in_any_order() {
    let mut client = Conversation::new();
    client.send(&line(1, "server/discover", json!({"_meta": meta()}))).await;
    let versions = client.read().await["result"]["supportedVersions"].clone();
    assert_eq!(versions, json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]));
    client.call(2, "now").await;
    assert_eq!(client.read().await["result"]["resultType"], json!("complete"));
    client.send(&initialize(3, "2025-11-25")).await;
    client.read().await;
    client.send(&line(4, "tools/call", json!({"name": "now"}))).await;
    assert_eq!(client.read().await["result"].get("resultType"), None);
    client.call(5, "now").await;
    assert_eq!(client.read().await["result"]["resultType"], json!("complete"));
}

#[tokio::test]
async fn a_revision_that_nobody_speaks_and_missing_fields_are_refused() {
    let mut client = Conversation::new();
    let mut unknown = meta();
    unknown["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    client.send(&line(1, "tools/list", json!({"_meta": unknown}))).await;
    let refusal = client.read().await;
    assert_eq!(refusal["error"]["code"], json!(-32022));
    assert!(refusal["error"]["data"]["supported"].as_array().unwrap().contains(&json!("2026-07-28")));
    let partial = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    client.send(&line(2, "tools/list", json!({"_meta": partial}))).await;
    client.send(&line(3, "server/discover", json!({}))).await;
    client.send(&line(4, "prompts/list", json!({"_meta": meta()}))).await;
    let expected = [json!([2, -32602]), json!([3, -32602]), json!([4, -32601])];
    assert_eq!(client.answers(3).await, expected);
}

#[tokio::test]
async fn lists_say_how_long_they_may_be_kept() {
    let mut client = Conversation::new();
    client.send(&line(1, "tools/list", json!({"_meta": meta()}))).await;
    let list = client.read().await;
    assert_eq!((&list["result"]["ttlMs"], &list["result"]["cacheScope"]), (&json!(0), &json!("private")));
}

#[tokio::test]
async fn progress_carries_the_clients_token_and_comes_before_the_result() {
    let mut client = Conversation::new();
    let mut with_token = meta();
    with_token["progressToken"] = json!("mine");
    client.send(&line(1, "tools/call", json!({"name": "news", "_meta": with_token}))).await;
    let mut last = 0.0;
    for _ in 0..4 {
        let news = client.read().await;
        assert_eq!(news["method"], json!("notifications/progress"));
        assert_eq!(news["params"]["progressToken"], json!("mine"));
        let progress = news["params"]["progress"].as_f64().unwrap();
        assert!(progress > last, "{progress} after {last}");
        last = progress;
    }
    assert_eq!(client.answers(1).await, [json!([1, "told"])]);
    client.input = None;
    client.end().await.unwrap();
}

#[tokio::test]
async fn our_own_client_lists_calls_and_closes() {
    let ((input, reader), (output, writer)) = (duplex(1000), duplex(1000));
    let server = run(Desk::new(), StdioLimits::default(), CancellationToken::new(), reader, writer);
    let served = tokio::spawn(server);
    let client = Client::connect(output, input).await.unwrap();
    assert_eq!(client.tools().await.unwrap(), [("now".to_owned(), String::new())]);
    let answer = client.call("now", Map::new()).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.is_error, answer.receipt), ("now", false, None));
    client.close().await.unwrap();
    timeout(PATIENCE, served).await.unwrap().unwrap().unwrap();
}
