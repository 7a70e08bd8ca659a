//! A file of state that was damaged: what redb's checksums cover is noticed, and nothing else changes.
//!
//! Invariant: each damage is made to a copy of one good file and looked at by a process of its own; what was
//! refused is still there.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::kills::Random;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, text};

/// Bytes of redb's header.
const HEADER: usize = 320;
/// The byte and bit of the header that say which of the last two commits holds. No checksum covers them: in
/// the file of a host that was killed, the other one is the state as it was one change earlier.
const LATER_COMMIT: (usize, u8) = (9, 0);

/// A home with a plugin that keeps state, and a neighbour.
fn home() -> Home {
    Home::new()
        .guest("kv")
        .file("kv.toml", b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n")
        .config("[plugins.kv.grant]\nkv = \"1MiB\"\n")
        .accept("kv")
        .wat("plain")
}

fn file(home: &Home) -> PathBuf {
    home.path().join("state/kv.redb")
}

/// A state of 40 values and one more, as it was before the last one and after, and the file itself.
struct Good {
    before: String,
    after: String,
    bytes: Vec<u8>,
}

/// The file that a host leaves that ended, or one that was killed.
fn good(home: &Home, is_killed: bool) -> Good {
    let line =
        |n: usize| format!("{{\"key\":\"k{n:02}\",\"value\":\"{}\"}}\n", format!("{n:02} ").repeat(70));
    let lines: String = (0..40).map(line).collect();
    let imported = home.run_with(&["state", "import", "kv"], lines.as_bytes());
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let mut server = home.serve();
    assert_says(&server.call("kv_set", json!({ "key": "last", "value": "acknowledged" })), "set");
    let open = fs::read(file(home)).unwrap();
    server.end();
    let after = export(home).expect("it is well");
    assert!(after.starts_with(&lines) && after.contains("acknowledged"), "{after}");
    Good { before: lines, after, bytes: if is_killed { open } else { fs::read(file(home)).unwrap() } }
}

/// What is kept, or how it was refused.
#[track_caller]
fn export(home: &Home) -> Result<String, String> {
    let exported = home.run(&["state", "export", "kv"]);
    assert!(!exported.stderr.contains("panicked"), "{}", exported.stderr);
    match exported.code {
        Some(0) => Ok(exported.stdout),
        code => {
            assert_eq!((code, exported.stdout.as_str()), (Some(1), ""), "{}", exported.stderr);
            Err(exported.stderr)
        }
    }
}

/// Places to flip a bit: all over the header, in what is written, and anywhere.
fn places(bytes: &[u8], random: &mut Random) -> Vec<(usize, u8)> {
    let written: Vec<usize> = (HEADER..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let header = (0..HEADER).step_by(2).collect::<Vec<_>>();
    let in_pages = (0..100).map(|_| written[random.below(written.len() as u64) as usize]).collect::<Vec<_>>();
    let anywhere = (0..40).map(|_| random.below(bytes.len() as u64) as usize).collect::<Vec<_>>();
    let places = [header, in_pages, anywhere].concat();
    let mut places: Vec<_> = places.into_iter().map(|at| (at, random.below(8) as u8)).collect();
    places.extend((0..8).map(|bit| (LATER_COMMIT.0, bit)));
    places
}

#[test]
fn a_bit_that_flips_anywhere_in_the_state_is_told_or_changes_nothing() {
    let mut random = Random(1);
    for is_killed in [false, true] {
        let home = home();
        let good = good(&home, is_killed);
        let file = file(&home);
        let (mut same, mut told, mut earlier) = (0, 0, 0);
        let places = places(&good.bytes, &mut random);
        for (at, bit) in &places {
            let mut damaged = good.bytes.clone();
            damaged[*at] ^= 1 << bit;
            fs::write(&file, &damaged).unwrap();
            match export(&home) {
                Ok(kept) if kept == good.after => same += 1,
                Ok(kept) => {
                    assert_eq!((is_killed, (*at, *bit)), (true, LATER_COMMIT), "{kept}");
                    assert_eq!(kept, good.before);
                    earlier += 1;
                }
                Err(words) => {
                    let place =
                        format!("hubcap: {}: the state of plugins is not available: ", file.display());
                    assert!(words.starts_with(&place), "{at}: {words}");
                    assert!(words.contains("is damaged or not one of hubcap's"), "{at}: {words}");
                    assert!(words.contains("the operator has to move it away"), "{at}: {words}");
                    // The sizes in the header may be written anew, nothing else.
                    let left = fs::read(&file).unwrap();
                    assert!(left[HEADER..] == damaged[HEADER..], "{at}: it is left as it is");
                    told += 1;
                }
            }
        }
        assert!(told > 100 && same > 50 && earlier <= 1, "{told} {same} {earlier}");
        fs::write(&file, &good.bytes).unwrap();
        assert_eq!(export(&home).as_ref(), Ok(&good.after));
        let host = if is_killed { "killed" } else { "ended" };
        eprintln!(
            "the file of a host that was {host}: {} bits flipped, {told} told, {same} change nothing, {earlier} gives the commit before, 0 wrong values",
            places.len()
        );
    }
}

#[test]
fn a_state_that_is_cut_short_is_told_and_an_empty_one_is_new() {
    let mut told = 0;
    for is_killed in [false, true] {
        let home = home();
        let good = good(&home, is_killed);
        let whole = good.bytes.len();
        let cuts = [1, 8, 9, 64, 319, 320, 4_095, 4_096, 8_192, whole / 2, whole - 4_096, whole - 1];
        for len in cuts {
            fs::write(file(&home), &good.bytes[..len]).unwrap();
            let words = export(&home).expect_err("it is told");
            assert!(words.contains("is damaged or not one of hubcap's"), "{len}: {words}");
            assert_eq!(fs::metadata(file(&home)).unwrap().len(), len as u64);
            told += 1;
        }
        fs::write(file(&home), "").unwrap();
        assert_eq!(home.run(&["state", "list"]).stdout, "");
    }
    eprintln!("{told} cuts told");
}

#[test]
fn a_server_whose_state_is_damaged_serves_the_others_and_goes_on_when_it_is_moved_away() {
    let home = home();
    let good = good(&home, false);
    let page = (4_096..good.bytes.len()).find(|at| good.bytes[*at..].starts_with(b"acknowledged")).unwrap();
    let flipped = |at: usize| {
        let mut damaged = good.bytes.clone();
        damaged[at] ^= 1;
        damaged
    };
    let mut headless = good.bytes.clone();
    headless[..9].fill(0);
    let damages = [flipped(0), flipped(page), headless, good.bytes[..good.bytes.len() / 2].to_vec()];
    for damaged in &damages {
        fs::write(file(&home), damaged).unwrap();
        let mut server = home.serve();
        for _ in 0..5 {
            for tool in ["kv_get", "kv_set"] {
                let refused = server.call(tool, json!({ "key": "last", "value": "x" }));
                assert_failed(&refused, "unavailable", "upstream");
                assert!(text(&refused).contains("the operator has to move it away"), "{}", text(&refused));
            }
            assert_says(&server.call("plain_run", json!({})), "done");
        }
        assert!(fs::read(file(&home)).unwrap() == *damaged);
        fs::rename(file(&home), home.path().join("moved")).unwrap();
        assert_says(&server.call("kv_get", json!({ "key": "last" })), "none");
        assert_says(&server.call("kv_set", json!({ "key": "last", "value": "new" })), "set");
        let logged = server.end().stderr;
        assert_eq!(logged.matches("\"the state of plugins is not available").count(), 1, "{logged}");
        assert!(logged.contains(&file(&home).display().to_string()), "{logged}");
    }
}
