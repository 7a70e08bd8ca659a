//! A running `hubcap serve` and the client at its other end: raw lines of JSON-RPC, in both eras.
//!
//! Invariant: every line of standard output is checked, and a server whose output was not clean fails
//! the test when it is ended.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::facts::{Facts, forget_peak};
use super::stdio::{Gate, Line, read_all, read_lines};
use super::{SOON, holds_within};

/// How the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// `initialize` with this revision, then plain requests.
    Legacy(&'static str),
    /// 2026-07-28: no handshake, and `_meta` in each request.
    Modern,
    /// The client sends what the test says, and nothing before it.
    Raw,
}

/// A server and the client's end of its pipes.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Line>,
    seen: Vec<Value>,
    impure: Vec<String>,
    stderr: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Gate>,
    log_gate: Arc<Gate>,
    next_id: u64,
    era: Era,
    capabilities: Value,
    _home: Arc<TempDir>,
}

/// What a server left behind.
pub(crate) struct Ended {
    /// Its exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    /// All messages that it ever sent, in order.
    pub(crate) messages: Vec<Value>,
    /// Its standard error.
    pub(crate) stderr: String,
    /// How long it took from the end of its input to the end of it.
    pub(crate) time: Duration,
}

impl Server {
    /// Starts a command and, where the era has one, shakes hands.
    pub(crate) fn start(command: &mut Command, era: Era, home: Arc<TempDir>) -> Self {
        Self::start_as(command, era, home, json!({}))
    }

