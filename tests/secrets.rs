//! Secrets: who sees them, and that nobody else does.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_says, code, text};
use crate::support::requests::grants;
use crate::support::server::Era;
use crate::support::web::{Web, ok};

const CANARY: &str = "canary-5d1f9c77";

const MANIFEST: &str = "id = \"seer\"\nversion = \"1.0.0\"\n\
    [[ask.secrets]]\nname = \"seen\"\nreveal = true\n\
    [[ask.secrets]]\nname = \"bound\"\nurl = \"https://api.example\"\nheader = \"authorization\"\n\
    [[ask.secrets]]\nname = \"refused\"\nreveal = true\n";

/// A home where the plugin may see one secret and have another one sent.
fn home() -> Home {
    home_with("", "")
}

/// The same that asks for more and is granted more.
fn home_with(asks: &str, grants: &str) -> Home {
    let manifest = format!("{MANIFEST}{asks}");
    let home = Home::new().file("seer.wasm", &wasm("secrets")).file("seer.toml", manifest.as_bytes());
    for name in ["seen", "bound", "refused"] {
        let path = home.path().join(name);
        fs::write(&path, format!("{CANARY}-{name}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let secrets = "seen = { file = \"seen\", reveal = true }\nbound = { file = \"bound\", reveal = true }\nrefused = { file = \"refused\", url = \"https://api.example\", header = \"x-key\" }\n";
    home.config(&format!("[plugins.seer.grant]\n{grants}[plugins.seer.grant.secrets]\n{secrets}"))
        .accept("seer")
}

fn call(home: &Home, tool: &str, name: &str) -> Value {
    let called = home.run(&["call", &format!("seer_{tool}"), &json!({ "name": name }).to_string(), "--json"]);
    serde_json::from_str(&called.stdout).unwrap_or_else(|error| panic!("{error}: {}", called.stderr))
}

#[test]
fn a_secret_is_seen_where_it_was_asked_and_granted_to_be_seen_and_nowhere_else() {
    let home = home();
    let long = (CANARY.len() + "-seen".len()).to_string();
    assert_says(&call(&home, "length", "seen"), &long);
    // One side alone is not enough: the author did not ask, or the operator did not grant.
    let refusals = ["bound", "refused", "no-such"].map(|name| call(&home, "length", name));
    for refused in &refusals {
        assert_eq!(code(refused), "denied", "{refused}");
        assert!(text(refused).contains("reveal = true"), "{refused}");
    }
    // What is there and what is not get the same words.
    let words = |result: &Value, name: &str| text(result).replace(name, "NAME");
    assert_eq!(words(&refusals[0], "bound"), words(&refusals[2], "no-such"));
    for (name, there) in [("seen", "true"), ("bound", "true"), ("no-such", "false")] {
        assert_says(&call(&home, "exists", name), there);
    }
    let codes = refusals.each_ref().map(code);
    observed("C37", format_args!("three secrets that it may not see: {}", codes.join(", ")));
    let texts =
        [("bound", &refusals[0]), ("no-such", &refusals[2])].map(|(name, result)| words(result, name));
    let texts = std::collections::BTreeSet::from(texts).len();
    observed("C38", format_args!("secrets: one that is there and one that is not got {texts} text"));
}

#[test]
fn a_secret_is_in_nothing_that_leaves_the_host() {
    let home = home();
    let mut server =
        home.serve_as(home.command(&["serve"]).args(["--log", "trace"]), Era::Legacy("2025-11-25"));
    let leaked = server.call("seer_leak", json!({ "name": "seen" }));
    assert_eq!(leaked["structuredContent"], json!({ "key": ["[secret seen]"], "[secret seen]": 1 }));
    assert!(leaked.to_string().contains("text [secret seen]"), "{leaked}");
    let failed = server.call("seer_fail", json!({ "name": "seen" }));
    assert_eq!(text(&failed), "upstream: refused [secret seen]");
    let crashed = server.call("seer_crash", json!({ "name": "seen" }));
    assert_eq!(code(&crashed), "trap");
    let stderr = server.end().stderr;
    for line in ["the key is [secret seen]", "printed: [secret seen]", "printed as an error: [secret seen]"] {
        assert!(stderr.contains(line), "{line:?} in {stderr}");
    }
    assert!(!format!("{leaked}{failed}{crashed}{stderr}").contains(CANARY));
    for command in [&["plugin", "inspect", "seer"][..], &["plugin", "list", "--json"], &["tools", "--json"]] {
        let shown = home.run(command);
        assert!(!(shown.stdout + &shown.stderr).contains(CANARY), "{command:?}");
    }
    let told = format!("{leaked}{failed}{crashed}{stderr}");
    let (taken_out, there) = (told.matches("[secret seen]").count(), told.matches(CANARY).count());
    observed(
        "C37",
        format_args!("in results, errors, logs: taken out {taken_out} times, there {there} times"),
    );
}

#[test]
fn a_secret_in_a_request_is_in_no_error_and_no_log() {
    let web = Web::answering(|_| ok(""));
    let url = web.url("127.0.0.1");
    let nobody = "http://127.0.0.1:9";
    let asks = [url.as_str(), nobody].map(|url| format!("[[ask.http]]\nurl = \"{url}\"\n")).concat();
    let home = home_with(&asks, &format!("{}\n", grants(&[&url, nobody])));
    let mut server =
        home.serve_as(home.command(&["serve"]).args(["--log", "trace"]), Era::Legacy("2025-11-25"));
    let mut told = String::new();
    let mut tries = 0;
    for (to, expected) in [
        ("http://SECRET.example/", "denied"),
        ("http://other.example/SECRET?SECRET#SECRET", "denied"),
        ("http://other.example:1/SECRET", "denied"),
        (&format!("{url}/SECRET?q=SECRET").replace("127.0.0.1", "localhost"), "denied"),
        (&format!("{nobody}/SECRET?q=SECRET"), "upstream"),
        ("http://SECRET@other.example/", "invalid-arguments"),
        ("SECRET", "invalid-arguments"),
    ] {
        for method in ["GET", "SECRET", "X-SECRET-AND-MORE"] {
            let failed = server.call("seer_send", json!({ "name": "seen", "url": to, "method": method }));
            // One that is granted nowhere is denied before anything is tried.
            let expected = if method != "GET" && expected == "upstream" { "denied" } else { expected };
            assert_eq!(code(&failed), expected, "{method} {to}: {failed:#}");
            told.push_str(text(&failed));
            tries += 1;
        }
    }
    // Where it may go it goes: the plugin was granted to see it, and to send requests there.
    assert_says(
        &server.call("seer_send", json!({ "name": "seen", "method": "GET", "url": format!("{url}/SECRET") })),
        "200",
    );
    let ended = server.end();
    let log = ended.stderr;
    assert!(log.contains("is not granted"), "{log}");
    // Not even the start of it.
    let leaks = told.matches("5d1f9c").count() + log.matches("5d1f9c").count();
    assert_eq!(leaks, 0, "{told}\n{log}");
    assert_eq!(web.heard().concat().matches(CANARY).count(), 2);
    observed(
        "C37",
        format_args!("in {tries} failed requests: {leaks} times in errors and {} bytes of log", log.len()),
    );
}

#[test]
fn progress_and_partial_text_show_no_secret() {
    let home = home();
    let mut server = home.serve();
    let params =
        json!({ "name": "seer_leak", "arguments": { "name": "seen" }, "_meta": { "progressToken": 1 } });
    server.request("tools/call", params);
    let news = format!("{:?}", server.end().messages);
    assert!(news.contains("at [secret seen]") && news.contains("partly [secret seen]"), "{news}");
    assert!(!news.contains(CANARY), "{news}");
    observed("C37", format_args!("in progress: taken out {} times", news.matches("[secret seen]").count()));
}

#[test]
fn a_secret_that_cannot_be_had_refuses_that_plugin_alone_and_says_why() {
    let home = home().guest("echo");
    let reason = |home: &Home| home.plugin("seer.wasm")["reason"].as_str().unwrap_or_default().to_owned();
    fs::set_permissions(home.path().join("seen"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(reason(&home).contains("\"seen\"") && reason(&home).contains("chmod 600"), "{}", reason(&home));
    fs::remove_file(home.path().join("seen")).unwrap();
    assert!(reason(&home).contains("cannot be read"), "{}", reason(&home));
    assert_eq!(home.run(&["call", "echo_say", r#"{"text":"hi"}"#]).stdout, "hi\n");
    let home = home.config("[plugins.seer.grant.secrets]\nseen = { env = \"SEEN\", reveal = true }\n");
    assert!(reason(&home).contains("the environment variable SEEN is not set"), "{}", reason(&home));
    let mut command = home.command(&["call", "seer_length", r#"{"name":"seen"}"#]);
    let called: Finished = finish(command.env("SEEN", CANARY), b"");
    assert_eq!(called.stdout, format!("{}\n", CANARY.len()), "{}", called.stderr);
}

#[test]
fn with_dev_no_secret_is_applied() {
    let home = home();
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    assert_eq!(code(&server.call("seer_length", json!({ "name": "seen" }))), "denied");
    assert!(server.stderr().contains("its secrets are left out"), "{}", server.stderr());
    server.end();
}
