//! `hubcap plugin check`: plugins that keep their promises pass, each fault fails for its reason, and what
//! was asked is what the schemas allow.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::root;
use crate::support::home::{Finished, Home, finish};
use crate::support::{SOON, holds_within};

fn file(home: &Home, id: &str) -> PathBuf {
    home.plugins().join(format!("{id}.wasm"))
}

fn check(home: &Home, id: &str, more: &[&str]) -> Finished {
    home.run(&[&["plugin", "check", file(home, id).to_str().unwrap()], more].concat())
}

/// Exit code and report.
#[track_caller]
fn report(home: &Home, id: &str) -> (Option<i32>, Value) {
    let finished = check(home, id, &["--json"]);
    assert_eq!(finished.stdout.lines().count(), 1, "{}{}", finished.stdout, finished.stderr);
    (finished.code, serde_json::from_str(&finished.stdout).unwrap())
}

/// What was asked, as kind, name and case.
fn asked(report: &Value) -> Vec<String> {
    let word = |check: &Value, key: &str| check[key].as_str().map(|word| format!(" {word}"));
    let checks = report["checks"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let one = |check: &Value| {
        ["kind", "name", "case"]
            .iter()
            .filter_map(|key| word(check, key))
            .collect::<String>()
            .trim()
            .to_owned()
    };
    checks.iter().map(one).collect()
}

/// The checks that failed.
fn failed(report: &Value) -> Vec<&Value> {
    report["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false).collect()
}

/// A home with the guest that is what its configuration says.
fn mirror(config: &Value) -> Home {
    let all = toml::to_string(&json!({ "plugins": { "mirror": { "config": config } } }));
    Home::new().guest("mirror").config(&all.unwrap())
}

/// One whose tool takes one argument, `a`, of this schema.
fn taking(schema: Value) -> Home {
    mirror(&json!({ "schema": { "type": "object", "properties": { "a": schema }, "required": ["a"] } }))
}

#[test]
fn the_examples_keep_their_promises() {
    let home = Home::new();
    for example in ["hello", "long-lines", "scripted-provider"] {
        let mut build = Command::new(env!("CARGO_BIN_EXE_hubcap"));
        build.args(["plugin", "build"]).arg(root().join("examples").join(example));
        let built = finish(build.arg("--out").arg(home.plugins()), b"");
        assert_eq!(built.code, Some(0), "{}{}", built.stdout, built.stderr);
    }
    let (code, hello) = report(&home, "hello");
    assert_eq!((code, &hello["passed"], &hello["failed"]), (Some(0), &json!(3), &json!(0)));
    assert_eq!(asked(&hello), ["health", "tool greet smallest", "tool greet fullest"]);
    assert_eq!(hello["checks"][1]["arguments"], json!({ "name": "" }));
    assert_eq!(hello["checks"][2]["arguments"], json!({ "name": "text", "times": 1 }));
    assert_eq!(hello["checks"][2]["receipt"]["tool"], "greet");
    let (code, lines) = report(&home, "long-lines");
    assert_eq!(
        (code, asked(&lines)),
        (Some(0), ["health", "validator empty text", "validator short text"].map(Into::into).to_vec())
    );
    let (code, provider) = report(&home, "scripted-provider");
    assert_eq!(
        (code, asked(&provider)),
        (Some(0), ["health", "provider script one message"].map(Into::into).to_vec())
    );
    assert_eq!(provider["checks"][1]["arguments"]["model"], "script");
}

#[test]
fn other_guests_that_do_no_harm_pass() {
    let home = Home::new().guest("state").guest("judge").wat("plain");
    for id in ["state", "judge", "plain"] {
        let finished = check(&home, id, &[]);
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
        assert_eq!(finished.stderr, "");
        assert!(finished.stdout.contains("ok      health\n"), "{}", finished.stdout);
    }
}

/// A tool, the code that it fails with, and words of the error.
type Fault = (&'static str, &'static str, &'static str);

#[test]
fn each_fault_fails_for_its_reason() {
    let home = ["panicking", "looping", "echo", "sleeping", "huge", "exiting"]
        .iter()
        .fold(Home::new(), |home, guest| home.guest(guest))
        .config("[plugins.sleeping]\nbudget = { deadline = \"300ms\" }\n[plugins.looping]\nbudget = { fuel = 1_000_000 }\n");
    let empty = "the plugin broke the rules of a component: empty poll list";
    let faults: [(&str, &[Fault]); 6] = [
        ("panicking", &[("panic", "trap", "the plugin crashed: wasm `unreachable` instruction executed")]),
        ("looping", &[("spin", "fuel", "the plugin used up its 1000000 units of fuel")]),
        (
            "echo",
            &[
                ("bad-structured", "invalid-output", "at /n: \"three\" is not of type \"integer\""),
                ("fail", "internal", ""),
            ],
        ),
        (
            "sleeping",
            &[
                ("empty", "trap", empty),
                ("forever", "deadline", "took longer than"),
                ("many", "trap", empty),
                ("repeated", "trap", empty),
            ],
        ),
        ("huge", &[("claim", "trap", "string pointer/length out of bounds of memory")]),
        ("exiting", &[("exit", "trap", "the plugin called exit(0)")]),
    ];
    for (id, expected) in faults {
        let (code, report) = report(&home, id);
        assert_eq!(code, Some(1), "{report:#}");
        let found = failed(&report);
        let names: Vec<_> = found.iter().map(|check| check["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        for (check, (_, code, words)) in found.iter().zip(expected) {
            assert_eq!(&check["error"]["code"], code, "{check:#}");
            assert!(check["error"]["message"].as_str().unwrap().contains(words), "{check:#}");
            assert_eq!((&check["case"], &check["arguments"]), (&json!("smallest"), &json!({})));
        }
        assert_eq!(report["failed"], json!(expected.len()));
        assert_eq!(report["passed"], json!(report["checks"].as_array().unwrap().len() - expected.len()));
    }
}

#[test]
fn a_fault_is_shown_with_the_tool_the_case_and_the_arguments() {
    let home = taking(json!({ "type": "string" }));
    let schema = json!({ "type": "object", "properties": { "mebibytes": { "type": "integer", "minimum": 100 } },
        "required": ["mebibytes"] });
    let eating = mirror(&json!({ "schema": schema }));
    let finished = check(&eating, "mirror", &[]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let told = "FAILED  show (smallest): memory: the plugin needs more than its 67108864 bytes of memory; the operator can raise `memory` in its budget\n        arguments: {\"mebibytes\":100}\n";
    assert!(finished.stdout.contains(told), "{}", finished.stdout);
    assert!(
        finished.stdout.ends_with("2 calls of mirror 0.0.0: 1 ok, 1 failed; no tool skipped\n"),
        "{}",
        finished.stdout
    );
    assert_eq!(finished.stderr, "");
    let finished = check(&home, "mirror", &[]);
    assert!(finished.stdout.starts_with("mirror 0.0.0  "), "{}", finished.stdout);
    assert!(
        finished.stdout.contains("\nok      health\nok      show (smallest)\nok      show (fullest)\n"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_plugin_that_is_ill_or_cannot_tell_fails() {
    let (code, ill) = report(&mirror(&json!({ "health": "no disk" })), "mirror");
    assert_eq!(code, Some(1));
    assert_eq!(failed(&ill).len(), 1);
    assert_eq!(failed(&ill)[0]["kind"], "health");
    assert_eq!(failed(&ill)[0]["error"], json!({ "code": "unhealthy", "message": "no disk" }));
    let (code, broken) = report(&mirror(&json!({ "health": "broken" })), "mirror");
    assert_eq!(code, Some(1));
    let error = json!({ "code": "unavailable", "message": "the health cannot be told" });
    assert_eq!(failed(&broken)[0]["error"], error);
}

/// One check at a time, and each ends: a plugin that never says how it is holds up nobody.
#[test]
fn a_health_check_that_never_ends_is_told_as_failed_within_its_bound() {
    let mut seen = Vec::new();
    for (health, code) in [("endless", "fuel"), ("asleep", "deadline")] {
        let (exit, told) = report(&mirror(&json!({ "health": health })), "mirror");
        assert_eq!(exit, Some(1), "{told:#}");
        let failed = failed(&told);
        assert_eq!((failed.len(), &failed[0]["kind"]), (1, &json!("health")), "{told:#}");
        assert_eq!(failed[0]["error"]["code"], code, "{told:#}");
        let wall = failed[0]["receipt"]["wallMicros"].as_u64().unwrap() / 1_000;
        assert!(wall <= 2_250, "{wall} ms");
        seen.push(format!("{health}: {code} after {wall} ms"));
    }
    observed("A03", seen.join("; "));
}

#[test]
fn an_error_of_the_plugins_own_choice_is_told_and_passes() {
    let schema = |code: &str| json!({ "schema": { "type": "object", "properties": { "code": { "const": code } }, "required": ["code"] } });
    for (code, words) in [("denied", "not allowed"), ("unavailable", "not now")] {
        let home = mirror(&schema(code));
        let (exit, told) = report(&home, "mirror");
        assert_eq!(exit, Some(0), "{told:#}");
        let check = &told["checks"][1];
        assert_eq!(
            (&check["ok"], &check["error"]),
            (&json!(true), &json!({ "code": code, "message": words }))
        );
        let line = format!("ok      show (smallest), which says {code}: {words}\n");
        assert!(check_text(&home).contains(&line), "{}", check_text(&home));
    }
    assert_eq!(report(&mirror(&schema("other")), "mirror").0, Some(1));
}

fn check_text(home: &Home) -> String {
    check(home, "mirror", &[]).stdout
}

#[test]
fn arguments_are_what_the_schema_allows_and_examples_come_first() {
    let home = taking(json!({ "type": "string", "format": "date", "description": "When." }));
    let (code, told) = report(&home, "mirror");
    assert_eq!((code, &told["checks"][1]["arguments"]), (Some(0), &json!({ "a": "2024-01-01" })));
    let home = taking(json!({ "type": "integer", "minimum": 3, "examples": [1, 2] }));
    let (_, told) = report(&home, "mirror");
    // The example does not match its own schema, so the next is taken.
    assert_eq!(told["checks"][1]["arguments"], json!({ "a": 3 }));
    let home = taking(json!({ "type": "integer", "minimum": 3, "examples": [7] }));
    let (_, told) = report(&home, "mirror");
    assert_eq!(told["checks"][1]["arguments"], json!({ "a": 7 }));
}

#[test]
fn a_tool_whose_arguments_cannot_be_made_is_skipped_and_counted() {
    let home = taking(json!({ "type": "integer", "not": { "minimum": -9, "maximum": 9 } }));
    let (code, told) = report(&home, "mirror");
    assert_eq!((code, &told["failed"], &told["passed"]), (Some(0), &json!(0), &json!(1)));
    assert_eq!(asked(&told), ["health"]);
    assert_eq!(told["skipped"][0]["tool"], "show");
    assert!(told["skipped"][0]["reason"].as_str().unwrap().contains("`examples` or `default`"), "{told:#}");
    let text = check_text(&home);
    assert!(
        text.contains("\nskipped show: no arguments could be made that match its own input schema"),
        "{text}"
    );
    assert!(text.ends_with("1 call of mirror 0.0.0: 1 ok, 0 failed; 1 tool skipped\n"), "{text}");
    let helped =
        taking(json!({ "type": "integer", "not": { "minimum": -9, "maximum": 9 }, "examples": [10] }));
    let (_, told) = report(&helped, "mirror");
    assert_eq!((&told["skipped"], &told["checks"][1]["arguments"]), (&json!([]), &json!({ "a": 10 })));
}

#[test]
fn the_largest_share_of_each_bound_is_told_with_its_call() {
    let taking = json!({ "type": "object", "properties": { "mebibytes": { "const": 40 } }, "required": ["mebibytes"] });
    let home = mirror(&json!({ "schema": taking }));
    let (code, told) = report(&home, "mirror");
    assert_eq!(code, Some(0), "{told:#}");
    let receipts: Vec<&Value> =
        told["checks"].as_array().unwrap().iter().map(|check| &check["receipt"]).collect();
    let bounds = [
        ("fuel", 1_000_000_000_u64),
        ("memoryBytes", 64 << 20),
        ("wallMicros", 30_000_000),
        ("resultBytes", 1 << 20),
    ];
    for (bound, of) in bounds {
        let share = &told["largest"][bound];
        assert_eq!(
            (&share["of"], &share["by"]),
            (&json!(of), &json!("show (smallest)")),
            "{bound}: {told:#}"
        );
        let field = if bound == "memoryBytes" { "peakMemoryBytes" } else { bound };
        assert_eq!(share["used"], receipts[1][field], "{bound}: {told:#}");
    }
    assert!(told["largest"]["memoryBytes"]["used"].as_u64().unwrap() > 40 << 20);
    let text = check_text(&home);
    assert!(text.contains("memory 6") && text.contains(" % by show (smallest)"), "{text}");
}

#[test]
fn what_cannot_be_loaded_is_refused_with_its_reason() {
    let home = Home::new().guest("looping-list").wat("other-world").file("text.wasm", b"no component");
    for (id, words) in [("looping-list", "fuel"), ("other-world", "wrong world"), ("text", "component")] {
        let finished = check(&home, id, &[]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{}", finished.stderr);
        assert!(finished.stderr.contains(&format!("{id}.wasm cannot be used: ")), "{}", finished.stderr);
        assert!(finished.stderr.contains(words), "{words:?} in {}", finished.stderr);
        let (code, told) = report(&home, id);
        assert_eq!((code, &told["checks"]), (Some(1), &json!([])));
        assert!(told["refused"].as_str().unwrap().contains(words), "{told:#}");
    }
}

#[test]
fn what_is_no_file_is_wrong_usage() {
    let home = Home::new();
    for path in ["missing.wasm", "plugins"] {
        let finished = home.run(&["plugin", "check", path]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{}", finished.stderr);
        assert!(finished.stderr.contains(&format!("{path} is not a plugin file")), "{}", finished.stderr);
    }
}

const MANIFEST: &[u8] = b"id = \"mirror\"\nversion = \"1.2.3\"\n[config]\nrequired = [\"health\"]\nadditionalProperties = false\n[config.properties.health]\nmaxLength = 0\n";

#[test]
fn a_configuration_is_made_where_the_operator_gives_none() {
    let home = Home::new().guest("mirror").file("mirror.toml", MANIFEST);
    let (code, told) = report(&home, "mirror");
    assert_eq!((code, &told["generatedConfig"]), (Some(0), &json!({ "health": "" })), "{told:#}");
    let text = check_text(&home);
    assert!(text.starts_with("mirror 1.2.3  "), "{text}");
    assert!(text.contains("configured with {\"health\":\"\"}, made from its [config]"), "{text}");
    // The operator's own is used as it is, and a plugin that is switched off can be checked.
    let home = home.config("[plugins.mirror]\nenabled = false\nconfig = { health = \"\" }\n");
    let (code, told) = report(&home, "mirror");
    assert_eq!((code, &told["generatedConfig"]), (Some(0), &Value::Null), "{told:#}");
    let home = home.config("[plugins.mirror]\nconfig = { health = \"ill\" }\n");
    let (code, told) = report(&home, "mirror");
    assert_eq!((code, &told["generatedConfig"]), (Some(1), &Value::Null));
    assert!(told["refused"].as_str().unwrap().contains("hubcap.toml:2:12"), "{told:#}");
}

#[test]
fn an_interrupt_ends_with_what_is_known() {
    let home = Home::new().guest("sleeping");
    let path = file(&home, "sleeping");
    let mut command = home.command(&["plugin", "check", path.to_str().unwrap()]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    // The next tool sleeps for ever.
    while !stdout.contains("FAILED  empty") {
        assert!(output.read_line(&mut stdout).unwrap() > 0, "{stdout}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = holds_within(SOON / 2, || child.try_wait().unwrap().is_some());
    child.kill().ok();
    assert!(ended, "it goes on: {stdout}");
    output.read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stdout}");
    let partial =
        "\ninterrupted, so this is partial: 2 calls of sleeping 0.0.0: 1 ok, 1 failed; no tool skipped\n";
    assert!(stdout.ends_with(partial), "{stdout}");
}
