//! The forms of `hubcap validate` on a tree of fixtures.
//!
//! Invariant: what is expected stands in golden files; `HUBCAP_BLESS=1` writes them anew, and a diff of
//! them is then to be read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::guests::root;
use crate::support::home::Home;
use crate::validate::{document, judge, validated, write};

/// A copy of the fixtures as `tree`, with what git would not keep.
pub(crate) fn tree() -> Home {
    let home = judge();
    copy(&fixtures().join("tree"), &home.path().join("tree"));
    fs::create_dir(home.path().join("tree/.git")).unwrap();
    for (name, bytes) in [
        ("tree/.gitignore", &b"ignored.txt\n"[..]),
        ("tree/ignored.txt", b"bad"),
        ("tree/.hidden.txt", b"bad"),
        ("tree/bytes.bin", b"bad\0"),
        ("tree/latin.txt", b"bad caf\xe9"),
        ("tree/src/marked.txt", b"\xef\xbb\xbfbad\r\n\r\nodd\r\n"),
        ("tree/empty.txt", b""),
    ] {
        write(&home, name, bytes);
    }
    write(&home, "tree/large.txt", "bad ".repeat((1 << 18) + 1));
    symlink("src/plain.txt", home.path().join("tree/link.txt")).unwrap();
    home
}

fn fixtures() -> PathBuf {
    root().join("tests/fixtures/validate")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Compares with a golden file, or writes it.
#[track_caller]
fn assert_golden(name: &str, found: &str) {
    let path = fixtures().join(name);
    if std::env::var_os("HUBCAP_BLESS").is_some_and(|set| set == "1") {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name} differs; HUBCAP_BLESS=1 writes it anew. It is now:\n{found}");
}

/// The same with nothing in it that differs from run to run: the numbers of the cost, at `summary`.
fn masked(mut document: Value, summary: &str) -> String {
    let summary = document.pointer_mut(summary).expect("a summary");
    for cost in ["millis", "megabytesPerSecond", "fuel", "peakMemoryBytes"] {
        assert!(summary[cost].is_number(), "{cost} in {summary:#}");
        summary[cost] = json!("[cost]");
    }
    format!("{document:#}\n")
}

const GOLDEN: [&str; 2] = ["tree", "missing.txt"];

#[test]
fn a_tree_is_told_to_people() {
    let finished = tree().run(&[&["validate"], &GOLDEN[..]].concat());
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let (results, cost) = finished.stdout.rsplit_once("; took ").unwrap();
    for word in [" s for ", " MB/s, ", " calls, ", " million fuel, peak memory ", " MiB\n"] {
        assert!(cost.contains(word), "{word:?} in {cost:?}");
    }
    assert_golden("expected.txt", &format!("{results}; took [cost]\n"));
    assert_golden("expected.stderr", &finished.stderr);
}

#[test]
fn a_tree_is_told_in_json() {
    let (code, document) = validated(&tree(), &GOLDEN);
    assert_eq!(code, Some(1));
    assert_golden("expected.json", &masked(document, "/summary"));
}

#[test]
fn a_tree_is_told_in_sarif() {
    let finished = tree().run(&[&["validate", "--format", "sarif"], &GOLDEN[..]].concat());
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let mut document = document(&finished);
    assert_sarif(&document);
    document["runs"][0]["tool"]["driver"]["version"] = json!("[version]");
    assert_golden("expected.sarif", &masked(document, "/runs/0/invocations/0/properties"));
}

/// What SARIF 2.1.0 asks for and consumers rely on.
#[track_caller]
pub(crate) fn assert_sarif(document: &Value) {
    assert_eq!(document["version"], "2.1.0");
    assert!(document["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &document["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "hubcap");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    for result in run["results"].as_array().unwrap() {
        assert_sarif_result(run, result);
    }
}

#[track_caller]
fn assert_sarif_result(run: &Value, result: &Value) {
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let extension = &run["tool"]["extensions"][index(&result["rule"]["toolComponent"]["index"])];
    assert_eq!(extension["name"], result["rule"]["toolComponent"]["name"]);
    assert_eq!(extension["rules"][index(&result["ruleIndex"])]["id"], result["ruleId"]);
    assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    assert!(!result["message"]["text"].as_str().unwrap().is_empty());
    let location = &result["locations"][0]["physicalLocation"];
    let artifact = &run["artifacts"][index(&location["artifactLocation"]["index"])];
    assert_eq!(artifact["location"]["uri"], location["artifactLocation"]["uri"]);
    let region = &location["region"];
    let end = region["byteOffset"].as_u64().unwrap() + region["byteLength"].as_u64().unwrap();
    assert!(end <= artifact["length"].as_u64().unwrap());
    for number in ["startLine", "startColumn", "endLine", "endColumn"] {
        assert!(region[number].as_u64().unwrap() >= 1, "{region}");
    }
    let place = |line, column| (region[line].as_u64(), region[column].as_u64());
    assert!(place("startLine", "startColumn") <= place("endLine", "endColumn"), "{region}");
}
