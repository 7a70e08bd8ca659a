//! Plugins that call plugins: along granted edges and no others, and with their own grants.

use serde_json::{Value, json};

use crate::audit::calls;
use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, cost, receipt, text};
use crate::support::promises::kept;
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

/// A home with the guest that calls, under an id of the test's own. It asks for whatever the operator names.
pub(crate) fn caller(home: Home, id: &str) -> Home {
    let asks = ["tool", "validator", "provider"].map(|kind| format!("[[ask.hub]]\n{kind} = \"*\"\n"));
    let manifest = format!("id = \"{id}\"\nversion = \"1.0.0\"\n{}", asks.concat());
    home.guest_as("caller", id).file(&format!("{id}.toml"), manifest.as_bytes())
}

/// The configuration by which a plugin may call these tools.
pub(crate) fn edges(id: &str, tools: &[&str]) -> String {
    format!("[plugins.{id}.grant.hub]\ntools = {tools:?}\n")
}

/// A home where `a` may call tools of `echo`.
pub(crate) fn home(tools: &[&str]) -> Home {
    caller(Home::new().guest("echo"), "a").config(&edges("a", tools)).accept("a")
}

/// What came of a call that `a` makes.
#[track_caller]
pub(crate) fn said(server: &mut Server, tool: &str, arguments: Value) -> String {
    let result = server.call("a_outcome", json!({ "tool": tool, "arguments": arguments }));
    result["structuredContent"]["said"].as_str().unwrap_or_else(|| panic!("{result:#}")).to_owned()
}

#[test]
fn a_tool_is_called_and_its_result_and_cost_come_back() {
    let home = home(&["echo_say", "echo_structured", "echo_content"]);
    let mut server = home.serve();
    let called = |tool: &str, arguments| json!({ "tool": tool, "arguments": arguments });
    let result = server.call("a_pass-on", called("echo_say", json!({ "text": "hello" })));
    assert_says(&result, "hello");
    let callees = &receipt(&result)["callees"];
    assert_eq!((&callees["calls"], &callees["failed"]), (&json!(1), &json!(0)), "{callees}");
    assert!(callees["fuel"].as_u64().unwrap() > 0 && callees["resultBytes"].as_u64().unwrap() > 0);
    assert!(cost(&result, "fuel") > 0);
    let result = server.call("a_pass-on", called("echo_structured", json!({ "n": 4 })));
    assert_eq!(result["structuredContent"], json!({ "n": 4, "twice": 8 }));
    let direct = server.call("echo_content", json!({}));
    let through = server.call("a_pass-on", called("echo_content", json!({})));
    assert_eq!(through["content"], direct["content"]);
    assert!(direct["_meta"]["hubcap/receipt"].get("callees").is_none(), "{direct:#}");
    server.end();
}

#[test]
fn what_is_not_granted_is_denied_in_the_same_words_whether_it_is_there_or_not() {
    let mut server = home(&["echo_say"]).serve();
    for tool in ["echo_fail", "nowhere_fail"] {
        let result = server.call("a_pass-on", json!({ "tool": tool, "arguments": {} }));
        assert_failed(&result, "denied", "policy");
        assert_eq!(
            text(&result),
            format!(
                "denied: to call the tool {tool:?} is not granted; the operator adds `hub.tools = [{tool:?}]` under [plugins.a.grant] in hubcap.toml"
            )
        );
    }
    let result = server.call("a_judge", json!({ "text": "x" }));
    assert!(text(&result).contains("`hub.validators = [\"name-of-one\"]`"), "{}", text(&result));
    let result = server.call("a_ask", json!({ "provider": "echo", "text": "x" }));
    assert!(text(&result).contains("`hub.providers = [\"echo\"]`"), "{}", text(&result));
    // The hub's own tools are nobody's to call.
    assert!(said(&mut server, "hubcap_validate", json!({})).starts_with("invalid-arguments: "));
    let logged = server.end().stderr;
    assert!(logged.contains("denied: to call the tool \\\"echo_fail\\\""), "{logged}");
}

#[test]
fn neither_the_author_nor_the_operator_alone_makes_an_edge() {
    let asked = caller(Home::new().guest("echo"), "a");
    let granted = Home::new()
        .guest("echo")
        .guest_as("caller", "a")
        .file("a.toml", b"id = \"a\"\nversion = \"1.0.0\"\n[[ask.hub]]\ntool = \"echo_fail\"\n")
        .config(&edges("a", &["echo_say"]))
        .accept("a");
    let mut denied = 0;
    for (home, author) in [
        (asked, ""),
        (granted, "its author adds `[[ask.hub]]` with `tool = \"echo_say\"` to plugin.toml, then "),
    ] {
        let said = said(&mut home.serve(), "echo_say", json!({ "text": "x" }));
        assert!(said.contains(&format!("is not granted; {author}the operator adds")), "{said}");
        denied += 1;
    }
    kept("P31", format_args!("edges that one side alone wrote down: {denied} of {denied} denied"));
}

