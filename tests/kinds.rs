//! Validators through the hub, as agents reach them: `hubcap_validate` over MCP.
//!
//! Invariant: the guest is ours and does one thing for each word, so that nothing here depends on what a
//! real validator looks for.

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_guest_failed, receipt, text};
use crate::support::server::Server;

fn serve() -> Server {
    Home::new().guest("judge").serve()
}

/// What `hubcap_validate` says of a text.
#[track_caller]
fn judged(server: &mut Server, arguments: Value) -> Value {
    let result = server.call("hubcap_validate", arguments);
    assert_ne!(result["isError"], true, "{result:#}");
    receipt(&result);
    result["structuredContent"].clone()
}

#[test]
fn an_agent_gets_findings_with_place_message_and_fix() {
    let mut server = serve();
    let report = judged(&mut server, json!({ "text": "fine\nso odd, so bad\n" }));
    assert_eq!((&report["validators"], &report["failed"]), (&json!(1), &json!([])));
    let expected = json!([
        {
            "validator": "judge", "rule": "odd", "severity": "warning", "line": 2, "column": 4,
            "message": "the word is odd", "span": { "start": 8, "end": 11 }, "confidence": 1.0,
            "fix": { "span": { "start": 8, "end": 11 }, "replacement": "even" },
        },
        {
            "validator": "judge", "rule": "bad", "severity": "error", "line": 2, "column": 12,
            "message": "the word is bad", "span": { "start": 16, "end": 19 }, "confidence": 1.0,
            "fix": null,
        },
    ]);
    let mut findings = report["findings"].clone();
    // Absent and null say the same.
    findings[1]["fix"].take();
    assert_eq!(findings, expected);
    server.end();
}

#[test]
fn the_tool_is_there_where_a_validator_is_and_nowhere_else() {
    let mut server = serve();
    assert_eq!(server.tool_names(), ["hubcap_validate"]);
    server.end();
    let mut server = Home::new().wat("plain").serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    server.end();
}

#[test]
fn a_validator_is_listed_with_its_kind() {
    let listed = Home::new().guest("judge").plugin("judge.wasm");
    assert_eq!((&listed["state"], &listed["kinds"]), (&json!("ready"), &json!(["validators"])));
}

#[test]
fn a_span_outside_of_the_text_is_invalid_output() {
    let mut server = serve();
    let result = server.call("hubcap_validate", json!({ "text": "a lie" }));
    assert_guest_failed(&result, "invalid-output");
    assert!(text(&result).contains("5..6"), "{result:#}");
    server.end();
}

#[test]
fn a_rule_that_was_not_listed_is_invalid_output() {
    let mut server = serve();
    let result = server.call("hubcap_validate", json!({ "text": "how strange" }));
    assert_guest_failed(&result, "invalid-output");
    assert!(text(&result).contains("\"strange\""), "{result:#}");
    server.end();
}

#[test]
fn a_validator_that_crashes_is_told_and_judges_the_next_text() {
    let mut server = serve();
    assert_guest_failed(&server.call("hubcap_validate", json!({ "text": "crash" })), "trap");
    assert_eq!(judged(&mut server, json!({ "text": "bad" }))["findings"][0]["rule"], "bad");
    server.end();
}

#[test]
fn a_validator_that_fails_costs_the_other_nothing() {
    // Enough for a word, and not for many.
    let home = Home::new()
        .guest("judge")
        .guest_as("judge", "poor")
        .config("[plugins.poor]\nbudget = { fuel = 2000000 }\n");
    let mut server = home.serve();
    let report = judged(&mut server, json!({ "text": "bad".to_owned() + &" x".repeat(200_000) }));
    assert_eq!(report["findings"][0]["validator"], "judge");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!((&report["validators"], &report["failed"][0]["validator"]), (&json!(1), &json!("poor")));
    assert!(report["failed"][0]["error"].as_str().unwrap().starts_with("fuel: "), "{report:#}");
    let report = judged(&mut server, json!({ "text": "bad" }));
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    server.end();
}

#[test]
fn an_agent_chooses_validators_and_how_sure_they_have_to_be() {
    let mut server = Home::new().guest("judge").guest_as("judge", "again").serve();
    let mut count = |arguments: Value| judged(&mut server, arguments)["findings"].as_array().unwrap().len();
    assert_eq!(count(json!({ "text": "bad hm" })), 4);
    assert_eq!(count(json!({ "text": "bad hm", "validators": ["again"] })), 2);
    assert_eq!(count(json!({ "text": "bad hm", "validators": ["again"], "min_confidence": 0.5 })), 1);
    server.end();
}

#[test]
fn arguments_that_do_not_fit_are_refused_with_what_would() {
    let mut server = serve();
    for (arguments, word) in [
        (json!({}), "text"),
        (json!({ "text": "x", "min_confidence": 2 }), "min_confidence"),
        (json!({ "text": "x", "txet": "x" }), "txet"),
        (json!({ "text": "x", "validators": ["No Id"] }), "No Id"),
    ] {
        let result = server.call("hubcap_validate", arguments);
        assert_failed(&result, "invalid-arguments", "caller");
        assert!(text(&result).contains(word), "{result:#}");
    }
    server.end();
}

#[test]
fn an_unknown_validator_is_answered_with_the_nearest() {
    let mut server = serve();
    let id = server.send_call("hubcap_validate", json!({ "text": "x", "validators": ["jugde"] }));
    let answer = server.answer(&id);
    assert!(answer.to_string().contains("did you mean \\\"judge\\\"?"), "{answer:#}");
    server.end();
}

#[test]
fn the_validators_that_are_named_are_one_to_64_and_each_once() {
    let mut server = Home::new().guest("judge").serve();
    let named = |ids: Vec<String>| json!({ "text": "a bad word", "validators": ids });
    let result = server.call("hubcap_validate", named(vec!["judge".into()]));
    assert_eq!(result["structuredContent"]["validators"], 1, "{result:#}");
    let wrong = [vec![], vec!["judge".into(), "judge".into()], (0..65).map(|n| format!("v{n}")).collect()];
    for ids in wrong {
        let result = server.call("hubcap_validate", named(ids));
        assert_eq!(result["_meta"]["hubcap/error"]["code"], "invalid-arguments", "{result:#}");
        assert!(result["content"][0]["text"].as_str().unwrap().contains("/validators"), "{result:#}");
    }
    server.end();
}

#[test]
fn findings_that_are_too_much_for_one_result_are_a_limit() {
    let mut server = Home::new().guest("judge").serve();
    let few = server.call("hubcap_validate", json!({ "text": "bad ".repeat(1_000) }));
    assert_eq!(few["structuredContent"]["findings"].as_array().unwrap().len(), 1_000);
    let many = server.call("hubcap_validate", json!({ "text": "bad ".repeat(9_000) }));
    assert_eq!(many["_meta"]["hubcap/error"]["code"], "limit", "{}", many["_meta"]);
    server.end();
}
