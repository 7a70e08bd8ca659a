//! The protocol as clients of both eras speak it.
//!
//! Invariant: whatever one era can do, the other can do too, unless the test says why not.

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, cost, receipt, text};
use crate::support::server::{Era, Server};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// Runs a test once in each era.
fn in_both_eras(home: &Home, test: impl Fn(&mut Server)) {
    for era in ERAS {
        let mut server = home.serve_to(era);
        test(&mut server);
        server.end();
    }
}

#[test]
fn each_revision_with_a_handshake_is_negotiated() {
    let home = Home::new().wat("plain");
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut server = home.serve_to(Era::Raw);
        let answer = server.initialize(version);
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer:#}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "hubcap", "{answer:#}");
        assert!(answer["result"]["capabilities"]["tools"].is_object(), "{answer:#}");
        assert_says(&server.call("plain_run", json!({})), "done");
        server.end();
    }
}

#[test]
fn a_revision_that_is_unknown_or_has_no_handshake_is_answered_with_the_last_that_has_one() {
    let home = Home::new().wat("plain");
    for version in ["1999-01-01", "2026-07-28"] {
        let mut server = home.serve_to(Era::Raw);
        let answer = server.initialize(version);
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer:#}");
        assert_says(&server.call("plain_run", json!({})), "done");
        server.end();
    }
}

#[test]
fn a_client_without_a_handshake_discovers_the_server() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(Era::Modern);
    let found = server.request("server/discover", json!({}));
    let versions = found["result"]["supportedVersions"].as_array().unwrap_or_else(|| panic!("{found:#}"));
    assert!(versions.contains(&json!("2026-07-28")), "{found:#}");
    assert!(found["result"]["capabilities"]["tools"].is_object(), "{found:#}");
    let listed = server.request("tools/list", json!({}));
    assert_eq!(listed["result"]["resultType"], "complete", "{listed:#}");
    assert!(listed["result"]["ttlMs"].is_u64() && listed["result"]["cacheScope"].is_string(), "{listed:#}");
    assert_eq!(server.call("plain_run", json!({}))["resultType"], "complete");
    server.end();
}

#[test]
fn a_request_before_the_handshake_is_answered_and_the_handshake_still_works() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(Era::Raw);
    let early = server.request("tools/list", json!({}));
    assert!(early.get("error").is_some() || early["result"]["tools"].is_array(), "{early:#}");
    server.initialize("2025-11-25");
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
}

#[test]
fn a_modern_request_of_an_unknown_revision_is_told_which_are_known() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(Era::Raw);
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {} });
    let answer = server.request("tools/list", json!({ "_meta": meta }));
    assert_eq!(answer["error"]["code"], -32_022, "{answer:#}");
    let supported = answer["error"]["data"]["supported"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    server.end();
    observed(
        "D09",
        format_args!("an unknown revision: {} with {} known ones", answer["error"]["code"], supported.len()),
    );
}

