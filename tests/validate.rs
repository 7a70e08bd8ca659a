//! `hubcap validate`: what it reads, what it leaves out, and how it ends.
//!
//! Invariant: the validator is a guest of ours that judges words, so that nothing here depends on what a
//! real one looks for.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::home::{Finished, Home};
use crate::support::{SOON, holds_within};
use crate::validate_forms::{assert_sarif, tree};

/// A home with the validator `judge`.
pub(crate) fn judge() -> Home {
    Home::new().guest("judge")
}

/// Writes a file below the home's directory.
pub(crate) fn write(home: &Home, name: &str, bytes: impl AsRef<[u8]>) {
    let path = home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The document on standard output.
#[track_caller]
pub(crate) fn document(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", finished.stdout, finished.stderr))
}

/// `validate --format json`: exit code and document.
#[track_caller]
pub(crate) fn validated(home: &Home, arguments: &[&str]) -> (Option<i32>, Value) {
    let finished = home.run(&[&["validate", "--format", "json"], arguments].concat());
    let document = document(&finished);
    (finished.code, document)
}

/// The paths of an array of the document.
fn paths(document: &Value, list: &str) -> Vec<String> {
    let elements = document[list].as_array().unwrap_or_else(|| panic!("{document:#}"));
    elements.iter().map(|element| element["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_order_is_the_same_whichever_file_is_done_first() {
    let home = judge().guest_as("judge", "again");
    for file in 0..40 {
        // The first of each ten takes longest.
        let text = "bad odd x ".repeat(if file % 10 == 0 { 900 } else { 1 });
        write(&home, &format!("src/{file:02}.txt"), text);
    }
    let (_, first) = validated(&home, &["src"]);
    let key = |finding: &Value| {
        (
            finding["path"].as_str().unwrap().to_owned(),
            finding["span"]["start"].as_u64().unwrap(),
            finding["validator"].as_str().unwrap().to_owned(),
            finding["rule"].as_str().unwrap().to_owned(),
        )
    };
    let keys: Vec<_> = first["findings"].as_array().unwrap().iter().map(key).collect();
    assert_eq!(keys.len(), 2 * 2 * (4 * 900 + 36));
    assert!(keys.is_sorted());
    assert_eq!(validated(&home, &["src"]).1["findings"], first["findings"]);
}

#[test]
fn a_path_that_is_named_is_read_whatever_the_rules_for_directories_say() {
    let home = tree();
    for named in ["tree/ignored.txt", "tree/.hidden.txt", "tree/link.txt"] {
        let (code, document) = validated(&home, &[named]);
        assert_eq!(code, Some(1));
        assert!(paths(&document, "findings").contains(&named.to_owned()), "{document:#}");
    }
    symlink("tree/src", home.path().join("linked")).unwrap();
    let (_, document) = validated(&home, &["linked"]);
    assert!(paths(&document, "findings").contains(&"linked/plain.txt".to_owned()), "{document:#}");
}

#[test]
fn files_that_are_large_are_read_where_they_are_named() {
    let home = judge();
    write(&home, "src/full.txt", "bad ".to_owned() + &" ".repeat((1 << 20) - 4));
    write(&home, "src/larger.txt", "bad ".to_owned() + &" ".repeat((1 << 20) - 3));
    let (_, document) = validated(&home, &["src"]);
    assert_eq!(paths(&document, "findings"), ["src/full.txt"]);
    assert_eq!(document["skipped"], json!([{ "path": "src/larger.txt", "reason": "too-large" }]));
    let (_, document) = validated(&home, &["src", "src/larger.txt"]);
    assert_eq!(paths(&document, "findings"), ["src/full.txt", "src/larger.txt"]);
    write(&home, "huge.txt", vec![b' '; (16 << 20) + 1]);
    let finished = home.run(&["validate", "huge.txt"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("huge.txt is skipped: it has more than 16 MiB"), "{}", finished.stderr);
}

#[test]
fn a_named_file_that_is_binary_is_pointed_out() {
    let home = judge();
    write(&home, "a.bin", b"\0");
    let finished = home.run(&["validate", "a.bin"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("a.bin is skipped"), "{}", finished.stderr);
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let home = judge();
    let finished = home.run_with(&["validate", "-"], b"so bad");
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(finished.stdout.starts_with("<stdin>:1:4: error[judge/bad]: "), "{}", finished.stdout);
    let finished = home.run_with(&["validate", "--format", "sarif", "-"], b"so bad");
    let document = document(&finished);
    assert_sarif(&document);
    assert_eq!(document["runs"][0]["artifacts"][0]["location"]["uri"], "stdin:");
}

#[test]
fn the_bar_for_failing_is_the_users() {
    let home = judge();
    write(&home, "odd.txt", "odd");
    write(&home, "hm.txt", "hm");
    let code = |arguments: &[&str]| home.run(&[&["validate"], arguments].concat()).code;
    assert_eq!(code(&["odd.txt"]), Some(0));
    assert_eq!(code(&["odd.txt", "--fail-on", "warning"]), Some(1));
    assert_eq!(code(&["hm.txt", "--fail-on", "warning"]), Some(0));
    assert_eq!(code(&["hm.txt", "--fail-on", "note"]), Some(1));
    assert_eq!(code(&["hm.txt", "--fail-on", "note", "--min-confidence", "0.3"]), Some(0));
    assert_eq!(code(&["hm.txt", "--fail-on", "note", "--min-confidence", "0.25"]), Some(1));
}

#[test]
fn only_the_named_validators_run() {
    let home = judge().guest_as("judge", "again").guest_as("judge", "third");
    write(&home, "a.txt", "bad");
    let (_, document) = validated(&home, &["a.txt", "--validator", "third", "--validator", "again"]);
    let findings = document["findings"].as_array().unwrap();
    let validators: Vec<_> = findings.iter().map(|finding| &finding["validator"]).collect();
    assert_eq!(validators, ["again", "third"]);
}

#[test]
fn wrong_usage_is_answered_with_what_would_be_right() {
    let home = judge().wat("plain");
    write(&home, "a.txt", "bad");
    let cases: [(&[&str], &[&str]); 6] = [
        (&["a.txt", "--validator", "jugde"], &["jugde", "did you mean \"judge\""]),
        (&["a.txt", "--validator", "plain"], &["no validator \"plain\"", "judge"]),
        (&["a.txt", "--fail-on", "fatal"], &["fatal", "error, warning, note"]),
        (&["a.txt", "--min-confidence", "2"], &["from 0 to 1"]),
        (&["a.txt", "--format", "xml"], &["human, json, sarif"]),
        (&[], &["PATH"]),
    ];
    for (arguments, words) in cases {
        let finished = home.run(&[&["validate"], arguments].concat());
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        for word in words {
            assert!(finished.stderr.contains(word), "{word:?} in {}", finished.stderr);
        }
    }
    let none = Home::new().wat("plain");
    write(&none, "a.txt", "bad");
    let finished = none.run(&["validate", "a.txt"]);
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("no validator is loaded"), "{}", finished.stderr);
}

#[test]
fn a_plugin_that_is_refused_is_named_because_it_may_have_been_a_validator() {
    let home = judge().file("broken.wasm", b"");
    write(&home, "a.txt", "fine");
    let finished = home.run(&["validate", "a.txt"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("broken.wasm takes no part"), "{}", finished.stderr);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_validated() {
    let home = judge();
    write(&home, "a.txt", "fine");
    let (code, document) = validated(&home, &["a.txt", "missing", "/dev/null"]);
    assert_eq!(code, Some(1));
    assert_eq!(paths(&document, "failed"), ["/dev/null", "missing"]);
    assert_eq!(document["summary"]["files"], 1);
    let finished = home.run(&["validate", "missing"]);
    assert!(finished.stderr.contains("cannot read missing: No such file"), "{}", finished.stderr);
}

#[test]
fn a_validator_that_fails_on_a_file_costs_the_rest_nothing() {
    // Enough for a word, and not for many.
    let home = judge().guest_as("judge", "poor").config("[plugins.poor]\nbudget = { fuel = 2000000 }\n");
    write(&home, "a.txt", "bad".to_owned() + &" x".repeat(200_000));
    write(&home, "b.txt", "bad");
    let (code, document) = validated(&home, &["a.txt", "b.txt"]);
    assert_eq!(code, Some(1));
    let failed = &document["failed"][0];
    assert_eq!(
        (&failed["path"], &failed["validator"], &failed["code"]),
        (&json!("a.txt"), &json!("poor"), &json!("fuel"))
    );
    assert_eq!(document["failed"].as_array().unwrap().len(), 1);
    assert_eq!(paths(&document, "findings"), ["a.txt", "b.txt", "b.txt"]);
}

#[test]
fn a_hub_with_one_place_is_never_asked_for_two() {
    let home = judge().config("[limits]\ncalls = 1\ncalls-per-plugin = 1\nqueue = 1\nqueue-wait = \"1ms\"\n");
    for file in 0..30 {
        write(&home, &format!("src/{file}.txt"), "bad ".repeat(2_000));
    }
    let (_, document) = validated(&home, &["src"]);
    assert_eq!(document["failed"], json!([]));
    assert_eq!(document["summary"]["findings"]["error"], 60_000);
}

#[test]
fn ten_thousand_findings_are_told_and_one_more_is_a_limit() {
    let home = judge();
    write(&home, "a.txt", "bad ".repeat(10_000));
    write(&home, "b.txt", "bad ".repeat(10_001));
    let (_, document) = validated(&home, &["a.txt", "b.txt"]);
    assert_eq!(document["findings"].as_array().unwrap().len(), 10_000);
    assert_eq!(
        (&document["failed"][0]["path"], &document["failed"][0]["code"]),
        (&json!("b.txt"), &json!("limit"))
    );
}

#[test]
fn names_that_a_terminal_or_a_uri_would_not_take_are_made_fit() {
    let home = judge();
    write(&home, "odd name/a\u{1b}[31m#é.txt", "bad");
    let finished = home.run(&["validate", "odd name"]);
    assert!(finished.stdout.starts_with("odd name/a\\u{1b}[31m#é.txt:1:1: "), "{}", finished.stdout);
    let finished = home.run(&["validate", "odd name", "--format", "sarif"]);
    let uri = document(&finished)["runs"][0]["artifacts"][0]["location"]["uri"].clone();
    assert_eq!(uri, "odd%20name/a%1B%5B31m%23%C3%A9.txt");
}

#[test]
fn pipes_get_no_colours_and_no_progress_bar() {
    let home = judge();
    write(&home, "a.txt", "bad");
    let finished = home.run(&["validate", "a.txt"]);
    assert!(!finished.stdout.contains('\u{1b}'), "{:?}", finished.stdout);
    assert_eq!(finished.stderr, "");
}

/// Starts a run that never gets past `z.txt`, waits until `a.txt` is told, and interrupts it.
fn interrupted(format: &str) -> Finished {
    let home = judge();
    write(&home, "src/a.txt", "bad bad");
    write(&home, "src/z.txt", "wait");
    let mut command = home.command(&["validate", "src", "--format", format]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.lines().any(|line| line.contains("src/a.txt")) {
        assert!(output.read_line(&mut stdout).unwrap() > 0, "{stdout}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = holds_within(SOON / 2, || child.try_wait().unwrap().is_some());
    child.kill().ok();
    assert!(ended, "it goes on: {stdout}");
    output.read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Finished { code: child.wait().unwrap().code(), stdout, stderr }
}

#[test]
fn an_interrupt_ends_with_what_is_known_and_says_that_it_is_partial() {
    let finished = interrupted("human");
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let partial = "interrupted, so this is partial: 1 of 2 files; 2 findings in 1 file: ";
    assert!(finished.stdout.contains(partial), "{}", finished.stdout);

    let finished = interrupted("json");
    let told = document(&finished);
    assert_eq!((finished.code, &told["partial"]), (Some(1), &json!(true)));
    assert_eq!(paths(&told, "findings"), ["src/a.txt", "src/a.txt"]);
    assert_eq!(told["failed"], json!([]));

    let finished = interrupted("sarif");
    let told = document(&finished);
    assert_sarif(&told);
    assert_eq!(told["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(told["runs"][0]["results"].as_array().unwrap().len(), 2);
}
