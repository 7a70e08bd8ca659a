//! What the operator does on the command line is in the audit log: what was accepted and what was granted.

use serde_json::{Value, json};

use crate::audit::{assert_intact, calls, records};
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::told::described;
use crate::support::{SOON, holds_within};

fn of_kind(home: &Home, kind: &str) -> Vec<Value> {
    records(home).into_iter().filter(|record| record["kind"] == kind).collect()
}

/// A home whose tool was called and changed since.
fn changed() -> Home {
    let home = Home::new().file("tool.wasm", &described("Runs.\nSafely."));
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    home.file("tool.wasm", &described("Runs.\nAs root."))
}

#[test]
fn what_was_accepted_has_a_record_with_what_changed_and_what_was_not_has_none() {
    let home = changed();
    assert_eq!(home.run(&["plugin", "approve", "tool"]).code, Some(2), "nobody said yes");
    assert_eq!(of_kind(&home, "accepted"), [] as [Value; 0]);
    let home = home.accept("tool");
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    // There is nothing to accept a second time.
    let home = home.accept("tool");
    let (accepted, calls) = (of_kind(&home, "accepted"), calls(&home));
    assert_eq!(accepted.len(), 1, "{accepted:#?}");
    let record = &accepted[0];
    assert_eq!((&record["plugin"], &record["caller"]), (&json!("tool"), &json!("command line")));
    assert_eq!((&record["before"], &record["digest"]), (&calls[0]["digest"], &calls[1]["digest"]));
    assert_ne!(record["before"], record["digest"]);
    assert_eq!(record["changes"], json!(["the description of tool run changed", "digest changed"]));
    assert!(!record.to_string().contains("As root"), "{record:#}");
    let tail = home.run(&["audit", "tail"]).stdout;
    let line = "  command line  accepted tool  the description of tool run changed; digest changed\n";
    assert!(tail.contains(line), "{tail}");
    assert_intact(&home);
    let short = |digest: &Value| digest.as_str().unwrap()[..8].to_owned();
    observed(
        "B17",
        format_args!(
            "the audit log: {} → {}, {}",
            short(&record["before"]),
            short(&record["digest"]),
            record["changes"][0].as_str().unwrap()
        ),
    );
}

#[test]
fn what_is_new_and_accepted_is_in_the_log_with_all_that_it_is() {
    let manifest = b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let home = Home::new().guest("kv").file("kv.toml", manifest).accept("kv");
    let accepted = of_kind(&home, "accepted");
    assert_eq!((accepted.len(), accepted[0].get("before")), (1, None), "{accepted:#?}");
    let changes = accepted[0]["changes"].to_string();
    for words in ["it asks for more: ", "tool set is new", "tool get is new"] {
        assert!(changes.contains(words), "{words}: {changes}");
    }
}

#[test]
fn what_was_granted_has_a_record_and_what_was_only_shown_has_none() {
    let manifest = b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let home = Home::new().guest("kv").file("kv.toml", manifest);
    assert_eq!(home.run(&["plugin", "grant", "kv"]).code, Some(2), "nobody said yes");
    assert!(!home.path().join("state").exists());
    let granted = home.run(&["plugin", "grant", "kv", "--yes"]);
    assert_eq!((granted.code, granted.stderr.as_str()), (Some(0), ""));
    let home = home.accept("kv");
    let (granted, accepted) = (of_kind(&home, "granted"), of_kind(&home, "accepted"));
    assert_eq!((granted.len(), accepted.len()), (1, 1));
    assert_eq!(granted[0]["changes"], json!(["1048576 bytes of state"]));
    assert_eq!((&granted[0]["plugin"], &granted[0]["digest"]), (&json!("kv"), &accepted[0]["digest"]));
    assert_intact(&home);
}

#[test]
fn while_a_server_writes_the_log_an_approval_counts_and_says_that_it_has_no_record() {
    let home = Home::new().file("tool.wasm", &described("Runs.\nSafely."));
    let mut server = home.serve();
    assert_says(&server.call("tool_run", json!({})), "done");
    assert!(holds_within(SOON, || home.path().join("state/audit/lock").exists() && calls(&home).len() == 1));
    let home = home.file("tool.wasm", &described("Runs.\nAs root."));
    let accepted = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    assert!(accepted.stdout.contains("accepted: tool "), "{}", accepted.stdout);
    let told = "hubcap: there is no record of this in the audit log: the audit log cannot be written: another hubcap on the same home writes to it";
    assert_eq!(accepted.stderr.matches(told).count(), 1, "{}", accepted.stderr);
    server.end();
    // What is accepted runs, and the records of its calls have its digest.
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    let calls = calls(&home);
    assert_eq!((calls.len(), of_kind(&home, "accepted").len()), (2, 0));
    assert_ne!(calls[0]["digest"], calls[1]["digest"]);
    assert_intact(&home);
}