#[test]
fn tools_are_listed_with_what_their_plugin_says_of_them() {
    let home = Home::new().guest("echo").wat("plain");
    in_both_eras(&home, |server| {
        let names = server.tool_names();
        assert!(names.is_sorted() && names.contains(&"plain_run".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.starts_with("echo_")).count(), 9, "{names:?}");
        let listed = server.request("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap();
        let named = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
        let say = named("echo_say");
        assert_eq!(say["title"], "Say");
        assert_eq!(say["description"], "Says the text again.");
        assert_eq!(say["inputSchema"]["required"], json!(["text"]));
        assert_eq!(say["annotations"]["readOnlyHint"], true);
        assert_eq!(say["annotations"]["destructiveHint"], false);
        assert_eq!(named("echo_structured")["outputSchema"]["type"], "object");
        assert!(named("echo_sleep").get("outputSchema").is_none());
    });
}

#[test]
fn the_first_list_has_all_tools_and_every_list_is_the_same() {
    let home = Home::new().guest("echo").wat("plain").wat("traps");
    let lists: Vec<String> = (0..3)
        .flat_map(|_| {
            let mut server = home.serve();
            let lists = [0, 1].map(|_| server.request("tools/list", json!({}))["result"].to_string());
            server.end();
            lists
        })
        .collect();
    assert!(lists[0].contains("echo_say") && lists[0].contains("traps_run"), "{}", lists[0]);
    assert!(lists.iter().all(|list| *list == lists[0]), "{lists:#?}");
}

#[test]
fn a_long_list_comes_in_pages_of_a_hundred() {
    let component = guests::wasm("bad-metadata");
    let home = Home::new()
        .file("first.wasm", &component)
        .file("second.wasm", &component)
        .config("[plugins]\nfirst.config.case = \"tools-64\"\nsecond.config.case = \"tools-64\"\n");
    in_both_eras(&home, |server| {
        let page = server.request("tools/list", json!({}));
        assert_eq!(page["result"]["tools"].as_array().map(Vec::len), Some(100), "{page:#}");
        let cursor = page["result"]["nextCursor"].clone();
        let page = server.request("tools/list", json!({ "cursor": cursor }));
        assert_eq!(page["result"]["tools"].as_array().map(Vec::len), Some(28));
        assert!(page["result"].get("nextCursor").is_none(), "{page:#}");
        let names = server.tool_names();
        assert_eq!(names.len(), 128);
        assert!(names.is_sorted_by(|a, b| a < b), "each once and in order: {names:?}");
        let answer = server.request("tools/list", json!({ "cursor": "no such cursor" }));
        assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
    });
}

#[test]
fn a_call_has_a_result_and_a_receipt() {
    let home = Home::new().guest("echo");
    in_both_eras(&home, |server| {
        let result = server.call("echo_say", json!({ "text": "Grüße, 世界 🚀" }));
        assert_says(&result, "Grüße, 世界 🚀");
        let first = receipt(&result);
        assert_eq!((&first["plugin"], &first["tool"]), (&json!("echo"), &json!("say")));
        for field in ["fuel", "peakMemoryBytes", "wallMicros", "resultBytes"] {
            assert!(cost(&result, field) > 0, "{field}: {result:#}");
        }
        assert_eq!(cost(&result, "logLines") + cost(&result, "logLinesDropped"), 0);
        let second = server.call("echo_say", json!({ "text": "x" }));
        assert_ne!(receipt(&second)["callId"], first["callId"]);
    });
}

#[test]
fn each_kind_of_content_arrives_as_the_protocol_has_it() {
    let home = Home::new().guest("echo");
    in_both_eras(&home, |server| {
        let result = server.call("echo_content", json!({}));
        let expected = json!([
            { "type": "text", "text": "text" },
            { "type": "image", "data": "iVBORw==", "mimeType": "image/png" },
            { "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" },
            { "type": "resource_link", "uri": "https://example.org/a", "name": "a", "mimeType": "text/plain" },
            { "type": "resource", "resource":
                { "uri": "note://1", "mimeType": "text/plain", "text": "inside" } },
            { "type": "resource", "resource": { "uri": "note://2", "blob": "AAEC" } },
        ]);
        assert_eq!(result["content"], expected, "{result:#}");
    });
}

/// The progress notifications for a token, and where the answer came among all messages.
fn progress(messages: &[Value], token: &str, id: &Value) -> (Vec<(usize, f64)>, usize) {
    let answered = messages.iter().position(|message| message["id"] == *id).unwrap();
    let reports = messages.iter().enumerate().filter(|(_, message)| {
        message["method"] == "notifications/progress" && message["params"]["progressToken"] == token
    });
    (reports.map(|(at, message)| (at, message["params"]["progress"].as_f64().unwrap())).collect(), answered)
}

#[test]
fn progress_grows_and_comes_before_the_result() {
    let home = Home::new().guest("echo");
    for era in ERAS {
        let mut server = home.serve_to(era);
        let params = json!({ "name": "echo_progress", "arguments": { "steps": 50 },
            "_meta": { "progressToken": "watch" } });
        let id = server.send_request("tools/call", params);
        assert_says(&server.result(&id), "50");
        let ended = server.end();
        let (reports, answered) = progress(&ended.messages, "watch", &id);
        assert!(!reports.is_empty(), "{era:?}: no progress");
        assert!(reports.is_sorted_by(|a, b| a.1 < b.1), "{era:?}: {reports:?}");
        assert!(reports.iter().all(|(at, _)| *at < answered), "{era:?}: {reports:?} and {answered}");
    }
}

#[test]
fn nobody_who_did_not_ask_for_progress_gets_any() {
    let home = Home::new().guest("echo");
    let mut server = home.serve();
    assert_says(&server.call("echo_progress", json!({ "steps": 50 })), "50");
    let ended = server.end();
    assert!(ended.messages.iter().all(|message| message.get("method").is_none()), "{:#?}", ended.messages);
}

#[test]
fn arguments_that_do_not_match_are_refused_with_their_path() {
    let home = Home::new().guest("echo");
    in_both_eras(&home, |server| {
        let result = server.call("echo_structured", json!({ "n": "three" }));
        assert_failed(&result, "invalid-arguments", "caller");
        assert!(text(&result).contains("/n"), "{}", text(&result));
        let result = server.call("echo_structured", json!({}));
        assert_failed(&result, "invalid-arguments", "caller");
        assert!(text(&result).contains('n'), "{}", text(&result));
        // No arguments at all are an empty object.
        let answer = server.request("tools/call", json!({ "name": "echo_sleep" }));
        assert_says(&answer["result"], "slept");
    });
}

#[test]
fn arguments_that_are_no_object_are_a_malformed_request() {
    let mut server = Home::new().guest("echo").serve();
    for arguments in [json!([1]), json!("text"), json!(7)] {
        let answer = server.request("tools/call", json!({ "name": "echo_say", "arguments": arguments }));
        assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
    }
    let answer = server.request("tools/call", json!({ "arguments": {} }));
    assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
    server.end();
}

#[test]
fn an_unknown_tool_is_an_error_that_names_the_nearest_one() {
    let home = Home::new().guest("echo");
    in_both_eras(&home, |server| {
        let answer = server.request("tools/call", json!({ "name": "echo_sya", "arguments": {} }));
        assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("echo_sya") && message.contains("echo_say"), "{message}");
    });
}

