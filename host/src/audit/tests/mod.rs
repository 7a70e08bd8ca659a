//! The log from the side of those who write to it, and of those who meddle with it.

mod edits;
mod faults;
mod kills;
mod limits;
mod meddling;
mod recovery;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::log::{Log, Place};
use super::record::{Body, End, Record, Style};
use super::{Audit, Link, Verdict, verify};
use crate::config::{self, Arguments};
use crate::model::{CallId, Caller, Receipt};

/// A sequence of numbers that looks like chance and is the same for the same seed.
struct Random(u64);

impl Random {
    /// A number below `end`: splitmix64.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("state/audit")
}

/// A log with segments of so many bytes, all of which are kept.
fn place(home: &Path, segment: u64) -> Place {
    let run: Arc<str> = "01234567".into();
    Place { home: home.to_owned(), path: folder(home), segment, keep: 1 << 40, run }
}

fn style(arguments: Arguments) -> Style {
    Style { run: "01234567".into(), arguments }
}

/// A record of a call that ended well.
fn record(n: u64) -> Record {
    let receipt = Receipt { fuel: n, grants: vec!["kv".into()], ..Receipt::default() };
    Record {
        time: UNIX_EPOCH,
        call: CallId::next(),
        caller: Caller::Agent,
        plugin: "echo".into(),
        tool: "say".into(),
        digest: Some("d".repeat(64)),
        definition: None,
        arguments: json!({ "n": n }),
        secrets: None,
        approval: None,
        end: Some(End { error: None, receipt: Some(receipt) }),
    }
}

/// A decision about a call.
fn decision(n: u64) -> Record {
    Record { approval: Some(json!({ "n": n })), end: None, ..record(n) }
}

fn body(n: u64) -> Body {
    Body::of(record(n), &style(Arguments::Hash))
}

/// Writes so many records, one by one, and closes the log as a host does that ends.
fn write(place: &Place, count: u64) {
    let mut log = Log::open(place.clone(), None).expect("the log opens");
    for n in 0..count {
        log.append(&[body(n)], 0).unwrap();
    }
    log.sync().unwrap();
    log.anchor();
}

fn audit(place: Place) -> Arc<Audit> {
    Audit::at(place, &config::Audit::default())
}

#[track_caller]
fn verdict(home: &Path) -> Verdict {
    verify(&folder(home), None).expect("the log is there")
}

/// The first thing that is wrong, as `file:line: what`.
#[track_caller]
fn first_fault(home: &Path) -> String {
    let verdict = verdict(home);
    let fault = verdict.faults.first().unwrap_or_else(|| panic!("nothing is wrong: {verdict:?}"));
    let line = fault.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}: {}", fault.file, fault.what)
}

fn lines(home: &Path, segment: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder(home).join(segment)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_record_says_who_did_what_with_what_and_how_it_ended() {
    let home = tempfile::tempdir().unwrap();
    write(&place(home.path(), 1 << 20), 2);
    let text = fs::read_to_string(folder(home.path()).join("000001.jsonl")).unwrap();
    let line = text.lines().nth(1).unwrap();
    let shape: String = line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert!(
        shape.starts_with(r#"{"seq":0,"kind":"call","time":"0000-00-00T00:00:00.000Z","run":""#),
        "{line}"
    );
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&record["plugin"], &record["tool"]), (&json!("echo"), &json!("say")));
    assert_eq!((&record["caller"], &record["outcome"]), (&json!("agent"), &json!("ok")));
    assert_eq!(record["grants"], json!(["kv"]));
    assert_eq!(record["cost"]["fuel"], 0);
    assert_eq!(record["cost"].get("callId"), None);
    // What `printf '{"n":0}' | sha256sum` says.
    let sha256 = "f3013f933b9fb80ab6d995e7ad9da36f683837ba1d81e950c943d40111eac2f0";
    assert_eq!(record["arguments"], json!({ "sha256": sha256, "bytes": 7 }));
    let records = lines(home.path(), "000001.jsonl");
    assert_eq!(records[0]["kind"], "start");
    assert_eq!(records[0]["prev"], "0".repeat(64));
    assert!(records.windows(2).all(|pair| pair[1]["prev"] == pair[0]["hash"]));
    assert_eq!(records.iter().map(|record| &record["seq"]).collect::<Vec<_>>(), [1, 2, 3]);
    let verdict = verdict(home.path());
    assert_eq!((verdict.records, verdict.segments, verdict.faults.len()), (3, 1, 0));
    assert_eq!(verdict.head.unwrap().hash, records[2]["hash"]);
}

#[test]
fn a_segment_that_is_full_is_followed_by_the_next() {
    let home = tempfile::tempdir().unwrap();
    write(&place(home.path(), 2_000), 12);
    let verdict = verdict(home.path());
    assert!(verdict.segments > 2, "{verdict:?}");
    assert_eq!((verdict.records, verdict.faults.len()), (12 + verdict.segments, 0), "{verdict:?}");
    let (first, second) = (lines(home.path(), "000001.jsonl"), lines(home.path(), "000002.jsonl"));
    assert_eq!(second[0]["kind"], "start");
    assert_eq!(second[0]["prev"], first.last().unwrap()["hash"]);
}

#[test]
fn the_oldest_segments_go_when_there_are_more_than_are_kept_and_the_log_says_so() {
    let home = tempfile::tempdir().unwrap();
    let place = Place { keep: 10_000, ..place(home.path(), 2_000) };
    write(&place, 60);
    let there = |number: u64| folder(home.path()).join(super::files::name(number)).exists();
    assert!(!there(1) && !there(2));
    let whole = verdict(home.path());
    assert_eq!(whole.faults, [], "{whole:?}");
    let through = whole.removed_through.unwrap();
    assert!(there(through + 1) && !there(through), "{whole:?}");
    let size: u64 = fs::read_dir(folder(home.path()))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size <= 10_000 + 2_000, "{size}");
    // One more, by somebody else.
    fs::remove_file(folder(home.path()).join(super::files::name(through + 1))).unwrap();
    assert_eq!(
        first_fault(home.path()),
        format!("{:06}.jsonl: it is missing, and no record says that it was removed", through + 1)
    );
}

#[test]
fn whoever_comes_later_goes_on_where_the_log_ends() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        write(&place(home.path(), 1 << 20), 2);
    }
    let verdict = verdict(home.path());
    assert_eq!((verdict.records, verdict.segments, verdict.faults.len()), (9, 1, 0), "{verdict:?}");
}
