//! A disk that fails under the state of plugins: writes and syncs that the kernel refuses, and an end of the
//! host at each of them.
//!
//! Invariant: each fault is counted where it was made; one that hit nothing fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::strace::{Trace, injected};
use crate::support::cases::observed;
use crate::support::home::{Home, finish};
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::Server;
use crate::support::told::described;

/// System calls of a write, what they fail with, and which of them do.
const FAULTS: [(&str, &str, &str); 13] = [
    ("fdatasync", "ENOSPC", "1+"),
    ("fdatasync", "EIO", "1"),
    ("fdatasync", "EIO", "2"),
    ("pwrite64", "ENOSPC", "1+"),
    ("pwrite64", "ENOSPC", "2"),
    ("pwrite64", "EIO", "3"),
    ("pwrite64", "EDQUOT", "5+"),
    ("pwrite64", "EIO", "9"),
    ("ftruncate", "ENOSPC", "1+"),
    ("ftruncate", "EFBIG", "1"),
    ("fdatasync,pwrite64,ftruncate", "EROFS", "1+"),
    ("fdatasync,pread64", "EIO", "1+"),
    ("fdatasync", "EINTR", "1"),
];

/// Writes under each fault; more of them until one is refused, where the file has room left and need not grow.
const WRITES: usize = 6;
const MOST_WRITES: usize = 200;

/// What was written, and what was said of it.
#[derive(Default)]
struct Written {
    /// Values that were acknowledged, by key.
    acknowledged: BTreeMap<String, String>,
    /// All values that were ever sent for a key.
    sent: BTreeMap<String, Vec<String>>,
    /// Writes that were refused.
    refused: usize,
}

impl Written {
    /// Writes a value and keeps what was said.
    #[track_caller]
    fn set(&mut self, server: &mut Server, key: &str, value: &str) -> bool {
        self.sent.entry(key.to_owned()).or_default().push(value.to_owned());
        let result = server.call("kv_set", json!({ "key": key, "value": value }));
        if result["isError"] != true {
            assert_says(&result, "set");
            self.acknowledged.insert(key.to_owned(), value.to_owned());
            return true;
        }
        assert_failed(&result, "unavailable", "upstream");
        let told = "unavailable: the state of plugins is not available: ";
        assert!(text(&result).starts_with(told), "{}", text(&result));
        self.refused += 1;
        false
    }

    /// Whatever is there was sent, and not before what was acknowledged last.
    #[track_caller]
    fn assert_kept(&self, held: &BTreeMap<String, String>) {
        for (key, value) in held {
            assert!(self.sent[key].contains(value), "{key} holds what nobody wrote");
        }
        for (key, value) in &self.acknowledged {
            let sent = &self.sent[key];
            let place = |value: &String| sent.iter().rposition(|sent| sent == value);
            assert!(held.get(key).and_then(place) >= place(value), "{key} is not what it was said to be");
        }
    }
}

fn home() -> Home {
    Home::new()
        .guest("kv")
        .file("kv.toml", b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"16MiB\"\n")
        .config("[plugins.kv.grant]\nkv = \"16MiB\"\n")
        .accept("kv")
        .wat("plain")
}

/// What is kept for a plugin, by a process of its own.
#[track_caller]
fn export(home: &Home, plugin: &str) -> BTreeMap<String, String> {
    let exported = home.run(&["state", "export", plugin]);
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let lines = exported.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entry =
        |line: Value| (line["key"].as_str().unwrap().to_owned(), line["value"].as_str().unwrap().into());
    lines.map(entry).collect()
}

