//! Clients that send very much of one thing: calls, cancellations, progress tokens, metadata, pings.
//!
//! Invariant: what comes of a flood is bounded, each request in it has one answer, and nothing of it stays.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::facts::{Facts, forget_peak};
use crate::support::home::Home;
use crate::support::message::{assert_says, code, text};
use crate::support::promises::{kept, short_or_long};
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

/// Calls in flight at once that no queue refuses: 8 run and 32 wait.
const WINDOW: usize = 32;

/// The server uses what it did before, give or take what an allocator keeps.
#[track_caller]
fn assert_back(server: &Server, before: &Facts) {
    let mut now = server.facts();
    let back = holds_within(SOON, || {
        now = server.facts();
        now.is_back_to(before)
    });
    assert!(back, "before {before:?}, now {now:?}");
}

/// How each request in this range was answered: "", or the code of its failure.
#[track_caller]
fn each_answered_once(messages: &[Value], calls: std::ops::Range<u64>) -> Vec<String> {
    let mut answers: HashMap<u64, Vec<&Value>> = HashMap::new();
    for message in messages {
        answers.entry(message["id"].as_u64().unwrap_or(u64::MAX)).or_default().push(message);
    }
    let single = |id: u64| {
        let of = answers.get(&id).map_or(&[][..], Vec::as_slice);
        assert_eq!(of.len(), 1, "{id}: {of:#?}");
        if code(&of[0]["result"]) == "overloaded" {
            assert!(text(&of[0]["result"]).ends_with("try again in 1 s"), "{:#}", of[0]);
        }
        code(&of[0]["result"]).to_owned()
    };
    calls.map(single).collect()
}

#[test]
fn a_hundred_thousand_calls_at_once_have_one_answer_each_and_bounded_memory() {
    const CALLS: u64 = 100_000;
    let mut server = Home::new().guest("echo").serve();
    assert_says(&server.call("echo_say", json!({ "text": "warm" })), "warm");
    let (before, first) = (server.facts(), 1_000);
    server.forget_messages();
    server.forget_peak();
    let begun = Instant::now();
    for id in first..first + CALLS {
        let params = json!({ "name": "echo_sleep", "arguments": { "ms": 20 } });
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
    }
    let all = holds_within(6 * SOON, || server.messages().len() as u64 >= CALLS);
    let time = begun.elapsed();
    assert!(all, "{} answers after {time:?}", server.messages().len());
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 64, "{growth} MiB");
    let answers = each_answered_once(server.messages(), first..first + CALLS);
    let of = |wanted: &str| answers.iter().filter(|code| *code == wanted).count();
    let (served, refused) = (of(""), of("overloaded"));
    assert_eq!(served + refused, answers.len());
    assert!(served >= 40 && refused > 0, "{served} served, {refused} overloaded");
    server.forget_messages();
    assert_says(&server.call("echo_say", json!({ "text": "after" })), "after");
    server.end();
    let saw =
        format!("{CALLS} calls in {time:.1?}: {served} served, {refused} overloaded, {growth} MiB grown");
    observed("D11", &saw);
    kept("P19", &saw);
}

/// Cancellations that name nothing that a request could be called.
const SHAPELESS: [&str; 6] =
    ["{}", "{\"requestId\":null}", "{\"requestId\":{}}", "{\"requestId\":1.5}", "[]", "7"];

