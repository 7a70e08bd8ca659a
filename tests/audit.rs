//! The log of calls: what is in it and what is not, whoever calls, and whatever becomes of its files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::{Finished, Home};
use crate::support::message::{assert_failed, assert_says, receipt};
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

pub(crate) fn log(home: &Home) -> PathBuf {
    home.path().join("state/audit")
}

/// The lines of all segments.
pub(crate) fn records(home: &Home) -> Vec<Value> {
    let mut segments: Vec<PathBuf> =
        fs::read_dir(log(home)).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    segments.sort();
    let text: String = segments.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of calls.
pub(crate) fn calls(home: &Home) -> Vec<Value> {
    records(home).into_iter().filter(|record| record["kind"] == "call").collect()
}

/// `audit verify --json`: exit code and verdict.
#[track_caller]
fn verify(home: &Home) -> (Option<i32>, Value) {
    let verified = home.run(&["audit", "verify", "--json"]);
    let verdict = serde_json::from_str(&verified.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", verified.stdout, verified.stderr));
    (verified.code, verdict)
}

#[track_caller]
pub(crate) fn assert_intact(home: &Home) -> Value {
    let (code, verdict) = verify(home);
    assert_eq!((code, &verdict["intact"]), (Some(0), &json!(true)), "{verdict:#}");
    verdict
}

const GRANT: &str = "[plugins.kv.grant]\nkv = \"1MiB\"\n";

/// A home with a plugin that is granted state, one that is not, one that judges, and one that crashes.
fn home(config: &str) -> Home {
    let manifest = |id: &str| format!("id = \"{id}\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n");
    let home = Home::new().guest("kv").guest_as("kv", "poor").guest("judge").wat("traps").guest("echo");
    home.file("kv.toml", manifest("kv").as_bytes())
        .file("poor.toml", manifest("poor").as_bytes())
        .config(&format!("{config}\n{GRANT}"))
        .accept("kv")
}

#[test]
fn every_call_of_every_kind_has_its_record_and_refused_ones_too() {
    let home = home("");
    let mut server = home.serve();
    let said = server.call("echo_say", json!({ "text": "hello" }));
    server.call("kv_set", json!({ "key": "k", "value": "v" }));
    server.call("poor_set", json!({ "key": "k", "value": "v" }));
    server.call("echo_say", json!({ "text": 7 }));
    server.call("traps_run", json!({ "n": 1 }));
    server.call("hubcap_validate", json!({ "text": "bad" }));
    server.call("hubcap_validate", json!({ "text": "bad", "no-such": 1 }));
    let unknown = server.request("tools/call", json!({ "name": "none_such", "arguments": {} }));
    assert!(unknown.get("error").is_some(), "{unknown:#}");
    server.end();
    let records = calls(&home);
    let short = |record: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = match &record["outcome"] {
            Value::String(word) => word.clone(),
            failed => format!("{}/{}", text(&failed["code"]), text(&failed["blame"])),
        };
        format!("{} {} {code} {}", text(&record["plugin"]), text(&record["tool"]), record["grants"])
    };
    let expected = [
        "echo say ok []",
        "kv set ok [\"kv\"]",
        "poor set denied/policy []",
        "echo say invalid-arguments/caller null",
        "traps run trap/plugin []",
        "judge validate ok []",
        "hubcap validate ok []",
        "hubcap validate invalid-arguments/caller null",
        "none such unknown-tool/caller null",
    ];
    assert_eq!(records.iter().map(short).collect::<Vec<_>>(), expected);
    assert!(records.iter().all(|record| record["caller"] == "agent"));
    // The ids are those of the receipt, and a call inside a call has the same.
    assert_eq!(records[0]["call"], receipt(&said)["callId"]);
    assert_eq!(records[5]["call"], records[6]["call"]);
    assert_eq!(records[0]["cost"]["fuel"], receipt(&said)["fuel"]);
    for (record, known) in records.iter().zip([true, true, true, true, true, true, false, false, false]) {
        assert_eq!(record["digest"].is_string(), known, "{record:#}");
        assert_eq!(record["definition"].is_string(), known, "{record:#}");
    }
    let lock = fs::read_to_string(home.path().join("hubcap.lock")).unwrap();
    for field in ["digest", "definition"] {
        assert!(lock.contains(records[0][field].as_str().unwrap()), "{field}: {lock}");
    }
    assert_intact(&home);
}

#[test]
fn a_call_from_the_command_line_and_one_of_a_withheld_plugin_have_theirs() {
    let home = Home::new().guest("echo").wat("plain");
    assert_eq!(home.run(&["call", "echo_say", "{\"text\": \"x\"}"]).stdout, "x\n");
    fs::copy(home.plugins().join("plain.wasm"), home.plugins().join("echo.wasm")).unwrap();
    let manifest = b"id = \"echo\"\nversion = \"1.0.0\"\n";
    let home = home.file("echo.toml", manifest);
    assert_eq!(home.run(&["call", "echo_say", "{}"]).code, Some(1));
    let records = calls(&home);
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record["caller"] == "command line" && record["call"] == "call-1"));
    assert_ne!(records[0]["run"], records[1]["run"]);
    assert_eq!(records[1]["outcome"], json!({ "code": "quarantined", "blame": "policy" }));
    assert_eq!((&records[1]["plugin"], &records[1]["tool"]), (&json!("echo"), &json!("say")));
}

