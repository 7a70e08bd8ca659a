//! What plugins keep between calls: theirs alone, within bounds, and there when it was said to be.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::{Era, Server};

const GRANT: &str = "[plugins.kv.grant]\nkv = \"1MiB\"\n";

/// A home with the guest under an id of the test's own, which asks for state.
fn with_guest(home: Home, id: &str) -> Home {
    let manifest = format!("id = \"{id}\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n");
    home.guest_as("kv", id).file(&format!("{id}.toml"), manifest.as_bytes())
}

/// A home with the guest, which has what it asks for.
fn home() -> Home {
    with_guest(Home::new(), "kv").config(GRANT).accept("kv")
}

fn state(home: &Home) -> std::path::PathBuf {
    home.path().join("state")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[track_caller]
fn set(server: &mut Server, key: &str, value: &str) {
    assert_says(&server.call("kv_set", json!({ "key": key, "value": value })), "set");
}

#[track_caller]
fn assert_holds(server: &mut Server, key: &str, value: &str) {
    assert_says(&server.call("kv_get", json!({ "key": key })), value);
}

/// Using state fails as it does where the disk or another host is in the way, in these words.
#[track_caller]
fn assert_unavailable(server: &mut Server, words: &str) {
    for (tool, arguments) in
        [("kv_get", json!({ "key": "k" })), ("kv_set", json!({ "key": "k", "value": "v" }))]
    {
        let result = server.call(tool, arguments);
        assert_failed(&result, "unavailable", "upstream");
        assert!(text(&result).contains(words), "{}", text(&result));
        assert!(!text(&result).contains("kv.redb"), "no path for an agent: {}", text(&result));
    }
}

#[test]
fn state_outlives_the_call_and_the_host_and_is_the_owners_alone() {
    let home = home();
    let mut server = home.serve();
    assert_holds(&mut server, "k", "none");
    set(&mut server, "k", "one");
    assert_holds(&mut server, "k", "one");
    server.end();
    assert_eq!((mode(&state(&home)), mode(&state(&home).join("kv.redb"))), (0o700, 0o600));
    let mut server = home.serve();
    assert_holds(&mut server, "k", "one");
    assert_says(&server.call("kv_swap", json!({ "key": "k", "expected": "two", "value": "x" })), "false");
    assert_says(&server.call("kv_swap", json!({ "key": "k", "expected": "one", "value": "x" })), "true");
    assert_says(&server.call("kv_delete", json!({ "key": "k" })), "deleted");
    assert_holds(&mut server, "k", "none");
    server.end();
}

#[test]
fn without_a_grant_everything_is_denied_alike_and_nothing_is_made() {
    let tools = ["get", "set", "delete", "list", "increment", "swap"];
    let asked = with_guest(Home::new(), "kv");
    let not_asked = Home::new()
        .guest("kv")
        .file("kv.toml", b"id = \"kv\"\nversion = \"1.0.0\"\n")
        .config(GRANT)
        .accept("kv");
    let mut denied = 0;
    for (home, author) in
        [(asked, ""), (not_asked, "its author adds `kv = 1048576` under [ask] in plugin.toml, then ")]
    {
        let mut server = home.serve();
        for tool in tools {
            for key in ["k", "", "another"] {
                let result = server.call(&format!("kv_{tool}"), json!({ "key": key, "value": "v" }));
                assert_failed(&result, "denied", "policy");
                assert_eq!(
                    text(&result),
                    format!(
                        "denied: state is not granted; {author}the operator adds `kv = 1048576` under [plugins.kv.grant] in hubcap.toml"
                    )
                );
            }
        }
        let logged = server.end().stderr;
        assert_eq!(logged.matches("denied: state is not granted").count(), 3 * tools.len(), "{logged}");
        assert!(!state(&home).join("kv.redb").exists());
        denied += 3 * tools.len();
    }
    observed("C38", format_args!("state: {denied} uses without a grant, of any key, got the same words"));
}

#[test]
fn a_plugin_reaches_only_its_own_keys_whatever_stands_in_them() {
    let config = format!("{GRANT}[plugins.kv-2.grant]\nkv = \"1MiB\"\n");
    let home = with_guest(with_guest(Home::new(), "kv"), "kv-2").config(&config).accept("kv").accept("kv-2");
    let mut server = home.serve();
    let keys = ["\0", "k\0", "../kv-2/k", "kv-2", "kv-2\0k", "/", "..", "é"];
    for (n, key) in keys.iter().enumerate() {
        set(&mut server, key, &n.to_string());
        assert_says(&server.call("kv-2_get", json!({ "key": key })), "none");
    }
    assert_says(&server.call("kv-2_set", json!({ "key": "k", "value": "other" })), "set");
    assert_holds(&mut server, "k", "none");
    for (n, key) in keys.iter().enumerate() {
        assert_holds(&mut server, key, &n.to_string());
    }
    let listed = server.call("kv-2_list", json!({}));
    assert_says(&listed, "k");
    let result = server.call("kv_get", json!({ "key": "" }));
    assert_failed(&result, "invalid-arguments", "caller");
    let result = server.call("kv_set", json!({ "key": "k".repeat(513), "value": "" }));
    assert_failed(&result, "invalid-arguments", "caller");
    server.end();
    let seen = text(&listed).split(' ').filter(|key| *key != "k").count();
    observed(
        "C36",
        format_args!("{} odd keys kept byte for byte, {seen} of them seen by the neighbour", keys.len()),
    );
}

#[test]
fn a_million_keys_and_values_of_any_size_end_at_the_quota() {
    let home = home();
    let file = state(&home).join("kv.redb");
    let mut case = Case::of(home);
    let mut ends = Vec::new();
    for (bytes, kept, why) in [
        (0, 1_000, "limit: the state of kv would have 1001 keys, more than 1000; delete what is not needed"),
        (65_536, 15, "limit: the state of kv would have "),
    ] {
        let filled = case.call("kv_fill", json!({ "keys": 1_000_000, "bytes": bytes }));
        let said = text(&filled).to_owned();
        assert!(said.starts_with(&format!("{kept} {why}")), "{said}");
        ends.push(format!("{kept} of {bytes} bytes"));
        let listed = case.call("kv_list", json!({}));
        let keys: Vec<&str> = text(&listed).split(' ').collect();
        assert_eq!(keys.len(), kept);
        for key in keys {
            assert_says(&case.call("kv_delete", json!({ "key": key })), "deleted");
        }
    }
    for (bytes, code) in [(65_537, "limit"), (16 << 20, "limit"), (1 << 30, "memory")] {
        let result = case.call("kv_set", json!({ "key": "k", "bytes": bytes }));
        assert_failed(&result, code, "plugin");
    }
    assert_says(&case.call("kv_set", json!({ "key": "k", "bytes": 65_536 })), "set");
    assert!(case.growth_mib() < 96, "{} MiB", case.growth_mib());
    let len = fs::metadata(file).unwrap().len();
    assert!(len < 16 << 20, "{len} bytes on disk");
    case.end();
    observed("C36", format_args!("of a million keys {}; {} MiB on disk", ends.join(", "), len >> 20));
}

#[test]
fn what_many_calls_change_at_once_is_all_there() {
    let home = home();
    let mut server = home.serve();
    let calls: Vec<Value> = (0..8).map(|_| server.send_call("kv_hammer", json!({ "times": 25 }))).collect();
    for call in calls {
        assert_says(&server.result(&call), "hammered");
    }
    let sum = server.call("kv_increment", json!({ "key": "sum", "by": 0 }));
    assert_says(&sum, "200");
    assert_holds(&mut server, "text", "200");
    server.end();
    observed("C36", format_args!("200 increments and swaps by 8 calls at once: {} by both", text(&sum)));
}

#[test]
fn a_second_host_has_no_state_until_the_first_has_ended() {
    let home = home().wat("plain");
    let (mut first, mut second) = (home.serve(), home.serve());
    set(&mut first, "k", "one");
    assert_unavailable(
        &mut second,
        "another hubcap has it open; end that one, or give this one a home of its own",
    );
    assert_says(&second.call("plain_run", json!({})), "done");
    let mut commands = 0;
    for command in [&["list"][..], &["export", "kv"], &["clear", "kv", "--yes"]] {
        let refused = home.run(&[&["state"], command].concat());
        let words = format!(
            "{}: the state of plugins is not available: another hubcap",
            state(&home).join("kv.redb").display()
        );
        assert!(refused.code == Some(1) && refused.stderr.contains(&words), "{}", refused.stderr);
        commands += 1;
    }
    assert_holds(&mut first, "k", "one");
    first.end();
    let held = second.call("kv_get", json!({ "key": "k" }));
    assert_says(&held, "one");
    let logged = second.end().stderr;
    let told = logged.matches("the state of plugins is not available").count();
    assert_eq!(told, 1, "told once: {logged}");
    observed(
        "E17",
        format_args!(
            "the second told {told} time that it has none, {commands} commands refused; alone, it reads {:?}",
            text(&held)
        ),
    );
}

#[test]
fn a_place_that_others_can_write_to_or_that_is_none_is_refused_in_words() {
    type Break = fn(&Path);
    let breaks: [(Break, &str); 7] = [
        (
            |state| fs::set_permissions(state, Permissions::from_mode(0o777)).unwrap(),
            "its directory: others than its owner may write to it (mode 777); `chmod go-w` ends that",
        ),
        (
            |state| fs::set_permissions(state, Permissions::from_mode(0o770)).unwrap(),
            "its directory: others than its owner may write to it (mode 770)",
        ),
        (
            |state| {
                fs::rename(state.join("kv.redb"), state.join("other.redb")).unwrap();
                symlink("other.redb", state.join("kv.redb")).unwrap();
            },
            "its file: it is a symbolic link",
        ),
        (
            |state| fs::set_permissions(state.join("kv.redb"), Permissions::from_mode(0o620)).unwrap(),
            "its file: others than its owner may write to it (mode 620)",
        ),
        (
            |state| {
                fs::rename(state, state.with_extension("moved")).unwrap();
                symlink(state.with_extension("moved"), state).unwrap();
            },
            "its directory: it is a symbolic link",
        ),
        (
            |state| {
                fs::remove_dir_all(state).unwrap();
                fs::write(state, "").unwrap();
            },
            "its directory: it is not a directory",
        ),
        (
            |state| fs::write(state.join("kv.redb"), "notes\n".repeat(20_000)).unwrap(),
            "its file is damaged or not one of hubcap's",
        ),
    ];
    let mut refused = 0;
    for (damage, words) in breaks {
        let home = home().wat("plain");
        let mut server = home.serve();
        set(&mut server, "k", "one");
        server.end();
        damage(&state(&home));
        let mut server = home.serve();
        assert_unavailable(&mut server, words);
        assert_says(&server.call("plain_run", json!({})), "done");
        let logged = server.end().stderr;
        let file = state(&home).join("kv.redb").display().to_string();
        assert!(logged.contains(words) && logged.contains(&file), "{logged}");
        refused += 1;
    }
    observed(
        "E11",
        format_args!("{refused} places others may write to, links or no files: refused in words"),
    );
}

/// A server whose files may have so many KiB: beyond that, the disk is full.
fn on_a_disk_of(kib: u32, home: &Home) -> Server {
    let serve = home.command(&["serve"]);
    let mut shell = Command::new("bash");
    // `ulimit` kills by a signal that says so; ignored, the write fails.
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &kib.to_string()]);
    shell.arg(serve.get_program()).args(serve.get_args()).current_dir(home.path()).env_clear();
    shell.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    home.serve_as(&mut shell, Era::Legacy("2025-11-25"))
}

