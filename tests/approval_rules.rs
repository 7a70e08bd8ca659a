//! The operator's rules: which tools are allowed, asked for and denied; what a person sees before they
//! answer; and `hubcap call`, which asks on the terminal.
//!
//! Invariant: what a plugin says of itself changes none of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::server::{Era, Server};
use crate::support::told::{Told, described, with_manifest};
use crate::support::{SOON, holds_within};

const LEGACY: Era = Era::Legacy("2025-11-25");

const ASK: &str = "[[policy]]\ntools = [\"*\"]\naction = \"ask\"\n";

fn approve() -> Value {
    json!({ "action": "accept", "content": { "decision": "approve" } })
}

/// Makes a call, and gives its id with the question that it leads to.
#[track_caller]
fn ask(server: &mut Server, number: usize, tool: &str, arguments: Value) -> (Value, Value) {
    let id = server.send_call(tool, arguments);
    (id, server.asked(number))
}

/// What the person reads.
fn message(question: &Value) -> &str {
    question["params"]["message"].as_str().unwrap()
}

/// What `hubcap call` says and leaves where nobody can be asked.
fn call(home: &Home, tool: &str, arguments: &str) -> Value {
    let called = home.run(&["call", tool, arguments, "--json"]);
    serde_json::from_str(&called.stdout).unwrap_or_else(|error| panic!("{error}: {}", called.stderr))
}

#[test]
fn the_first_rule_that_is_about_a_tool_holds() {
    let home = Home::new().guest("echo").guest_as("echo", "other").config(
        "[[policy]]\ntools = [\"echo_s*\"]\nrisk = \"harmless\"\naction = \"allow\"\n\
         [[policy]]\ntools = [\"echo_sl*\", \"echo_fail\"]\naction = \"deny\"\n\
         [[policy]]\nrisk = \"harmless\"\naction = \"ask\"\n\
         [[policy]]\ntools = [\"echo_*\"]\naction = \"ask\"\n\
         [plugins.echo.risk]\nsay = \"harmless\"\nbig = \"harmless\"\n[plugins.other.risk]\n\"f*l\" = \"harmless\"\n",
    );
    for (tool, expected) in [
        ("echo_say", ""),
        ("echo_sleep", "denied"),
        ("echo_fail", "denied"),
        ("echo_big", "approval"),
        ("echo_structured", "approval"),
        ("other_fail", "approval"),
        ("other_say", ""),
    ] {
        let result = call(&home, tool, "{\"text\": \"x\", \"n\": 1}");
        assert_eq!(code(&result), expected, "{tool}: {result:#}");
    }
}

#[test]
fn what_is_denied_is_not_listed_and_not_run() {
    let home = Home::new()
        .guest("echo")
        .guest("judge")
        .config("[[policy]]\ntools = [\"echo_s*\", \"hubcap_validate\"]\naction = \"deny\"\n");
    for era in [LEGACY, Era::Modern] {
        let mut server = home.serve_asking(era);
        let names = server.tool_names();
        assert!(names.contains(&"echo_fail".to_owned()), "{names:?}");
        assert!(
            !names.iter().any(|name| name.starts_with("echo_s") || name == "hubcap_validate"),
            "{names:?}"
        );
        for (tool, arguments) in [
            ("echo_say", json!({ "text": "x" })),
            ("echo_say", json!({ "none": 1 })),
            ("hubcap_validate", json!({ "text": "x" })),
        ] {
            let refused = server.call(tool, arguments);
            assert_failed(&refused, "denied", "policy");
            assert!(text(&refused).contains("rule 1 of [[policy]]"), "{refused:#}");
        }
        let near = server.request("tools/call", json!({ "name": "echo_sya", "arguments": {} }));
        let told = near["error"]["message"].as_str().unwrap();
        assert!(told.contains("there is no tool") && !told.contains("echo_say"), "{told}");
        server.end();
    }
    assert!(!home.run(&["tools"]).stdout.contains("echo_say"));
}

#[test]
fn what_a_plugin_says_of_its_effects_decides_nothing() {
    let told = |read_only| Told { read_only, ..Told::default() }.component();
    let home = Home::new().file("lamb.wasm", &told(true)).file("plain.wasm", &told(false)).config(
        "[[policy]]\nrisk = \"dangerous\"\naction = \"ask\"\n[plugins.lamb.risk]\n\"*\" = \"dangerous\"\n",
    );
    assert_eq!(code(&call(&home, "lamb_run", "{}")), "approval");
    assert_says(&call(&home, "plain_run", "{}"), "done");
}

