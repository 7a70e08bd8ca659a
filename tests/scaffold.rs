//! What `hubcap plugin new` makes: that it builds, does what it says it does, and is clean; and that a
//! mistake leaves everything as it was.
//!
//! Invariant: cargo runs for real and without a network, and shares what the other guests were built of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::support::guests::{root, wasm};
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::Server;

/// `plugin new` with these arguments, in this folder.
fn new(folder: &Path, arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubcap"));
    finish(command.args(["plugin", "new"]).args(arguments).current_dir(folder), b"")
}

/// A new plugin in a folder that stays the same from run to run, so that cargo's files of it do, too.
fn scaffold(id: &str, kind: &str) -> (PathBuf, String) {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scaffold").join(id);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    let made = new(&place, &[id, "--kind", kind]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    // The versions that are already here.
    fs::copy(root().join("Cargo.lock"), place.join(id).join("Cargo.lock")).unwrap();
    (place, made.stdout)
}

/// The cargo that runs this, in a folder.
fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env("CARGO_NET_OFFLINE", "true").current_dir(folder);
    cargo
}

/// With the environment of cargo, where all guests are built.
fn with_cargo(command: &mut Command) -> &mut Command {
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", root().join("target"))
}

/// Runs a command that may compile, however long that takes.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout.into_owned()
}

/// The commands that are offered next.
fn next(said: &str) -> Vec<&str> {
    let (_, next) = said.split_once("\nNext:\n").unwrap_or_else(|| panic!("{said}"));
    next.lines().map(str::trim).collect()
}

/// Runs a command as a person would who copies it.
#[track_caller]
fn paste(place: &Path, line: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_hubcap")).parent().unwrap();
    let before = std::env::var_os("PATH").unwrap_or_default();
    let paths = [folder.to_owned()].into_iter().chain(std::env::split_paths(&before));
    let mut shell = Command::new("sh");
    shell.args(["-euc", line]).current_dir(place).env("PATH", std::env::join_paths(paths).unwrap());
    succeed(with_cargo(&mut shell))
}

/// Builds a new plugin, tries it as it says, has its cases hold, and removes it. Returns what the trial said.
fn builds_works_and_goes(id: &str, kind: &str) -> String {
    // Whatever of the SDK is to be compiled is compiled by now.
    wasm("echo");
    let (place, said) = scaffold(id, kind);
    let commands = next(&said);
    assert_eq!(commands.len(), 3, "{said}");
    let built = paste(&place, commands[0]);
    assert!(built.starts_with(&format!("plugins/{id}.wasm 0.1.0 ")), "{built}");
    let tried = paste(&place, commands[1]);
    assert_eq!(commands[2], format!("hubcap plugin test {id}"));

    let file = format!("{id}.wasm");
    let home = Home::new().file(&file, &fs::read(place.join("plugins").join(&file)).unwrap());
    let plugin = home.plugin(&file);
    assert_eq!((&plugin["id"], &plugin["state"]), (&json!(id), &json!("ready")));
    assert_eq!(plugin["kinds"], json!([format!("{kind}s")]));
    the_cases_hold(&home, id, &place.join(id));
    fs::remove_file(home.plugins().join(&file)).unwrap();
    assert_eq!(home.plugin_list(), Vec::<Value>::new());
    tried
}

/// Every case of `cases.toml` holds, and at least one succeeds and one fails or finds something.
fn the_cases_hold(home: &Home, id: &str, folder: &Path) {
    let cases: toml::Table = fs::read_to_string(folder.join("cases.toml")).unwrap().parse().unwrap();
    let cases = serde_json::to_value(&cases["case"]).unwrap();
    let cases = cases.as_array().unwrap();
    let wrong = |case: &&Value| case.get("error").is_some() || case["findings"][0].is_object();
    let wrongs = cases.iter().filter(wrong).count();
    assert!((1..cases.len()).contains(&wrongs), "{cases:#?}");
    let mut server = home.serve();
    cases.iter().for_each(|case| holds(&mut server, id, case));
    server.end();
}

fn holds(server: &mut Server, id: &str, case: &Value) {
    let given = |keys: &[(&str, &str)]| {
        let known = keys.iter().filter_map(|(key, name)| Some(((*name).to_owned(), case.get(*key)?.clone())));
        Value::Object(known.collect::<Map<_, _>>())
    };
    let result = match case["call"].as_str() {
        Some(tool) => server.call(&format!("{id}_{tool}"), case["arguments"].clone()),
        None if case.get("validate").is_some() => {
            server.call("hubcap_validate", given(&[("validate", "text"), ("path", "path")]))
        }
        None => server.call("hubcap_complete", given(&[("complete", "prompt"), ("model", "model")])),
    };
    if let Some(code) = case["error"].as_str() {
        assert_failed(&result, code, "caller");
        assert!(text(&result).contains(case["message"].as_str().unwrap()), "{result:#}");
    } else if let Some(findings) = case["findings"].as_array() {
        let found = result["structuredContent"]["findings"].as_array().unwrap();
        assert_eq!(found.len(), findings.len(), "{result:#}");
        for (found, expected) in found.iter().zip(findings) {
            let expected = expected.as_object().unwrap();
            assert!(expected.iter().all(|(key, value)| found[key] == *value), "{found:#}");
        }
    } else {
        assert_says(&result, case["text"].as_str().unwrap());
    }
}