#[test]
fn a_full_disk_costs_what_is_new_and_nothing_that_was_there() {
    let home = home().wat("plain");
    let mut server = on_a_disk_of(256, &home);
    set(&mut server, "k", "one");
    let filled = server.call("kv_fill", json!({ "keys": 15, "bytes": 65_536 }));
    let said = text(&filled).to_owned();
    let (kept, why) = said.split_once(' ').unwrap();
    assert!(why.starts_with("unavailable: the state of plugins is not available: "), "{said}");
    assert_says(&server.call("plain_run", json!({})), "done");
    let logged = server.end().stderr;
    assert!(logged.contains("the state of plugins is not available"), "{logged}");
    // With room again, all that was acknowledged is there.
    let mut server = home.serve();
    assert_holds(&mut server, "k", "one");
    let listed = server.call("kv_list", json!({ "prefix": "0" }));
    let keys = text(&listed).split(' ').filter(|key| !key.is_empty()).count();
    assert_eq!(keys.to_string(), kept);
    assert_says(&server.call("kv_set", json!({ "key": "more", "bytes": 65_536 })), "set");
    server.end();
}

#[test]
fn where_nothing_can_be_made_there_is_no_state_and_all_else_works() {
    let home = home().wat("plain");
    // Not even the superuser makes a directory there.
    let mut serve = home.bare_command(&[
        "serve",
        "--dev",
        "--home",
        "/proc",
        "--config",
        "hubcap.toml",
        "--plugins",
        "plugins",
    ]);
    let mut server = home.serve_as(&mut serve, Era::Legacy("2025-11-25"));
    assert_unavailable(&mut server, "its directory: it cannot be made or opened: ");
    assert_says(&server.call("plain_run", json!({})), "done");
    let logged = server.end().stderr;
    assert!(logged.contains("/proc/state/kv.redb"), "{logged}");
}

