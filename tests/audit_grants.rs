//! The grants that a call used, in its record and in its receipt: not those that its plugin only has.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::audit::calls;
use crate::support::ground::Ground;
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::receipt;
use crate::support::web::{Web, ok};

/// Calls tools of a home, and compares what stands in records and receipts with what they used.
#[track_caller]
fn assert_used(home: &Home, asked: &[(&str, Value, &[&str])]) {
    let mut server = home.serve();
    for (tool, arguments, used) in asked {
        let result = server.call(tool, arguments.clone());
        let shown = receipt(&result).get("grants").cloned().unwrap_or(json!([]));
        assert_eq!(shown, json!(used), "{tool} {arguments}: {result:#}");
    }
    server.end();
    let records = calls(home);
    assert_eq!(records.len(), asked.len());
    for (record, (tool, arguments, used)) in records.iter().zip(asked) {
        assert_eq!(record["grants"], json!(used), "{tool} {arguments}: {record:#}");
    }
}

#[test]
fn state_counts_when_it_is_asked_for_and_granted() {
    let manifest = b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let key = json!({ "key": "k" });
    let home = Home::new().guest("kv").file("kv.toml", manifest);
    assert_used(&home, &[("kv_get", key.clone(), &[])]);
    let home = Home::new().guest("kv").file("kv.toml", manifest);
    let home = home.config("[plugins.kv.grant]\nkv = \"1MiB\"\n").accept("kv");
    assert_used(&home, &[("kv_get", key, &["kv"])]);
}

#[test]
fn a_directory_counts_when_something_in_it_is_opened() {
    let ground = Ground::new();
    let read = json!({ "op": "read", "path": "/read/a" });
    let roots = json!({});
    let home = ground.home("1MiB");
    assert_used(&home, &[("files_act", read, &["files"]), ("files_roots", roots, &[])]);
}

#[test]
fn requests_and_the_secrets_in_them_count_and_a_secret_that_is_shown() {
    let web = Web::answering(|_| ok("hello"));
    let (plain, with_secret) = (web.url("127.0.0.1"), web.url("localhost"));
    let asks = format!(
        "[[ask.http]]\nurl = \"{plain}\"\nwhy = \"a test\"\n[[ask.http]]\nurl = \"{with_secret}\"\nwhy = \"a test\"\n\
         [[ask.secrets]]\nname = \"token\"\nurl = \"{with_secret}\"\nheader = \"authorization\"\n"
    );
    let seen = "[[ask.secrets]]\nname = \"seen\"\nreveal = true\n";
    let manifest = |id: &str, asks: &str| format!("id = \"{id}\"\nversion = \"1.0.0\"\n{asks}");
    let grant = |url: &str| format!("{{ url = \"{url}\", addresses = [\"127.0.0.1\", \"::1\"] }}");
    let home = Home::new()
        .file("fetch.wasm", &wasm("requests"))
        .file("fetch.toml", manifest("fetch", &asks).as_bytes())
        .file("seer.wasm", &wasm("secrets"))
        .file("seer.toml", manifest("seer", seen).as_bytes());
    let token = home.path().join("token");
    fs::write(&token, "a-secret-of-some-length\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let home = home
        .config(&format!(
            "[plugins.fetch.grant]\nhttp = [{}, {}]\nsecrets.token = {{ file = \"token\" }}\n\
             [plugins.seer.grant]\nsecrets.seen = {{ file = \"token\", reveal = true }}\n",
            grant(&plain),
            grant(&with_secret)
        ))
        .accept("fetch")
        .accept("seer");
    let to = |url: &str| json!({ "url": format!("{url}/") });
    assert_used(
        &home,
        &[
            ("fetch_one", to(&plain), &["http"]),
            ("fetch_one", to(&with_secret), &["http", "secrets"]),
            ("fetch_one", to("https://other.example"), &[]),
            ("seer_length", json!({ "name": "seen" }), &["secrets"]),
            ("seer_exists", json!({ "name": "seen" }), &[]),
            ("seer_length", json!({ "name": "token" }), &[]),
        ],
    );
    assert_eq!(web.heard().iter().filter(|head| head.contains("a-secret-of-some-length")).count(), 1);
}
