//! Clients that send more than can be done, give up, reuse ids, and do not read.
//!
//! Invariant: each request has exactly one answer, and after each fault the next request works.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::server::Server;
use crate::support::{SOON, holds_within};

#[test]
fn an_id_that_is_in_flight_is_refused_and_the_first_call_is_unharmed() {
    let mut server = Home::new().guest("echo").wat("plain").serve();
    let id = json!("twice");
    let sleep = json!({ "name": "echo_sleep", "arguments": { "ms": 500 } });
    server.send_request_as(&id, "tools/call", sleep);
    server.send_request_as(&id, "tools/call", json!({ "name": "plain_run", "arguments": {} }));
    let refusal = server.wait_for(&id, SOON).unwrap();
    assert_eq!(refusal["error"]["code"], -32_600, "{refusal:#}");
    let first = server.wait_until(SOON, |message| message["id"] == id && message.get("result").is_some());
    assert_says(&first.unwrap()["result"], "slept");
    // Once it is answered, the id is free again.
    server.send_request_as(&id, "tools/call", json!({ "name": "plain_run", "arguments": {} }));
    let ended = server.end();
    let answers: Vec<_> = ended.messages.iter().filter(|message| message["id"] == id).collect();
    assert_eq!(answers.len(), 3, "{answers:#?}");
    assert_says(&answers[2]["result"], "done");
    let said: Vec<String> = answers
        .iter()
        .map(|answer| match answer["error"]["code"].as_i64() {
            Some(code) => code.to_string(),
            None => text(&answer["result"]).to_owned(),
        })
        .collect();
    observed("D07", format_args!("one id, in flight twice and once more: {}", said.join(", ")));
}

#[test]
fn two_thousand_calls_at_once_have_one_answer_each() {
    let mut server = Home::new().guest("echo").serve();
    assert_says(&server.call("echo_say", json!({ "text": "warm" })), "warm");
    let before = server.facts();
    server.forget_peak();
    let ids: Vec<Value> = (0..2_000).map(|_| server.send_call("echo_sleep", json!({ "ms": 100 }))).collect();
    let mut served = 0;
    for id in &ids {
        let result = server.result(id);
        match code(&result) {
            "" => served += 1,
            "overloaded" => assert!(text(&result).len() < 500, "{}", text(&result)),
            other => panic!("{other}: {result:#}"),
        }
    }
    assert!(served >= 40, "8 run and 32 wait, and {served} were served");
    assert!(served < 2_000, "nothing was refused");
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 64, "{growth} MiB");
    let ended = server.end();
    for id in &ids {
        assert_eq!(ended.messages.iter().filter(|message| message["id"] == *id).count(), 1);
    }
    observed(
        "D11",
        format_args!(
            "2,000 slow calls: {served} served, {} overloaded, {growth} MiB grown",
            ids.len() - served
        ),
    );
}

const ONE_AT_A_TIME: &str = "[limits]\ncalls-per-plugin = 1\n";

#[test]
fn a_full_queue_is_answered_with_overloaded_at_once() {
    let limits = format!("{ONE_AT_A_TIME}queue = 2\nqueue-wait = \"10s\"\n");
    let mut server = Home::new().guest("echo").wat("plain").config(&limits).serve();
    server.tool_names();
    let ids: Vec<Value> = (0..4).map(|_| server.send_call("echo_sleep", json!({ "ms": 700 }))).collect();
    let first = server.wait_until(SOON, |message| ids.contains(&message["id"])).unwrap();
    assert_eq!(code(&first["result"]), "overloaded", "the refusal comes before any result: {first:#}");
    // Another plugin has a queue of its own.
    assert_says(&server.call("plain_run", json!({})), "done");
    let codes: Vec<String> = ids.iter().map(|id| code(&server.result(id)).to_owned()).collect();
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 3, "{codes:?}");
    server.end();
}

#[test]
fn a_call_waits_only_so_long_for_its_turn() {
    let limits = format!("{ONE_AT_A_TIME}queue-wait = \"200ms\"\n");
    let mut server = Home::new().guest("echo").config(&limits).serve();
    server.tool_names();
    let running = server.send_running_call("echo_sleep", json!({ "ms": 1_500 }));
    let waiting = server.send_call("echo_say", json!({ "text": "in vain" }));
    let first = server.wait_until(SOON, |message| [&running, &waiting].contains(&&message["id"])).unwrap();
    assert_eq!(first["id"], waiting, "{first:#}");
    assert_eq!(code(&first["result"]), "overloaded", "{first:#}");
    assert_says(&server.result(&running), "slept");
    server.end();
}

#[test]
fn the_hub_runs_only_so_many_calls_at_once() {
    let mut server = Home::new().guest("echo").wat("plain").config("[limits]\ncalls = 1\n").serve();
    server.tool_names();
    let start = Instant::now();
    let ids = [0, 1].map(|_| server.send_call("echo_sleep", json!({ "ms": 300 })));
    for id in &ids {
        assert_says(&server.result(id), "slept");
    }
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    server.end();
}

