//! A home that nobody can write to, the superuser neither: a mount that is only read.
//!
//! Invariant: what was accepted is held against every plugin as ever, and what cannot be kept is said.

use std::fs;

use serde_json::json;

use super::tools;
use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::told::described;

const READ_ONLY: &str = "Read-only file system (os error 30)";

/// A home with a plugin that keeps state, one that changed since it was accepted, and newcomers with and
/// without a grant.
fn home() -> Home {
    let ask = |id: &str| format!("id = \"{id}\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n");
    let home = Home::new()
        .guest("kv")
        .file("kv.toml", ask("kv").as_bytes())
        .file("changed.wasm", &described("Runs."))
        .config("[plugins.kv.grant]\nkv = \"1MiB\"\n[plugins.newcomer.grant]\nkv = \"1MiB\"\n")
        .accept("kv")
        .wat("plain");
    assert_eq!(home.run(&["tools"]).code, Some(0));
    fs::write(home.plugins().join("changed.wasm"), described("Runs, and more.")).unwrap();
    home.guest_as("kv", "newcomer")
        .file("newcomer.toml", ask("newcomer").as_bytes())
        .file("harmless.wasm", &described("Is new and has nothing."))
        .file("harmless.toml", ask("harmless").as_bytes())
}

#[test]
fn a_home_that_is_only_read_serves_what_was_accepted_and_says_once_what_it_cannot_keep() {
    if !tools::inside() {
        drop(wasm("kv"));
        return tools::run_with_mounts(
            "read_only::a_home_that_is_only_read_serves_what_was_accepted_and_says_once_what_it_cannot_keep",
        );
    }
    let (mut unavailable, mut withheld) = (0, 0);
    for with_state in [false, true] {
        let home = home();
        if with_state {
            assert_eq!(home.run(&["call", "kv_set", r#"{"key":"k","value":"v"}"#]).stdout, "set\n");
        } else {
            // The audit log of what was accepted is there.
            fs::remove_dir_all(home.path().join("state")).unwrap();
        }
        let path = home.path().to_owned();
        tools::mount(&["--bind", path.to_str().unwrap()], &path);
        tools::mount(&["-o", "remount,bind,ro"], &path);
        assert_eq!(fs::write(path.join("x"), "").unwrap_err().raw_os_error(), Some(30));
        let before = fs::read(path.join("hubcap.lock")).unwrap();

        let mut server = home.serve();
        assert_says(&server.call("plain_run", json!({})), "done");
        for _ in 0..10 {
            for tool in ["kv_get", "kv_set", "kv_list"] {
                let refused = server.call(tool, json!({ "key": "k", "value": "v" }));
                assert_failed(&refused, "unavailable", "upstream");
                let place = if with_state { "its file" } else { "its directory" };
                let told = format!(
                    "unavailable: the state of plugins is not available: {place}: it cannot be made or opened: {READ_ONLY}"
                );
                assert_eq!(text(&refused), told);
                unavailable += 1;
            }
        }
        // Trust is as it was: a change waits, and so does a newcomer that would get something.
        for tool in ["changed_run", "newcomer_get"] {
            assert_failed(&server.call(tool, json!({ "key": "k" })), "quarantined", "policy");
            withheld += 1;
        }
        // A newcomer that gets nothing runs, and that it is not pinned is said.
        assert_says(&server.call("harmless_run", json!({})), "done");
        let logged = server.end().stderr;
        for (words, times) in [
            ("\"the state of plugins is not available: ", 1),
            ("plugins are not pinned, so that changes of them go unnoticed: cannot write ", 1),
            ("state/kv.redb", 1),
            ("hubcap.lock: Read-only file system", 1),
            ("only what is pinned runs\",\"plugins\":\"harmless\"", 1),
        ] {
            assert_eq!(logged.matches(words).count(), times, "{words}: {logged}");
        }
        refused_by_the_command_line(&home, with_state);
        assert!(fs::read(path.join("hubcap.lock")).unwrap() == before);
    }
    observed(
        "E10",
        format_args!(
            "two homes: {unavailable} uses of state unavailable, {withheld} calls of what waits withheld"
        ),
    );
}

/// What would have to write says that it cannot, and where.
fn refused_by_the_command_line(home: &Home, with_state: bool) {
    let clear = (&["state", "clear", "kv", "--yes"][..], "kv.redb");
    let commands = [
        (&["plugin", "approve", "changed", "--yes"][..], "hubcap.lock"),
        (&["plugin", "grant", "harmless", "--yes"], "hubcap.toml"),
    ];
    for (command, file) in commands.into_iter().chain(with_state.then_some(clear)) {
        let refused = home.run(command);
        let told = &refused.stderr;
        assert_eq!(refused.code, Some(1), "{command:?}: {}{told}", refused.stdout);
        assert!(told.contains(READ_ONLY) && told.contains(file), "{command:?}: {told}");
    }
    // Who wants nobody new to run unpinned says so, elsewhere if need be.
    let elsewhere = tempfile::tempdir().unwrap();
    let config = elsewhere.path().join("locked.toml");
    fs::write(&config, "[trust]\nmode = \"locked\"\n").unwrap();
    let waits = home.run(&["call", "harmless_run", "--config", config.to_str().unwrap()]);
    assert!(waits.code == Some(1) && waits.stderr.contains("quarantined: "), "{}", waits.stderr);
}
