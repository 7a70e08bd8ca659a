//! What becomes of the log when somebody else has a hand in it while hubcap writes.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::observed::observed;

use super::{Log, body, folder, lines, place, verdict, write};

/// What is done to the log between two records.
type Meddle<'a> = &'a dyn Fn(&Path);

/// Writes three records, has the log meddled with, writes two more, and gives what the next segment says.
#[track_caller]
fn meddled(meddle: Meddle<'_>) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    let mut log = Log::open(place(home.path(), 1 << 20), None).unwrap();
    log.append(&[body(0), body(1), body(2)], 0).unwrap();
    log.sync().unwrap();
    log.anchor();
    meddle(&folder(home.path()));
    log.append(&[body(3)], 0).unwrap();
    log.append(&[body(4)], 0).unwrap();
    log.sync().unwrap();
    log.anchor();
    drop(log);
    let records = lines(home.path(), "000002.jsonl");
    assert_eq!(records.len(), 3, "{records:#?}");
    assert_eq!(records[0]["seq"], 5);
    let told = records[0]["fault"].as_str().unwrap().to_owned();
    (home, told)
}

#[test]
fn a_segment_that_is_deleted_moved_replaced_or_cut_is_told_and_the_next_one_holds_on_to_it() {
    let first = |folder: &Path| folder.join("000001.jsonl");
    let cases: [(Meddle<'_>, &str); 6] = [
        (&|log| fs::remove_file(first(log)).unwrap(), "it was deleted while hubcap wrote to it"),
        (&|log| fs::rename(first(log), log.join("old")).unwrap(), "it was moved or replaced"),
        (
            &|log| {
                let text = fs::read_to_string(first(log)).unwrap();
                fs::write(log.join("new"), text).unwrap();
                fs::rename(log.join("new"), first(log)).unwrap();
            },
            "it was deleted while hubcap wrote to it",
        ),
        (
            &|log| {
                let text = fs::read_to_string(first(log)).unwrap();
                let kept = text.split_inclusive('\n').take(2).collect::<String>();
                fs::write(first(log), kept).unwrap();
            },
            "it was cut while hubcap wrote to it",
        ),
        (
            &|log| {
                let mut file = fs::OpenOptions::new().append(true).open(first(log)).unwrap();
                file.write_all(b"one more\n").unwrap();
            },
            "something was added while hubcap wrote to it",
        ),
        (
            &|log| {
                let text = fs::read_to_string(first(log)).unwrap();
                fs::write(first(log), text.replacen("echo", "echO", 1)).unwrap();
            },
            "the record is not as it was written",
        ),
    ];
    let mut told_of = 0;
    for (meddle, expected) in cases {
        let (home, told) = meddled(meddle);
        assert!(told.starts_with("000001.jsonl") && told.contains(expected), "{told}");
        let found = verdict(home.path());
        assert!(found.faults.iter().any(|fault| fault.what.contains(expected)), "{found:?}");
        told_of += 1;
    }
    observed(
        "E16",
        format_args!("{told_of} ways to meddle with a segment that is written to: all told in the next one"),
    );
}

#[test]
fn an_anchor_that_is_removed_or_changed_meanwhile_is_told() {
    let head = |folder: &Path| folder.join("head");
    let cases: [(Meddle<'_>, &str); 3] = [
        (&|log| fs::remove_file(head(log)).unwrap(), "head: it was removed while hubcap ran"),
        (
            &|log| {
                let text = fs::read_to_string(head(log)).unwrap();
                fs::write(head(log), text.replacen("\"seq\":4", "\"seq\":3", 1)).unwrap();
            },
            "head: it was changed while hubcap ran",
        ),
        (&|log| fs::write(head(log), "").unwrap(), "head: it is no anchor of hubcap's"),
    ];
    let mut seen = Vec::new();
    for (meddle, expected) in cases {
        let (home, told) = meddled(meddle);
        assert_eq!(told, expected);
        let found = verdict(home.path());
        assert_eq!((found.faults.len(), found.records), (1, 7), "{found:?}");
        seen.push(told.trim_start_matches("head: it ").to_owned());
    }
    observed("E16", format_args!("the anchor: {}", seen.join("; ")));
}

#[test]
fn what_changes_nothing_in_it_is_no_fault() {
    let home = tempfile::tempdir().unwrap();
    let mut log = Log::open(place(home.path(), 1 << 20), None).unwrap();
    log.append(&[body(0)], 0).unwrap();
    let segment = folder(home.path()).join("000001.jsonl");
    let text = fs::read(&segment).unwrap();
    fs::OpenOptions::new().write(true).open(&segment).unwrap().write_all(&text).unwrap();
    fs::hard_link(&segment, home.path().join("backup")).unwrap();
    log.append(&[body(1)], 0).unwrap();
    let found = verdict(home.path());
    assert_eq!((found.faults.len(), found.segments, found.records), (0, 1, 3), "{found:?}");
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew_and_says_what_it_misses() {
    let home = tempfile::tempdir().unwrap();
    let place = place(home.path(), 1 << 20);
    let mut log = Log::open(place.clone(), None).unwrap();
    log.append(&[body(0), body(1)], 0).unwrap();
    fs::rename(folder(home.path()), home.path().join("old")).unwrap();
    let error = log.append(&[body(2)], 0).unwrap_err();
    assert_eq!(error.to_string(), "its directory was moved away");
    let known = log.last.clone();
    drop(log);
    let mut log = Log::open(place, Some(&known)).unwrap();
    log.append(&[body(2)], 0).unwrap();
    let records = lines(home.path(), "000001.jsonl");
    assert_eq!(records[0]["fault"], "record 3 was written, and there is no record");
    assert_eq!((&records[0]["seq"], records.len()), (&4.into(), 2));
}

#[test]
fn a_file_that_lies_in_the_way_of_the_next_segment_is_not_written_to() {
    let home = tempfile::tempdir().unwrap();
    write(&place(home.path(), 2_000), 1);
    let mut log = Log::open(place(home.path(), 2_000), None).unwrap();
    fs::write(folder(home.path()).join("000002.jsonl"), "mine").unwrap();
    for n in 0..8 {
        log.append(&[body(n)], 0).unwrap();
    }
    assert_eq!(fs::read_to_string(folder(home.path()).join("000002.jsonl")).unwrap(), "mine");
    assert_eq!(lines(home.path(), "000003.jsonl")[0]["kind"], "start");
}
