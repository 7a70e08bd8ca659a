//! Secrets: who sees them, and that nobody else does.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_says, code, text};
use crate::support::server::Era;

const CANARY: &str = "canary-5d1f9c77";

const MANIFEST: &str = "id = \"seer\"\nversion = \"1.0.0\"\n\
    [[ask.secrets]]\nname = \"seen\"\nreveal = true\n\
    [[ask.secrets]]\nname = \"bound\"\nurl = \"https://api.example\"\nheader = \"authorization\"\n\
    [[ask.secrets]]\nname = \"refused\"\nreveal = true\n";

/// A home where the plugin may see one secret and have another one sent.
fn home() -> Home {
    let home = Home::new().file("seer.wasm", &wasm("secrets")).file("seer.toml", MANIFEST.as_bytes());
    for name in ["seen", "bound", "refused"] {
        let path = home.path().join(name);
        fs::write(&path, format!("{CANARY}-{name}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    home.config(
        "[plugins.seer.grant.secrets]\nseen = { file = \"seen\", reveal = true }\nbound = { file = \"bound\", reveal = true }\nrefused = { file = \"refused\", url = \"https://api.example\", header = \"x-key\" }\n",
    )
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
