//! What authors use: `plugin build`, `serve --dev`, and the demo; and what the bundled detector finds.
//!
//! Invariant: these run cargo for real, so they keep the environment that the tests were started in.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::guests::{root, wasm};
use crate::support::home::{Finished, Home, finish};
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

const DETECTOR: &str = "plugins/placeholder-detector";

fn hubcap(folder: &Path, arguments: &[&str]) -> Finished {
    finish(Command::new(env!("CARGO_BIN_EXE_hubcap")).args(arguments).current_dir(folder), b"")
}

fn build(crate_folder: &Path, out: &Path) -> Finished {
    hubcap(root(), &["plugin", "build", crate_folder.to_str().unwrap(), "--out", out.to_str().unwrap()])
}

/// A crate with this manifest and this source, in a workspace of its own.
fn crate_with(cargo: &str, manifest: &str, source: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let package = "[workspace]\n[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("Cargo.toml"), format!("{package}{cargo}")).unwrap();
    fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
    fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    folder
}

const GOOD_MANIFEST: &str = "id = \"sample\"\nversion = \"0.1.0\"\n";
const CDYLIB: &str = "[lib]\ncrate-type = [\"cdylib\"]\n";

#[test]
fn a_crate_becomes_a_plugin_with_its_manifest_inside() {
    let home = Home::new();
    let built = build(&root().join(DETECTOR), &home.plugins());
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    assert!(built.stdout.contains("placeholder-detector.wasm 0.1.0"), "{}", built.stdout);
    assert!(built.stdout.contains("    placeholder-detector_scan\n"), "{}", built.stdout);
    assert!(!built.stdout.contains("hubcap_"), "{}", built.stdout);
    let plugin = home.plugin("placeholder-detector.wasm");
    assert_eq!(
        (&plugin["id"], &plugin["version"], &plugin["state"]),
        (&json!("placeholder-detector"), &json!("0.1.0"), &json!("ready"))
    );
    let left: Vec<_> =
        fs::read_dir(home.plugins()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["placeholder-detector.wasm"]);
}

#[test]
fn a_wrong_manifest_is_told_with_its_place_before_anything_is_compiled() {
    let sample = crate_with(CDYLIB, "id = \"sample\"\nversoin = \"0.1.0\"\n", "");
    let built = build(sample.path(), sample.path());
    assert_eq!(built.code, Some(2), "{}", built.stderr);
    assert!(
        built.stderr.contains("plugin.toml:2:1: unknown key `versoin`; did you mean `version`?"),
        "{}",
        built.stderr
    );
    assert!(!sample.path().join("target").exists());
}

#[test]
fn a_folder_without_a_manifest_is_told_what_it_needs() {
    let empty = tempfile::tempdir().unwrap();
    let built = build(empty.path(), empty.path());
    assert_eq!(built.code, Some(2), "{}", built.stderr);
    assert!(
        built.stderr.contains("plugin.toml") && built.stderr.contains("`id` and `version`"),
        "{}",
        built.stderr
    );
}

#[test]
fn a_crate_that_does_not_compile_leaves_the_plugin_that_was_there() {
    let sample = crate_with(CDYLIB, GOOD_MANIFEST, "fn broken(");
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("sample.wasm"), "the old one").unwrap();
    let built = build(sample.path(), out.path());
    assert_eq!(built.code, Some(1), "{}", built.stderr);
    assert!(
        built.stderr.contains("src/lib.rs:1") && built.stderr.contains("does not compile"),
        "{}",
        built.stderr
    );
    assert_eq!(fs::read_to_string(out.path().join("sample.wasm")).unwrap(), "the old one");
}

