//! A secret appears nowhere but where it is granted to, in no form that the host could give it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::json;

use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_says, code};
use crate::support::promises::{kept, short_or_long};
use crate::support::server::Era;

/// 32 bytes that differ in every form.
const CANARY: &str = "kN7/q+Zr2x=Lw9~Tb4%Yh6&Jd8*Vm0!p";

const SEER: &str = "id = \"seer\"\nversion = \"1.0.0\"\n[[ask.secrets]]\nname = \"seen\"\nreveal = true\n";
const PROGRAMS: &str = "id = \"programs\"\nversion = \"1.0.0\"\n[[ask.process]]\ncommand = \"look\"\n";
const KV: &str = "id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";

/// The forms of it: as it is, encoded, escaped, backwards, and a part.
fn forms() -> Vec<String> {
    let bytes = CANARY.as_bytes();
    let percent = |byte: &u8| match byte.is_ascii_alphanumeric() {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    let encoded = BASE64.encode(bytes);
    vec![
        CANARY.to_owned(),
        encoded[..40].to_owned(),
        BASE64URL_NOPAD.encode(bytes)[..40].to_owned(),
        BASE32.encode(bytes)[..48].to_owned(),
        HEXLOWER.encode(bytes),
        HEXUPPER.encode(bytes),
        bytes.iter().map(percent).collect(),
        CANARY.chars().rev().collect(),
        CANARY[..16].to_owned(),
    ]
}

/// How often any form of it is in these bytes.
fn found(bytes: &[u8]) -> usize {
    let count = |form: &String| bytes.windows(form.len()).filter(|window| *window == form.as_bytes()).count();
    forms().iter().map(count).sum()
}

/// All files below a directory, but those that the operator wrote the secret to.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    all.filter(|path| !path.ends_with("secret")).collect()
}

fn home() -> Home {
    let home = Home::new().file("seer.wasm", &wasm("secrets")).file("seer.toml", SEER.as_bytes());
    let home = home.guest("environment").guest("programs").file("programs.toml", PROGRAMS.as_bytes());
    let home = home.guest("kv").file("kv.toml", KV.as_bytes()).guest_as("secrets", "other").wat("plain");
    let (secret, look) = (home.path().join("secret"), home.path().join("look"));
    fs::write(&secret, CANARY).unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    // What a program sees of itself, and of the host that started it.
    let script = "#!/bin/sh\nenv; cat /proc/self/cmdline /proc/$PPID/cmdline /proc/$PPID/environ; ls -l /proc/self/fd\n";
    fs::write(&look, script).unwrap();
    fs::set_permissions(&look, Permissions::from_mode(0o755)).unwrap();
    let config = format!(
        "[plugins.seer.grant.secrets]\nseen = {{ file = {secret:?}, reveal = true }}\n\
         [plugins.programs.grant.process.look]\npath = {look:?}\n[plugins.kv.grant]\nkv = \"1MiB\"\n\
         [audit]\narguments = \"whole\"\n"
    );
    ["seer", "programs", "kv"].iter().fold(home.config(&config), |home, id| home.accept(id))
}

#[test]
fn a_secret_is_in_nothing_that_comes_out_of_the_host_or_lies_on_its_disk() {
    // The look finds it where it is.
    assert!(forms().iter().all(|form| found(format!("<{form}>").as_bytes()) > 0));
    let home = home();
    let mut server =
        home.serve_as(home.command(&["serve"]).args(["--log", "trace"]), Era::Legacy("2025-11-25"));
    let long = CANARY.len().to_string();
    let (mut seen, mut denied) = (0, 0);
    for _ in 0..short_or_long(2, 200) {
        assert_says(&server.call("seer_length", json!({ "name": "seen" })), &long);
        for tool in ["leak", "fail", "crash"] {
            server.call(&format!("seer_{tool}"), json!({ "name": "seen" }));
            seen += 1;
        }
        for tool in ["length", "leak", "exists"] {
            denied += usize::from(
                code(&server.call(&format!("other_{tool}"), json!({ "name": "seen" }))) == "denied",
            );
        }
        server.call("environment_all", json!({}));
        let look = server.call("programs_run", json!({ "command": "look" }));
        assert!(look["structuredContent"]["stdout"].as_str().unwrap().contains("look"), "{look:#}");
        assert_says(&server.call("kv_set", json!({ "key": "k", "value": "v" })), "set");
    }
    let ended = server.end();
    let mut places = vec![format!("{:?}", ended.messages).into_bytes(), ended.stderr.clone().into_bytes()];
    for command in [
        &["plugin", "list", "--json"][..],
        &["plugin", "inspect", "seer"],
        &["plugin", "grant", "seer"],
        &["tools", "--json"],
        &["audit", "tail", "--json", "-n", "100000"],
        &["state", "export", "kv"],
        &["call", "seer_leak", "{\"name\":\"seen\"}", "--json"],
    ] {
        let ran = home.run(command);
        places.push((ran.stdout + &ran.stderr).into_bytes());
    }
    let files = files(home.path());
    assert!(files.iter().any(|path| path.ends_with("000001.jsonl")) && files.len() > 8, "{files:?}");
    places.extend(files.iter().map(|path| fs::read(path).unwrap()));
    let there: usize = places.iter().map(|bytes| found(bytes)).sum();
    assert_eq!(there, 0);
    let taken_out = ended.stderr.matches("[secret seen]").count();
    assert!(taken_out >= seen && denied >= 2, "{taken_out} {denied}");
    kept(
        "P08",
        format_args!(
            "a secret of 32 bytes said {seen} times: {there} times in {} places, in {} forms; taken out of the log {taken_out} times",
            places.len(),
            forms().len()
        ),
    );
}
