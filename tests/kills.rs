//! A server that writes state is killed at any moment, again and again: what it acknowledged is there.
//!
//! `HUBCAP_KILLS=1000 cargo test --release --test hubcap kills:: -- --nocapture` does it a thousand times;
//! `HUBCAP_SEED` gives other moments.
//!
//! Invariant: what is there is read by a process of its own, and each value says which write it is of.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::promises::kept;

/// Kills in a run of all tests.
const KILLS: u64 = 30;
/// Writes that a server is sent at once: as many as may run and wait.
const WRITES: u64 = 40;
/// Keys that the guest spreads its writes over.
const SLOTS: u64 = 500;
/// Bytes of a value: the number of its write, again and again.
const VALUE: usize = 128;

/// A sequence of numbers that looks like chance and is the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `end`: splitmix64.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What came of all kills.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    written_unacknowledged: u64,
    lost: u64,
    torn: u64,
    /// Kills in between, with some writes answered and some not.
    amid: u64,
    longest_start: Duration,
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_host_is_killed() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |written| written.parse().expect("a number"))
    };
    let (kills, seed) = (number("HUBCAP_KILLS", KILLS), number("HUBCAP_SEED", 1));
    let home = home();
    let (mut random, mut tally, mut held) = (Random(seed), Tally::default(), BTreeMap::new());
    let begun = Instant::now();
    for cycle in 0..kills {
        let first = cycle * WRITES;
        let acknowledged = write_and_kill(&home, first, &mut random, &mut tally);
        held = check(&home, &held, first, &acknowledged, &mut tally);
    }
    let each = begun.elapsed() / u32::try_from(kills.max(1)).unwrap();
    eprintln!("seed {seed}: {tally:?}, {each:.1?} each");
    assert_eq!((tally.lost, tally.torn), (0, 0), "{tally:?}");
    assert!(tally.acknowledged > 0 && tally.amid > 0, "the kills missed the writes: {tally:?}");
    assert!(tally.longest_start < Duration::from_secs(20), "{tally:?}");
    let Tally { kills, acknowledged, lost, torn, amid, longest_start, .. } = tally;
    let saw = format!(
        "{kills} kills, {amid} amid writes: {lost} of {acknowledged} lost, {torn} torn, start {longest_start:.1?} at most"
    );
    observed("E14", &saw);
    kept("P23", saw);
}

fn home() -> Home {
    let manifest = b"id = \"writer\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let config = "[plugins.writer.grant]\nkv = \"1MiB\"\n";
    Home::new().wat("writer").file("writer.toml", manifest).config(config).accept("writer")
}

/// Sends a server writes, kills it somewhere between them, and gives the numbers of those that it answered.
fn write_and_kill(home: &Home, first: u64, random: &mut Random, tally: &mut Tally) -> Vec<u64> {
    let started = Instant::now();
    let mut serve = home.command(&["serve"]);
    let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(requests(first).as_bytes()).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // Now and then before the server has said anything.
    let wanted = random.below(WRITES + 5).saturating_sub(4) as usize;
    let mut acknowledged = Vec::new();
    while acknowledged.len() < wanted {
        acknowledged.extend(acknowledgement(&mut stdout).expect("the server answers"));
        tally.longest_start = tally.longest_start.max(match acknowledged.len() {
            1 => started.elapsed(),
            _ => Duration::ZERO,
        });
    }
    std::thread::sleep(Duration::from_micros(random.below(if wanted == 0 { 30_000 } else { 1_500 })));
    kill(child);
    while let Some(more) = acknowledgement(&mut stdout) {
        acknowledged.extend(more);
    }
    tally.kills += 1;
    tally.amid += u64::from((1..WRITES as usize).contains(&acknowledged.len()));
    acknowledged
}

/// The handshake and the writes, as a client sends them.
fn requests(first: u64) -> String {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let mut lines = vec![
        json!({ "jsonrpc": "2.0", "id": "first", "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    lines.extend((first..first + WRITES).map(|n| {
        let params = json!({ "name": "writer_run", "arguments": { "n": n } });
        json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call", "params": params })
    }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The number of the write that the next line acknowledges, if it is of one; nothing at the end, which a
/// line that was cut off is too.
fn acknowledgement(stdout: &mut impl BufRead) -> Option<Option<u64>> {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(line.strip_suffix('\n')?).expect("a message");
    assert_eq!(answer["error"], Value::Null, "{answer:#}");
    assert_ne!(answer["result"]["isError"], true, "{answer:#}");
    Some(answer["id"].as_u64())
}

fn kill(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
}

/// Compares what is there with what was there before and what was written since; gives what is there.
fn check(
    home: &Home,
    before: &BTreeMap<u64, u64>,
    first: u64,
    acknowledged: &[u64],
    tally: &mut Tally,
) -> BTreeMap<u64, u64> {
    let after = read(home, tally);
    tally.acknowledged += acknowledged.len() as u64;
    for n in first..first + WRITES {
        let slot = n % SLOTS;
        let (old, new) = (before.get(&slot), after.get(&slot));
        let is_written = new == Some(&n);
        if acknowledged.contains(&n) {
            tally.lost += u64::from(!is_written);
        } else if is_written {
            tally.written_unacknowledged += 1;
        } else {
            tally.lost += u64::from(new != old);
        }
    }
    let untouched = before.iter().filter(|(slot, _)| !(first..first + WRITES).any(|n| n % SLOTS == **slot));
    tally.lost += untouched.filter(|(slot, n)| after.get(slot) != Some(n)).count() as u64;
    after
}

/// What is there: the number of the write in each slot.
fn read(home: &Home, tally: &mut Tally) -> BTreeMap<u64, u64> {
    let exported = home.command(&["state", "export", "writer"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&exported.stderr);
    let is_empty = stderr.starts_with("hubcap: nothing is kept for \"writer\"");
    assert!(exported.status.success() || is_empty, "{stderr}");
    let mut held = BTreeMap::new();
    for line in exported.stdout.lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let value = match line["value"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => BASE64.decode(line["base64"].as_str().unwrap().as_bytes()).unwrap(),
        };
        let slot = line["key"].as_str().unwrap().trim_start_matches('k').parse().unwrap();
        let n = value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let whole = n.filter(|n| value == n.to_le_bytes().repeat(VALUE / 8) && n % SLOTS == slot);
        match whole {
            Some(n) => _ = held.insert(slot, n),
            None => tally.torn += 1,
        }
    }
    held
}