#[test]
fn files_that_were_judged_on_the_command_line_are_written_down_and_what_an_author_tries_is_not() {
    let home = Home::new().guest("judge");
    fs::write(home.path().join("a.txt"), "bad\n").unwrap();
    home.run(&["validate", "a.txt"]);
    assert_eq!(calls(&home).len(), 1);
    let before = records(&home).len();
    home.run(&["plugin", "check", "plugins/judge.wasm"]);
    home.run(&["plugin", "inspect", "judge"]);
    home.run(&["tools"]);
    assert_eq!(records(&home).len(), before);
}

const CANARY: &str = "canary-91c0";

#[test]
fn nothing_that_was_sent_or_said_is_in_it_unless_the_operator_wants_it() {
    for (config, is_whole) in [("", false), ("[audit]\narguments = \"whole\"\n", true)] {
        let home = home(config);
        let mut server = home.serve();
        assert_says(&server.call("echo_say", json!({ "text": CANARY })), CANARY);
        let fail = json!({ "code": "upstream", "message": "said-6b1f" });
        assert_failed(&server.call("echo_fail", fail), "upstream", "upstream");
        server.call("hubcap_validate", json!({ "text": CANARY }));
        server.end();
        let text: String = calls(&home).iter().map(Value::to_string).collect();
        assert_eq!(text.contains(CANARY), is_whole, "{text}");
        assert_eq!(text.contains("said-6b1f"), is_whole, "{text}");
        let said = &calls(&home)[0]["arguments"];
        match is_whole {
            true => assert_eq!(*said, json!({ "whole": { "text": CANARY } })),
            false => assert_eq!(said["bytes"], json!({ "text": CANARY }).to_string().len()),
        }
        assert_intact(&home);
    }
}

#[test]
fn nothing_is_written_where_it_is_switched_off_or_there_is_no_home() {
    let off = Home::new().wat("plain").config("[audit]\nenabled = false\n");
    assert_eq!(off.run(&["call", "plain_run"]).stdout, "done\n");
    assert!(!off.path().join("state").exists());
    let home = Home::new().wat("plain");
    let call = ["call", "plain_run", "--plugins", "plugins", "--log", "warn"];
    let called = home.bare_command(&call).output().unwrap();
    let stderr = String::from_utf8_lossy(&called.stderr);
    assert_eq!(called.stdout, b"done\n", "{stderr}");
    assert_eq!(stderr.matches("the audit log cannot be written: there is no home").count(), 1, "{stderr}");
    assert!(!home.path().join(".local").exists());
}

