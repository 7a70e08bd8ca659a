//! The two outputs of the host: standard output, where every line has to be JSON-RPC, and standard error.
//!
//! Invariant: each is read to its end by a thread of its own, so that no pipe is ever full by accident.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::Value;

/// One line of standard output: a message, or what is wrong with it.
pub(crate) type Line = Result<Value, String>;

/// Stops the reader of an output: what a client does that does not read.
#[derive(Default)]
pub(crate) struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// Lets nothing through, but for the line that is being read.
    pub(crate) fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    /// Lets everything through.
    pub(crate) fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap();
        drop(self.changed.wait_while(closed, |closed| *closed).unwrap());
    }
}

/// Reads standard output into a channel that ends with it.
pub(crate) fn read_lines(stdout: ChildStdout, gate: Arc<Gate>) -> Receiver<Line> {
    let (lines, received) = channel();
    thread::spawn(move || forward(stdout, &gate, &lines));
    received
}

fn forward(stdout: ChildStdout, gate: &Gate, lines: &Sender<Line>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        gate.pass();
        let mut line = Vec::new();
        match stdout.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if lines.send(check(&line)).is_err() => return,
            Ok(_) => {}
        }
    }
}

/// Collects standard error.
pub(crate) fn read_all(mut stderr: ChildStderr, gate: Arc<Gate>) -> Arc<Mutex<Vec<u8>>> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&collected);
    thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(length @ 1..) = stderr.read(&mut piece) {
            sink.lock().unwrap().extend_from_slice(&piece[..length]);
            gate.pass();
        }
    });
    collected
}

/// A line has to be one JSON-RPC message and nothing else.
fn check(line: &[u8]) -> Line {
    let shown = || String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
    let text = std::str::from_utf8(line).map_err(|_| format!("no UTF-8: {}", shown()))?;
    let text = text.strip_suffix('\n').ok_or_else(|| format!("no whole line: {}", shown()))?;
    let message: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {}", shown()))?;
    let has = |key: &str| message.get(key).is_some();
    let answer = has("id") && (has("result") != has("error")) && !has("method");
    let other = has("method") && !has("result") && !has("error");
    if message["jsonrpc"] == "2.0" && (answer || other) {
        Ok(message)
    } else {
        Err(format!("no JSON-RPC: {}", shown()))
    }
}