#[test]
fn what_is_granted_and_not_there_is_unavailable_and_only_the_operator_learns_why() {
    let tools = ["nowhere_say", "off_say", "broken_say", "withheld_say", "echo_no-such"];
    let config = edges("a", &tools) + "[plugins.off]\nenabled = false\n";
    let home = caller(Home::new().guest("echo").guest_as("echo", "off"), "a")
        .file("broken.wasm", b"no component")
        .guest_as("echo", "withheld")
        .config(&config)
        .accept("a")
        .accept("withheld");
    // It is not what was accepted any more.
    let home = home.guest_as("state", "withheld");
    let mut server = home.serve();
    for tool in tools {
        let said = said(&mut server, tool, json!({}));
        assert_eq!(
            said,
            format!(
                "unavailable: the tool {tool:?} cannot be called now; `hubcap plugin list` tells the operator why"
            )
        );
    }
    let callees = server.call("a_callees", json!({}));
    assert_says(&callees, "");
    let logged = server.end().stderr;
    for why in ["switched off", "withheld until", "there is no tool \\\"echo_no-such\\\""] {
        assert!(logged.contains(why), "{why}: {logged}");
    }
}

#[test]
fn a_callee_that_goes_while_its_caller_is_served_is_unavailable() {
    let home = home(&["echo_say"]);
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    assert_eq!(said(&mut server, "echo_say", json!({ "text": "here" })), "here");
    std::fs::remove_file(home.plugins().join("echo.wasm")).unwrap();
    let mut last = String::new();
    assert!(holds_within(SOON, || {
        last = said(&mut server, "echo_say", json!({ "text": "here" }));
        last.starts_with("unavailable: ")
    }));
    server.end();
    let code = last.split(':').next().unwrap();
    observed("E20", format_args!("a callee that was removed: `{code}` to its caller, which goes on"));
}

#[test]
fn arguments_are_checked_before_the_callee_runs() {
    let mut server = home(&["echo_say", "echo_structured"]).serve();
    for (tool, arguments, why) in [
        ("echo_say", json!({}), "input schema"),
        ("echo_structured", json!({ "n": "four" }), "at /n"),
        ("echo_say", json!("text"), "no JSON object"),
        ("echo_say", json!({ "text": "x".repeat(1 << 20) }), "more than 1048576"),
    ] {
        let said = said(&mut server, tool, arguments);
        assert!(said.contains(why), "{said}");
    }
    server.end();
}

#[test]
fn a_callee_fails_in_its_own_words_and_the_caller_goes_on() {
    let tools = ["echo_fail", "echo_big", "echo_bad-structured", "panicking_panic", "looping_spin"];
    let config = edges("a", &tools) + "[plugins.looping]\nbudget = { fuel = 1_000_000 }\n";
    let home = caller(Home::new().guest("echo").guest("panicking").guest("looping"), "a");
    let mut server = home.config(&config).accept("a").serve();
    for (tool, arguments, expected) in [
        (
            "echo_fail",
            json!({ "code": "rate-limited", "message": "ten a minute" }),
            "rate-limited: ten a minute",
        ),
        ("echo_fail", json!({ "code": "internal", "message": "oops" }), "upstream: internal: oops"),
        ("echo_bad-structured", json!({}), "upstream: invalid-output: the result does not match"),
        ("echo_big", json!({ "bytes": 2 << 20 }), "limit: the result has"),
        ("panicking_panic", json!({}), "upstream: trap: the plugin crashed"),
        ("looping_spin", json!({}), "limit: fuel: the plugin used up its 1000000 units"),
    ] {
        let said = said(&mut server, tool, arguments);
        assert!(said.starts_with(expected), "{tool}: {said}");
    }
    // As large as a result may be.
    let result =
        server.call("a_pass-on", json!({ "tool": "echo_big", "arguments": { "bytes": (1 << 20) - 64 } }));
    assert_eq!(text(&result).len(), (1 << 20) - 64);
    server.end();
}

