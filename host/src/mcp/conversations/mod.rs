//! Whole conversations with a server of a few tools: what a client sees of transport and protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

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

mod flow;
mod house;
mod protocol;

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
    fn new() -> Self {
        Self { seen: watch::Sender::default(), releases: Semaphore::new(0).into() }
    }

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
            "large" => "x".repeat(20_000),
            "news" => {
                let token = context.meta.get_progress_token().unwrap();
                progress::followed(&context.peer, token, async |news| {
                    for done in [1.0, 1.0, 2.0, 3.0] {
                        news.hear(Progress::Report { done, total: None, message: None });
                    }
                    news.hear(Progress::Partial("piece".to_owned()));
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
        let desk = Desk::new();
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
