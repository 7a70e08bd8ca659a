//! Every bound of the log, at its edge and beyond.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Audit, Link, Record, Style, decision, folder, lines, place, record, style, verdict};
use crate::audit::chain::{Flaw, Line, MAX_LINE, Scan};
use crate::audit::files::{Head, MAX_HEAD};
use crate::audit::record::{Body, MAX_WHOLE};
use crate::audit::writing::{Message, Writer};
use crate::audit::{MAX_RECORD, MAX_WAITING, MAX_WAITING_BYTES, Waits};
use crate::config::{self, Arguments, Source};
use crate::directory::Directory;
use crate::policy::SecretGrant;
use crate::secrets::Secrets;

/// An audit whose thread is not there yet.
fn queue(home: &std::path::Path, waits: Waits) -> (Audit, Receiver<Message>) {
    Audit::queue(&place(home, 1 << 30), &config::Audit::default(), waits)
}

fn start(home: &std::path::Path, audit: &Audit, messages: Receiver<Message>) {
    let writer = Writer::new(place(home, 1 << 30), style(Arguments::Hash), Arc::clone(&audit.shared));
    std::thread::spawn(move || writer.run(&messages));
}

#[tokio::test]
async fn as_many_records_wait_as_there_is_room_for_and_one_more_is_lost_and_told_of() {
    let home = tempfile::tempdir().unwrap();
    let (audit, messages) = queue(home.path(), Waits::default());
    let lost = || audit.shared.lost.load(std::sync::atomic::Ordering::Relaxed);
    for n in 0..MAX_WAITING as u64 {
        audit.record(1, move || record(n));
    }
    assert_eq!(lost(), 0);
    audit.record(1, || record(0));
    assert_eq!(lost(), 1);
    let refused = audit.before(decision(0)).await.unwrap_err();
    assert!(refused.to_string().contains("too many records wait"), "{refused}");
    start(home.path(), &audit, messages);
    audit.close().await;
    let found = verdict(home.path());
    assert_eq!((found.lost, found.records, found.faults), (1, MAX_WAITING as u64 + 1, vec![]));
    assert_eq!(lines(home.path(), "000001.jsonl")[1]["lost"], 1);
    assert_eq!(audit.shared.bytes.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn sixteen_mib_of_arguments_wait_and_what_comes_on_top_is_hashed_by_its_call() {
    let home = tempfile::tempdir().unwrap();
    let config = config::Audit { arguments: Arguments::Whole, ..config::Audit::default() };
    let (audit, messages) = Audit::queue(&place(home.path(), 1 << 20), &config, Waits::default());
    audit.record(MAX_WAITING_BYTES, || record(0));
    assert!(matches!(messages.try_recv(), Ok(Message::Later(..))));
    audit.record(1, || record(1));
    let Ok(Message::Now(body)) = messages.try_recv() else { panic!("it waits") };
    assert!(body.fields.contains("\"arguments\":{\"bytes\":7,\"sha256\":"), "{}", body.fields);
}

/// What stands in the log of these arguments.
fn shown(arguments: Value, whole: &Style, secrets: Option<Arc<Secrets>>) -> Value {
    let body = Body::of(Record { arguments, secrets, ..record(0) }, whole);
    let record: Value = serde_json::from_str(&format!("{{{}}}", body.fields)).unwrap();
    record["arguments"].clone()
}

#[tokio::test]
async fn arguments_of_64_kib_are_written_whole_where_that_is_wanted_and_longer_ones_hashed() {
    let whole = style(Arguments::Whole);
    let fits = json!("x".repeat(MAX_WHOLE - 2));
    assert_eq!(shown(fits.clone(), &whole, None), json!({ "whole": fits }));
    let longer = shown(json!("x".repeat(MAX_WHOLE - 1)), &whole, None);
    assert_eq!(longer["bytes"], MAX_WHOLE + 1);
    assert!(longer.get("whole").is_none() && longer["sha256"].is_string(), "{longer}");
    let hashed = shown(json!({ "b": 1, "a": [true] }), &style(Arguments::Hash), None);
    assert_eq!(hashed, shown(json!({ "a": [true], "b": 1 }), &style(Arguments::Hash), None));
}

#[tokio::test]
async fn whole_arguments_have_no_secret_of_the_plugin_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "s3cret-value").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let grant = SecretGrant { name: "token".into(), source: Source::File(path), bound: None, reveal: true };
    let secrets = Arc::new(Secrets::read(&[grant]).await.unwrap());
    let seen = shown(json!({ "q": "is s3cret-value it?" }), &style(Arguments::Whole), Some(secrets));
    assert_eq!(seen, json!({ "whole": { "q": "is [secret token] it?" } }));
}