#[track_caller]
fn said(finished: &Finished, code: i32, words: &str) {
    assert_eq!(finished.code, Some(code), "{}{}", finished.stdout, finished.stderr);
    let all = format!("{}{}", finished.stdout, finished.stderr);
    assert!(all.contains(words), "{words:?} in {all}");
}

#[test]
fn the_operator_reads_and_checks_it_while_a_server_writes_to_it() {
    let home = Home::new().wat("plain").guest("echo");
    said(&home.run(&["audit", "verify"]), 1, "there is no audit log");
    let mut server = home.serve();
    for _ in 0..3 {
        server.call("plain_run", json!({}));
    }
    let failed = server.call("echo_fail", json!({ "code": "upstream", "message": "no" }));
    let id = receipt(&failed)["callId"].as_str().unwrap();
    assert!(holds_within(SOON, || calls(&home).len() == 4), "{:#?}", records(&home));
    said(&home.run(&["audit", "verify"]), 0, "5 good records in 1 segment, from ");
    let tail = home.run(&["audit", "tail", "-n", "2"]);
    let lines: Vec<&str> = tail.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{tail:?}", tail = tail.stdout);
    assert!(lines[0].contains("  agent  plain run  ok  "), "{lines:#?}");
    assert!(lines[1].contains(&format!("/{id}  agent  echo fail  upstream  ")), "{lines:#?}");
    let shown = home.run(&["audit", "show", id]);
    said(&shown, 0, "\n  plugin: echo\n");
    let run = records(&home)[0]["run"].as_str().unwrap().to_owned();
    let by_run = home.run(&["audit", "show", &format!("{}/{id}", &run[..4]), "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&by_run.stdout).unwrap(), calls(&home)[3]);
    said(&home.run(&["audit", "show", "call-99"]), 1, "there is no record of \"call-99\"");
    said(&home.run(&["audit", "show", "zzzz/call-1"]), 1, "there is no record of");
    server.end();
    let head = assert_intact(&home)["head"]["hash"].as_str().unwrap().to_owned();
    said(&home.run(&["audit", "verify", "--head", &head]), 0, "good records");
    let other = "0".repeat(64);
    said(&home.run(&["audit", "verify", "--head", &other]), 1, "--head: no record has this hash");
    said(&home.run(&["audit", "verify", "--head", "abc"]), 2, "64 hexadecimal digits");
}

#[test]
fn an_edit_is_found_with_its_file_and_line_and_the_next_host_goes_on_in_a_new_segment() {
    let home = Home::new().wat("plain");
    let mut server = home.serve();
    for _ in 0..3 {
        server.call("plain_run", json!({}));
    }
    server.end();
    let path = log(&home).join("000001.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"tool\":\"run\"", "\"tool\":\"ran\"", 1)).unwrap();
    said(&home.run(&["audit", "verify"]), 1, "hubcap: 000001.jsonl:2: the record is not as it was written");
    let called = home.run(&["call", "plain_run", "--log", "error"]);
    said(&called, 0, "the audit log is not as it was written: 000001.jsonl:2: ");
    let (code, verdict) = verify(&home);
    assert_eq!((code, &verdict["segments"]), (Some(1), &json!(2)), "{verdict:#}");
    let second = fs::read_to_string(log(&home).join("000002.jsonl")).unwrap();
    assert!(
        second.contains("\"fault\":\"000001.jsonl:2: ") && second.contains("\"tool\":\"run\""),
        "{second}"
    );
    observed(
        "E16",
        format_args!(
            "edited between two hosts: {} faults found, {} segments",
            verdict["faults"].as_array().unwrap().len(),
            verdict["segments"]
        ),
    );
}

#[test]
fn a_log_that_is_deleted_while_a_server_runs_is_begun_anew_and_told() {
    let home = Home::new().wat("plain");
    let mut server = home.serve();
    server.call("plain_run", json!({}));
    assert!(holds_within(SOON, || log(&home).is_dir() && calls(&home).len() == 1));
    fs::remove_file(log(&home).join("000001.jsonl")).unwrap();
    assert_says(&server.call("plain_run", json!({})), "done");
    let ended = server.end();
    let told = "000001.jsonl: it was deleted while hubcap wrote to it";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(calls(&home).len(), 1);
    let (code, verdict) = verify(&home);
    assert_eq!(code, Some(1));
    let faults = verdict["faults"].to_string();
    assert!(faults.contains("000001.jsonl") && faults.contains("it is missing"), "{verdict:#}");
    let first = &verdict["faults"][0];
    observed(
        "E16",
        format_args!(
            "deleted while it is written to: told, {} segment goes on, verify: {}",
            verdict["segments"], first["what"]
        ),
    );
}

#[test]
fn a_second_server_of_one_home_works_and_says_once_that_it_writes_nothing() {
    let home = Home::new().wat("plain");
    let mut first = home.serve();
    first.call("plain_run", json!({}));
    assert!(holds_within(SOON, || log(&home).is_dir() && calls(&home).len() == 1));
    let mut second = home.serve();
    for _ in 0..3 {
        assert_says(&second.call("plain_run", json!({})), "done");
    }
    let ended = second.end();
    assert_eq!(
        ended.stderr.matches("another hubcap on the same home writes to it").count(),
        1,
        "{}",
        ended.stderr
    );
    first.call("plain_run", json!({}));
    first.end();
    assert_eq!(calls(&home).len(), 2);
    assert_intact(&home);
}

#[test]
fn a_directory_that_others_may_write_to_is_not_used_and_calls_go_on() {
    let home = Home::new().wat("plain");
    home.run(&["call", "plain_run"]);
    fs::set_permissions(log(&home), Permissions::from_mode(0o770)).unwrap();
    let called = home.run(&["call", "plain_run", "--log", "warn"]);
    said(&called, 0, "its directory: others than its owner may write to it (mode 770)");
    assert_eq!(called.stdout, "done\n");
    said(&home.run(&["audit", "verify"]), 1, "others than its owner may write to it");
    fs::set_permissions(log(&home), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(assert_intact(&home)["records"], 2);
}

#[test]
fn the_log_is_its_owners_alone() {
    let home = Home::new().wat("plain");
    home.run(&["call", "plain_run"]);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(log(&home)), 0o700);
    for file in ["000001.jsonl", "head", "lock"] {
        assert_eq!(mode(log(&home).join(file)), 0o600, "{file}");
    }
}

/// A server whose files may have so many KiB: beyond that, the disk is full.
fn on_a_disk_of(kib: u32, home: &Home) -> Server {
    let serve = home.command(&["serve"]);
    let mut shell = std::process::Command::new("bash");
    // `ulimit` kills by a signal that says so; ignored, the write fails.
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &kib.to_string()]);
    shell.arg(serve.get_program()).args(serve.get_args()).current_dir(home.path()).env_clear();
    shell.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    home.serve_as(&mut shell, Era::Legacy("2025-11-25"))
}

#[test]
fn a_disk_that_takes_no_more_costs_records_and_no_call_and_the_next_host_says_how_many_are_there() {
    let home = Home::new().wat("plain");
    home.run(&["call", "plain_run"]);
    let mut server = on_a_disk_of(16, &home);
    for _ in 0..60 {
        assert_says(&server.call("plain_run", json!({})), "done");
    }
    let ended = server.end();
    let told = ended.stderr.matches("the audit log cannot be written: ").count();
    assert_eq!(told, 1, "{}", ended.stderr);
    // What is there is whole, and goes on where there is room again.
    let before = assert_intact(&home)["records"].as_u64().unwrap();
    assert!((2..60).contains(&before), "{before}");
    home.run(&["call", "plain_run"]);
    let verdict = assert_intact(&home);
    assert_eq!((&verdict["segments"], &verdict["repaired"]), (&json!(1), &json!(0)), "{verdict:#}");
}