#[test]
fn a_tool_of_the_hubs_own_is_asked_for_like_any_other() {
    let home = Home::new().guest("judge").config(ASK);
    let mut server = home.serve_asking(LEGACY);
    let (id, question) = ask(&mut server, 0, "hubcap_validate", json!({ "text": "x" }));
    assert!(message(&question).contains("plugin: hubcap\ntool: hubcap_validate\n"), "{question:#}");
    server.reply(&question, &approve());
    assert_ne!(server.result(&id)["isError"], true);
    server.end();
}

#[test]
fn of_a_mebibyte_of_arguments_a_person_sees_the_size_the_head_and_the_tail() {
    let home = Home::new().guest("echo").config(ASK);
    let mut server = home.serve_asking(LEGACY);
    let said = format!("BEGIN{}END", "x".repeat(1 << 20));
    let (id, question) = ask(&mut server, 0, "echo_log", json!({ "lines": 0, "text": said }));
    let message = message(&question);
    let size = json!({ "lines": 0, "text": said }).to_string().len();
    for part in [&format!("arguments, {size} bytes, of which only"), "BEGIN", "END", "characters left out"] {
        assert!(message.contains(part), "{message}");
    }
    let shown = message.len();
    assert!(shown < 5_000, "{shown}");
    server.reply(&question, &approve());
    assert_ne!(server.result(&id)["isError"], true);
    server.end();
    observed("C40", format_args!("{size} bytes of arguments: size, head and tail shown in {shown} bytes"));
}