#[test]
fn a_new_tool_builds_greets_and_goes() {
    assert_eq!(builds_works_and_goes("new-tool", "tool"), "Hello, Ada!\n");
}

#[test]
fn a_new_validator_builds_finds_and_goes() {
    let found = builds_works_and_goes("new-validator", "validator");
    assert!(found.contains("1:4: warning[new-validator/trailing-space]: remove the spaces"), "{found}");
}

#[test]
fn a_new_provider_builds_answers_and_goes() {
    assert_eq!(builds_works_and_goes("new-provider", "provider"), "You said: Hello\n");
}

#[test]
fn new_crates_are_formatted_pass_the_lints_and_their_own_tests() {
    wasm("echo");
    let formatted = |place: &Path, id: &str| {
        succeed(cargo(&place.join(id)).args(["fmt", "--check"]));
    };
    for kind in ["tool", "validator", "provider"] {
        let id = format!("clean-{kind}");
        // With this checkout's settings, and with none.
        let (place, _) = scaffold(&id, kind);
        formatted(&place, &id);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(new(elsewhere.path(), &[&id, "--kind", kind]).code, Some(0));
        formatted(elsewhere.path(), &id);
        let cargo = |command: &str| {
            let mut cargo = cargo(&place.join(&id));
            // What the macros are made of is compiled for this profile.
            cargo.args([command, "--profile", "guest"]).env("CARGO_PROFILE_GUEST_INHERITS", "release");
            cargo.arg("--target-dir").arg(root().join("target/guests"));
            cargo
        };
        succeed(cargo("clippy").args(["--target", "wasm32-wasip2", "--", "-D", "warnings"]));
        let tested = succeed(&mut cargo("test"));
        assert!(tested.contains("test result: ok. 1 passed"), "{tested}");
    }
}

#[test]
fn a_new_tool_is_short_and_knows_nothing_of_what_the_macros_write() {
    let elsewhere = tempfile::tempdir().unwrap();
    for kind in ["tool", "validator", "provider"] {
        assert_eq!(new(elsewhere.path(), &[kind, "--kind", kind]).code, Some(0));
        let source = fs::read_to_string(elsewhere.path().join(kind).join("src/lib.rs")).unwrap();
        let (code, _) = source.split_once("#[cfg(test)]").unwrap();
        assert!(kind != "tool" || code.lines().count() <= 25, "{code}");
        for word in ["bindings", "wit_bindgen", "export!", "extern"] {
            assert!(!code.contains(word), "{word} in {code}");
        }
    }
}