    /// The same for a client that says it can do this.
    pub(crate) fn start_as(command: &mut Command, era: Era, home: Arc<TempDir>, capabilities: Value) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (gate, log_gate) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let lines = read_lines(child.stdout.take().unwrap(), Arc::clone(&gate));
        let stderr = read_all(child.stderr.take().unwrap(), Arc::clone(&log_gate));
        let stdin = child.stdin.take();
        let mut server = Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
            impure: Vec::new(),
            stderr,
            gate,
            log_gate,
            next_id: 1,
            era,
            capabilities,
            _home: home,
        };
        if let Era::Legacy(version) = era {
            let answer = server.initialize(version);
            assert!(answer["result"]["serverInfo"]["name"].is_string(), "{answer:#}");
        }
        server
    }

    /// Shakes hands in the way of the revisions before 2026-07-28, and returns the answer.
    pub(crate) fn initialize(&mut self, version: &str) -> Value {
        let client = json!({ "name": "test", "version": "1" });
        let params =
            json!({ "protocolVersion": version, "capabilities": self.capabilities, "clientInfo": client });
        let answer = self.request("initialize", params);
        self.notify("notifications/initialized", json!({}));
        answer
    }

    /// Sends a request and waits for its answer, the whole message.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params);
        self.answer(&id)
    }

    /// Sends a request and returns its id.
    pub(crate) fn send_request(&mut self, method: &str, params: Value) -> Value {
        let id = json!(self.next_id);
        self.next_id += 1;
        self.send_request_as(&id, method, params);
        id
    }

    /// Sends a request under the given id.
    pub(crate) fn send_request_as(&mut self, id: &Value, method: &str, params: Value) {
        let params = self.with_meta(params);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let params = self.with_meta(params);
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Gives up a request.
    pub(crate) fn cancel(&mut self, id: &Value) {
        self.notify("notifications/cancelled", json!({ "requestId": id, "reason": "test" }));
    }

    /// Calls a tool and returns its result.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let id = self.send_call(tool, arguments);
        self.result(&id)
    }

    /// Starts a call that reports progress when it begins to run, waits for that, and returns its id.
    #[track_caller]
    pub(crate) fn send_running_call(&mut self, tool: &str, arguments: Value) -> Value {
        let token = json!(format!("running-{}", self.next_id));
        let meta = json!({ "progressToken": token });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let id = self.send_request("tools/call", params);
        let runs = self.wait_until(SOON, |message| message["params"]["progressToken"] == token);
        assert!(runs.is_some(), "{tool} does not run; it sent {:#?}", self.seen);
        id
    }

    /// Starts a call of a tool and returns its id.
    pub(crate) fn send_call(&mut self, tool: &str, arguments: Value) -> Value {
        self.send_request("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Waits for a question of the server to the client: its first is number 0.
    #[track_caller]
    pub(crate) fn asked(&mut self, number: usize) -> Value {
        let mut found = None;
        holds_within(SOON, || {
            let mut questions =
                self.messages().iter().filter(|message| message["method"] == "elicitation/create");
            found = questions.nth(number).cloned();
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("no question; it sent {:#?}\nand logged {}", self.seen, self.stderr()))
    }

    /// Answers a question of the server.
    pub(crate) fn reply(&mut self, question: &Value, result: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
    }

    /// The names of all tools, page by page.
    #[track_caller]
    pub(crate) fn tool_names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let answer = self.request("tools/list", params.clone());
            let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
            names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
            match &answer["result"]["nextCursor"] {
                Value::String(cursor) => params = json!({ "cursor": cursor }),
                _ => return names,
            }
        }
    }

    /// Waits for the answer to a request.
    #[track_caller]
    pub(crate) fn answer(&mut self, id: &Value) -> Value {
        self.wait_for(id, SOON).unwrap_or_else(|| {
            panic!("no answer to {id}; it sent {:#?}\nand logged {}", self.seen, self.stderr())
        })
    }

    /// Waits for the result of a request.
    #[track_caller]
    pub(crate) fn result(&mut self, id: &Value) -> Value {
        let answer = self.answer(id);
        assert!(answer.get("result").is_some(), "{answer:#}\nit logged {}", self.stderr());
        answer["result"].clone()
    }

    /// Waits for the answer to a request, at most this long.
    pub(crate) fn wait_for(&mut self, id: &Value, time: Duration) -> Option<Value> {
        self.wait_until(time, |message| message.get("method").is_none() && message["id"] == *id)
    }

    /// Waits for the first message of a kind, at most this long.
    pub(crate) fn wait_until(&mut self, time: Duration, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let end = Instant::now() + time;
        let mut looked_at = 0;
        loop {
            if let Some(found) = self.seen[looked_at..].iter().find(|message| wanted(message)) {
                return Some(found.clone());
            }
            looked_at = self.seen.len();
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.take(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// All messages so far, in order.
    pub(crate) fn messages(&mut self) -> &[Value] {
        while let Ok(line) = self.lines.try_recv() {
            self.take(line);
        }
        &self.seen
    }

    /// Drops the messages so far, for a conversation that is too long to be kept, and says how many they
    /// were. What was not clean stays known.
    pub(crate) fn forget_messages(&mut self) -> usize {
        let forgotten = self.messages().len();
        self.seen = Vec::new();
        forgotten
    }

    fn take(&mut self, line: Line) {
        match line {
            Ok(message) => self.seen.push(message),
            Err(fault) => self.impure.push(fault),
        }
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// Sends one line as it is.
    pub(crate) fn send_line(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes).unwrap_or_else(|error| panic!("{error}: {}", self.stderr()));
    }

    /// Ends the server's input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Stops reading what the server sends.
    pub(crate) fn stop_reading(&self) {
        self.gate.close();
    }

    /// Stops reading what the server logs.
    pub(crate) fn stop_reading_the_log(&self) {
        self.log_gate.close();
    }

    /// Reads again.
    pub(crate) fn read_again(&self) {
        self.gate.open();
        self.log_gate.open();
    }

    /// What the kernel says of the server.
    pub(crate) fn facts(&self) -> Facts {
        Facts::of(self.child.id())
    }

    /// Starts the measure of the most memory anew.
    pub(crate) fn forget_peak(&self) {
        forget_peak(self.child.id());
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// What the server logged so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Ends the input and waits for the end of the server, which has to come without a fault.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.close_stdin();
        let ended = self.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Waits for the end of the server. Nothing but JSON-RPC may have been on its standard output.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let start = Instant::now();
        let mut status = None;
        let ended = holds_within(SOON, || {
            // Reading on keeps a server that still has something to say from waiting for us.
            self.messages();
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let time = start.elapsed();
        assert!(ended, "still running after {SOON:?}: {}", self.stderr());
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            self.take(line);
        }
        assert!(self.impure.is_empty(), "standard output: {:#?}", self.impure);
        let messages = std::mem::take(&mut self.seen);
        Ended { code: status.unwrap().code(), messages, stderr: self.stderr(), time }
    }

    /// A request of 2026-07-28 says in each message what older ones said once.
    fn with_meta(&self, mut params: Value) -> Value {
        if self.era == Era::Modern {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
        }
        params
    }
}

impl Drop for Server {
    /// A test that failed leaves no server behind.
    fn drop(&mut self) {
        self.read_again();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
