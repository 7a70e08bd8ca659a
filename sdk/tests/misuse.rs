//! What the macros say about mistakes: that the fix is named, and at the line of the mistake.
//!
//! Each file under `misuse/` is a small plugin with one mistake, whose line ends with `//~`. All are
//! checked by one run of cargo, offline and with a target directory of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// One error of the compiler.
#[derive(Debug)]
struct Complaint {
    /// Its line in the file of the case.
    line: u64,
    /// Message, label, notes.
    text: String,
}

/// The complaints about each case.
static COMPLAINTS: LazyLock<BTreeMap<String, Vec<Complaint>>> = LazyLock::new(|| {
    let root = prepare();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("misuse-target"))
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut complaints: BTreeMap<String, Vec<Complaint>> = cases().map(|case| (case, Vec::new())).collect();
    for message in messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let level = message["message"]["level"].as_str();
        if let (Some("error" | "warning"), Some(case)) = (level, message["target"]["name"].as_str()) {
            complaints.entry(case.to_owned()).or_default().extend(complaint(&message["message"]));
        }
    }
    let told: usize = complaints.values().map(Vec::len).sum();
    assert!(told > 0, "nothing was checked: {}", String::from_utf8_lossy(&output.stderr));
    complaints
});

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/misuse")
}

fn cases() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(directory()).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
}

/// A package with one program for each case.
fn prepare() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("misuse");
    std::fs::create_dir_all(&root).unwrap();
    let sdk = env!("CARGO_MANIFEST_DIR");
    let mut manifest = format!(
        "[package]\nname = \"misuse\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nhubcap-sdk = {{ path = {sdk:?} }}\nserde = \"1\"\n"
    );
    for case in cases() {
        let path = directory().join(format!("{case}.rs"));
        manifest.push_str(&format!("[[bin]]\nname = {case:?}\npath = {path:?}\n"));
    }
    std::fs::write(root.join("Cargo.toml"), manifest).unwrap();
    // The versions that are already here.
    std::fs::copy(Path::new(sdk).join("../Cargo.lock"), root.join("Cargo.lock")).unwrap();
    root
}

/// An error with a place; what counts errors at the end has none.
fn complaint(message: &Value) -> Option<Complaint> {
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let mut text = message["message"].as_str()?.to_owned();
    let labels = spans.iter().filter_map(|span| span["label"].as_str());
    let notes = message["children"].as_array()?.iter().filter_map(|child| child["message"].as_str());
    for more in labels.chain(notes) {
        text.push('\n');
        text.push_str(more);
    }
    Some(Complaint { line: call_site(primary)["line_start"].as_u64()?, text })
}

/// The outermost place, where a macro of another crate carries the error.
fn call_site(span: &Value) -> &Value {
    let inside = span["file_name"].as_str().is_some_and(|file| file.contains("misuse"));
    match &span["expansion"]["span"] {
        outer if !inside && outer.is_object() => call_site(outer),
        _ => span,
    }
}

