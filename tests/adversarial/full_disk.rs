//! File systems that are really full: of bytes, of files, under the state, the lock and a plugin's directory.
//!
//! Invariant: what fills them is a file of the test's own, so that room can be made again and everything that
//! was acknowledged be looked for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::tools;
use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::ground::{self, Ground, act};
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::Server;
use crate::support::told::described;

const MIB: u64 = 1 << 20;

/// Mounts a file system of so many bytes.
fn tmpfs(at: &Path, bytes: u64) {
    tools::mount(&["-t", "tmpfs", "-o", &format!("mode=0700,size={bytes}"), "tmpfs"], at);
}

/// Takes all room that there is, and gives the file that does.
fn fill(folder: &Path) -> PathBuf {
    let filler = folder.join("filler");
    let error = fs::write(&filler, vec![1; 64 * MIB as usize]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
    filler
}

fn kv() -> Home {
    Home::new()
        .guest("kv")
        .file("kv.toml", b"id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"16MiB\"\n")
        .config("[plugins.kv.grant]\nkv = \"16MiB\"\n")
        .accept("kv")
        .wat("plain")
}

/// Writes values of so many bytes until one is refused, and says how many were taken.
#[track_caller]
fn fill_state(server: &mut Server, bytes: u64) -> usize {
    let said = server.call("kv_fill", json!({ "keys": 1_000, "bytes": bytes }));
    let (taken, why) = text(&said).split_once(' ').unwrap_or_else(|| panic!("{said:#}"));
    let told = "unavailable: the state of plugins is not available: No space left on device (os error 28)";
    assert_eq!(why, told);
    taken.parse().unwrap()
}

#[track_caller]
fn assert_no_room(result: &Value) {
    assert_failed(result, "unavailable", "upstream");
    assert!(text(result).ends_with(": No space left on device (os error 28)"), "{}", text(result));
}

#[test]
fn a_full_file_system_under_the_state_costs_what_is_new_and_nothing_that_was_acknowledged() {
    if !tools::inside() {
        drop(wasm("kv"));
        return tools::run_with_mounts(
            "full_disk::a_full_file_system_under_the_state_costs_what_is_new_and_nothing_that_was_acknowledged",
        );
    }
    let home = kv();
    let (file, state) = (home.path().join("state/kv.redb"), home.path().join("state"));
    // What a new database takes, and 1 MiB beside it.
    assert_says(&home.serve().call("kv_get", json!({ "key": "k" })), "none");
    let new = fs::metadata(&file).unwrap().len();
    fs::remove_file(&file).unwrap();
    tmpfs(&state, 2 * MIB + new);
    let reserve = state.join("reserve");
    fs::write(&reserve, vec![1; MIB as usize]).unwrap();

    let mut server = home.serve();
    let taken = fill_state(&mut server, 8_192);
    let full_at = fs::metadata(&file).unwrap().blocks() * 512;
    let refused = 20;
    for n in 0..refused {
        assert_no_room(&server.call("kv_set", json!({ "key": format!("more-{n}"), "bytes": 60_000 })));
        assert_says(&server.call("plain_run", json!({})), "done");
    }
    let read = |server: &mut Server| {
        let listed = server.call("kv_list", json!({ "prefix": "0" }));
        text(&listed).split(' ').filter(|key| !key.is_empty()).count()
    };
    // It can be read all the while, and the log says so once.
    assert_eq!(read(&mut server), taken);
    let warnings = server.stderr().matches("\"the state of plugins is not available: No space").count();
    assert_eq!(warnings, 1, "{}", server.stderr());
    fs::remove_file(&reserve).unwrap();
    assert_says(&server.call("kv_set", json!({ "key": "after", "bytes": 60_000 })), "set");
    server.end();
    let exported = home.run(&["state", "export", "kv"]);
    let value = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let whole =
        |line: &&str| value(line)["value"].as_str().is_some_and(|value| value.bytes().all(|b| b == b'x'));
    assert_eq!(exported.stdout.lines().filter(whole).count(), taken + 1, "{}", exported.stderr);
    let there = exported.stdout.lines().count();
    observed(
        "E09",
        format_args!(
            "state full at {} KiB: {taken} values taken, {refused} refused, {warnings} warning; {there} there after",
            full_at >> 10
        ),
    );
}

#[test]
fn a_file_system_that_was_full_when_the_state_was_made_costs_nothing_later() {
    if !tools::inside() {
        drop(wasm("kv"));
        return tools::run_with_mounts(
            "full_disk::a_file_system_that_was_full_when_the_state_was_made_costs_nothing_later",
        );
    }
    let (mut refused, mut made) = (0, 0);
    // From no room at all to enough for a new database.
    for room in [0, 4, 8, 12, 16, 24, 32].map(|kib| kib << 10) {
        let home = kv();
        let state = home.path().join("state");
        fs::create_dir_all(&state).unwrap();
        tmpfs(&state, MIB);
        let spare = state.join("spare");
        fs::write(&spare, vec![1; room]).unwrap();
        let filler = fill(&state);
        fs::remove_file(&spare).unwrap();
        let mut server = home.serve();
        let set = |server: &mut Server, key: &str| server.call("kv_set", json!({ "key": key, "value": "v" }));
        let first = set(&mut server, "first");
        let taken = first["isError"] != true;
        if !taken {
            assert_no_room(&first);
            refused += 1;
        }
        assert_says(&server.call("plain_run", json!({})), "done");
        fs::remove_file(&filler).unwrap();
        assert_says(&set(&mut server, "second"), "set");
        server.end();
        let exported = home.run(&["state", "export", "kv"]);
        assert!(exported.stdout.contains("second"), "{}", exported.stderr);
        assert!(!taken || exported.stdout.contains("first"), "{room}: {}", exported.stdout);
        made += 1;
    }
    assert!(refused > 0);
    observed(
        "E09",
        format_args!(
            "{refused} of {made} new databases refused for want of room, {made} made with room again"
        ),
    );
}

#[test]
fn a_full_home_pins_nothing_says_so_and_keeps_the_lock_whole() {
    if !tools::inside() {
        return tools::run_with_mounts(
            "full_disk::a_full_home_pins_nothing_says_so_and_keeps_the_lock_whole",
        );
    }
    let home = Home::new();
    tmpfs(home.path(), 4 * MIB);
    fs::create_dir(home.plugins()).unwrap();
    let home = home.file("tool.wasm", &described("Runs."));
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    let lock = home.path().join("hubcap.lock");
    let before = fs::read(&lock).unwrap();
    let home = home.file("new.wasm", &described("Is new."));
    fs::write(home.plugins().join("tool.wasm"), described("Changed.")).unwrap();
    let filler = fill(home.path());
    let mut server = home.serve();
    assert_says(&server.call("new_run", json!({})), "done");
    assert_failed(&server.call("tool_run", json!({})), "quarantined", "policy");
    let logged = server.end().stderr;
    let warned = "plugins are not pinned, so that changes of them go unnoticed: cannot write";
    assert_eq!(logged.matches(warned).count(), 1, "{logged}");
    assert!(logged.contains("No space left on device"), "{logged}");
    let refused = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("No space left"), "{}", refused.stderr);
    assert!(fs::read(&lock).unwrap() == before);
    fs::remove_file(&filler).unwrap();
    assert_eq!(home.run(&["plugin", "approve", "tool", "--yes"]).code, Some(0));
    assert_eq!(home.run(&["call", "new_run"]).stdout, "done\n");
    assert!(fs::read_to_string(&lock).unwrap().contains("[plugins.new]"));
    let warnings = logged.matches(warned).count();
    observed(
        "E09",
        format_args!(
            "a full home: a newcomer runs with {warnings} warning, a changed one waits, the lock is whole"
        ),
    );
}

