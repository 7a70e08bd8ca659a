//! `plugin inspect`, plugins named by their file, the schema of a plugin's configuration, and files that
//! the hub reads for agents.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};

const MANIFEST: &str = "id = \"sample\"\nversion = \"1.2.3\"\ntitle = \"A sample\"\ndescription = \"Echoes.\"\n\
    license = \"MIT\"\nhomepage = \"https://example.org\"\n\
    [config]\nadditionalProperties = false\n[config.properties.greeting]\ntype = \"string\"\n";

/// A home with the guest `echo` under a manifest with everything in it.
fn home() -> Home {
    Home::new().file("sample.wasm", &wasm("echo")).file("sample.toml", MANIFEST.as_bytes())
}

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {}", finished.stderr))
}

#[test]
fn a_plugin_is_inspected_by_its_id_and_by_its_file() {
    let home = home();
    let by_id = json_of(&home.run(&["plugin", "inspect", "sample", "--json"]));
    let file = home.plugins().join("sample.wasm");
    let by_file = json_of(&home.run(&["plugin", "inspect", file.to_str().unwrap(), "--json"]));
    assert_eq!(by_id, by_file);
    for (key, value) in [
        ("id", "sample"),
        ("version", "1.2.3"),
        ("title", "A sample"),
        ("description", "Echoes."),
        ("license", "MIT"),
        ("homepage", "https://example.org"),
    ] {
        assert_eq!(by_id[key], value);
    }
    assert_eq!(by_id["kinds"], json!(["tools"]));
    assert_eq!(by_id["bytes"], wasm("echo").len());
    assert_eq!(by_id["configSchema"]["properties"]["greeting"]["type"], "string");
    assert_eq!(
        by_id["budget"],
        json!({ "fuel": 1_000_000_000, "deadlineMillis": 30_000, "memoryBytes": 64 << 20 })
    );
    let imports = by_id["imports"].as_array().unwrap();
    assert!(imports.contains(&json!("wasi:io/error@0.2.12")) || !imports.is_empty(), "{imports:?}");
    let said = by_id["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "sample_say");
    assert_eq!(said.unwrap()["inputSchema"]["type"], "object");
}

#[test]
fn the_digest_is_that_of_the_file_and_of_the_manifest_that_counts() {
    let bare = Home::new().guest("echo");
    let digest = |home: &Home, id: &str| {
        json_of(&home.run(&["plugin", "inspect", id, "--json"]))["digest"].as_str().unwrap().to_owned()
    };
    let of_file = digest(&bare, "echo");
    let sum = Command::new("sha256sum").arg(bare.plugins().join("echo.wasm")).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(of_file.strip_prefix("sha256:"), sum.split_whitespace().next());
    let with_manifest = home();
    let before = digest(&with_manifest, "sample");
    assert_ne!(before, of_file);
    fs::write(with_manifest.plugins().join("sample.toml"), MANIFEST.replace("MIT", "ISC")).unwrap();
    assert_ne!(digest(&with_manifest, "sample"), before);
}

#[test]
fn people_see_the_same_as_a_page() {
    let page = home().run(&["plugin", "inspect", "sample"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    for words in
        ["sample 1.2.3\n", "A sample", "sha256:", "\"greeting\"", "wasi:cli/", "tool sample_say", "input  {"]
    {
        assert!(page.stdout.contains(words), "{words:?} in {}", page.stdout);
    }
}

#[test]
fn what_cannot_be_inspected_is_told_why() {
    let home = home().file("broken.wasm", b"no component");
    let unknown = home.run(&["plugin", "inspect", "smaple"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("\"smaple\""), "{}", unknown.stderr);
    let missing = home.run(&["plugin", "inspect", "./nowhere.wasm"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("nowhere.wasm"), "{}", missing.stderr);
    let broken = home.plugins().join("broken.wasm");
    let broken = home.run(&["plugin", "inspect", broken.to_str().unwrap()]);
    assert!(broken.code == Some(1) && broken.stderr.contains("not a component"), "{}", broken.stderr);
}

#[test]
fn a_plugin_file_is_named_in_place_of_a_directory() {
    let plugins = Home::new().guest("echo").guest("state");
    let file = plugins.plugins().join("echo.wasm");
    let home = Home::new();
    let called = home.run(&["call", "echo_say", r#"{"text":"hi"}"#, "--plugins", file.to_str().unwrap()]);
    assert_eq!((called.code, called.stdout.as_str()), (Some(0), "hi\n"), "{}", called.stderr);
    // Its directory is named too: one file, not two of one id.
    let list = |command: &mut Command| -> Vec<Value> {
        let listed = json_of(&finish(command.args(["plugin", "list", "--json"]), b""));
        listed["plugins"].as_array().unwrap().iter().map(|plugin| plugin["state"].clone()).collect()
    };
    let both = format!("{}:{}", file.display(), plugins.plugins().display());
    assert_eq!(list(home.command(&[]).env("HUBCAP_PLUGINS", both)), ["ready", "ready"]);
    for echo in ["echo.wasm", "./echo.wasm"] {
        let mut command = home.command(&["--plugins", ".", "--plugins", echo]);
        assert_eq!(list(command.current_dir(plugins.plugins())), ["ready", "ready"], "{echo}");
    }
}

#[test]
fn an_option_names_one_path_whatever_is_in_it() {
    let home = Home::new().guest("echo");
    let odd = home.path().join("with:colon");
    fs::rename(home.plugins(), &odd).unwrap();
    let called = home.run(&["call", "echo_say", r#"{"text":"hi"}"#, "--plugins", odd.to_str().unwrap()]);
    assert_eq!((called.code, called.stdout.as_str()), (Some(0), "hi\n"), "{}", called.stderr);
}

#[test]
fn a_configuration_that_the_author_did_not_describe_refuses_that_plugin_alone() {
    let home = home().guest("echo").config("[plugins.sample]\nconfig = { greetnig = \"hi\" }\n");
    let listed = home.plugin("sample.wasm");
    assert_eq!(listed["state"], "refused");
    let reason = listed["reason"].as_str().unwrap();
    assert!(
        reason.contains("hubcap.toml:2:12: unknown key `greetnig`; did you mean `greeting`?"),
        "{reason}"
    );
    assert_eq!(home.run(&["call", "echo_say", r#"{"text":"hi"}"#]).stdout, "hi\n");
    let home = home.config("[plugins.sample]\nconfig = { greeting = \"hi\" }\n");
    assert_eq!(home.plugin("sample.wasm")["state"], "ready");
}

/// `hubcap_validate` with these arguments: the result.
fn validated(home: &Home, arguments: &Value) -> Value {
    json_of(&home.run(&["call", "hubcap_validate", &arguments.to_string(), "--json"]))
}

#[test]
fn agents_have_a_file_validated_by_its_path_where_the_operator_allows_it() {
    let home = Home::new().guest("judge").config("validate-dirs = [\"work\"]\n");
    fs::create_dir(home.path().join("work")).unwrap();
    fs::write(home.path().join("work/a.txt"), "one bad word").unwrap();
    fs::write(home.path().join("secret.txt"), "bad bad bad").unwrap();
    let found = validated(&home, &json!({ "path": "a.txt" }));
    let findings = found["structuredContent"]["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["column"]), (1, &json!(5)));
    // A text that is sent along counts, and nothing is read.
    let sent = validated(&home, &json!({ "path": "a.txt", "text": "fine" }));
    assert_eq!(sent["structuredContent"]["findings"], json!([]));
    for outside in ["../secret.txt", home.path().join("secret.txt").to_str().unwrap(), "/etc/hostname"] {
        let refused = validated(&home, &json!({ "path": outside }));
        assert_eq!(refused["_meta"]["hubcap/error"]["code"], "denied", "{refused}");
        assert!(!refused.to_string().contains("bad bad"), "{refused}");
    }
    let neither = validated(&home, &json!({}));
    assert!(
        neither["content"][0]["text"].as_str().unwrap().contains("give `text`, or the `path`"),
        "{neither}"
    );
}

#[test]
fn without_such_a_directory_the_text_itself_is_asked_for() {
    let home = Home::new().guest("judge");
    let refused = validated(&home, &json!({ "path": "a.txt" }));
    assert_eq!(refused["_meta"]["hubcap/error"]["code"], "invalid-arguments");
    let nobody = validated(&Home::new().guest("echo"), &json!({ "text": "bad" }));
    assert_eq!(nobody["_meta"]["hubcap/error"]["code"], "unavailable", "{nobody}");
    let missing = Home::new().guest("judge").config("validate-dirs = [\"gone\"]\n");
    for command in ["serve", "tools"] {
        let missing = missing.run(&[command]);
        assert!(missing.code == Some(2) && missing.stderr.contains("validate-dirs"), "{}", missing.stderr);
    }
    // What reads nothing there need not be able to.
    for command in [&["plugin", "list"][..], &["plugin", "inspect", "judge"], &["validate", "hubcap.toml"]] {
        assert_eq!(missing.run(command).code, Some(0), "{command:?}");
    }
}
