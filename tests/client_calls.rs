//! Clients whose messages are JSON-RPC and still not what the protocol or a tool wants: eras in any order,
//! methods and params that are not there, arguments with tricks in them, words about time.
//!
//! Invariant: each request has one answer, which says the same whatever order its keys came in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kills::Random;
use crate::support::SOON;
use crate::support::case::budget_of;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code};
use crate::support::promises::short_or_long;
use crate::support::server::{Era, Server};

/// `_meta` by which a request says which revision it speaks.
fn speaking(version: &str) -> Value {
    json!({ "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" } })
}

/// One request of a kind, and whether its answer is the one for its own era.
fn ask(server: &mut Server, kind: u64) -> (&'static str, bool) {
    let modern = speaking("2026-07-28");
    match kind {
        0 => ("older", server.call("plain_run", json!({})).get("resultType").is_none()),
        1 => {
            let answer = server.request("tools/call", json!({ "name": "plain_run", "_meta": modern }));
            ("newer", answer["result"]["resultType"] == "complete")
        }
        2 => {
            let answer = server.request("tools/list", json!({ "_meta": speaking("2099-01-01") }));
            ("unknown", answer["error"]["code"] == -32_022)
        }
        3 => {
            let answer = server.initialize("2024-11-05");
            ("initialize", answer["result"]["protocolVersion"] == "2024-11-05")
        }
        4 => {
            let answer = server.initialize("1999-01-01");
            ("initialize", answer["result"]["protocolVersion"] == "2025-11-25")
        }
        5 => {
            let answer = server.request("server/discover", json!({ "_meta": modern }));
            ("discover", answer["result"]["supportedVersions"].is_array())
        }
        _ => ("ping", server.request("ping", json!({}))["result"] == json!({})),
    }
}

#[test]
fn requests_of_all_eras_in_any_order_are_answered_in_their_own() {
    let mut server = Home::new().wat("plain").serve_to(Era::Raw);
    let early = server.request("tools/call", json!({ "name": "plain_run" }));
    assert_eq!(early["error"]["code"], -32_602, "{early:#}");
    server.initialize("2025-06-18");
    let (mut random, mut told) = (Random(9), BTreeMap::<&str, u64>::new());
    for n in 0..short_or_long(300, 30_000) {
        let (kind, right) = ask(&mut server, random.below(7));
        assert!(right, "request {n}, {kind}: {:#?}", server.messages().last());
        *told.entry(kind).or_default() += 1;
        server.forget_messages();
    }
    assert_eq!(told.len(), 6, "{told:?}");
    server.end();
    let told: Vec<String> = told.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    observed("D09", format_args!("right: {}", told.join(", ")));
}

#[test]
fn what_a_request_lacks_or_has_wrong_is_told_and_what_it_has_too_much_is_passed_over() {
    let mut server = Home::new().guest("echo").wat("plain").serve();
    let long = "x".repeat(1 << 20);
    let (method, params, call) = (-32_601, -32_602, "tools/call");
    let mut refused = BTreeMap::<i64, u64>::new();
    for (name, given, expected) in [
        ("tools/destroy", json!({}), method),
        ("tools/Call", json!({}), method),
        ("", json!({}), method),
        (long.as_str(), json!({}), method),
        ("resources/list", json!({}), method),
        (call, json!({}), params),
        (call, json!({ "name": null }), params),
        (call, json!({ "name": 7 }), params),
        (call, json!({ "Name": "plain_run" }), params),
        (call, json!({ "name": "plain_run", "arguments": [] }), params),
        (call, json!({ "name": "plain_run", "arguments": "{}" }), params),
        (call, json!({ "name": "plain_run", "_meta": 1 }), params),
        (call, json!({ "name": "no_such" }), params),
        (call, json!({ "name": &long }), params),
        (call, json!([]), params),
        (call, json!(null), params),
        ("tools/list", json!({ "cursor": 7 }), params),
        ("tools/list", json!({ "cursor": &long }), params),
        ("initialize", json!({}), params),
        ("initialize", json!({ "protocolVersion": 7, "capabilities": [], "clientInfo": "x" }), params),
    ] {
        let answer = server.request(name, given);
        assert_eq!(answer["error"]["code"], expected, "{answer:#}");
        assert!(answer.to_string().len() < 2_000, "{answer:#}");
        *refused.entry(expected).or_default() += 1;
    }
    let too_much = json!({ "name": "plain_run", "arguments": {}, "Name": "x", "more": [{ "deep": [1, 2] }] });
    assert_says(&server.request(call, too_much)["result"], "done");
    let ignored = assert_replies_are_ignored(&mut server);
    server.end();
    observed(
        "D10",
        format_args!(
            "{} times -32601, {} times -32602; {ignored} replies ignored",
            refused[&method], refused[&params]
        ),
    );
}

/// Answers that nobody asked for answer nothing: not even a call with their id.
fn assert_replies_are_ignored(server: &mut Server) -> usize {
    let running = server.send_running_call("echo_sleep", json!({ "ms": 500 }));
    let before = server.messages().len();
    let error = json!({ "code": -1, "message": "no" });
    let mut sent = 0;
    for id in [running.clone(), json!(4_711), json!("x"), json!(null), json!({}), json!(1.5)] {
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }));
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "result": {}, "error": error }));
        sent += 3;
    }
    assert_says(&server.result(&running), "slept");
    let since: Vec<&Value> = server.messages()[before..].iter().collect();
    assert_eq!(since.len(), 1, "{since:#?}");
    sent
}

