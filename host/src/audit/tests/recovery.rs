//! What becomes of the log when a hubcap opens it that another left as it was.

use std::fs;
use std::path::Path;

use crate::audit::files::Head;
use crate::directory::Directory;

use super::{Log, body, first_fault, folder, lines, place, verdict, write};

const SEGMENT: &str = "000001.jsonl";

/// A log whose last line the anchor does not know of, as after a kill.
fn killed(home: &Path) -> String {
    write(&place(home, 1 << 20), 3);
    let mut log = Log::open(place(home, 1 << 20), None).unwrap();
    log.append(&[body(3)], 0).unwrap();
    drop(log);
    fs::read_to_string(folder(home).join(SEGMENT)).unwrap()
}

fn last_line(text: &str) -> &str {
    text.split_inclusive('\n').next_back().unwrap()
}

#[test]
fn a_torn_line_is_cut_off_wherever_it_is_torn_and_what_it_was_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let whole = killed(home.path());
    let state = fs::read(folder(home.path()).join("head")).unwrap();
    let torn = last_line(&whole);
    for cut in (1..torn.len()).step_by(13).chain([torn.len() - 1]) {
        let before = tempfile::tempdir().unwrap();
        super::copy(&folder(home.path()), &folder(before.path()));
        let path = folder(before.path()).join(SEGMENT);
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let found = verdict(before.path());
        assert_eq!((found.faults, found.unfinished), (vec![], (torn.len() - cut) as u64), "{cut}");
        drop(Log::open(place(before.path(), 1 << 20), None).unwrap());
        let found = verdict(before.path());
        assert_eq!((found.faults.len(), found.repaired, found.unfinished), (0, 1, 0), "{cut}: {found:?}");
        let kept = fs::read(folder(before.path()).join("000001.torn")).unwrap();
        assert_eq!(kept, &torn.as_bytes()[..torn.len() - cut]);
        let told = lines(before.path(), SEGMENT).pop().unwrap();
        assert_eq!(told["repaired"]["bytes"], torn.len() - cut);
    }
    assert_eq!(fs::read(folder(home.path()).join("head")).unwrap(), state);
}

#[test]
fn a_last_line_that_is_damaged_is_cut_off_only_where_nobody_was_told_that_it_is_there() {
    for anchored in [false, true] {
        let home = tempfile::tempdir().unwrap();
        if anchored {
            write(&place(home.path(), 1 << 20), 4);
        } else {
            killed(home.path());
        }
        let path = folder(home.path()).join(SEGMENT);
        let whole = fs::read_to_string(&path).unwrap();
        let line = last_line(&whole).to_owned();
        fs::write(&path, whole.replace(&line, &line.replace("echo", "\0\0\0\0"))).unwrap();
        assert!(first_fault(home.path()).contains("this is no record"));
        drop(Log::open(place(home.path(), 1 << 20), None).unwrap());
        let found = verdict(home.path());
        assert_eq!((found.repaired, found.segments), if anchored { (0, 2) } else { (1, 1) }, "{found:?}");
        assert_eq!(found.faults.is_empty(), !anchored, "{found:?}");
    }
}

#[test]
fn whatever_else_is_wrong_is_left_as_it_is_and_told_in_a_new_segment() {
    let line = |text: &str, number: usize| text.split_inclusive('\n').nth(number).unwrap().to_owned();
    let changed = |text: &str| text.replace(&line(text, 2), &line(text, 2).replace("echo", "echO"));
    let removed = |text: &str| text.replace(&line(text, 2), "");
    let cut = |text: &str| text.replace(last_line(text), "");
    type Edit<'a> = &'a dyn Fn(&str) -> String;
    let cases: [(Edit<'_>, &str); 3] = [
        (&changed, "000001.jsonl:3: the record is not as it was written"),
        (&removed, "000001.jsonl:3: the record does not follow the one before"),
        (&cut, "head: it names record 6, and the log ends with record 5"),
    ];
    for (edit, told) in cases {
        let home = tempfile::tempdir().unwrap();
        write(&place(home.path(), 1 << 20), 5);
        let path = folder(home.path()).join(SEGMENT);
        let edited = edit(&fs::read_to_string(&path).unwrap());
        fs::write(&path, &edited).unwrap();
        let before = first_fault(home.path());
        write(&place(home.path(), 1 << 20), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), edited);
        let records = lines(home.path(), "000002.jsonl");
        assert!(records[0]["fault"].as_str().unwrap().starts_with(told), "{:#}", records[0]);
        assert_eq!((records.len(), &records[0]["seq"]), (3, &7.into()));
        // It stays told, and those who come later do not tell it again.
        write(&place(home.path(), 1 << 20), 2);
        let found = verdict(home.path());
        assert_eq!(found.segments, 2);
        let told_by_hubcap = found.faults.iter().filter(|fault| fault.what.contains("hubcap found")).count();
        assert_eq!(told_by_hubcap, 1, "{found:?}");
        assert!(found.faults.len() > 1 || before.starts_with("head"), "{found:?}");
    }
}