#[test]
fn a_callee_works_with_its_own_grants_and_the_log_has_both_ids() {
    let manifest = "id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let grants = "[plugins.kv.grant]\nkv = \"1MiB\"\n";
    let with = |tools: &[&str]| {
        let home = caller(Home::new().guest("kv").file("kv.toml", manifest.as_bytes()), "a");
        home.config(&(edges("a", tools) + grants)).accept("a").accept("kv")
    };
    // Without the edge, what the callee may do is nothing to its neighbour.
    let said = |home: &Home, tool: &str| {
        let arguments = json!({ "tool": tool, "arguments": { "key": "k", "value": "v" } });
        home.run(&["call", "a_pass-on", &arguments.to_string(), "--log", "debug", "--log-format", "json"])
    };
    let denied = said(&with(&["kv_get"]), "kv_set");
    assert!(
        denied.stderr.contains("denied: to call the tool \\\"kv_set\\\" is not granted"),
        "{}",
        denied.stderr
    );
    let home = with(&["kv_set"]);
    let done = said(&home, "kv_set");
    assert_eq!(done.stdout, "set\n", "{}", done.stderr);
    let line = done.stderr.lines().find(|line| line.contains("\"plugin\":\"kv\",\"tool\":\"set\"")).unwrap();
    for id in ["\"call_id\":\"call-2\"", "\"caller\":\"a\"", "\"parent\":\"call-1\""] {
        assert!(line.contains(id), "{id}: {line}");
    }
    let (of_callee, of_caller) = (&calls(&home)[0], &calls(&home)[1]);
    let ids =
        |record: &Value| json!([record["plugin"], record["through"], record["parent"], record["grants"]]);
    assert_eq!(ids(of_callee), json!(["kv", ["a"], of_caller["call"], ["kv"]]), "{of_callee:#}");
    observed(
        "C39",
        format_args!(
            "without an edge `denied`; with one the log has {} through {}, and {} for the caller",
            of_callee["plugin"], of_callee["through"][0], of_caller["plugin"]
        ),
    );
    kept("P31", "a caller that has no state had its callee write to the callee's, and could not by itself");
}

#[test]
fn secrets_of_a_callee_are_not_in_what_it_gives_to_its_caller() {
    let manifest = "id = \"seer\"\nversion = \"1.0.0\"\n[[ask.secrets]]\nname = \"seen\"\nreveal = true\n";
    let home = Home::new().file("seer.wasm", &wasm("secrets")).file("seer.toml", manifest.as_bytes());
    let config = "[plugins.seer.grant]\nsecrets.seen = { env = \"HUB_CANARY\", reveal = true }\n";
    let home = caller(home, "a").config(&(edges("a", &["seer_leak", "seer_fail"]) + config));
    let canary = "canary-77aa31b0";
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        crate::support::home::finish(command.env("HUB_CANARY", canary), b"")
    };
    for id in ["a", "seer"] {
        assert_eq!(run(&["plugin", "approve", id, "--yes"]).code, Some(0));
    }
    for (tool, shown) in [("seer_leak", "text [secret"), ("seer_fail", "upstream: refused [secret")] {
        let arguments = json!({ "tools": [tool], "arguments": { "name": "seen" } }).to_string();
        let said = run(&["call", "a_many", &arguments, "--json", "--log", "debug"]);
        assert!(said.stdout.contains(shown), "{}", said.stdout);
        assert!(!(said.stdout + &said.stderr).contains(canary));
    }
}

#[test]
fn a_text_is_judged_by_one_validator_or_by_all_that_are_granted() {
    let home =
        caller(Home::new().guest("judge").guest_as("judge", "judge-2").guest_as("judge", "other"), "a");
    let grant = "[plugins.a.grant.hub]\nvalidators = [\"judge\", \"judge-2\", \"gone\"]\n";
    let mut server = home.config(grant).accept("a").serve();
    let result = server.call("a_judge", json!({ "validator": "judge", "text": "a bad word" }));
    assert_eq!(result["structuredContent"]["found"], json!(["bad [(\"validator\", \"judge\")]"]));
    let result = server.call("a_judge", json!({ "text": "a bad word" }));
    let found = &result["structuredContent"]["found"];
    assert_eq!(*found, json!(["bad [(\"validator\", \"judge\")]", "bad [(\"validator\", \"judge-2\")]"]));
    let failed = &result["structuredContent"]["meta"];
    assert!(failed.to_string().contains("gone: unavailable: the validator"), "{failed}");
    assert_eq!(receipt(&result)["callees"]["calls"], 3);
    let result = server.call("a_judge", json!({ "validator": "other", "text": "x" }));
    assert_eq!(code(&result), "denied", "{result:#}");
    let callees = server.call("a_callees", json!({}));
    assert_says(&callees, "validator judge: \nvalidator judge-2: ");
    server.end();
}
