//! How the server ends: at the end of its input, at a signal, and when its client is gone.
//!
//! Invariant: what runs is answered if it ends in time, and nothing keeps the process alive after that.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::holds_within;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::kept;
use crate::support::server::{Ended, Server};

/// A server with a call that runs for this long.
fn busy(ms: u64) -> (Home, Server, Value) {
    let home = Home::new().guest("echo");
    let mut server = home.serve();
    let id = server.send_running_call("echo_sleep", json!({ "ms": ms }));
    (home, server, id)
}

/// The call was answered with its result.
#[track_caller]
fn assert_answered(ended: &Ended, id: &Value) {
    let answers: Vec<_> = ended.messages.iter().filter(|message| message["id"] == *id).collect();
    assert_eq!(answers.len(), 1, "{:#?}", ended.messages);
    assert_says(&answers[0]["result"], "slept");
}

#[test]
fn the_end_of_input_ends_an_idle_server_at_once() {
    let home = Home::new().wat("plain");
    let mut server = home.serve();
    server.tool_names();
    let ended = server.end();
    assert!(ended.time < Duration::from_secs(2), "{:?}", ended.time);
}

#[test]
fn the_end_of_input_waits_for_a_running_call() {
    let (_home, server, id) = busy(1_000);
    let ended = server.end();
    assert_answered(&ended, &id);
    assert!(ended.time < Duration::from_secs(4), "{:?}", ended.time);
}

#[test]
fn a_call_that_does_not_end_is_given_up_after_ten_seconds_and_answered() {
    let (_home, server, id) = busy(29_000);
    let ended = server.end();
    assert!((9..14).contains(&ended.time.as_secs()), "{:?}", ended.time);
    assert_eq!(ended.messages.iter().filter(|message| message["id"] == id).count(), 1);
    let saw =
        format!("end of input with a call that does not end: answered, exit 0 after {:.1?}", ended.time);
    observed("D15", &saw);
    kept("P24", &saw);
}

#[test]
fn a_signal_waits_for_a_running_call() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (_home, server, id) = busy(1_000);
        server.signal(signal);
        let ended = server.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_answered(&ended, &id);
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut saw = Vec::new();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let (_home, server, id) = busy(9_000);
        let ended = end_by_repeating(server, signal);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.time < Duration::from_secs(3), "{:?}", ended.time);
        assert!(!ended.messages.iter().any(|message| message["id"] == id));
        saw.push(format!("code {code} after {:.0?}", ended.time));
    }
    observed("E13", format_args!("a second signal while a call of 9 s runs: {}", saw.join(", ")));
}

/// Two equal signals at once may arrive as one, so this repeats the signal until the server is gone.
fn end_by_repeating(server: Server, signal: Signal) -> Ended {
    let pid = server.pid();
    let repeating = std::thread::spawn(move || {
        holds_within(Duration::from_secs(5), || rustix::process::kill_process(pid, signal).is_err());
    });
    let ended = server.wait();
    repeating.join().unwrap();
    ended
}

#[test]
fn a_client_that_is_gone_ends_the_server_without_a_signal() {
    let mut ends = Vec::new();
    for close_input in [true, false] {
        let home = Home::new().guest("echo");
        let mut command = home.command(&["serve"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        drop(child.stdout.take());
        write_handshake_and_call(&mut stdin);
        // Where the input stays open, what ends the server is that nobody listens.
        let open = (!close_input).then_some(stdin);
        let (mut status, since) = (None, Instant::now());
        let ended = holds_within(Duration::from_secs(14), || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        drop(open);
        child.kill().ok();
        assert!(ended, "still there, input closed: {close_input}");
        assert_eq!(status.unwrap().signal(), None);
        let code = status.unwrap().code().unwrap();
        ends.push(format!("{code} after {:.1?}", since.elapsed()));
    }
    observed("D15", format_args!("nobody listens, input closed and open: exit {}", ends.join(" and ")));
}

fn write_handshake_and_call(stdin: &mut impl std::io::Write) {
    let client = json!({ "name": "test", "version": "1" });
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params":
            { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params":
            { "name": "echo_sleep", "arguments": { "ms": 300 } } }),
    ];
    for line in lines {
        // A server that noticed already that nobody listens may be gone.
        let _ = writeln!(stdin, "{line}");
    }
}
