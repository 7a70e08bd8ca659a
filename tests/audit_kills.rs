//! A server is killed at any moment while it writes the audit log, again and again: the next one goes on.
//!
//! `HUBCAP_KILLS=1000 cargo test --release --test hubcap audit_kills:: -- --nocapture` does it a thousand times.
//! That nothing is lost which was acknowledged is shown where something is: in `host/src/audit/tests/kills.rs`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::audit::{assert_intact, log};
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::{SOON, holds_within};

/// Kills in a run of all tests.
const KILLS: u64 = 6;
/// Calls that a server is sent at once.
const CALLS: u64 = 40;

#[test]
fn a_server_that_is_killed_leaves_a_log_that_the_next_one_goes_on_with() {
    let kills = std::env::var("HUBCAP_KILLS").map_or(KILLS, |written| written.parse().expect("a number"));
    let home = Home::new().wat("plain");
    let (mut answered, mut written, mut torn) = (0, 0, 0);
    for turn in 0..kills {
        // Now and then a record is waited for, so that there is something to lose on a slow disk too.
        answered += call_and_kill(&home, (turn % CALLS) as usize, turn % 4 == 0);
        let verdict = match log(&home).join("000001.jsonl").exists() {
            true => assert_intact(&home),
            false => json!({}),
        };
        torn += u64::from(verdict["unfinished"].as_u64().is_some_and(|bytes| bytes > 0));
        written = calls_in(&home);
    }
    home.run(&["call", "plain_run"]);
    assert_intact(&home);
    eprintln!("{kills} kills, {torn} torn lines, {answered} calls answered, {written} records of calls");
    assert!(written > 0);
    observed(
        "E14",
        format_args!(
            "a server killed {kills} times: {torn} torn lines, each log intact, {written} records of calls"
        ),
    );
}

fn calls_in(home: &Home) -> usize {
    let tail = home.run(&["audit", "tail", "-n", "1000000", "--json"]);
    tail.stdout.matches("\"kind\":\"call\"").count()
}

/// Starts a server, sends it calls, and kills it after so many answers; says how many there were.
fn call_and_kill(home: &Home, wanted: usize, is_written: bool) -> usize {
    let before = is_written.then(|| calls_in(home));
    let mut serve = home.command(&["serve"]);
    let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let mut lines = vec![
        json!({ "jsonrpc": "2.0", "id": "first", "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    lines.extend((0..CALLS).map(|n| {
        let params = json!({ "name": "plain_run", "arguments": { "n": n } });
        json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call", "params": params })
    }));
    let sent: String = lines.iter().map(|line| format!("{line}\n")).collect();
    child.stdin.as_mut().unwrap().write_all(sent.as_bytes()).unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    // One of them is that of the handshake.
    for _ in 0..=wanted {
        answers.next().expect("the server answers").unwrap();
    }
    std::thread::sleep(Duration::from_micros(wanted as u64 * 37 % 1_500));
    assert!(before.is_none_or(|before| holds_within(SOON, || calls_in(home) > before)));
    child.kill().unwrap();
    child.wait().unwrap();
    wanted + answers.map_while(Result::ok).count()
}
