//! Signatures of publishers, made with minisign as publishers make them.
//!
//! Invariant: each fault is refused with its own reason, and the same file with a good signature runs.

use std::fs;

use minisign::KeyPair;
use serde_json::json;

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::told::{described, with_manifest};

/// A plugin `tool` of this version.
fn component(version: &str) -> Vec<u8> {
    with_manifest(described("Runs."), &format!("id = \"tool\"\nversion = \"{version}\"\n"))
}

fn sign(home: &Home, pair: &KeyPair, bytes: &[u8], comment: &str) {
    let signature = minisign::sign(None, &pair.sk, bytes, Some(comment), None).unwrap();
    fs::write(home.plugins().join("tool.wasm.minisig"), signature.into_string()).unwrap();
}

/// A home that takes signatures of this key only.
fn home(pair: &KeyPair, required: bool) -> Home {
    let key = pair.pk.to_base64();
    Home::new()
        .file("tool.wasm", &component("1.1.0"))
        .config(&format!("[trust]\nrequire-signature = {required}\npublishers = {{ acme = \"{key}\" }}\n"))
}

fn key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

#[track_caller]
fn assert_refused(home: &Home, why: &str) {
    let plugin = home.plugin("tool.wasm");
    assert_eq!(plugin["state"], "refused", "{plugin:#}");
    assert!(plugin["reason"].as_str().unwrap().contains(why), "{plugin:#}");
    assert_ne!(home.run(&["call", "tool_run"]).code, Some(0));
    let approved = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!(approved.code, Some(1), "{}", approved.stdout);
    assert!(
        approved.stderr.contains("nothing to accept") && approved.stderr.contains(why),
        "{}",
        approved.stderr
    );
}

#[test]
fn what_is_signed_for_its_id_and_version_runs_and_its_publisher_is_shown() {
    let pair = key();
    let home = home(&pair, true);
    sign(&home, &pair, &component("1.1.0"), "timestamp:1\tid=tool version=1.1.0");
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    let shown = home.run(&["plugin", "inspect", "tool"]).stdout;
    assert!(shown.contains("signed by acme"), "{shown}");
    assert!(fs::read_to_string(home.path().join("hubcap.lock")).unwrap().contains("publisher = \"acme\""));
}

#[test]
fn what_is_unsigned_or_wrongly_signed_is_refused_with_the_reason() {
    let (pair, stranger) = (key(), key());
    let home = home(&pair, true);
    let file = component("1.1.0");
    assert_refused(&home, "not signed");
    sign(&home, &stranger, &file, "id=tool version=1.1.0");
    assert_refused(&home, "by a key of none of the publishers");
    sign(&home, &pair, &component("1.0.9"), "id=tool version=1.1.0");
    assert_refused(&home, "the file is not the one that acme signed");
    sign(&home, &pair, &file, "id=other version=1.1.0");
    assert_refused(&home, "it is for id \"other\", and the file says \"tool\"");
    sign(&home, &pair, &file, "id=tool version=1.2.0");
    assert_refused(&home, "it is for version \"1.2.0\", and the file says \"1.1.0\"");
    fs::write(home.plugins().join("tool.wasm.minisig"), "nonsense").unwrap();
    assert_refused(&home, "the .minisig is not minisign's");
    assert!(fs::read_to_string(home.path().join("hubcap.lock")).is_err());
}

#[test]
fn an_older_version_that_was_signed_once_is_a_downgrade() {
    let pair = key();
    let home = home(&pair, true);
    sign(&home, &pair, &component("1.1.0"), "id=tool version=1.1.0");
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    fs::write(home.plugins().join("tool.wasm"), component("1.0.9")).unwrap();
    sign(&home, &pair, &component("1.0.9"), "id=tool version=1.0.9");
    assert_refused(&home, "a downgrade: version 1.0.9 is older than 1.1.0");
    let told = home.plugin("tool.wasm")["reason"].as_str().unwrap().to_owned();
    // A newer one waits for its approval, like any change.
    fs::write(home.plugins().join("tool.wasm"), component("1.10.0")).unwrap();
    sign(&home, &pair, &component("1.10.0"), "id=tool version=1.10.0");
    assert_eq!(home.plugin("tool.wasm")["state"], "quarantined");
    assert_eq!(home.run(&["plugin", "approve", "tool", "--yes"]).code, Some(0));
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    observed("E07", format_args!("an older signed version in its place: {told:.70}"));
}

#[test]
fn where_none_is_required_a_bad_signature_is_still_refused_and_none_is_fine() {
    let pair = key();
    let home = home(&pair, false);
    assert_eq!(home.plugin("tool.wasm")["state"], "ready");
    sign(&home, &pair, &component("1.1.0"), "id=other version=1.1.0");
    assert_refused(&home, "it is for id \"other\"");
}

#[test]
fn a_signature_of_4_kib_is_read_and_a_larger_file_is_none() {
    let pair = key();
    let home = home(&pair, true);
    let good = "id=tool version=1.1.0";
    sign(&home, &pair, &component("1.1.0"), good);
    let path = home.plugins().join("tool.wasm.minisig");
    let short = fs::metadata(&path).unwrap().len() as usize;
    let padded = |bytes: usize| format!("{good} {}", "x".repeat(bytes - short - 1));
    sign(&home, &pair, &component("1.1.0"), &padded(4_096));
    assert_eq!(fs::metadata(&path).unwrap().len(), 4_096);
    assert_eq!(home.plugin("tool.wasm")["state"], "ready");
    sign(&home, &pair, &component("1.1.0"), &padded(4_097));
    // It is not looked into, so nobody knows whose file it is.
    let refused = home.plugin("tool.wasm");
    assert_eq!(refused["state"], "refused", "{refused:#}");
    let why = "bad signature: tool.wasm.minisig: too large: 4097 bytes";
    assert!(refused["reason"].as_str().unwrap().contains(why), "{refused:#}");
    assert_ne!(home.run(&["call", "tool_run"]).code, Some(0));
}

#[test]
fn a_required_signature_without_a_publisher_is_no_configuration() {
    let home = Home::new().config("[trust]\nrequire-signature = true\n");
    let refused = home.run(&["tools"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("hubcap.toml:1:1: `require-signature` needs `publishers`"),
        "{}",
        refused.stderr
    );
    let home = Home::new().config("[trust]\nmode = \"locked\"\n").file("tool.wasm", &component("1.0.0"));
    assert_eq!(home.plugin("tool.wasm")["state"], json!("quarantined"));
}