#[test]
fn the_operator_sees_copies_and_removes_state() {
    let home =
        with_guest(Home::new(), "keeper").config("[plugins.keeper.grant]\nkv = \"1MiB\"\n").accept("keeper");
    assert_eq!(home.run(&["state", "list", "--json"]).stdout, "{\"plugins\":[]}\n");
    assert!(!state(&home).join("kv.redb").exists(), "looking makes nothing");
    let lines = "{\"key\":\"\\u0000../k\",\"base64\":\"//4=\"}\n{\"key\":\"a\",\"value\":\"text\"}\n";
    let imported = home.run_with(&["state", "import", "keeper"], lines.as_bytes());
    assert_eq!(
        (imported.code, imported.stdout.as_str()),
        (Some(0), "2 keys written\n"),
        "{}",
        imported.stderr
    );
    assert_says(&home.serve().call("keeper_get", json!({ "key": "a" })), "text");
    assert_eq!(home.run(&["state", "export", "keeper"]).stdout, lines);
    assert_eq!(home.run(&["state", "list"]).stdout, "keeper                    2 keys (12 bytes)\n");
    let listed: Value = serde_json::from_str(&home.run(&["state", "list", "--json"]).stdout).unwrap();
    assert_eq!(listed, json!({ "plugins": [{ "id": "keeper", "keys": 2, "bytes": 12 }] }));

    let refused = home.run(&["state", "clear", "keeper"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let mistyped = home.run(&["state", "clear", "keper", "--yes"]);
    assert!(
        mistyped.code == Some(2) && mistyped.stderr.contains("did you mean \"keeper\"?"),
        "{}",
        mistyped.stderr
    );
    assert_eq!(home.run(&["state", "export", "keeper"]).stdout, lines);
    let cleared = home.run(&["state", "clear", "keeper", "--yes"]);
    assert_eq!(cleared.stdout, "2 keys (12 bytes) removed\n");
    assert_eq!(home.run(&["state", "list"]).stdout, "");
    assert_eq!(home.run(&["state", "export", "keeper"]).code, Some(2));
}

#[test]
fn an_import_is_written_whole_or_not_at_all() {
    let home = home();
    let first = "{\"key\":\"a\",\"value\":\"1\"}\n";
    assert_eq!(home.run_with(&["state", "import", "kv", "-"], first.as_bytes()).code, Some(0));
    let line = |n: usize, bytes: usize| format!("{{\"key\":\"k{n}\",\"value\":\"{}\"}}\n", "x".repeat(bytes));
    let too_much: String = (0..17).map(|n| line(n, 65_536)).collect();
    let too_many: String = (0..1_000).map(|n| line(n, 0)).collect();
    for (lines, code, why) in [
        (line(0, 1) + "{}\n", 2, "lines.jsonl:2: missing field `key`"),
        (line(0, 1) + &line(0, 2), 2, "lines.jsonl:2: its key stands on a line above"),
        (too_much, 1, "bytes, more than the granted 1048576"),
        (too_many, 1, "would have 1001 keys, more than 1000"),
    ] {
        fs::write(home.path().join("lines.jsonl"), lines).unwrap();
        let refused = home.run(&["state", "import", "kv", "lines.jsonl"]);
        assert!(refused.code == Some(code) && refused.stderr.contains(why), "{why}: {}", refused.stderr);
        assert_eq!(home.run(&["state", "export", "kv"]).stdout, first);
    }
    let home = with_guest(Home::new(), "kv");
    let refused = home.run_with(&["state", "import", "kv"], first.as_bytes());
    assert!(refused.code == Some(2) && refused.stderr.contains("is granted no state"), "{}", refused.stderr);
}
