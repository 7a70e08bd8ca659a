//! What hubcap was started with, and who gets to see it.
//!
//! Invariant: nothing of it reaches a guest, an answer or the log; only what the operator runs for a secret
//! is started like hubcap itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::{Home, finish};
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::promises::kept;
use crate::support::server::Era;

const CANARY: &str = "canary-8c1b27d4";

/// Names under which secrets stand, and those by which programs are made to load or run something.
const NAMES: [&str; 12] = [
    "AWS_SECRET_ACCESS_KEY",
    "BASH_ENV",
    "ENV",
    "GITHUB_TOKEN",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSH_COMMAND",
    "HUBCAP_TEST_CANARY",
    "NODE_OPTIONS",
    "PERL5OPT",
    "PYTHONSTARTUP",
    "RUSTC_WRAPPER",
    "SSH_AUTH_SOCK",
];

/// With the canary under each name.
fn with_canaries(command: &mut Command) -> &mut Command {
    for name in NAMES {
        command.env(name, format!("/nowhere/{CANARY}-{name}"));
    }
    command
}

/// How often a process was started with the canary.
fn canaries_of(process: i32) -> usize {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
    String::from_utf8_lossy(&environment).matches(CANARY).count()
}

#[test]
fn a_guest_sees_no_variable_no_argument_and_no_directory() {
    let home = Home::new().guest("environment");
    let nothing = json!({
        "variables": [[], []], "arguments": [[], []], "directories": [], "started-in": null,
    });
    let mut serve = home.command(&["serve", "--log", "trace"]);
    let mut server = home.serve_as(with_canaries(&mut serve), Era::Legacy("2025-11-25"));
    assert_eq!(server.call("environment_all", json!({}))["structuredContent"], nothing);
    let started_with = canaries_of(server.pid().as_raw_pid());
    assert_eq!(started_with, NAMES.len());
    let ended = server.end();
    let mut call = home.command(&["call", "environment_all", "{}", "--json", "--log", "trace"]);
    let called = finish(with_canaries(&mut call), b"");
    let answer: Value = serde_json::from_str(&called.stdout).expect(&called.stderr);
    assert_eq!(answer["structuredContent"], nothing);
    let said = format!("{:?}{}{}{}", ended.messages, ended.stderr, called.stdout, called.stderr);
    assert!(!said.contains(CANARY), "{said}");
    let seen = answer["structuredContent"]["variables"].to_string().matches(CANARY).count();
    let told = said.matches(CANARY).count();
    observed(
        "C24",
        format_args!("of {started_with} planted variables a guest saw {seen}; in answers and logs: {told}"),
    );
    let saw = |what: &str| answer["structuredContent"][what].to_string().matches('"').count() / 2;
    let [variables, arguments, directories] = ["variables", "arguments", "directories"].map(saw);
    kept(
        "P05",
        format_args!(
            "of a host with {started_with} canaries a guest saw {variables} variables, {arguments} arguments, {directories} directories"
        ),
    );
}

/// A program of the operator's.
fn program(home: &Home, script: &str) {
    let path = home.path().join("secret");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A plugin that may see one secret, and the program that prints it.
fn with_program(script: &str) -> Home {
    let manifest = b"id = \"seer\"\nversion = \"1.0.0\"\n[[ask.secrets]]\nname = \"token\"\nreveal = true\n";
    let home = Home::new().wat("plain").file("seer.wasm", &wasm("secrets")).file("seer.toml", manifest);
    program(&home, script);
    let path = home.path().join("secret");
    let config = format!(
        "[plugins.seer.grant.secrets]\ntoken = {{ command = [{path:?}, \"an argument\"], reveal = true }}\n"
    );
    home.config(&config).accept("seer")
}

#[test]
fn the_command_of_a_secret_is_started_like_hubcap_itself_and_once() {
    let home = with_program(&format!(
        "env > seen; echo \"$0 $*\" >> runs; cat > input; echo {CANARY}-said >&2\necho \"$HUBCAP_TEST_CANARY\""
    ));
    let at = |name: &str| home.path().join(name);
    let _ = fs::remove_file(at("runs"));
    let mut serve = home.command(&["serve", "--log", "trace"]);
    let mut server = home.serve_as(with_canaries(&mut serve), Era::Legacy("2025-11-25"));
    let long = format!("/nowhere/{CANARY}-HUBCAP_TEST_CANARY").len().to_string();
    for _ in 0..3 {
        assert_says(&server.call("seer_length", json!({ "name": "token" })), &long);
    }
    let shown = server.call("seer_leak", json!({ "name": "token" })).to_string();
    let logged = server.end().stderr;
    // Its own arguments, nothing to read, and the environment that the operator gave.
    assert_eq!(fs::read_to_string(at("runs")).unwrap(), format!("{} an argument\n", at("secret").display()));
    assert_eq!(fs::read_to_string(at("input")).unwrap(), "");
    assert_eq!(fs::read_to_string(at("seen")).unwrap().matches(CANARY).count(), NAMES.len());
    for said in [&shown, &logged] {
        assert!(!said.contains(CANARY), "{said}");
    }
    let runs = fs::read_to_string(at("runs")).unwrap().lines().count();
    let told = format!("{shown}{logged}").matches(CANARY).count();
    observed(
        "C24",
        format_args!("the command of a secret ran {runs} time, with its own arguments; told of it: {told}"),
    );
}

#[test]
fn what_the_command_of_a_secret_says_when_it_fails_reaches_nobody() {
    let says = |path: &Path| format!("echo {CANARY}; echo {CANARY} >&2; echo {CANARY} > {}", path.display());
    let cases = [
        ("exit 3", "failed: exit status: 3"),
        ("kill -9 $$", "failed: signal: 9"),
        ("exit 0", "it has more than one line, or other control characters"),
        ("printf '\\377'", "is not UTF-8"),
        ("head -c 40000 /dev/zero | tr '\\0' x; exit 0", "it has to have 8 bytes to 16 KiB"),
    ];
    let home = with_program("echo accepted-value");
    let proof = home.path().join("proof");
    for (end, why) in cases {
        program(&home, &format!("{}; echo {CANARY}\n{end}", says(&proof)));
        let _ = fs::remove_file(&proof);
        let mut serve = home.command(&["serve", "--log", "trace"]);
        let mut server = home.serve_as(&mut serve, Era::Legacy("2025-11-25"));
        let refused = server.call("seer_length", json!({ "name": "token" }));
        assert_failed(&refused, "unavailable", "plugin");
        let told = text(&refused).to_owned();
        assert!(told.contains("the secret \"token\" cannot be used") && told.contains(why), "{end}: {told}");
        assert_says(&server.call("plain_run", json!({})), "done");
        let ended = server.end();
        assert!(fs::read_to_string(&proof).unwrap().contains(CANARY), "it ran");
        let listed = home.run(&["plugin", "list", "--json"]);
        let said = format!("{:?}{}{}{}", ended.messages, ended.stderr, listed.stdout, listed.stderr);
        assert!(!said.contains(CANARY) && !said.contains("xxxx"), "{end}: {said}");
    }
}