#[test]
fn a_flood_of_cancellations_hits_nothing_but_what_it_names() {
    let mut server = Home::new().guest("echo").serve();
    let done = server.send_call("echo_say", json!({ "text": "done" }));
    assert_says(&server.result(&done), "done");
    let before = server.facts();
    let other = server.send_running_call("echo_sleep", json!({ "ms": 3_000 }));
    let given_up = server.send_running_call("echo_sleep", json!({ "ms": 20_000 }));
    let early = json!("early");
    for id in [&done, &given_up, &early] {
        (0..1_000).for_each(|_| server.cancel(id));
    }
    let cancels = short_or_long(20_000, 1_000_000);
    for n in 0..cancels {
        server.cancel(&json!(format!("never-{n}")));
    }
    for params in SHAPELESS {
        server.send_line(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#
        ));
    }
    server.cancel(&json!("x".repeat(1 << 20)));
    // Given up before it was sent: nothing was given up.
    server.send_request_as(
        &early,
        "tools/call",
        json!({ "name": "echo_say", "arguments": { "text": "early" } }),
    );
    assert_says(&server.result(&early), "early");
    assert_says(&server.result(&other), "slept");
    assert_back(&server, &before);
    let ended = server.end();
    let answers = |id: &Value| ended.messages.iter().filter(|message| message["id"] == *id).count();
    assert_eq!([&done, &early, &other, &given_up].map(answers), [1, 1, 1, 0]);
    assert!(ended.time < Duration::from_secs(8), "what was given up ran on: {:?}", ended.time);
    let all = cancels + 3 * 1_000 + SHAPELESS.len() + 1;
    observed(
        "D12",
        format_args!("{all} cancellations: 1 call ended without a word, 3 answered once, memory as before"),
    );
}

#[test]
fn progress_tokens_without_number_or_measure_cost_nothing_that_lasts() {
    let mut server = Home::new().guest("echo").serve();
    assert_says(&server.call("echo_progress", json!({ "steps": 3 })), "3");
    let before = server.facts();
    let windows = short_or_long(30, 1_000);
    let mut reports = 0;
    for window in 0..windows {
        let token = |n: usize| format!("{window}-{n}-{}", "t".repeat(200));
        let ids: Vec<Value> = (0..WINDOW)
            .map(|n| {
                let meta = json!({ "progressToken": token(n) });
                let params = json!({ "name": "echo_progress", "arguments": { "steps": 3 }, "_meta": meta });
                server.send_request("tools/call", params)
            })
            .collect();
        for id in &ids {
            assert_says(&server.result(id), "3");
        }
        let news = server.messages().iter().filter(|message| message["method"] == "notifications/progress");
        let tokens: Vec<&str> = news.map(|one| one["params"]["progressToken"].as_str().unwrap()).collect();
        let known: Vec<String> = (0..WINDOW).map(token).collect();
        assert!(tokens.iter().all(|token| known.iter().any(|known| known == token)), "{tokens:#?}");
        reports += tokens.len();
        server.forget_messages();
    }
    assert!(reports > 0, "nobody heard of progress");
    let wrong = [json!(null), json!(1.5), json!({}), json!([1]), json!(true), json!("t".repeat(1 << 20))];
    for token in &wrong {
        let params = json!({ "name": "echo_progress", "_meta": { "progressToken": token } });
        let answer = server.request("tools/call", params);
        assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
    }
    assert_back(&server, &before);
    server.end();
    let calls = windows * WINDOW;
    observed(
        "D16",
        format_args!(
            "{calls} tokens: {reports} reports, each under its own; {} odd ones refused; memory as before",
            wrong.len()
        ),
    );
}