#[test]
fn what_was_made_is_told_with_where_the_sdk_is() {
    let elsewhere = tempfile::tempdir().unwrap();
    let made = new(elsewhere.path(), &["word-count", "--lang", "rust"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let files = ["Cargo.toml", "plugin.toml", "src/lib.rs", "cases.toml", ".gitignore"];
    for file in files {
        assert!(made.stdout.contains(&format!("  word-count/{file}\n")), "{}", made.stdout);
        assert!(elsewhere.path().join("word-count").join(file).is_file(), "{file}");
    }
    let sdk = root().canonicalize().unwrap().join("sdk");
    let said = format!("hubcap-sdk: {} (the checkout that this program was built from)", sdk.display());
    assert!(made.stdout.contains(&said), "{}", made.stdout);
    assert_eq!(
        manifest(elsewhere.path(), "word-count")["dependencies"]["hubcap-sdk"]["path"].as_str(),
        sdk.to_str()
    );
    let plugin = fs::read_to_string(elsewhere.path().join("word-count/plugin.toml")).unwrap();
    assert!(plugin.contains("id = \"word-count\"") && plugin.contains("title = \"Word count\""), "{plugin}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    let (_, said) = scaffold("told-tool", "tool");
    assert!(said.contains("(the checkout that the new folder is in)"), "{said}");
}

fn manifest(place: &Path, id: &str) -> toml::Table {
    fs::read_to_string(place.join(id).join("Cargo.toml")).unwrap().parse().unwrap()
}

/// What cargo says of a crate and of all that it depends on.
fn metadata(folder: &Path, more: &[&str]) -> Value {
    let mut cargo = cargo(folder);
    cargo.args(["metadata", "--format-version", "1"]).args(more);
    serde_json::from_str(&succeed(&mut cargo)).unwrap()
}

#[test]
fn an_sdk_that_is_given_is_used_whatever_its_path_looks_like() {
    let elsewhere = tempfile::tempdir().unwrap();
    let sdk = elsewhere.path().canonicalize().unwrap().join("an 'odd' \"path\" with\\backslash {{id}}");
    fs::create_dir_all(sdk.join("src")).unwrap();
    fs::write(sdk.join("src/lib.rs"), "").unwrap();
    fs::write(sdk.join("Cargo.toml"), "[package]\nname = \"hubcap-sdk\"\nversion = \"9.9.9\"\n").unwrap();
    let relative = sdk.file_name().unwrap().to_str().unwrap();
    let made = new(elsewhere.path(), &["odd", "--sdk", relative]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stdout.contains(&format!("hubcap-sdk: {} (--sdk)\n", sdk.display())), "{}", made.stdout);
    let known = metadata(&elsewhere.path().join("odd"), &[]);
    let versions: Vec<_> =
        known["packages"].as_array().unwrap().iter().map(|package| &package["version"]).collect();
    assert!(versions.contains(&&json!("9.9.9")), "{known:#}");
}

#[test]
fn a_folder_without_the_sdk_is_a_usage_error_that_says_so() {
    let elsewhere = tempfile::tempdir().unwrap();
    assert_refused(
        elsewhere.path(),
        &["mine", "--sdk", "nowhere"],
        2,
        &["nowhere", "does not hold the crate hubcap-sdk"],
    );
    let host = root().to_str().unwrap();
    assert_refused(elsewhere.path(), &["mine", "--sdk", host], 2, &[host, "it holds `hubcap`"]);
}

#[test]
fn a_new_crate_is_a_member_where_a_workspace_takes_it_and_stands_alone_elsewhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir_all(elsewhere.path().join("plugins")).unwrap();
    fs::write(elsewhere.path().join("Cargo.toml"), "[workspace]\nmembers = [\"plugins/*\"]\n").unwrap();
    for (place, id, member) in [("plugins", "inside", true), (".", "outside", false)] {
        let place = elsewhere.path().join(place);
        assert_eq!(new(&place, &[id]).code, Some(0));
        assert_eq!(manifest(&place, id).contains_key("workspace"), !member);
        let known = metadata(&place.join(id), &["--no-deps"]);
        let around = elsewhere.path().canonicalize().unwrap();
        let root = if member { around } else { around.join(id) };
        assert_eq!(known["workspace_root"].as_str(), root.to_str());
    }
}

/// The command failed in this way, with these words, and left nothing that was not there before.
#[track_caller]
fn assert_refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let there = || fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let before = there();
    let refused = new(folder, arguments);
    assert_eq!(refused.code, Some(code), "{}{}", refused.stdout, refused.stderr);
    for word in words {
        assert!(refused.stderr.contains(word), "{word:?} in {}", refused.stderr);
    }
    assert_eq!(refused.stdout, "");
    assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
    assert_eq!(there(), before);
}

#[test]
fn a_name_that_is_no_plugin_id_is_answered_with_the_rule_and_one_that_is() {
    let elsewhere = tempfile::tempdir().unwrap();
    let rule = "a lower-case letter, then at most 23";
    for (name, offer) in [
        ("My_Tool", "try `my-tool`"),
        ("../word count/", "try `word-count`"),
        ("hubcap", "try `hubcap-plugin`"),
        ("route", "try `route-plugin`"),
        (&"a".repeat(25), "try `aaaaaaaaaaaaaaaaaaaaaaaa`"),
    ] {
        assert_refused(elsewhere.path(), &[name], 2, &[rule, offer]);
    }
    assert_refused(elsewhere.path(), &[""], 2, &[rule]);
    assert_refused(elsewhere.path(), &["hubcap-sdk"], 2, &["depends on; try `hubcap-sdk-plugin`"]);
}

#[test]
fn what_exists_already_stays_as_it_is() {
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path();
    fs::create_dir(place.join("folder")).unwrap();
    fs::write(place.join("file"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", place.join("link")).unwrap();
    for name in ["folder", "file", "link"] {
        assert_refused(place, &[name], 2, &[name, "exists already", "choose another name"]);
    }
    assert_eq!(fs::read_dir(place.join("folder")).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "mine");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_told() {
    // Not even root makes folders here.
    let refused = new(Path::new("/proc"), &["mine"]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("cannot make mine: ") && refused.stderr.contains("/proc"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing() {
    let elsewhere = tempfile::tempdir().unwrap();
    // Folders can be made, and files of no more than nothing.
    let line = "trap '' XFSZ; ulimit -f 0; exec \"$0\" plugin new mine";
    let mut shell = Command::new("sh");
    shell.args(["-c", line, env!("CARGO_BIN_EXE_hubcap")]).current_dir(elsewhere.path());
    let refused = finish(&mut shell, b"");
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("cannot make mine: ") && refused.stderr.contains("has room"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn an_unknown_kind_or_language_is_answered_with_those_that_there_are() {
    let elsewhere = tempfile::tempdir().unwrap();
    assert_refused(elsewhere.path(), &["mine", "--kind", "tol"], 2, &["tol", "tool, validator, provider"]);
    assert_refused(elsewhere.path(), &["mine", "--lang", "cobol"], 2, &["cobol", "rust"]);
    assert_refused(elsewhere.path(), &[], 2, &["NAME"]);
}
