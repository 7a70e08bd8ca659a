//! The audit log on disks that are full, that nobody can write to, and that fail: calls go on, what needs
//! approval is refused, and what was acknowledged is there.

#![allow(clippy::print_stdout, reason = "how the traced process acknowledges")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use hubcap::audit::{Audit, AuditError, Record, Verdict, verify};
use hubcap::config::Config;
use hubcap::model::{CallId, Caller};
use serde_json::json;
use tokio::runtime::Runtime;

use super::tools;
use crate::support::cases::observed;
use crate::support::home::{Home, finish};
use crate::support::message::assert_says;

/// Set in the process that is traced: its home.
const TRACED: &str = "HUBCAP_TEST_AUDIT_TRACED";

/// The audit of a home, as a hub has it.
fn audit(home: &Path) -> Arc<Audit> {
    let places = hubcap::home::Home {
        directory: Some(home.to_owned()),
        ..hubcap::home::Home::nowhere(Config::default())
    };
    Audit::start(&places)
}

/// Has a decision written down.
fn decide(runtime: &Runtime, audit: &Audit, n: u64) -> Result<(), AuditError> {
    let decision = Record {
        time: SystemTime::now(),
        call: CallId::next(),
        caller: Caller::Agent,
        plugin: "plain".into(),
        tool: "run".into(),
        digest: None,
        definition: None,
        arguments: json!({}),
        secrets: None,
        approval: Some(json!({ "n": n })),
        end: None,
    };
    runtime.block_on(audit.before(decision))
}

#[track_caller]
fn verdict(log: &Path) -> Verdict {
    let verdict = verify(log, None).expect("the log is there");
    assert_eq!(verdict.faults, [], "{verdict:?}");
    verdict
}

fn decisions(log: &Path) -> Vec<u64> {
    let text = fs::read_to_string(log.join("000001.jsonl")).unwrap();
    let number =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["approval"]["n"].as_u64();
    text.lines().filter_map(number).collect()
}

#[test]
fn a_full_file_system_costs_records_and_decisions_and_no_call() {
    if !tools::inside() {
        return tools::run_with_mounts("audit::a_full_file_system_costs_records_and_decisions_and_no_call");
    }
    let home = Home::new().wat("plain");
    let log = home.path().join("state/audit");
    fs::create_dir_all(&log).unwrap();
    tools::mount(&["-t", "tmpfs", "-o", "mode=0700,size=128k", "tmpfs"], &log);
    let reserve = log.join("reserve");
    fs::write(&reserve, vec![1; 32 << 10]).unwrap();
    let mut server = home.serve();
    let calls = 300;
    for _ in 0..calls {
        assert_says(&server.call("plain_run", json!({})), "done");
    }
    let logged = server.end().stderr;
    let told = logged.matches("the audit log cannot be written: No space left on device").count();
    assert_eq!(told, 1, "{logged}");
    let before = verdict(&log);
    assert!(before.records > 50 && before.records < calls, "{before:?}");

    let (runtime, audit) = (Runtime::new().unwrap(), audit(home.path()));
    // The last page may have room for some.
    let (first, refused) =
        (0..100).find_map(|n| Some((n, decide(&runtime, &audit, n).err()?.to_string()))).expect("it is full");
    assert!(refused.contains("No space left on device"), "{refused}");
    fs::remove_file(&reserve).unwrap();
    decide(&runtime, &audit, 100).unwrap();
    runtime.block_on(audit.close());
    assert!(verdict(&log).records > before.records);
    assert_eq!(decisions(&log), (0..first).chain([100]).collect::<Vec<_>>());
    eprintln!("{calls} calls answered, {} records on a full disk, {told} warning", before.records);
    observed(
        "E09",
        format_args!("a full disk under the log: {calls} calls answered, {told} warning, a decision refused"),
    );
}