#[test]
fn a_person_is_warned_of_what_does_not_show() {
    let home = Home::new().guest("echo").config(ASK);
    let mut warned = 0;
    let mut server = home.serve_asking(LEGACY);
    for (number, (said, warning)) in [
        (
            "rm \u{202e}txt.exe",
            "WARNING: there are characters that do not show, written as \\u{…} here: U+202E",
        ),
        ("a\u{200b}b\u{e0041}", "here: U+200B, U+E0041"),
        (
            "p\u{430}ypal.com",
            "WARNING: words have letters of another alphabet that look like Latin ones: p\\u{430}ypal",
        ),
        ("x\n  | }\nplugin: good", "  |   \"text\": \"x\\n  | }\\nplugin: good\"\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, question) = ask(&mut server, number, "echo_say", json!({ "text": said }));
        let message = message(&question);
        assert!(message.contains(warning), "{message}");
        assert!(!message.contains(['\u{202e}', '\u{200b}', '\u{e0041}']), "{message}");
        assert_eq!(message.lines().filter(|line| line.starts_with("plugin: ")).count(), 1, "{message}");
        warned += message.matches("WARNING: ").count();
    }
    server.end();
    observed(
        "C40",
        format_args!(
            "letters that do not show or look like Latin ones: {warned} warnings, written as \\u{{…}}"
        ),
    );
}

#[test]
fn a_person_does_not_see_secrets_in_arguments() {
    let manifest = "id = \"seer\"\nversion = \"1.0.0\"\n[[ask.secrets]]\nname = \"seen\"\nreveal = true\n";
    let home = Home::new().file("seer.wasm", &wasm("secrets")).file("seer.toml", manifest.as_bytes());
    let secret = home.path().join("seen");
    fs::write(&secret, "canary-\"5d1f\"").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let grant = "[plugins.seer.grant.secrets]\nseen = { file = \"seen\", reveal = true }\n";
    let home = home.config(&format!("{ASK}{grant}")).accept("seer");
    let mut server = home.serve_asking(LEGACY);
    let (_, question) = ask(&mut server, 0, "seer_exists", json!({ "name": "canary-\"5d1f\"" }));
    assert!(message(&question).contains("[secret seen]"), "{question:#}");
    assert!(!question.to_string().contains("canary"), "{question:#}");
    server.end();
}

#[test]
fn an_approval_does_not_hold_for_a_file_that_changed_meanwhile() {
    let manifest = "id = \"tool\"\nversion = \"1.0.0\"\n";
    let version = |text: &str| with_manifest(described(text), manifest);
    let home = Home::new().file("tool.wasm", &version("One.")).config(ASK);
    let capabilities = json!({ "elicitation": {} });
    let reloaded = |server: &mut Server, description: Option<&str>| {
        assert!(holds_within(SOON, || {
            std::thread::sleep(Duration::from_millis(20));
            let listed = server.request("tools/list", json!({}));
            listed["result"]["tools"].pointer("/0/description").and_then(Value::as_str) == description
        }));
    };
    let mut server = home.serve_able(&mut home.command(&["serve", "--dev"]), LEGACY, capabilities.clone());
    let (id, question) = ask(&mut server, 0, "tool_run", json!({}));
    fs::write(home.plugins().join("tool.wasm"), version("Two.")).unwrap();
    reloaded(&mut server, Some("Two."));
    server.reply(&question, &approve());
    let refused = server.result(&id);
    assert_failed(&refused, "approval", "policy");
    assert!(text(&refused).contains("the plugin changed or went away"), "{refused:#}");
    // The same where it is gone.
    let (id, question) = ask(&mut server, 1, "tool_run", json!({}));
    fs::remove_file(home.plugins().join("tool.wasm")).unwrap();
    reloaded(&mut server, None);
    server.reply(&question, &approve());
    let gone = server.result(&id);
    assert_failed(&gone, "approval", "policy");
    server.end();
    // And where the answer comes with another call.
    let home = home.file("tool.wasm", &version("One."));
    let mut server = home.serve_able(&mut home.command(&["serve", "--dev"]), Era::Modern, capabilities);
    let asked = server.call("tool_run", json!({}));
    fs::write(home.plugins().join("tool.wasm"), version("Two.")).unwrap();
    reloaded(&mut server, Some("Two."));
    let answered = json!({ "name": "tool_run", "arguments": {}, "requestState": asked["requestState"],
        "inputResponses": { "approval": approve() } });
    let id = server.send_request("tools/call", answered);
    let refused = server.result(&id);
    assert_failed(&refused, "approval", "policy");
    assert!(text(&refused).contains("the plugin changed after the question"), "{refused:#}");
    server.end();
    observed(
        "E20",
        format_args!(
            "a yes after the plugin was removed or replaced: `{}`, `{}`",
            code(&gone),
            code(&refused)
        ),
    );
}

#[test]
fn what_is_about_no_tool_is_warned_of() {
    let home = Home::new().guest("echo").config(
        "[[policy]]\ntools = [\"echo_*\", \"ehco_say\", \"hubcap_complete\"]\nrisk = \"odd\"\naction = \"ask\"\n\
         [plugins.echo.risk]\nsya = \"high\"\n",
    );
    let listed = home.run(&["plugin", "list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    for words in [
        "rule 1 of [[policy]]: \\\"ehco_say\\\" is the name of no tool",
        "rule 1 of [[policy]]: no tool has the class \\\"odd\\\"",
        "[plugins.echo.risk]: \\\"sya\\\" is the name of none of its tools",
    ] {
        assert!(listed.stderr.contains(words), "{words}: {}", listed.stderr);
    }
    assert!(
        !listed.stderr.contains("echo_*") && !listed.stderr.contains("hubcap_complete"),
        "{}",
        listed.stderr
    );
}

#[test]
fn on_the_command_line_a_flag_is_a_yes_and_without_a_terminal_nobody_can_be_asked() {
    let home = Home::new().guest("echo").config(ASK);
    let refused = home.run(&["call", "echo_say", "{\"text\": \"x\"}"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.starts_with("hubcap: approval: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("`--approve` is a yes beforehand"), "{}", refused.stderr);
    let approved = home.run(&["call", "echo_say", "{\"text\": \"x\"}", "--approve"]);
    assert_eq!((approved.code, approved.stdout.as_str()), (Some(0), "x\n"));
    // It opens no door that is shut.
    let home = home.config("[[policy]]\ntools = [\"echo_say\"]\naction = \"deny\"\n");
    let denied = home.run(&["call", "echo_say", "{\"text\": \"x\"}", "--approve"]);
    assert_eq!(denied.code, Some(1));
    assert!(denied.stderr.starts_with("hubcap: denied: "), "{}", denied.stderr);
}

/// Runs `hubcap call` on a terminal of its own where somebody types this.
fn on_a_terminal(home: &Home, typed: &str) -> Finished {
    let call = format!("{} call echo_say '{{\"text\": \"x\"}}' --home .", env!("CARGO_BIN_EXE_hubcap"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &call, "/dev/null"]).current_dir(home.path());
    finish(&mut script, typed.as_bytes())
}

#[test]
fn on_a_terminal_the_person_is_asked_there() {
    let home = Home::new().guest("echo").config(ASK);
    let approved = on_a_terminal(&home, "y\n");
    assert_eq!(approved.code, Some(0), "{}", approved.stdout);
    for part in
        ["tool: echo_say", "caller: a person on the command line", "\"text\": \"x\"", "Approve? [y/N]"]
    {
        assert!(approved.stdout.contains(part), "{}", approved.stdout);
    }
    assert!(approved.stdout.ends_with("x\r\n"), "{:?}", approved.stdout);
    let declined = on_a_terminal(&home, "n\n");
    assert_eq!(declined.code, Some(1), "{}", declined.stdout);
    assert!(
        declined.stdout.contains("hubcap: approval: a person was asked and declined"),
        "{}",
        declined.stdout
    );
}
