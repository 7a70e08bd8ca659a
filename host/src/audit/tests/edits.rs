//! A thousand edits of a log, each of which `verify` finds.

#![allow(clippy::print_stdout, reason = "what a test says while it runs")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::observed::observed;

use super::{Random, copy, folder, place, verdict, write};

/// Edits in all.
const EDITS: u64 = 1_000;

/// What somebody does to a segment; nothing where it would change nothing.
type Edit = fn(&mut Random, &str) -> Option<Vec<u8>>;

const KINDS: [(&str, Edit); 9] = [
    ("a bit is flipped", flip),
    ("a byte is removed", |random, text| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.remove(random.below(bytes.len() as u64) as usize);
        Some(bytes)
    }),
    ("a byte is added", |random, text| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.insert(random.below(bytes.len() as u64 + 1) as usize, random.below(256) as u8);
        Some(bytes)
    }),
    ("a line is removed", |random, text| {
        let mut lines = lines(text);
        lines.remove(random.below(lines.len() as u64) as usize);
        Some(lines.concat().into())
    }),
    ("a line is there twice", |random, text| {
        let mut lines = lines(text);
        let at = random.below(lines.len() as u64) as usize;
        lines.insert(at, lines[at]);
        Some(lines.concat().into())
    }),
    ("two lines are swapped", |random, text| {
        let mut lines = lines(text);
        let (one, other) =
            (random.below(lines.len() as u64) as usize, random.below(lines.len() as u64) as usize);
        lines.swap(one, other);
        (one != other).then(|| lines.concat().into())
    }),
    ("a number is another", |random, text| {
        let digits: Vec<usize> = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
        let mut bytes = text.as_bytes().to_vec();
        let at = digits[random.below(digits.len() as u64) as usize];
        bytes[at] = b'0' + (bytes[at] - b'0' + 1 + random.below(9) as u8) % 10;
        Some(bytes)
    }),
    ("it is cut between two lines", |random, text| {
        let lines = lines(text);
        Some(lines[..random.below(lines.len() as u64) as usize].concat().into())
    }),
    ("it is cut anywhere", |random, text| {
        Some(text.as_bytes()[..random.below(text.len() as u64) as usize].into())
    }),
];

fn flip(random: &mut Random, text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.as_bytes().to_vec();
    let at = random.below(bytes.len() as u64) as usize;
    bytes[at] ^= 1 << random.below(8);
    Some(bytes)
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A log of several segments, closed as it should be.
fn log(home: &Path) -> Vec<String> {
    write(&place(home, 8_000), 60);
    let whole = verdict(home);
    assert_eq!(whole.faults, []);
    (1..=whole.segments).map(|number| format!("{number:06}.jsonl")).collect()
}

#[test]
fn a_thousand_random_edits_are_found_each_and_every_one() {
    let home = tempfile::tempdir().unwrap();
    let segments = log(home.path());
    assert!(segments.len() > 3, "{segments:?}");
    let (mut random, mut found) = (Random(1), BTreeMap::new());
    let (mut done, mut unfinished) = (0, 0);
    while done < EDITS {
        let (kind, edit) = KINDS[random.below(KINDS.len() as u64) as usize];
        let segment = folder(home.path()).join(&segments[random.below(segments.len() as u64) as usize]);
        let whole = fs::read_to_string(&segment).unwrap();
        let Some(edited) = edit(&mut random, &whole).filter(|edited| edited != whole.as_bytes()) else {
            continue;
        };
        fs::write(&segment, &edited).unwrap();
        let verdict = verdict(home.path());
        // What is added behind the last line looks like one that is being written, and is told as such.
        let is_added = verdict.unfinished > 0 && edited.starts_with(whole.as_bytes());
        assert!(is_added || !verdict.faults.is_empty(), "{kind}: {}: {verdict:?}", segment.display());
        unfinished += u64::from(is_added);
        *found.entry(kind).or_insert(0) += 1;
        fs::write(&segment, whole).unwrap();
        done += 1;
    }
    assert_eq!(verdict(home.path()).faults, []);
    assert!(found.len() == KINDS.len() && found.values().all(|count| *count > 50), "{found:?}");
    println!("{done} edits, all found, {unfinished} of them as an unfinished line: {found:#?}");
    let kinds = found.len();
    observed(
        "E16",
        format_args!("{done} random edits of {kinds} kinds: all found, {unfinished} as an unfinished line"),
    );
}

#[test]
fn a_fault_is_told_by_its_file_and_line() {
    let home = tempfile::tempdir().unwrap();
    log(home.path());
    let path = folder(home.path()).join("000002.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let mut edited = lines(&whole);
    let changed = edited[4].replace("echo", "echO");
    edited[4] = &changed;
    fs::write(&path, edited.concat()).unwrap();
    assert_eq!(super::first_fault(home.path()), "000002.jsonl:5: the record is not as it was written");
    edited.remove(4);
    fs::write(&path, edited.concat()).unwrap();
    assert_eq!(
        super::first_fault(home.path()),
        "000002.jsonl:5: the record does not follow the one before: something was removed, added or moved"
    );
    fs::write(&path, "").unwrap();
    assert!(super::first_fault(home.path()).starts_with("000003.jsonl:1: the record does not follow"));
    fs::remove_file(&path).unwrap();
    assert_eq!(super::first_fault(home.path()), "000002.jsonl: it is missing");
}

#[test]
fn a_cut_behind_the_anchor_is_found_by_a_hash_that_was_noted_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let segments = log(home.path());
    let noted = verdict(home.path()).head.unwrap();
    let path = folder(home.path()).join(segments.last().unwrap());
    let whole = fs::read_to_string(&path).unwrap();
    let kept = lines(&whole);
    let kept = &kept[..kept.len() - 1];
    fs::write(&path, kept.concat()).unwrap();
    assert!(super::first_fault(home.path()).starts_with("head: it names record"));
    // Whoever can cut the log can make the anchor fit.
    let last: serde_json::Value = serde_json::from_str(kept.last().unwrap()).unwrap();
    let head = serde_json::json!({ "seq": last["seq"], "hash": last["hash"], "segment": segments.len() });
    fs::write(folder(home.path()).join("head"), head.to_string()).unwrap();
    assert_eq!(verdict(home.path()).faults, []);
    let checked = super::verify(&folder(home.path()), Some(&noted.hash)).unwrap();
    assert!(checked.faults[0].what.contains("no record has this hash"), "{checked:?}");
}

#[test]
fn an_anchor_that_is_missing_or_another_is_found() {
    let home = tempfile::tempdir().unwrap();
    log(home.path());
    let head = folder(home.path()).join("head");
    let whole = fs::read_to_string(&head).unwrap();
    let other = home.path().join("other");
    fs::create_dir(&other).unwrap();
    log(&other);
    copy(&folder(&other), &home.path().join("kept"));
    for (content, told) in [
        ("nonsense".to_owned(), "head: it is no anchor of hubcap's"),
        (fs::read_to_string(home.path().join("kept/head")).unwrap(), "head: it names another record"),
    ] {
        fs::write(&head, content).unwrap();
        assert!(super::first_fault(home.path()).starts_with(told), "{}", super::first_fault(home.path()));
    }
    fs::remove_file(&head).unwrap();
    assert_eq!(super::first_fault(home.path()), "head: it is missing");
    fs::write(&head, whole).unwrap();
    assert_eq!(verdict(home.path()).faults, []);
}