#[test]
fn a_crate_that_is_no_plugin_is_refused_by_the_sandbox_and_leaves_nothing() {
    let no_component = crate_with("", GOOD_MANIFEST, "");
    let built = build(no_component.path(), no_component.path());
    assert_eq!(built.code, Some(1), "{}", built.stderr);
    assert!(built.stderr.contains("crate-type"), "{}", built.stderr);

    let no_exports = crate_with(CDYLIB, GOOD_MANIFEST, "#[unsafe(no_mangle)] pub extern \"C\" fn f() {}");
    let out = tempfile::tempdir().unwrap();
    let built = build(no_exports.path(), out.path());
    assert_eq!(built.code, Some(1), "{}", built.stderr);
    assert!(built.stderr.contains("wrong world"), "{}", built.stderr);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn the_detector_finds_in_its_samples_exactly_what_is_unfinished_there() {
    let home = Home::new();
    assert_eq!(build(&root().join(DETECTOR), &home.plugins()).code, Some(0));
    let samples = root().join(DETECTOR).join("samples");
    let files: Vec<Value> = ["cart.ts", "orders.rs", "report.py"]
        .iter()
        .map(|name| json!({ "path": name, "text": fs::read_to_string(samples.join(name)).unwrap() }))
        .collect();
    let called = home.run_with(
        &["call", "placeholder-detector_scan", "-", "--json"],
        json!({ "files": files }).to_string().as_bytes(),
    );
    let result: Value = serde_json::from_str(&called.stdout).unwrap();
    let found: Vec<String> = result["structuredContent"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            format!(
                "{}:{} {}",
                finding["path"].as_str().unwrap(),
                finding["line"],
                finding["rule"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "cart.ts:8 stub-body",
            "cart.ts:9 placeholder-comment",
            "cart.ts:12 elided-code",
            "orders.rs:15 placeholder-comment",
            "orders.rs:20 marker-comment",
            "orders.rs:21 stub-macro",
            "orders.rs:25 stub-macro",
            "orders.rs:29 placeholder-comment",
            "report.py:5 elided-code",
            "report.py:12 marker-comment",
        ]
    );
}

#[test]
fn the_demo_scans_a_directory_and_outside_of_a_checkout_says_what_it_needs() {
    let shown = hubcap(root(), &["demo", &format!("{DETECTOR}/samples")]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for words in ["placeholder-detector_scan", "orders.rs:25:5", "10 findings", "fuel", "peak memory"] {
        assert!(shown.stdout.contains(words), "{words:?} in {}", shown.stdout);
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = hubcap(elsewhere.path(), &["demo"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("inside a checkout"), "{}", refused.stderr);
}

#[test]
fn with_dev_a_plugin_that_comes_changes_or_goes_is_served_as_it_is() {
    let home = Home::new().guest("echo");
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    let tools = move |server: &mut Server, wanted: &dyn Fn(&[String]) -> bool| {
        assert!(holds_within(SOON, || {
            std::thread::sleep(Duration::from_millis(20));
            wanted(&server.tool_names())
        }));
    };
    tools(&mut server, &|names| names.iter().all(|name| name.starts_with("echo_")));
    fs::write(home.plugins().join("second.wasm"), wasm("echo")).unwrap();
    tools(&mut server, &|names| names.iter().any(|name| name == "second_say"));
    fs::write(home.plugins().join("second.wasm"), wasm("state")).unwrap();
    tools(&mut server, &|names| {
        names.iter().any(|name| name.starts_with("second_")) && !names.contains(&"second_say".into())
    });
    fs::remove_file(home.plugins().join("second.wasm")).unwrap();
    tools(&mut server, &|names| !names.iter().any(|name| name.starts_with("second_")));
    assert_eq!(server.call("echo_say", json!({ "text": "still here" }))["content"][0]["text"], "still here");
    server.end();
}

#[test]
fn without_dev_a_plugin_that_comes_later_waits_for_the_next_start() {
    let home = Home::new().guest("echo");
    let mut server = home.serve();
    let before = server.tool_names();
    fs::write(home.plugins().join("second.wasm"), wasm("echo")).unwrap();
    assert_eq!(server.tool_names(), before);
    server.end();
}

#[test]
fn with_dev_a_version_that_cannot_be_loaded_leaves_the_one_before_serving() {
    let home = Home::new().guest("echo");
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    let before = server.tool_names();
    fs::write(home.plugins().join("echo.wasm"), "no component").unwrap();
    assert!(holds_within(SOON, || server.stderr().contains("the version before goes on serving")));
    assert_eq!(server.call("echo_say", json!({ "text": "still here" }))["content"][0]["text"], "still here");
    assert_eq!(server.tool_names(), before);
    // Another file takes the id over: it serves, once.
    fs::write(home.plugins().join("other.wasm"), wasm("state")).unwrap();
    fs::write(home.plugins().join("other.toml"), "id = \"echo\"\nversion = \"2.0.0\"").unwrap();
    assert!(holds_within(SOON, || !server.tool_names().contains(&"echo_say".into())));
    assert!(server.tool_names().iter().all(|name| name.starts_with("echo_")));
    server.end();
}