#[test]
fn a_file_system_that_is_only_read_costs_records_and_decisions_and_no_call() {
    if !tools::inside() {
        return tools::run_with_mounts(
            "audit::a_file_system_that_is_only_read_costs_records_and_decisions_and_no_call",
        );
    }
    let mut warned = 0;
    for has_log in [false, true] {
        let home = Home::new().wat("plain");
        home.run(&["tools"]);
        if has_log {
            home.run(&["call", "plain_run"]);
        }
        let path = home.path().to_owned();
        tools::mount(&["--bind", path.to_str().unwrap()], &path);
        tools::mount(&["-o", "remount,bind,ro"], &path);
        let mut server = home.serve();
        for _ in 0..20 {
            assert_says(&server.call("plain_run", json!({})), "done");
        }
        let logged = server.end().stderr;
        let told = logged.matches("the audit log cannot be written: ").count();
        assert!(told == 1 && logged.contains("Read-only file system"), "{logged}");
        warned += told;
        let (runtime, audit) = (Runtime::new().unwrap(), audit(&path));
        let refused = decide(&runtime, &audit, 1).unwrap_err().to_string();
        assert!(refused.contains("Read-only file system"), "{refused}");
        if has_log {
            assert_eq!(verdict(&path.join("state/audit")).records, 2);
        }
    }
    observed(
        "E10",
        format_args!("the log: with one and without, {warned} warnings of 2 servers, decisions refused"),
    );
}

/// System calls of a write, what they fail with, and which of them do.
const FAULTS: [(&str, &str, &str); 11] = [
    ("fdatasync", "EIO", "3"),
    ("fdatasync", "ENOSPC", "5"),
    ("fdatasync", "EIO", "6+2"),
    ("pwrite64", "ENOSPC", "2"),
    ("pwrite64", "EIO", "3"),
    ("pwrite64", "EDQUOT", "4+2"),
    ("pwrite64,ftruncate", "EIO", "4"),
    ("fsync", "EIO", "4"),
    ("rename,renameat,renameat2", "ENOSPC", "2"),
    ("openat2", "EMFILE", "10+3"),
    ("statx", "EIO", "30+7"),
];

/// Decisions under each fault.
const DECISIONS: u64 = 12;

#[test]
fn a_disk_that_fails_costs_what_is_told_and_nothing_that_was_acknowledged() {
    if let Some(home) = std::env::var_os(TRACED) {
        return decide_all(Path::new(&home));
    }
    tools::need(&["strace"]);
    let (mut hits, mut refused, mut kept) = (0, 0, 0);
    for (calls, error, when) in FAULTS {
        let home = tempfile::tempdir().unwrap();
        let trace = home.path().join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o"]).arg(&trace).args(["-e", &format!("trace={calls}")]);
        strace.args(["-e", &format!("inject={calls}:error={error}:when={when}")]);
        strace.arg(std::env::current_exe().unwrap()).args(["--exact", "--nocapture", "--test-threads=1"]);
        strace.arg(
            "adversarial::audit::a_disk_that_fails_costs_what_is_told_and_nothing_that_was_acknowledged",
        );
        let ran = finish(strace.env(TRACED, home.path()), b"");
        let what = format!("{calls}:{error}:{when}");
        assert_eq!(ran.code, Some(0), "{what}: {}{}", ran.stdout, ran.stderr);
        let injected = fs::read_to_string(&trace).unwrap().matches("(INJECTED)").count();
        let numbers = |word: &str| -> Vec<u64> {
            ran.stdout.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok()).collect()
        };
        let (yes, no) = (numbers("acknowledged"), numbers("refused"));
        assert_eq!(yes.len() + no.len(), DECISIONS as usize, "{what}: {}", ran.stdout);
        let log = home.path().join("state/audit");
        // A sync that failed may have lost what nobody was told of; it is never lost in silence.
        let found = verify(&log, None).unwrap();
        let there = decisions(&log);
        assert!(yes.iter().all(|n| there.contains(n)), "{what}: {yes:?} {there:?}");
        assert_eq!((found.faults.len(), found.unfinished), (0, 0), "{what}: {found:?}");
        assert!(injected > 0, "{what} hit nothing");
        eprintln!("{what}: {injected} hits, {} refused", no.len());
        hits += injected;
        refused += no.len();
        kept += yes.len();
    }
    assert!(hits > FAULTS.len() && refused > 0, "{hits} faults, {refused} refused");
    eprintln!("{hits} faults of the disk, {refused} decisions refused, {kept} acknowledged, 0 lost");
    observed(
        "E09",
        format_args!(
            "{hits} faults under the log: {refused} decisions refused, {kept} acknowledged, all there"
        ),
    );
}

/// The process under the tracer.
fn decide_all(home: &Path) {
    let (runtime, audit) = (Runtime::new().unwrap(), audit(home));
    for n in 0..DECISIONS {
        match decide(&runtime, &audit, n) {
            Ok(()) => println!("\nacknowledged {n}"),
            Err(error) => println!("\nrefused {n}\n{error}"),
        }
    }
    runtime.block_on(audit.close());
}
