//! A process that writes to the log is killed at any moment, again and again: what it acknowledged is there.
//!
//! `HUBCAP_KILLS=1000 cargo test --release --lib audit::tests::kills -- --nocapture` does it a thousand times;
//! `HUBCAP_SEED` gives other moments.

#![allow(clippy::print_stdout, reason = "how the killed process acknowledges, and what a test says")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Audit, Log, Place, Random, decision, folder, place, record, verify};
use crate::audit::files::numbers;
use crate::config::{self, Arguments};
use crate::directory::Directory;
use crate::observed::observed;

/// Kills in a run of all tests.
const KILLS: u64 = 30;
/// Where the killed process finds its home.
const HOME: &str = "HUBCAP_TEST_AUDIT_HOME";
/// Its first number.
const FIRST: &str = "HUBCAP_TEST_AUDIT_FIRST";
/// Decisions that wait at once.
const AT_ONCE: u64 = 4;

/// What came of all kills.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    lost: u64,
    torn: u64,
    removed: u64,
    longest_start: Duration,
}

/// Small segments, of which some are kept: those of one turn and more.
fn small(home: &Path) -> Place {
    Place { keep: 4 << 20, ..place(home, 128 << 10) }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_writer_is_killed() {
    if let Some(home) = std::env::var_os(HOME) {
        return write_until_killed(Path::new(&home));
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |written| written.parse().expect("a number"))
    };
    let (kills, seed) = (number("HUBCAP_KILLS", KILLS), number("HUBCAP_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let (mut random, mut tally, mut noted) = (Random(seed), Tally::default(), None);
    let begun = Instant::now();
    for turn in 0..kills {
        let acknowledged = write_and_kill(home.path(), turn * 1_000_000, &mut random, &mut tally);
        noted = Some(check(home.path(), &acknowledged, noted, &mut tally));
    }
    let each = begun.elapsed() / u32::try_from(kills.max(1)).unwrap();
    println!("seed {seed}: {tally:?}, {each:.1?} each");
    assert_eq!((tally.kills, tally.lost), (kills, 0), "{tally:?}");
    assert!(tally.acknowledged > kills, "the kills came before the writes: {tally:?}");
    assert!(tally.longest_start < Duration::from_secs(20), "{tally:?}");
    observed(
        "E14",
        format_args!(
            "{} kills of a writer of the log: {} of {} acknowledged lost, {} torn lines repaired",
            tally.kills, tally.lost, tally.acknowledged, tally.torn
        ),
    );
    println!(
        "P22: {kills} kills: {} of {} acknowledged lost, {} torn lines",
        tally.lost, tally.acknowledged, tally.torn
    );
}

/// The process that is killed.
fn write_until_killed(home: &Path) {
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let config = config::Audit { arguments: Arguments::Whole, ..config::Audit::default() };
    let audit = Audit::at(small(home), &config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let long = |n: u64| {
        let mut record = record(n);
        // Lines of several pages.
        record.arguments = json!("x".repeat(n as usize * 7_919 % 30_000));
        record
    };
    runtime.block_on(async {
        for n in (first..).step_by(AT_ONCE as usize) {
            audit.record(0, move || long(n));
            let decisions = (n..n + AT_ONCE).map(|n| audit.before(decision(n)));
            let written = futures::future::join_all(decisions).await;
            assert!(written.iter().all(Result::is_ok), "{written:?}");
            println!("\nacknowledged {n}");
        }
    });
}

/// Starts a writer, kills it somewhere, and gives the numbers of the decisions that it acknowledged.
fn write_and_kill(home: &Path, first: u64, random: &mut Random, tally: &mut Tally) -> Vec<u64> {
    let started = Instant::now();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "audit::tests::kills::nothing_that_was_acknowledged_is_lost_when_the_writer_is_killed",
        ])
        .env(HOME, home)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // Now and then before it has acknowledged anything.
    let wanted = random.below(12).saturating_sub(1) as usize;
    let mut acknowledged = Vec::new();
    while acknowledged.len() < wanted {
        acknowledged.extend(acknowledgement(&mut stdout).expect("the writer goes on"));
        if acknowledged.len() == 1 {
            tally.longest_start = tally.longest_start.max(started.elapsed());
        }
    }
    std::thread::sleep(Duration::from_micros(random.below(if wanted == 0 { 30_000 } else { 8_000 })));
    kill(&mut child);
    while let Some(more) = acknowledgement(&mut stdout) {
        acknowledged.extend(more);
    }
    tally.kills += 1;
    acknowledged.iter().flat_map(|n| *n..*n + AT_ONCE).collect()
}

/// The number that the next line acknowledges, if it does; nothing at the end, which a line that was cut off
/// is too.
fn acknowledgement(stdout: &mut impl BufRead) -> Option<Option<u64>> {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let line = line.strip_suffix('\n')?;
    Some(line.strip_prefix("acknowledged ").map(|number| number.parse().expect("a number")))
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Reads what is there as it was left, then as the next one repairs it; gives the hash of its last record.
fn check(home: &Path, acknowledged: &[u64], noted: Option<String>, tally: &mut Tally) -> String {
    let there = folder(home).exists();
    if there && verify(&folder(home), None).is_ok() {
        let left = verify(&folder(home), noted.as_deref()).unwrap();
        assert_eq!(left.faults, [], "{left:?}");
        tally.torn += u64::from(left.unfinished > 0);
    }
    // A host that starts.
    drop(Log::open(small(home), None).unwrap());
    let repaired = verify(&folder(home), noted.as_deref()).unwrap();
    assert_eq!((&repaired.faults[..], repaired.unfinished), (&[][..], 0), "{repaired:?}");
    tally.removed = repaired.removed_through.unwrap_or(0);
    let decided = decided(home);
    tally.acknowledged += acknowledged.len() as u64;
    tally.lost += acknowledged.iter().filter(|n| !decided.contains(n)).count() as u64;
    repaired.head.unwrap().hash
}

/// The numbers of the decisions in the log.
fn decided(home: &Path) -> BTreeSet<u64> {
    let directory = Directory::owned(&folder(home)).unwrap();
    let segments = numbers(&directory).unwrap().into_iter().map(super::super::files::name);
    let text: String =
        segments.map(|segment| fs::read_to_string(folder(home).join(segment)).unwrap()).collect();
    let number = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["approval"]["n"].as_u64()
    };
    text.lines().filter_map(number).collect()
}
