//! Whole conversations with a server of a few tools: what a client sees of transport and protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{ServeError, StdioLimits, progress, run};
use crate::model::Progress;

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the tests wait to see that something does not happen.
const A_WHILE: Duration = Duration::from_millis(100);

/// How many calls of `wait` run, and how many were cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    running: usize,
    cancelled: usize,
}

/// A server with the tools `now`, `large`, `news`, and `wait`, which waits to be released.
#[derive(Clone)]
struct Desk {
    seen: watch::Sender<Seen>,
    releases: std::sync::Arc<Semaphore>,
}

impl Desk {
    async fn wait(&self, ct: CancellationToken) -> &'static str {
        self.seen.send_modify(|seen| seen.running += 1);
        let end = tokio::select! {
            permit = self.releases.acquire() => { permit.unwrap().forget(); "released" }
            () = ct.cancelled() => "cancelled",
        };
        self.seen.send_modify(|seen| {
            seen.running -= 1;
            seen.cancelled += usize::from(end == "cancelled");
        });
        end
    }
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![Tool::new("now", "", Map::new())]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = match &*request.name {
            "wait" => self.wait(context.ct.clone()).await.to_owned(),
            "large" => "x".repeat(100_000),
            "news" => {
                let token = context.meta.get_progress_token().unwrap();
                progress::followed(&context.peer, token, async |news| {
                    for done in [1.0, 1.0, 2.0, 3.0] {
                        news.send(Progress::Report { done, total: None, message: None }).await.unwrap();
                    }
                    news.send(Progress::Partial("piece".to_owned())).await.unwrap();
                })
                .await;
                "told".to_owned()
            }
            other => other.to_owned(),
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

/// The client's side.
struct Conversation {
    input: Option<DuplexStream>,
    output: BufReader<DuplexStream>,
    desk: Desk,
    stop: CancellationToken,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Conversation {
    fn with(limits: StdioLimits) -> Self {
        let desk = Desk { seen: watch::Sender::default(), releases: Semaphore::new(0).into() };
        let stop = CancellationToken::new();
        let (input, reader) = duplex(64 * 1024);
        let (output, writer) = duplex(64 * 1024);
        let served = tokio::spawn(run(desk.clone(), limits, stop.clone(), reader, writer));
        Self { input: Some(input), output: BufReader::new(output), desk, stop, served }
    }

    fn new() -> Self {
        Self::with(StdioLimits::default())
    }

    async fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        timeout(PATIENCE, input.write_all(text.as_bytes())).await.unwrap().unwrap();
    }

    async fn call(&mut self, id: u32, tool: &str) {
        self.send(&call(id, tool)).await;
    }

    async fn cancel(&mut self, id: u32) {
        let params = json!({ "requestId": id });
        let line = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        self.send(&format!("{line}\n")).await;
    }

    /// The next message, or null at the end.
    async fn read(&mut self) -> Value {
        let mut line = String::new();
        timeout(PATIENCE, self.output.read_line(&mut line)).await.unwrap().unwrap();
        if line.is_empty() { Value::Null } else { serde_json::from_str(&line).unwrap() }
    }

    /// Ids and texts, or error codes, of the next messages, sorted.
    async fn answers(&mut self, count: usize) -> Vec<Value> {
        let mut answers = Vec::new();
        for _ in 0..count {
            let message = self.read().await;
            let error = message.pointer("/error/code");
            let said = error.or(message.pointer("/result/content/0/text")).unwrap_or(&Value::Null);
            answers.push(json!([message["id"], said]));
        }
        answers.sort_by_key(Value::to_string);
        answers
    }

    async fn until(&mut self, wanted: impl FnMut(&Seen) -> bool) -> Seen {
        *timeout(PATIENCE, self.desk.seen.subscribe().wait_for(wanted)).await.unwrap().unwrap()
    }

    /// Waits for the end, after which nothing more must have been written.
    async fn end(mut self) -> Result<(), ServeError> {
        let result = timeout(PATIENCE, &mut self.served).await.unwrap().unwrap();
        assert_eq!(self.read().await, Value::Null);
        result
    }
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn line(id: u32, method: &str, params: Value) -> String {
    format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

fn call(id: u32, tool: &str) -> String {
    line(id, "tools/call", json!({"name": tool, "_meta": meta()}))
}

fn initialize(id: u32, version: &str) -> String {
    let info = json!({"name": "test", "version": "1"});
    line(id, "initialize", json!({"protocolVersion": version, "capabilities": {}, "clientInfo": info}))
}

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
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
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
    const CALLS: usize = 4000;
    let limits = StdioLimits { queue_bytes: 500_000, in_flight: 8, ..StdioLimits::default() };
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
    assert!(*sent.borrow() < 1000, "{} requests were read ahead", *sent.borrow());
    let mut ids: Vec<_> = client.answers(CALLS).await.iter().map(|it| it[0].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..CALLS as u64));
    sending.await.unwrap();
    client.end().await.unwrap();
}

#[tokio::test]
async fn no_more_requests_are_read_than_may_be_in_flight() {
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
    let large = json!({"name": "wait", "arguments": {"x": "x".repeat(20_000)}, "_meta": meta()});
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
    let large = json!({"name": "now", "arguments": {"x": "x".repeat(1_000_000)}, "_meta": meta()});
    client.send(&line(1, "tools/call", large)).await;
    assert_eq!(client.answers(1).await, [json!([1, "now"])]);
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