#[test]
fn arguments_mean_one_thing_or_are_refused() {
    let mut server = Home::new().guest("echo").guest("mirror").serve();
    let tricks = [
        json!({ "__proto__": { "n": 1 }, "constructor": { "prototype": { "n": 1 } }, "toString": 1, "": 0 }),
        json!({ "n": 1, "N": 2, "\u{ff4e}": 3, "n ": 4, " n": 5 }),
        json!({ "a\r\nb": "x\ny", "\\": "\"", "1": 1, "01": 2, "1.0": -0.5 }),
    ];
    for trick in &tricks {
        let result = server.call("mirror_show", trick.clone());
        assert_eq!(result["structuredContent"]["given"], *trick, "{result:#}");
    }
    let n = |arguments| json!({ "name": "echo_structured", "arguments": arguments });
    let mut invalid = 0;
    for arguments in
        [json!({ "N": 3 }), json!({ "__proto__": { "n": 3 } }), json!({ "n": "3" }), json!({ "n": null })]
    {
        assert_failed(&server.request("tools/call", n(arguments))["result"], "invalid-arguments", "caller");
        invalid += 1;
    }
    let both = server.request("tools/call", n(json!({ "N": 3, "n": 1 })));
    assert_eq!(both["result"]["structuredContent"]["twice"], 2, "{both:#}");
    let twice = assert_doubles_refused(&mut server);
    // As long as a line may be, and one byte longer.
    let line = |bytes: usize| {
        let line = |x: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":"long","method":"tools/call","params":{{"name":"echo_sleep","arguments":{{"x":"{x}"}}}}}}"#
            )
        };
        line(&"x".repeat(bytes - line("").len()))
    };
    server.send_line(&line(4 << 20));
    assert_says(&server.result(&json!("long")), "slept");
    server.send_line(&line((4 << 20) + 1));
    let refusal = server.wait_until(SOON, |message| message["id"].is_null()).expect("a refusal");
    assert_eq!(refusal["error"]["code"], -32_600, "{refusal:#}");
    server.end();
    observed(
        "D17",
        format_args!(
            "4 MiB served, 1 byte more refused; {} odd sets as sent, {invalid} invalid, {twice} doubles refused",
            tricks.len()
        ),
    );
}

/// A key that stands twice, wherever and however it is written, is refused with the request's id.
fn assert_doubles_refused(server: &mut Server) -> usize {
    let call = |params: &str| format!(r#""method":"tools/call","params":{params}"#);
    let doubles = [
        call(r#"{"name":"mirror_show","arguments":{"a":1,"a":2}}"#),
        call(r#"{"name":"mirror_show","arguments":{"a":1,"a":1}}"#),
        call(r#"{"name":"mirror_show","arguments":{"a":1,"\u0061":2}}"#),
        call(r#"{"name":"mirror_show","arguments":{"x":[{"y":{"a":1,"b":0,"a":2}}]}}"#),
        call(r#"{"name":"mirror_show","arguments":{"__proto__":1,"__proto__":2}}"#),
        call(r#"{"name":"mirror_show","arguments":{},"arguments":{"a":1}}"#),
        call(r#"{"name":"mirror_show","name":"echo_say"}"#),
        call(r#"{"name":"mirror_show","_meta":{"a":1,"a":2}}"#),
        r#""method":"tools/list","method":"tools/call","params":{"name":"mirror_show"}"#.to_owned(),
    ];
    for (n, double) in doubles.iter().enumerate() {
        let id = json!(format!("double-{n}"));
        server.send_line(&format!(r#"{{"jsonrpc":"2.0","id":{id},{double}}}"#));
        let answer = server.answer(&id);
        assert_eq!(answer["error"]["code"], -32_600, "{double}: {answer:#}");
    }
    doubles.len()
}

#[test]
fn no_word_of_the_client_about_time_moves_a_deadline() {
    let deadline = Duration::from_secs(1);
    let home = Home::new().guest("echo").config(&budget_of("echo", "deadline = \"1s\""));
    let mut server = home.serve();
    let words = [
        json!({ "timeout": -1, "deadline": "1970-01-01T00:00:00Z" }),
        json!({ "timeout": 0, "timeoutMs": 0, "deadline": 0, "ttl": 0 }),
        json!({ "timeout": 1e308, "deadline": "9999-12-31T23:59:59Z", "expires": -1 }),
        json!({ "deadline-ms": u64::MAX, "deadlineMs": i64::MIN, "hubcap/deadline": 86_400_000 }),
    ];
    let with = |tool: &str, arguments: Value, said: &Value| {
        let mut params = json!({ "name": tool, "arguments": arguments, "_meta": said });
        params.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        params
    };
    // Nothing ends sooner.
    for said in &words {
        let answer = server.request("tools/call", with("echo_say", json!({ "text": "now" }), said));
        assert_says(&answer["result"], "now");
    }
    // And nothing later.
    let begun = Instant::now();
    let ids: Vec<Value> = words
        .iter()
        .map(|said| server.send_request("tools/call", with("echo_sleep", json!({ "ms": 3_600_000 }), said)))
        .collect();
    let mut ended = 0;
    for id in &ids {
        let result = server.result(id);
        assert_eq!(code(&result), "deadline", "{result:#}");
        ended += 1;
    }
    let time = begun.elapsed();
    assert!(time >= deadline && time < deadline + Duration::from_secs(5), "{time:?}");
    server.end();
    observed(
        "D22",
        format_args!(
            "{} words about time: none ended sooner, {ended} ended at the operator's 1s, after {time:.2?}",
            words.len()
        ),
    );
}
