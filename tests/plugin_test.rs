//! `hubcap plugin test`: the cases of the bundled plugins hold, each sort of failure is told with the case
//! and the difference, and a wrong case file with its place.
//!
//! Invariant: cargo runs for real and without a network, and shares what the other guests were built of.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::guests::{root, wasm};
use crate::support::home::{Finished, finish};
use crate::support::{SOON, holds_within};

/// `plugin test` with these arguments.
fn command(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubcap"));
    command.args(["plugin", "test"]).arg(folder).args(more).current_dir(root());
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", root().join("target"));
    command
}

fn test(folder: &Path, more: &[&str]) -> Finished {
    finish(&mut command(folder, more), b"")
}

/// The crate that the tests put their cases beside, one test at a time.
struct Sample {
    folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Sample {
    /// With these cases.
    fn with(cases: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever of the SDK is to be compiled is compiled by now.
        wasm("echo");
        // The same from run to run, so that cargo's files of it are, too.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases/sample");
        fs::create_dir_all(folder.join("src")).unwrap();
        let sdk = root().join("sdk");
        let cargo = format!(
            "[workspace]\n[package]\nname = \"cases-sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nhubcap-sdk = {{ path = {sdk:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n"
        );
        let manifest = "id = \"cases-sample\"\nversion = \"0.1.0\"\n[config]\nadditionalProperties = false\nproperties.greeting.type = \"string\"\n";
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let source = fs::read_to_string(root().join("tests/fixtures/cases/lib.rs")).unwrap();
        for (file, text) in [
            ("Cargo.toml", cargo.as_str()),
            ("plugin.toml", manifest),
            ("src/lib.rs", &source),
            ("cases.toml", cases),
        ] {
            keep(&folder.join(file), text);
        }
        // The versions that are already here. cargo drops from its lock what the sample does not need.
        if keep(&folder.join("workspace.lock"), &lock) {
            fs::write(folder.join("Cargo.lock"), lock).unwrap();
        }
        Self { folder, _turn: turn }
    }

    #[track_caller]
    fn report(&self) -> (Option<i32>, Value) {
        report(&self.folder)
    }
}

/// Writes a file where that changes it: cargo looks at the time of the last change. Says whether it did.
fn keep(file: &Path, text: &str) -> bool {
    let differs = fs::read_to_string(file).map_or(true, |there| there != text);
    if differs {
        fs::write(file, text).unwrap();
    }
    differs
}

/// Exit code and report.
#[track_caller]
fn report(folder: &Path) -> (Option<i32>, Value) {
    let finished = test(folder, &["--json"]);
    assert_eq!(finished.stdout.lines().count(), 1, "{}{}", finished.stdout, finished.stderr);
    (finished.code, serde_json::from_str(&finished.stdout).unwrap())
}

fn case(name: &str, lines: &str) -> String {
    format!("[[case]]\nname = \"{name}\"\n{lines}\n\n")
}

#[test]
fn the_cases_of_the_bundled_plugins_hold() {
    for (folder, count) in [
        ("examples/hello", 4),
        ("examples/long-lines", 2),
        ("examples/scripted-provider", 4),
        ("plugins/consensus", 4),
        ("plugins/placeholder-detector", 6),
    ] {
        let (code, told) = report(&root().join(folder));
        assert_eq!((code, &told["passed"], &told["failed"]), (Some(0), &json!(count), &json!(0)), "{told:#}");
        assert_eq!(told["plugin"], Path::new(folder).file_name().unwrap().to_str().unwrap());
        let cases = told["cases"].as_array().unwrap();
        assert_eq!(cases.len(), count);
        assert!(cases.iter().all(|case| case["ok"] == true && case.get("reason").is_none()), "{told:#}");
        let ran = cases.iter().filter(|case| case["receipt"]["fuel"].as_u64() > Some(0)).count();
        assert!(ran >= 2, "{told:#}");
    }
}

#[test]
fn people_read_a_line_for_each_case_and_what_it_cost() {
    let finished = test(&root().join("examples/hello"), &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(lines[..2], ["ok      greets by name", "ok      greets as often as it is asked to"]);
    assert!(lines[4].starts_with("4 cases of hello 0.1.0: 4 ok, 0 failed; took "), "{}", finished.stdout);
    let fuel: u64 = lines[4].rsplit_once(" ms, fuel ").unwrap().1.parse().unwrap();
    assert!(fuel > 1_000, "{}", finished.stdout);
}

/// Cases that fail, with what is said of them.
const FAILING: &[(&str, &str, &str)] = &[
    (
        "a text",
        "call = \"say\"\narguments = { text = \"a\\nb\" }\ntext = \"a\\nc\"",
        "the text differs in line 2:\n- \"c\"\n+ \"b\"",
    ),
    (
        "a value",
        "call = \"count\"\narguments = { text = \"a b\" }\nstructured = { count = 2, words = [\"a\", \"c\"] }",
        "structured at /words/1 differs:\n- \"c\"\n+ \"b\"",
    ),
    (
        "no value",
        "call = \"say\"\narguments = { text = \"a\" }\nstructured = {}",
        "there is no structured result:\n- {}\n+ (nothing)",
    ),
    (
        "a finding",
        "validate = \"so\\nbad\"\nfindings = [{ rule = \"bad-word\", line = 1 }]",
        "finding 1 has another line:\n- rule bad-word, line 1\n+ rule bad-word, line 2, column 1, severity error: say it in another way",
    ),
    (
        "no finding",
        "validate = \"good\"\nfindings = [{ line = 1 }]",
        "finding 1 did not come:\n- line 1\n+ (nothing)",
    ),
    (
        "one too many",
        "validate = \"bad bad\"\nfindings = [{ column = 1 }]",
        "finding 2 is too much:\n- (nothing)\n+ rule bad-word, line 1, column 5, severity error: say it in another way",
    ),
    ("a completion", "complete = \"one\"\ntext = \"two\"", "the text differs:\n- \"two\"\n+ \"one\""),
    (
        "no error",
        "call = \"say\"\narguments = { text = \"a\" }\nerror = \"upstream\"",
        "it did not fail:\n- upstream\n+ a result: \"a\"",
    ),
    (
        "another error",
        "call = \"fail\"\narguments = { reason = \"gone\" }\nerror = \"denied\"",
        "it failed in another way:\n- denied\n+ upstream: gone",
    ),
    (
        "another message",
        "call = \"fail\"\narguments = { reason = \"gone\" }\nerror = \"upstream\"\nmessage = \"back\"",
        "the error's text lacks a part:\n- \"back\"\n+ upstream: gone",
    ),
    (
        "a crash",
        "call = \"crash\"\ntext = \"\"",
        "it failed:\n- a result\n+ trap: the plugin crashed: wasm `unreachable` instruction executed",
    ),
];

#[test]
fn each_sort_of_failure_is_told_with_the_case_and_the_difference() {
    let mut cases: String = FAILING.iter().map(|(name, lines, _)| case(name, lines)).collect();
    cases += &case("a crash that is wanted", "call = \"crash\"\nerror = \"trap\"");
    let sample = Sample::with(&cases);
    let (code, told) = sample.report();
    assert_eq!(code, Some(1));
    assert_eq!(
        (&told["passed"], &told["failed"], &told["partial"]),
        (&json!(1), &json!(FAILING.len()), &json!(false))
    );
    for (case, (name, _, reason)) in told["cases"].as_array().unwrap().iter().zip(FAILING) {
        assert_eq!((&case["name"], &case["ok"]), (&json!(name), &json!(false)));
        assert_eq!(case["reason"].as_str().unwrap(), *reason, "{name}");
    }
    let finished = test(&sample.folder, &[]);
    assert_eq!(finished.code, Some(1));
    let shown = "FAILED  a text\n        the text differs in line 2:\n        - \"c\"\n        + \"b\"\nFAILED  a value\n";
    assert!(finished.stdout.starts_with(shown), "{}", finished.stdout);
    assert!(
        finished
            .stdout
            .contains("\nok      a crash that is wanted\n12 cases of cases-sample 0.1.0: 1 ok, 11 failed; ")
    );
}

#[test]
fn an_unknown_tool_is_told_with_the_nearest() {
    let sample = Sample::with(&case("mistyped", "call = \"sya\"\ntext = \"\""));
    let (code, told) = sample.report();
    let reason = told["cases"][0]["reason"].as_str().unwrap();
    assert_eq!(code, Some(1));
    assert!(reason.contains("unknown-tool: ") && reason.contains("\"cases-sample_say\""), "{reason}");
    assert!(told["cases"][0].get("receipt").is_none());
}

#[test]
fn the_configuration_of_the_cases_reaches_the_plugin_and_a_wrong_one_is_told_with_its_place() {
    let greets = case("greets", "call = \"say\"\narguments = { text = \"Ada\" }\ntext = \"Hello, Ada\"");
    let with = |config: &str| Sample::with(&format!("[config]\n{config}\n\n{greets}"));
    assert_eq!(with("greeting = \"Hello, \"").report().0, Some(0));
    let finished = test(&with("greting = \"Hello, \"").folder, &[]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""));
    let words = "cases.toml:2:1: unknown key `greting`; did you mean `greeting`?";
    assert!(finished.stderr.contains(words), "{}", finished.stderr);
}

#[test]
fn an_interrupt_ends_with_what_is_known() {
    let first = case("first", "call = \"say\"\narguments = { text = \"a\" }\ntext = \"a\"");
    let sample = Sample::with(&(first + &case("sleeps", "call = \"sleep\"\ntext = \"woke\"")));
    let mut command = command(&sample.folder, &[]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.contains("ok      first") {
        assert!(output.read_line(&mut stdout).unwrap() > 0, "{stdout}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = holds_within(SOON / 2, || child.try_wait().unwrap().is_some());
    child.kill().ok();
    assert!(ended, "it goes on: {stdout}");
    output.read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stdout}");
    assert!(stdout.contains("\ninterrupted, so this is partial: 1 of 2 cases of cases-sample "), "{stdout}");
    let scratch = fs::read_dir(root().join("target/plugins")).unwrap();
    let left: Vec<_> = scratch.map(|entry| entry.unwrap().file_name()).collect();
    let own = format!(".building-cases-sample-{}", child.id());
    assert!(left.iter().all(|name| name.to_str() != Some(&own)), "{left:?}");
}

/// A folder with nothing but a case file: what is wrong with that is found before anything is compiled.
fn wrong(file: &str, content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file), content).unwrap();
    let finished = test(folder.path(), &[]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{}", finished.stderr);
    assert!(!finished.stderr.contains("plugin.toml"), "{}", finished.stderr);
    finished.stderr
}

#[test]
fn a_wrong_case_file_is_told_with_its_place() {
    let good = case("n", "call = \"t\"\ntext = \"\"");
    for (content, place, words) in [
        (good.replace("call", "cal"), ":3:1: ", "unknown key `cal`; did you mean `call`?"),
        (good.replace("call = \"t\"\n", ""), ":1:1: ", "case \"n\": it asks nothing"),
        (good.replace("text", "validate"), ":1:1: ", "case \"n\": it has `call` and `validate`: keep one"),
        (
            good.replace("text = \"\"\n", ""),
            ":1:1: ",
            "case \"n\": nothing has to come back, so it cannot fail",
        ),
        (format!("{good}{good}"), ":6:1: ", "case \"n\": there is one of this name before it"),
        (good.replace("text = \"\"", "error = \"fule\""), ":1:1: ", "did you mean \"fuel\"?"),
        (good.replace("\"t\"", "1"), ":3:8: ", "invalid type: integer `1`, expected a string"),
        (good.replace("[[case]]", "[case]"), ":1:1: ", "expected a list of cases: `[[case]]`"),
        (good.replace("\"n\"", "\"n"), ":2:10: ", "invalid basic string"),
    ] {
        let told = wrong("cases.toml", &content);
        assert!(
            told.contains(&format!("cases.toml{place}")) && told.contains(words),
            "{place} {words}: {told}"
        );
    }
    let json = r#"{ "case": [{ "name": "n", "call": "t", "txt": "" }] }"#;
    assert!(wrong("cases.json", json).contains("cases.json:1:44: unknown key `txt`; did you mean `text`?"));
    assert!(wrong("cases.toml", "").contains("cases.toml has no case; add one such as\n\n[[case]]\nname = "));
}

#[test]
fn without_a_case_file_a_small_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let finished = test(folder.path(), &[]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{}", finished.stderr);
    for words in ["there is no cases.toml", "[[case]]\nname = \"greets by name\"\ncall = \"greet\""] {
        assert!(finished.stderr.contains(words), "{words:?} in {}", finished.stderr);
    }
    let missing = folder.path().join("missing");
    assert!(test(&missing, &[]).stderr.contains("missing is not a folder"));
}

#[test]
fn a_crate_without_a_manifest_is_a_usage_error_and_one_that_does_not_compile_fails() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cases.toml"), case("n", "call = \"t\"\ntext = \"\"")).unwrap();
    let finished = test(folder.path(), &[]);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(finished.stderr.contains("plugin.toml"), "{}", finished.stderr);
    fs::write(folder.path().join("plugin.toml"), "id = \"broken\"\nversion = \"0.1.0\"\n").unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "fn broken(").unwrap();
    let cargo =
        "[workspace]\n[package]\nname = \"broken\"\nversion = \"0.1.0\"\n[lib]\ncrate-type = [\"cdylib\"]\n";
    fs::write(folder.path().join("Cargo.toml"), cargo).unwrap();
    let finished = test(folder.path(), &["--json"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{}", finished.stderr);
    assert!(finished.stderr.contains("does not compile"), "{}", finished.stderr);
}
