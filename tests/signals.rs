//! Signals at any moment: while the server starts and compiles, while it writes, and what it does not hear.
//!
//! Invariant: whatever the moment, what was acknowledged is there and the next command works.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::audit::{assert_intact, calls};
use crate::kills::Random;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::server::Era;
use crate::support::{SOON, holds_within};

const ENDING: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// Starts of a server that are broken off.
const STARTS: u64 = 16;

#[test]
fn a_server_that_is_ended_at_any_moment_of_its_start_leaves_a_home_that_works() {
    let (mut random, mut by_itself, mut longest) = (Random(1), 0, Duration::ZERO);
    for turn in 0..STARTS {
        let home = Home::new().wat("plain").guest("echo").guest("judge");
        let mut serve = home.command(&["serve"]);
        let mut child =
            serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // From before it listens for signals until its plugins are compiled and pinned.
        std::thread::sleep(Duration::from_micros(random.below(if turn % 2 == 0 { 60_000 } else { 900_000 })));
        let signal = ENDING[turn as usize % ENDING.len()];
        kill_process(Pid::from_child(&child), signal).unwrap();
        let begun = Instant::now();
        let mut status = None;
        let ended = holds_within(SOON, || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        child.kill().ok();
        assert!(ended, "turn {turn}: it still runs");
        longest = longest.max(begun.elapsed());
        // Before it listens, a signal ends it as it ends any program.
        let status = status.unwrap();
        assert!(status.code() == Some(0) || status.signal() == Some(signal.as_raw()), "{status:?}");
        by_itself += u64::from(status.code() == Some(0));
        assert_eq!(home.run(&["call", "plain_run"]).stdout, "done\n", "turn {turn}");
        assert_intact(&home);
    }
    assert!(by_itself > 0 && longest < Duration::from_secs(14), "{by_itself}, {longest:?}");
    observed(
        "E13",
        format_args!(
            "{STARTS} starts broken off, {by_itself} after it listened: longest {longest:.1?}, each home works"
        ),
    );
}

#[test]
fn a_server_that_is_ended_while_it_compiles_answers_and_ends_in_time() {
    for signal in ENDING {
        let guests = ["echo", "judge", "kv", "looping", "caller", "files", "programs", "secrets"];
        let home = guests.iter().fold(Home::new(), |home, guest| home.guest(guest));
        let mut server = home.serve();
        // Answered once all plugins are loaded.
        let list = server.send_request("tools/list", json!({}));
        server.signal(signal);
        let ended = server.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.time < Duration::from_secs(14), "{:?}", ended.time);
        assert!(ended.messages.iter().filter(|message| message["id"] == list).count() <= 1);
        observed(
            "E13",
            format_args!("{signal:?} while {} plugins load: code 0 after {:.1?}", guests.len(), ended.time),
        );
    }
}

/// Writes that a server is sent at once.
const WRITES: u64 = 30;

#[test]
fn what_runs_at_a_signal_is_done_and_written_down() {
    let manifest = b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let home = Home::new().guest("kv").file("kv.toml", manifest);
    let home = home.config("[plugins.kv.grant]\nkv = \"1MiB\"\n").accept("kv");
    let mut acknowledged = BTreeSet::new();
    for (turn, signal) in (0_u64..).zip(ENDING.into_iter().cycle().take(9)) {
        let mut server = home.serve();
        server.tool_names();
        let mut ids = Vec::new();
        for n in turn * WRITES..(turn + 1) * WRITES {
            ids.push((server.send_call("kv_set", json!({ "key": format!("key-{n}"), "value": "v" })), n));
        }
        // Some are written, some wait.
        server.answer(&ids[turn as usize * 3].0);
        server.signal(signal);
        let ended = server.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for (id, n) in &ids {
            let answers: Vec<&Value> = ended.messages.iter().filter(|message| message["id"] == *id).collect();
            assert!(answers.len() <= 1, "{answers:#?}");
            let is_set =
                |answer: &&&Value| answer["result"]["isError"] != true && answer["result"].is_object();
            acknowledged.extend(answers.iter().find(is_set).map(|_| *n));
        }
        assert_intact(&home);
    }
    let mut server = home.serve();
    for n in &acknowledged {
        assert_says(&server.call("kv_get", json!({ "key": format!("key-{n}") })), "v");
    }
    server.end();
    let recorded =
        calls(&home).iter().filter(|record| record["tool"] == "set" && record["outcome"] == "ok").count();
    assert!(acknowledged.len() >= 9 && recorded >= acknowledged.len(), "{recorded} {}", acknowledged.len());
    observed(
        "E13",
        format_args!(
            "9 signals amid writes: {} answered, all there, {recorded} in the audit log",
            acknowledged.len()
        ),
    );
}

#[test]
fn a_pipe_that_breaks_is_no_signal_to_a_server() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(Era::Legacy("2025-11-25"));
    server.signal(Signal::PIPE);
    assert_says(&server.call("plain_run", json!({})), "done");
    let ended = server.end();
    observed("E13", format_args!("SIGPIPE: it goes on, and ends with code {}", ended.code.unwrap()));
}