#[test]
fn metadata_is_bounded_like_all_else_and_forges_nothing_in_the_log() {
    let home = Home::new().guest("echo");
    let mut command = home.command(&["serve", "--log", "trace"]);
    let mut server = home.serve_as(command.env("RUST_LOG", "trace"), Era::Legacy("2025-11-25"));
    assert_says(&server.call("echo_say", json!({ "text": "warm" })), "warm");
    let before = server.facts();
    server.forget_peak();
    let forged = "00-4bf9\r\n{\"level\":\"ERROR\",\"forged\":true}\r\n\u{1b}[31m\u{202e}";
    let many: Vec<u64> = (0..90_000).collect();
    let metas = [
        json!({ "traceparent": forged, "tracestate": forged, "baggage": forged, (forged): forged }),
        json!({ "io.modelcontextprotocol/clientInfo": { "name": forged, "version": forged } }),
        json!({ "traceparent": 7, "tracestate": [{}], "x": { "y": null } }),
        json!({ "large": "m".repeat(4_000_000) }),
        json!({ "many": many }),
    ];
    let mut served = 0;
    for meta in &metas {
        let params = json!({ "name": "echo_say", "arguments": { "text": "on" }, "_meta": meta });
        let answer = server.request("tools/call", params);
        assert_says(&answer["result"], "on");
        served += 1;
    }
    let named = server.request("tools/call", json!({ "name": forged, "_meta": { "progressToken": forged } }));
    assert_eq!(named["error"]["code"], -32_602, "{named:#}");
    assert_eq!(server.request(forged, json!({}))["error"]["code"], -32_601);
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 64, "{growth} MiB");
    let ended = server.end();
    let lines = assert_unforged(&ended.stderr);
    observed(
        "D16",
        format_args!(
            "{served} odd `_meta` up to 4 MB: served, {growth} MiB grown; {lines} lines at trace, 0 forged"
        ),
    );
}

/// Every line of the log is one of the host's own, and none holds what a terminal would obey.
#[track_caller]
fn assert_unforged(log: &str) -> usize {
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line.get("forged").is_none(), "{line:#}");
    }
    for character in ['\u{1b}', '\r', '\u{202e}'] {
        assert!(!log.contains(character), "{character:?} is in the log");
    }
    log.lines().count()
}

const PINGS: usize = 400_000;

/// Sends pings until all are sent; says how many so far.
fn send_pings(mut stdin: ChildStdin, sent: &AtomicUsize) {
    for batch in 0..PINGS / 100 {
        let line = |n: usize| format!("{{\"jsonrpc\":\"2.0\",\"id\":{n},\"method\":\"ping\"}}\n");
        let lines: String = (batch * 100..(batch + 1) * 100).map(line).collect();
        stdin.write_all(lines.as_bytes()).unwrap();
        sent.store((batch + 1) * 100, Ordering::Relaxed);
    }
}

#[test]
fn a_client_that_does_not_read_is_not_read_either_until_it_does() {
    let home = Home::new().wat("plain");
    let mut command = home.command(&["serve"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut stdin, mut answers) =
        (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    // An answer after the plugins are loaded, which is no part of the growth.
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {} });
    let list = json!({ "jsonrpc": "2.0", "id": "list", "method": "tools/list", "params": { "_meta": meta } });
    writeln!(stdin, "{list}").unwrap();
    assert!(answers.read_line(&mut String::new()).unwrap() > 100);
    let before = Facts::of(child.id());
    forget_peak(child.id());
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = std::thread::spawn({
        let sent = Arc::clone(&sent);
        move || send_pings(stdin, &sent)
    });
    let pause = short_or_long(Duration::from_secs(1), Duration::from_secs(60));
    let (mut last, mut since) = (0, Instant::now());
    let stalled = holds_within(6 * SOON, || {
        let now = sent.load(Ordering::Relaxed);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        now > 0 && since.elapsed() > pause
    });
    assert!(stalled && last < PINGS, "{last} of {PINGS} were read, and nobody reads the answers");
    let growth = Facts::of(child.id()).peak_kib.saturating_sub(before.rss_kib) / 1024;
    // The queue of 8 MiB, and what it takes to fill it.
    assert!(growth <= 16, "{growth} MiB");
    let mut next = 0;
    for line in answers.lines() {
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!((&answer["id"], &answer["result"]), (&json!(next), &json!({})));
        next += 1;
    }
    sending.join().unwrap();
    assert_eq!((next, child.wait().unwrap().code()), (PINGS, Some(0)));
    observed(
        "D14",
        format_args!(
            "unread for {pause:?}: reading stops after {last} of {next} pings, {growth} MiB grown; all answered later"
        ),
    );
}
