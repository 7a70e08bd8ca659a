//! Clients that send what no client should: broken lines, reused ids, floods, and silence.
//!
//! Invariant: each request has exactly one answer, and after each fault the next request works.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::server::Server;
use crate::support::{SOON, holds_within};

/// Sends a line that has no readable id and waits for its refusal.
#[track_caller]
fn assert_refused(server: &mut Server, line: &[u8], expected: i64) {
    let refusals = |server: &mut Server| -> Vec<Value> {
        server
            .messages()
            .iter()
            .filter(|message| message["id"].is_null() && message.get("error").is_some())
            .cloned()
            .collect()
    };
    let before = refusals(server).len();
    server.send_bytes(line);
    server.send_bytes(b"\n");
    let shown = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
    assert!(holds_within(SOON, || refusals(server).len() > before), "no answer to {shown:?}");
    let refusal = refusals(server).pop().unwrap();
    assert_eq!(refusal["error"]["code"], expected, "{shown:?}: {refusal:#}");
    assert!(refusal.to_string().len() < 1_024, "{refusal:#}");
    assert_says(&server.call("plain_run", json!({})), "done");
}

#[test]
fn a_line_that_is_no_json_is_answered_and_the_next_one_works() {
    let mut server = Home::new().wat("plain").serve();
    let lines: [&[u8]; 9] = [
        b"{",
        b"hello",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"tools/list\"",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"tools/list\"} and more",
        b"\0",
        b"{\"jsonrpc\":\"2.0\",\0\"id\":901,\"method\":\"tools/list\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"\xff\xfe\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"\xc0\x80\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"\\ud800\"}",
    ];
    for line in lines {
        assert_refused(&mut server, line, -32_700);
    }
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 901));
}

#[test]
fn empty_lines_a_byte_order_mark_and_carriage_returns_are_tolerated() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(crate::support::server::Era::Raw);
    server.send_bytes(b"\xef\xbb\xbf");
    server.initialize("2025-11-25");
    server.send_bytes(b"\n\r\n\n");
    let id = json!("crlf");
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"crlf\",\"method\":\"tools/list\"}\r\n");
    assert_eq!(server.result(&id)["tools"][0]["name"], "plain_run");
    let ended = server.end();
    assert!(ended.messages.iter().all(|message| message.get("error").is_none()), "{:#?}", ended.messages);
}

/// A call whose message is this deep.
fn nested(id: u32, depth: usize) -> String {
    let inside = depth - 3;
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"plain_run","arguments":{{"x":{}{}}}}}}}"#,
        "[".repeat(inside),
        "]".repeat(inside)
    )
}

#[test]
fn a_message_is_at_most_64_deep() {
    let mut server = Home::new().wat("plain").serve();
    server.send_line(&nested(902, 64));
    assert_says(&server.result(&json!(902)), "done");
    for depth in [65, 200, 100_000] {
        assert_refused(&mut server, nested(903, depth).as_bytes(), -32_700);
    }
    assert_refused(&mut server, "[".repeat(100_000).as_bytes(), -32_700);
    server.end();
}

/// A call whose line has about this many bytes.
fn long_call(id: u32, bytes: usize) -> String {
    let arguments = json!({ "x": "x".repeat(bytes - 100) });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": "plain_run", "arguments": arguments } })
    .to_string()
}

#[test]
fn a_line_over_the_operators_bound_is_refused_and_the_next_one_works() {
    let mut server = Home::new().wat("plain").config("[limits]\nline-bytes = 65536\n").serve();
    server.send_line(&long_call(904, 10_000));
    assert_says(&server.result(&json!(904)), "done");
    assert_refused(&mut server, long_call(905, 70_000).as_bytes(), -32_600);
    assert_refused(&mut server, long_call(905, 1 << 20).as_bytes(), -32_600);
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 905));
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_no_memory() {
    let mut server = Home::new().wat("plain").serve();
    assert_says(&server.call("plain_run", json!({})), "done");
    let before = server.facts();
    server.forget_peak();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        server.send_bytes(&piece);
    }
    server.send_bytes(b"\n");
    let refusal =
        server.wait_until(SOON, |message| message["id"].is_null() && message.get("error").is_some());
    assert_eq!(refusal.unwrap()["error"]["code"], -32_600);
    assert_says(&server.call("plain_run", json!({})), "done");
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 16, "{growth} MiB");
    server.end();
}

#[test]
fn half_a_line_waits_for_its_rest() {
    let mut server = Home::new().wat("plain").serve();
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":906,\"meth");
    // The server has nothing to say until the line is whole.
    assert!(server.wait_until(Duration::from_millis(100), |message| message["id"] == 906).is_none());
    server.send_bytes(b"od\":\"tools/list\"}\n");
    assert_eq!(server.result(&json!(906))["tools"][0]["name"], "plain_run");
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":907,");
    server.end();
}

#[test]
fn the_same_key_twice_is_refused() {
    let mut server = Home::new().wat("plain").serve();
    server.send_line(
        r#"{"jsonrpc":"2.0","id":908,"method":"tools/call","params":{"name":"plain_run","arguments":{"a":1,"a":2}}}"#,
    );
    let answer = server.answer(&json!(908));
    assert_eq!(answer["error"]["code"], -32_600, "{answer:#}");
    assert!(answer["error"]["message"].as_str().unwrap().contains('a'), "{answer:#}");
    assert_says(&server.call("plain_run", json!({ "a": 1, "b": { "a": 2 } })), "done");
    server.end();
}

#[test]
fn a_batch_is_refused() {
    let mut server = Home::new().wat("plain").serve();
    assert_refused(&mut server, b"[]", -32_600);
    assert_refused(&mut server, br#"[{"jsonrpc":"2.0","id":909,"method":"tools/list"}]"#, -32_600);
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 909));
}

#[test]
fn an_id_of_a_wrong_type_is_refused_and_never_repeated_at_length() {
    let mut server = Home::new().wat("plain").serve();
    for id in ["{}", "[1]", "true", "1.5"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
        assert_refused(&mut server, line.as_bytes(), -32_600);
    }
    let line = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"tools/list"}}"#, "i".repeat(1 << 20));
    assert_refused(&mut server, line.as_bytes(), -32_600);
    server.end();
}

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
    assert!(growth(&server) <= 96, "{} MiB once somebody reads", growth(&server));
    server.end();
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