#[test]
fn a_write_that_the_disk_refuses_is_told_and_costs_nothing_that_was_acknowledged() {
    let home = home();
    let file = home.path().join("state/kv.redb").display().to_string();
    let mut server = home.serve();
    let mut written = Written::default();
    assert!(written.set(&mut server, "last", "first"));
    let mut hits = 0;
    for (n, (calls, error, when)) in FAULTS.into_iter().enumerate() {
        let what = format!("{calls}:{error}:{when}");
        let (traced, fault) = (format!("trace={calls}"), format!("inject={calls}:error={error}:when={when}"));
        let refused = written.refused;
        let tracer = Trace::new().attach(&server, &["-P", &file, "-e", &traced, "-e", &fault]);
        for write in 0..MOST_WRITES {
            if write >= WRITES && (written.refused > refused || error == "EINTR") {
                break;
            }
            // Of one page, and of more than the file has.
            written.set(&mut server, "last", &format!("{n}-{write}"));
            let large = format!("{n}-{write} ").repeat(8_000);
            written.set(&mut server, &format!("{n}-{write}"), &large);
        }
        let (hit, refused) = (injected(&tracer.detach()), written.refused - refused);
        assert!(hit > 0, "{what} hit nothing");
        // A call that was only interrupted is made again.
        assert_eq!(refused > 0, error != "EINTR", "{what}: {refused} writes refused");
        hits += hit;
        // The host goes on, and with the disk well again so does the state.
        assert_says(&server.call("plain_run", json!({})), "done");
        assert!(written.set(&mut server, "last", &format!("{n}-after")), "{what}");
        for (key, value) in &written.acknowledged {
            assert_says(&server.call("kv_get", json!({ "key": key })), value);
        }
    }
    server.end();
    written.assert_kept(&export(&home, "kv"));
    let (refused, kept) = (written.refused, written.acknowledged.len());
    observed(
        "E09",
        format_args!(
            "{hits} faults of the disk: {refused} writes refused, {kept} acknowledged values all there"
        ),
    );
}

/// How a command ended that was to be killed at a step.
enum Killed {
    /// It came so far, and had said that it had written, or not.
    At { acknowledged: bool },
    /// It does not take so many steps.
    Not,
}

/// Writes once, under an order to be killed at the nth of a call on the file of the state.
#[track_caller]
fn write_and_be_killed(home: &Home, n: u64, call: &str, step: u64, threads: &[&str]) -> Killed {
    let file = home.path().join("state/kv.redb").display().to_string();
    let (traced, kill) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={step}"));
    let options = [threads, &["-P", &file, "-e", &traced, "-e", &kill]].concat();
    let command = home.command(&["call", "writer_run", &json!({ "n": n }).to_string()]);
    let finished = finish(&mut Trace::new().around(&command, &options), b"");
    let acknowledged = finished.stdout == "done\n";
    match finished.code {
        None => Killed::At { acknowledged },
        Some(0) if acknowledged => Killed::Not,
        code => panic!("{code:?}: {}", finished.stderr),
    }
}

/// The numbers of the writes that are there.
#[track_caller]
fn numbers(home: &Home) -> BTreeSet<u64> {
    let exported = home.run(&["state", "export", "writer"]);
    let is_empty = exported.stderr.starts_with("hubcap: nothing is kept for \"writer\"");
    assert!(exported.code == Some(0) || is_empty, "{}", exported.stderr);
    let number = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["value"].as_str().map(|text| text.as_bytes().to_vec());
        let value =
            text.unwrap_or_else(|| BASE64.decode(line["base64"].as_str().unwrap().as_bytes()).unwrap());
        let n = u64::from_le_bytes(*value.first_chunk().unwrap());
        assert!(value == n.to_le_bytes().repeat(16), "torn: {line}");
        n
    };
    exported.stdout.lines().map(number).collect()
}