/// The line of a record with so many bytes in it beside what each has.
fn line_of(bytes: usize) -> String {
    let body = |padding: usize| Body {
        kind: "call",
        fields: format!("\"time\":\"\",\"x\":\"{}\"", "x".repeat(padding)),
    };
    let empty = Link::origin().line(&body(0), 0).0.len();
    Link::origin().line(&body(bytes - empty), 0).0
}

#[test]
fn a_line_of_256_kib_is_read_and_a_longer_one_is_none_of_ours() {
    let read = |text: &str| Scan::of(text.as_bytes(), None, |_, _| {}).unwrap();
    let full = line_of(MAX_LINE);
    assert_eq!(full.len(), MAX_LINE);
    assert!(Line::read(full.as_bytes()).is_ok());
    assert_eq!((read(&full).records, read(&full).wrong.map(|wrong| wrong.flaw)), (1, None));
    let longer = read(&line_of(MAX_LINE + 1));
    assert_eq!((longer.records, longer.wrong.map(|wrong| wrong.flaw)), (0, Some(Flaw::Incomplete)));
}

#[tokio::test]
async fn a_decision_fills_a_record_and_a_larger_one_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let audit = super::audit(place(home.path(), 1 << 20));
    let with = |bytes: usize| Record { approval: Some(json!("x".repeat(bytes))), ..decision(0) };
    let empty = Body::of(with(0), &style(Arguments::Hash)).fields.len();
    // The id of a call has more digits in the course of time.
    let room = MAX_RECORD - empty - 8;
    audit.before(with(room)).await.unwrap();
    let refused = audit.before(with(room + 9)).await.unwrap_err();
    assert!(refused.to_string().contains("more than"), "{refused}");
    assert_eq!((verdict(home.path()).records, verdict(home.path()).faults), (2, vec![]));
}

#[test]
fn an_anchor_of_1_kib_is_read_and_a_longer_one_is_none() {
    let home = tempfile::tempdir().unwrap();
    super::write(&place(home.path(), 1 << 20), 1);
    let directory = Directory::owned(&folder(home.path())).unwrap();
    let path = folder(home.path()).join("head");
    let text = std::fs::read_to_string(&path).unwrap();
    let padded = |bytes: usize| format!("{}{text}", " ".repeat(bytes - text.len()));
    std::fs::write(&path, padded(MAX_HEAD as usize)).unwrap();
    assert!(Head::read(&directory).unwrap().unwrap().is_some());
    std::fs::write(&path, padded(MAX_HEAD as usize + 2)).unwrap();
    assert!(Head::read(&directory).unwrap().is_err());
}

#[tokio::test]
async fn a_decision_and_the_end_wait_for_the_disk_and_no_longer_than_their_bounds() {
    let home = tempfile::tempdir().unwrap();
    let short = Waits { decision: Duration::from_millis(20), close: Duration::from_millis(20) };
    let (audit, messages) = queue(home.path(), short);
    let started = Instant::now();
    let refused = audit.before(decision(0)).await.unwrap_err();
    assert!(refused.to_string().contains("the disk did not take it within"), "{refused}");
    audit.close().await;
    let time = started.elapsed();
    assert!(time >= Duration::from_millis(40) && time < Duration::from_secs(10), "{time:?}");
    drop(messages);
    let (audit, messages) = queue(home.path(), Waits::default());
    start(home.path(), &audit, messages);
    audit.before(decision(0)).await.unwrap();
    audit.close().await;
}