#[test]
fn an_anchor_that_is_gone_or_nonsense_is_told_and_made_anew() {
    for content in [None, Some("nonsense")] {
        let home = tempfile::tempdir().unwrap();
        write(&place(home.path(), 1 << 20), 2);
        let head = folder(home.path()).join("head");
        match content {
            Some(content) => fs::write(&head, content).unwrap(),
            None => fs::remove_file(&head).unwrap(),
        }
        write(&place(home.path(), 1 << 20), 2);
        let found = verdict(home.path());
        assert_eq!((found.faults.len(), found.segments, found.records), (1, 2, 6), "{found:?}");
        assert!(found.faults[0].what.contains("went on in this file: head: "), "{found:?}");
        assert_eq!(found.faults[0].file, "000002.jsonl");
    }
}

#[test]
fn where_there_can_be_no_anchor_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    write(&place(home.path(), 1 << 20), 2);
    let mut log = Log::open(place(home.path(), 1 << 20), None).unwrap();
    let head = folder(home.path()).join("head");
    fs::remove_file(&head).unwrap();
    fs::create_dir_all(head.join("in the way")).unwrap();
    for _ in 0..3 {
        let error = log.append(&[body(0)], 0).unwrap_err().to_string();
        assert!(error.starts_with("head: "), "{error}");
    }
    drop(log);
    for _ in 0..3 {
        assert!(Log::open(place(home.path(), 1 << 20), None).is_err());
    }
    assert!(!folder(home.path()).join("000002.jsonl").exists());
    fs::remove_dir_all(&head).unwrap();
    write(&place(home.path(), 1 << 20), 1);
    assert_eq!(lines(home.path(), "000002.jsonl")[0]["fault"], "head: it is missing");
}

#[test]
fn a_last_segment_that_is_gone_is_told() {
    let home = tempfile::tempdir().unwrap();
    write(&place(home.path(), 2_000), 12);
    let last = format!("{:06}.jsonl", verdict(home.path()).segments);
    fs::remove_file(folder(home.path()).join(&last)).unwrap();
    write(&place(home.path(), 2_000), 1);
    let found = verdict(home.path());
    assert_eq!(found.faults[0].file, last, "{found:?}");
    assert!(found.faults[0].what.contains("it is missing"), "{found:?}");
}

#[test]
fn a_kill_while_a_segment_begins_leaves_a_log_that_goes_on() {
    for left in ["", "{\"seq\":7,\"kind\":\"sta"] {
        let home = tempfile::tempdir().unwrap();
        write(&place(home.path(), 1 << 20), 5);
        fs::write(folder(home.path()).join("000002.jsonl"), left).unwrap();
        write(&place(home.path(), 1 << 20), 2);
        let found = verdict(home.path());
        assert_eq!((found.faults.len(), found.segments, found.records), (0, 2, 9), "{found:?}");
        assert_eq!(found.repaired, u64::from(!left.is_empty()));
    }
    // Before there was a first one.
    let home = tempfile::tempdir().unwrap();
    drop(Log::open(place(home.path(), 1 << 20), None).unwrap());
    fs::write(folder(home.path()).join(SEGMENT), "").unwrap();
    fs::write(folder(home.path()).join("head"), "{\"seq\":0,\"hash\":\"").unwrap();
    Head::origin().write(&Directory::owned(&folder(home.path())).unwrap()).unwrap();
    write(&place(home.path(), 1 << 20), 2);
    assert_eq!(verdict(home.path()).faults, []);
}