#[test]
fn a_host_that_ends_at_any_step_of_a_write_loses_nothing_that_was_acknowledged() {
    let manifest = b"id = \"writer\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let config = "[plugins.writer.grant]\nkv = \"1MiB\"\n";
    let home = Home::new().wat("writer").file("writer.toml", manifest).config(config).accept("writer");
    let (mut n, mut kills, mut after_the_answer) = (0, 0, 0);
    let mut acknowledged = BTreeSet::new();
    let calls = ["pwrite64", "fdatasync", "ftruncate"];
    // While the database is made, and in one that is there; by the thread that writes, and by the one that
    // closes the file at the end.
    for (is_new, threads) in [(true, &["-f"][..]), (true, &[]), (false, &["-f"]), (false, &[])] {
        for call in calls {
            for step in 1.. {
                if is_new {
                    let _ = fs::remove_dir_all(home.path().join("state"));
                    acknowledged.clear();
                }
                let killed = write_and_be_killed(&home, n, call, step, threads);
                let Killed::At { acknowledged: said } = killed else { break };
                kills += 1;
                after_the_answer += u64::from(said);
                acknowledged.extend(said.then_some(n));
                let there = numbers(&home);
                assert!(there.is_superset(&acknowledged), "{call} {step}: {there:?} of {acknowledged:?}");
                let next = home.run(&["call", "writer_run", &json!({ "n": n + 1 }).to_string()]);
                assert_eq!(next.stdout, "done\n", "{call} {step} {threads:?}: {}", next.stderr);
                acknowledged.insert(n + 1);
                n += 2;
            }
        }
    }
    assert!(kills >= 40 && (1..kills).contains(&after_the_answer), "{kills} {after_the_answer}");
    let acknowledged = after_the_answer + kills;
    observed(
        "E14",
        format_args!(
            "killed at {kills} steps of a write, {after_the_answer} after the answer: {acknowledged} acknowledged, all there"
        ),
    );
}

/// Steps in which the lock is written, and what they fail with: the file beside it, the name, the folder.
const OF_THE_LOCK: [(&str, &str, &str); 6] = [
    ("openat", "ENOSPC", ".hubcap.lock.guard"),
    ("openat", "ENOSPC", ".hubcap.lock.draft"),
    ("write", "ENOSPC", ".hubcap.lock.draft"),
    ("fsync", "EIO", ".hubcap.lock.draft"),
    ("rename", "EIO", ".hubcap.lock.draft"),
    ("fsync", "EIO", ""),
];

#[test]
fn what_was_accepted_is_in_the_lock_whole_or_was_never_said_to_be() {
    let home = Home::new().file("tool.wasm", &described("Runs."));
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    fs::write(home.plugins().join("tool.wasm"), described("Runs, new.")).unwrap();
    let lock = home.path().join("hubcap.lock");
    let before = fs::read(&lock).unwrap();
    let mut hits = 0;
    for (call, error, name) in OF_THE_LOCK {
        let trace = Trace::new();
        let path = home.path().join(name).components().as_path().display().to_string();
        let (traced, fault) = (format!("trace={call}"), format!("inject={call}:error={error}"));
        let command = home.command(&["plugin", "approve", "tool", "--yes"]);
        let options = ["-f", "-P", &path, "-e", &traced, "-e", &fault];
        let refused = finish(&mut trace.around(&command, &options), b"");
        let hit = injected(&trace.steps());
        assert!(hit > 0, "{call} of {path} hit nothing");
        hits += hit;
        assert_eq!(refused.code, Some(1), "{call} {name}: {}{}", refused.stdout, refused.stderr);
        assert!(!refused.stdout.contains("accepted: "), "{}", refused.stdout);
        assert!(refused.stderr.contains(&format!("cannot write {}: ", lock.display())), "{}", refused.stderr);
        // The name changes in one step; after it, only its way to the disk is in doubt.
        if !name.is_empty() {
            assert!(fs::read(&lock).unwrap() == before, "{call} {name}");
            assert_eq!(home.plugin("tool.wasm")["state"], "quarantined", "{call} {name}");
        }
    }
    let accepted = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!((accepted.code, home.run(&["call", "tool_run"]).stdout.as_str()), (Some(0), "done\n"));
    let faults = OF_THE_LOCK.len();
    observed(
        "E09",
        format_args!("{hits} faults at {faults} steps of writing the lock: each refused, the lock whole"),
    );
}