/// Asserts that there are exactly `count` complaints, all at the marked line, and that the parts of the
/// fix are in them.
fn refused(case: &str, count: usize, fix: &[&str]) {
    let source = std::fs::read_to_string(directory().join(format!("{case}.rs"))).unwrap();
    let marked = 1 + source.lines().position(|line| line.ends_with("//~")).unwrap() as u64;
    let complaints = &COMPLAINTS[case];
    assert_eq!(complaints.len(), count, "{complaints:#?}");
    for complaint in complaints {
        assert_eq!(complaint.line, marked, "{complaints:#?}");
    }
    let text = complaints.iter().map(|complaint| complaint.text.as_str()).collect::<Vec<_>>().join("\n");
    for part in fix {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

macro_rules! cases {
    ($($case:ident: $count:literal, [$($fix:literal),+ $(,)?];)+) => {
        $(#[test]
        fn $case() {
            refused(stringify!($case), $count, &[$($fix),+]);
        })+

        #[test]
        fn every_case_has_a_test() {
            let tested: BTreeSet<_> = ["correct", $(stringify!($case)),+].map(str::to_owned).into();
            assert_eq!(cases().collect::<BTreeSet<_>>(), tested);
        }
    };
}

#[test]
fn a_correct_plugin_gets_no_complaint() {
    assert!(COMPLAINTS["correct"].is_empty(), "{:#?}", COMPLAINTS["correct"]);
}

cases! {
    tool_without_a_doc_comment: 1, ["`greet` needs a doc comment", "write `/// What it does.` above the function"];
    tool_with_an_endless_doc_comment: 1, ["shorten it to 2048"];
    async_tool: 1, ["remove `async`", "hubcap_sdk::handle::join"];
    generic_tool: 1, ["cannot be generic", "write the types that it takes"];
    argument_of_any_type: 1, ["write the type of `name`"];
    method_outside_of_a_tools_block: 1, ["`#[hubcap_sdk::tools]` on the `impl` block"];
    tool_with_self: 2, ["remove it", "`#[hubcap_sdk::tools]` on the `impl` block"];
    tool_that_borrows: 2, ["`name`", "take `String`", "`times`", "take `Vec<u32>`"];
    argument_without_a_name: 1, ["write a name here"];
    two_contexts: 1, ["one `Context`", "remove this parameter"];
    context_before_an_argument: 1, ["put this one before it"];
    args_beside_another_argument: 2, ["make the others fields of it", "remove `#[args]`"];
    mistyped_key: 1, ["no key `titel`", "did you mean `title`?"];
    key_with_the_wrong_value: 1, ["`read_only` stands alone", "`read_only = true`"];
    pure_and_a_hint: 1, ["`destructive = false`", "remove `destructive`"];
    name_with_a_space: 1, ["`say hello`", "use 1 to 40 of the characters a-z, A-Z, 0-9, `_` and `-`"];
    name_with_a_letter_beyond_ascii: 1, ["`grüße`", "`name = \"…\"` in the attribute sets another"];
    name_of_41_characters: 1, ["1 to 40", "`name = \"…\"` in the attribute sets another"];
    two_tools_of_one_name: 1, ["`Greet` is registered twice", "`#[tool(name = \"…\")]`"];
    two_methods_of_one_name: 1, ["`greet`", "rename one"];
    method_that_changes_self: 1, ["write `&self`"];
    block_without_a_tool: 1, ["mark the functions that are tools with `#[tool]`"];
    argument_that_cannot_be_read: 1, ["`Option<Name>` cannot be an argument", "#[derive(serde::Deserialize, schemars::JsonSchema)]"];
    args_that_cannot_be_read: 1, ["`Arguments` cannot be an argument", "#[derive(serde::Deserialize, schemars::JsonSchema)]"];
    result_that_cannot_be_written: 1, ["`Greeting` cannot be the result of a tool", "derive `serde::Serialize` and `schemars::JsonSchema`"];
    error_without_a_text: 1, ["`Failure` cannot be the error", "return `Result<_, hubcap_sdk::Error>`"];
    result_without_a_name: 1, ["name the type that is returned"];
    type_that_is_no_tool: 1, ["`Greeter` is no tool", "`#[hubcap_sdk::tools]` on its `impl` block"];
    registration_with_a_mistyped_key: 1, ["no key `tool`", "did you mean `tools`?"];
    registration_of_nothing: 1, ["at least one kind", "`tools: [a_function]`"];
    registration_without_a_list: 1, ["write `tools: [a_function, …]`"];
    registration_of_one_kind_twice: 1, ["`rules` and `validator`", "keep one"];
    configuration_that_is_not_registered: 1, ["`Settings` is not the plugin's configuration", "plugin!(config: Settings"];
    configuration_that_cannot_be_read: 1, ["`Settings` cannot be the plugin's configuration", "#[derive(serde::Deserialize)]"];
    rule_without_a_text: 1, ["take `artifact: &Artifact`"];
    rule_with_another_result: 1, ["`bool` cannot be the result of a rule", "return `Vec<hubcap_sdk::Found>`"];
    rule_of_an_unknown_severity: 1, ["no severity `warn`", "did you mean `warning`?"];
    two_rules_of_one_id: 1, ["`nothing` is registered twice", "remove it from the list"];
    rule_id_with_a_capital: 1, ["use 1 to 64 of the characters a-z, 0-9 and `-`"];
    model_with_another_result: 1, ["`String` cannot be the result of a model", "`Completion::text(\"…\")`"];
    model_without_a_doc_comment: 1, ["`silent` needs a doc comment"];
    two_models_of_one_id: 1, ["`silent` is registered twice", "`#[model(id = \"…\")]`"];
}