#[test]
fn a_directory_that_is_full_of_bytes_or_files_is_told_to_the_guest() {
    if !tools::inside() {
        drop(wasm("files"));
        return tools::run_with_mounts(
            "full_disk::a_directory_that_is_full_of_bytes_or_files_is_told_to_the_guest",
        );
    }
    let ground = Ground::new();
    tmpfs(&ground.at("work"), 2 * MIB);
    tools::mount(&["-t", "tmpfs", "-o", "nr_inodes=50k", "tmpfs"], &ground.at("more"));
    let mut case = Case::of(ground.home_within("1GiB", "60s"));
    let filled = text(&case.call("files_fill", json!({ "dir": "work", "path": "large" }))).to_owned();
    assert_eq!(filled, format!("{} insufficient-space", 2 * MIB));
    // The standard library of a guest has one word for whatever happens to a stream.
    assert_eq!(act(&mut case, "write", "/work/new", json!({ "text": "x" })), "Io");
    assert_says(&case.call("plain_run", json!({})), "done");
    // A hole takes no room on the disk, and what the quota has no room for is refused whatever the disk has.
    assert_eq!(act(&mut case, "size", "/work/new", json!({ "size": 512 * MIB })), "ok ");
    assert_eq!(act(&mut case, "size", "/work/new", json!({ "size": 1_u64 << 40 })), "Quota");
    assert_eq!(fs::metadata(ground.at("work/new")).unwrap().len(), 512 * MIB);
    // What is deleted is room again.
    assert_eq!(act(&mut case, "remove", "/work/large", json!({})), "ok ");
    assert_eq!(act(&mut case, "write", "/work/large", json!({ "text": "again" })), "ok ");
    assert_eq!(fs::read_to_string(ground.at("work/large")).unwrap(), "again");

    let made = text(&case.call("files_many", json!({ "path": "/more", "n": 120_000 }))).to_owned();
    let (count, why) = made.split_once(' ').unwrap();
    let there = fs::read_dir(ground.at("more")).unwrap().count();
    assert_eq!((count.parse(), why), (Ok(there), "StorageFull"));
    assert_says(&case.call("plain_run", json!({})), "done");
    assert_eq!(act(&mut case, "remove", "/more/0", json!({})), "ok ");
    assert_eq!(act(&mut case, "write", "/more/0", json!({ "text": "x" })), "ok ");
    ground::end(case);

    // Where the file system has room for more files, the quota ends them.
    tools::mount(&["-t", "tmpfs", "-o", "nr_inodes=300k", "tmpfs"], &ground.at("more"));
    let mut case = Case::of(ground.home_within("1GiB", "60s"));
    let most = text(&case.call("files_many", json!({ "path": "/more", "n": 150_000 }))).to_owned();
    assert_eq!(most, "100000 Quota");
    assert_says(&case.call("plain_run", json!({})), "done");
    ground::end(case);
    observed(
        "C10",
        format_args!("tmpfs: {filled} at its size, {count} files at its inodes; with more of them: {most}"),
    );
}