#[test]
fn an_unknown_method_is_answered() {
    let home = Home::new().wat("plain");
    in_both_eras(&home, |server| {
        let answer = server.request("tools/destroy", json!({}));
        assert_eq!(answer["error"]["code"], -32_601, "{answer:#}");
    });
}

#[test]
fn a_ping_is_answered_where_the_revision_has_one() {
    let mut server = Home::new().wat("plain").serve();
    assert_eq!(server.request("ping", json!({}))["result"], json!({}));
    server.end();
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let mut server = Home::new().wat("plain").serve();
    server.send(&json!({ "jsonrpc": "2.0", "id": 4_711, "result": {} }));
    server.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": -1, "message": "no" } }));
    assert_says(&server.call("plain_run", json!({})), "done");
    let ended = server.end();
    assert!(ended.messages.iter().all(|message| message["id"] != 4_711), "{:#?}", ended.messages);
}

#[test]
fn errors_of_a_plugin_keep_their_code() {
    let home = Home::new().guest("echo");
    in_both_eras(&home, |server| {
        for code in ["invalid-arguments", "denied", "unavailable", "rate-limited", "upstream", "internal"] {
            let result = server.call("echo_fail", json!({ "code": code, "message": "because" }));
            assert_eq!(result["isError"], true, "{result:#}");
            assert_eq!(result["_meta"]["hubcap/error"]["code"], code, "{result:#}");
            assert_eq!(text(&result), format!("{code}: because"));
            receipt(&result);
        }
    });
}

/// The first value under a key, however deep.
fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => {
            fields.get(key).or_else(|| fields.values().find_map(|inner| find(inner, key)))
        }
        Value::Array(items) => items.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}

/// The guest's log line, as the host wrote it, names the call.
#[track_caller]
fn assert_names_its_call(stderr: &str, result: &Value) {
    let lines: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line =
        lines.iter().find(|line| line.to_string().contains("line 2 of echo")).expect("the guest's line");
    assert_eq!(find(line, "plugin"), Some(&json!("echo")), "{line:#}");
    assert_eq!(find(line, "tool"), Some(&json!("log")), "{line:#}");
    assert_eq!(find(line, "call_id"), receipt(result).get("callId"), "{line:#}");
}

#[test]
fn the_line_of_a_guest_names_its_call() {
    let mut server = Home::new().guest("echo").serve();
    let result = server.call("echo_log", json!({ "lines": 3 }));
    assert_eq!(cost(&result, "logLines"), 3);
    let ended = server.end();
    assert_names_its_call(&ended.stderr, &result);
}

#[test]
fn the_most_talkative_log_names_the_call_and_never_its_arguments() {
    let home = Home::new().guest("echo");
    let mut command = home.command(&["serve", "--log", "trace"]);
    let mut server = home.serve_as(command.env("RUST_LOG", "trace"), Era::Legacy("2025-11-25"));
    let canary = "c4n4ry-4rgument";
    assert_says(&server.call("echo_say", json!({ "text": canary })), canary);
    server.call("echo_structured", json!({ "n": canary }));
    server.request("tools/call", json!({ "name": "echo_sya", "arguments": { "text": canary } }));
    let result = server.call("echo_log", json!({ "lines": 3, "note": canary }));
    let ended = server.end();
    assert!(!ended.stderr.contains(canary), "an argument is in the log: {}", ended.stderr);
    assert_names_its_call(&ended.stderr, &result);
}