/// Cancels a running call of a plugin that runs one at a time, and expects the next call to run at once.
fn assert_cancel_frees(home: &Home, running: (&str, Value), next: (&str, Value)) {
    let mut server = home.serve();
    server.tool_names();
    let cancelled = server.send_running_call(running.0, running.1);
    let waiting = server.send_call(next.0, next.1);
    assert!(server.wait_for(&waiting, Duration::from_millis(200)).is_none(), "it did not wait");
    let start = Instant::now();
    server.cancel(&cancelled);
    assert_ne!(server.result(&waiting)["isError"], true);
    // The promise is 500 ms; the rest is for a machine that runs other tests.
    assert!(start.elapsed() < Duration::from_millis(1_000), "{:?}", start.elapsed());
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == cancelled), "{:#?}", ended.messages);
}

#[test]
fn cancelling_a_call_that_waits_in_the_host_frees_its_place() {
    let home = Home::new().guest("echo").config(&format!("{ONE_AT_A_TIME}queue-wait = \"10s\"\n"));
    assert_cancel_frees(&home, ("echo_sleep", json!({ "ms": 20_000 })), ("echo_say", json!({ "text": "x" })));
}

#[test]
fn cancelling_a_call_that_computes_frees_its_place() {
    let budget = "[plugins.looping]\nbudget = { fuel = 100_000_000_000 }\n";
    let limits = format!("{ONE_AT_A_TIME}queue-wait = \"10s\"\n{budget}");
    let home = Home::new().guest("looping").config(&limits);
    assert_cancel_frees(&home, ("looping_spin", json!({})), ("looping_count", json!({ "n": 1 })));
}

#[test]
fn cancelling_a_call_that_waits_its_turn_takes_it_out_of_the_queue() {
    let limits = format!("{ONE_AT_A_TIME}queue = 1\nqueue-wait = \"10s\"\n");
    let mut server = Home::new().guest("echo").config(&limits).serve();
    server.tool_names();
    let running = server.send_running_call("echo_sleep", json!({ "ms": 1_000 }));
    let queued = server.send_call("echo_sleep", json!({ "ms": 9_000 }));
    server.cancel(&queued);
    assert_says(&server.result(&running), "slept");
    assert_says(&server.call("echo_say", json!({ "text": "free" })), "free");
    let ended = server.end();
    assert!(ended.time < Duration::from_secs(5), "the cancelled call ran: {:?}", ended.time);
    assert!(!ended.messages.iter().any(|message| message["id"] == queued));
}

#[test]
fn cancelling_what_is_not_there_changes_nothing() {
    let mut server = Home::new().wat("plain").serve();
    let done = server.send_call("plain_run", json!({}));
    assert_says(&server.result(&done), "done");
    for n in 0..1_000 {
        server.cancel(&done);
        server.cancel(&json!(format!("never-{n}")));
    }
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
}

#[test]
fn a_client_that_does_not_read_costs_bounded_memory() {
    let mut server = Home::new().guest("echo").serve();
    assert_says(&server.call("echo_say", json!({ "text": "warm" })), "warm");
    let before = server.facts();
    server.forget_peak();
    server.stop_reading();
    let ids: Vec<Value> =
        (0..400).map(|_| server.send_call("echo_big", json!({ "bytes": 1_000_000 }))).collect();
    // The fact to wait for is that nothing moves any more: memory has not grown for half a second.
    let (mut most, mut since) = (0, Instant::now());
    holds_within(SOON, || {
        let now = server.facts().rss_kib;
        if now > most {
            (most, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(500)
    });
    let growth = |server: &Server| server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth(&server) <= 96, "{} MiB while nobody reads", growth(&server));
    server.read_again();
    for id in &ids {
        let result = server.result(id);
        assert!(["", "overloaded"].contains(&code(&result)), "{}", result["_meta"]);
    }
    assert_says(&server.call("echo_say", json!({ "text": "again" })), "again");
    let most = growth(&server);
    assert!(most <= 96, "{most} MiB once somebody reads");
    server.end();
    observed(
        "D14",
        format_args!("{} results of 1 MB unread: {most} MiB grown; all answered later", ids.len()),
    );
}

#[test]
fn a_client_that_does_not_read_the_log_waits_for_nothing() {
    let mut server = Home::new().guest("log-flood").wat("plain").serve();
    server.tool_names();
    server.stop_reading_the_log();
    let mut longest = Duration::ZERO;
    // Each call logs 60 KiB, and the pipe holds 64.
    for _ in 0..40 {
        let start = Instant::now();
        assert_says(&server.call("log-flood_lines", json!({ "n": 60, "bytes": 1_000 })), "60");
        assert_says(&server.call("plain_run", json!({})), "done");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        longest = longest.max(start.elapsed());
    }
    server.read_again();
    let logged = server.end().stderr.len();
    assert!(logged > 64 << 10, "the pipe was never full: {logged}");
    observed(
        "E22",
        format_args!(
            "80 calls while nobody reads the log: {longest:.0?} at most; {} KiB read after",
            logged >> 10
        ),
    );
}

#[test]
fn a_call_that_a_plugin_cannot_take_is_the_callers_fault() {
    let mut server = Home::new().guest("echo").serve();
    let result = server.call("echo_structured", json!({ "n": "three" }));
    assert_failed(&result, "invalid-arguments", "caller");
    server.end();
}
