//! Files: what a plugin reaches in the directories that it is granted, and what it does not.
//!
//! Invariant: every case that tries to get out has something outside that would show it, and the host is
//! as well after each as before.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::case::Case;
use crate::support::ground::{Ground, act, end, fifo, home, words};
use crate::support::message::{assert_says, code, text};

#[test]
fn a_plugin_has_the_directories_that_it_is_granted_and_no_others() {
    let ground = Ground::new();
    let mut case = ground.case();
    assert_says(&case.call("files_roots", json!({})), "/read,/work,/more");
    assert_eq!(act(&mut case, "read", "/read/a", json!({})), "ok read");
    assert_eq!(act(&mut case, "list", "/work", json!({})), "ok a,d");
    assert_eq!(act(&mut case, "write", "/work/new", json!({ "text": "hello" })), "ok ");
    assert_eq!(act(&mut case, "append", "/work/new", json!({ "text": " there" })), "ok ");
    assert_eq!(act(&mut case, "read", "/work/new", json!({})), "ok hello there");
    assert_eq!(fs::read_to_string(ground.at("work/new")).unwrap(), "hello there");
    assert_eq!(act(&mut case, "rename", "/work/new", json!({ "to": "/work/d/newer" })), "ok ");
    assert_eq!(act(&mut case, "remove", "/work/d/newer", json!({})), "ok ");
    assert!(!ground.at("work/d/newer").exists());
    end(case);
}

#[test]
fn without_a_grant_there_is_no_directory_and_the_error_says_what_to_add() {
    let mut case = Case::of(home());
    assert_says(&case.call("files_roots", json!({})), "");
    assert_eq!(
        act(&mut case, "read", "/etc/passwd", json!({})),
        act(&mut case, "read", "/no/such", json!({}))
    );
    for (op, line) in [
        ("read", "`files.work = \"/path/to/it\"`"),
        ("write", "`files.work = { path = \"/path/to/it\", write = true }`"),
    ] {
        let denied = case.call("files_directory", json!({ "dir": "work", "op": op }));
        assert_eq!(code(&denied), "denied", "{denied:#}");
        assert!(text(&denied).contains(line) && text(&denied).contains("hubcap.toml"), "{denied:#}");
    }
    end(case);
}

#[test]
fn the_sdk_tells_a_directory_to_write_from_one_to_read() {
    let ground = Ground::new();
    let mut case = ground.case();
    for (dir, op, expected) in
        [("read", "read", "/read"), ("work", "write", "/work"), ("work", "read", "/work")]
    {
        assert_says(&case.call("files_directory", json!({ "dir": dir, "op": op })), expected);
    }
    let denied = case.call("files_directory", json!({ "dir": "read", "op": "write" }));
    assert!(code(&denied) == "denied" && text(&denied).contains("write = true"), "{denied:#}");
    // Nothing of the question is left behind.
    assert_eq!(act(&mut case, "list", "/work", json!({})), "ok a,d");
    end(case);
}

#[test]
fn nothing_changes_in_a_directory_that_is_only_read() {
    let ground = Ground::new();
    let mut case = ground.case();
    let before = fs::metadata(ground.at("read/a")).unwrap().modified().unwrap();
    let said = case.call("files_changes", json!({ "dir": "read" }));
    for line in text(&said).lines() {
        assert!(line.ends_with(": not-permitted"), "{line}");
    }
    assert_eq!(text(&said).lines().count(), 16);
    let after = fs::metadata(ground.at("read/a")).unwrap();
    assert_eq!((after.modified().unwrap(), after.len()), (before, 4));
    assert_eq!(act(&mut case, "list", "/read", json!({})), "ok a,d");
    end(case);
}

#[test]
fn no_path_leads_out_and_none_tells_what_is_there() {
    let ground = Ground::new();
    let mut case = ground.case();
    let root = ground.folder.path().display().to_string();
    let long = "a/".repeat(3_000);
    // Outside, whether it is there or not: the same words.
    for (there, absent) in [
        ("../canary", "../no-such"),
        ("../../../../etc/passwd", "../../../../etc/no-such"),
        ("d/../../canary", "d/../../no-such"),
        ("d/below/../../../canary", "d/below/../../../no-such"),
        ("/etc/passwd", "/etc/no-such"),
        ("//etc/passwd", "//etc/no-such"),
        (&format!("{root}/canary"), &format!("{root}/no-such")),
        ("..", "../no-such"),
        ("../read/a", "../read/no-such"),
        ("../work/../canary", "../work/../no-such"),
        ("/", "/no-such"),
    ] {
        for dir in ["read", "work"] {
            let words = words(&mut case, dir, &[there, absent]);
            assert_eq!(words[0], words[1], "{dir}: {there}, {absent}");
            assert!(words[0].starts_with("not-permitted not-permitted "), "{there}: {words:?}");
        }
    }
    // Inside.
    for path in ["a", "./a", "d/../a", "d/below/../../a", "d//b", ".", "d/", "d/.", "d"] {
        assert!(words(&mut case, "work", &[path])[0].starts_with("ok ok "), "{path}");
    }
    // What is no path to anything.
    for path in ["", "a/", "a/.", "a/..", "a/b", "no-such/", "d/a\0b", "\0", &long, &"x".repeat(5_000)] {
        let words = words(&mut case, "work", &[path]);
        assert!(!words[0].contains("ok"), "{path:.20}: {words:?}", path = path);
    }
    ground.assert_untouched();
    end(case);
}

#[test]
fn symbolic_links_lead_nowhere_but_inside() {
    let ground = Ground::new();
    let work = ground.at("work");
    for (target, name) in [
        ("../canary", "up"),
        ("../no-such", "up-absent"),
        ("/etc/passwd", "absolute"),
        ("/etc/no-such", "absolute-absent"),
        ("/proc/self/environ", "environ"),
        ("/proc/self/root", "root"),
        ("/proc/self/fd/0", "magic"),
        ("/dev/zero", "device"),
        ("..", "above"),
        ("d/b", "inside"),
        ("link-b", "link-a"),
        ("link-a", "link-b"),
    ] {
        symlink(target, work.join(name)).unwrap();
    }
    symlink("up", work.join("chain-0")).unwrap();
    (1..42).for_each(|at| symlink(format!("chain-{}", at - 1), work.join(format!("chain-{at}"))).unwrap());
    let mut case = ground.case();
    let denied =
        ["up", "up-absent", "absolute", "absolute-absent", "environ", "root", "magic", "device", "above"];
    let said = words(&mut case, "work", &denied);
    for (path, said) in denied.iter().zip(&said) {
        assert!(said.starts_with("not-permitted not-permitted "), "{path}: {said}");
        assert_eq!(*said, said.replace("ok", ""), "{path}");
    }
    assert_eq!((&said[0], &said[2]), (&said[1], &said[3]));
    assert!(
        words(&mut case, "work", &["root/etc/passwd", "above/canary"])
            .iter()
            .all(|said| !said.contains("ok"))
    );
    assert!(words(&mut case, "work", &["inside"])[0].starts_with("ok ok "));
    assert!(
        words(&mut case, "work", &["link-a", "chain-41"]).iter().all(|said| said.starts_with("loop loop "))
    );
    ground.assert_untouched();
    end(case);
}

#[test]
fn a_link_that_the_plugin_makes_leads_nowhere_but_inside() {
    let ground = Ground::new();
    let mut case = ground.case();
    for target in ["/etc/passwd", "/"] {
        let said = case.call("files_symlink", json!({ "dir": "work", "path": "made", "to": target }));
        assert_says(&said, "not-permitted");
    }
    // A relative one can be made, and it is followed no further than the directory.
    assert_says(
        &case.call("files_symlink", json!({ "dir": "work", "path": "made", "to": "../canary" })),
        "ok",
    );
    assert_eq!(act(&mut case, "read", "/work/made", json!({})), "PermissionDenied");
    assert_eq!(act(&mut case, "write", "/work/made", json!({ "text": "x" })), "PermissionDenied");
    assert_eq!(act(&mut case, "stat", "/work/made", json!({})), "PermissionDenied");
    ground.assert_untouched();
    end(case);
}

/// Swaps a file for a link out of the directory and back, over and over, while the plugin opens it.
#[test]
fn a_link_that_is_swapped_in_while_a_file_is_opened_leads_nowhere() {
    let ground = Ground::new();
    let (work, canary) = (ground.at("work"), ground.at("canary"));
    fs::write(work.join("swap"), "inside").unwrap();
    let mut case = ground.case();
    let id = case
        .server
        .send_call("files_hammer", json!({ "path": "/work/swap", "text": "inside", "tries": 10_000 }));
    let mut swaps = 0;
    let answer = loop {
        fs::write(work.join("file"), "inside").unwrap();
        symlink(&canary, work.join("link")).unwrap();
        fs::rename(work.join("link"), work.join("swap")).unwrap();
        fs::rename(work.join("file"), work.join("swap")).unwrap();
        swaps += 1;
        if let Some(answer) = case.server.wait_for(&id, Duration::ZERO) {
            break answer;
        }
    };
    let said = text(&answer["result"]).to_owned();
    let (read, failed) = said.split_once(' ').expect("counts");
    assert_eq!(read.parse::<u32>().expect(&said) + failed.parse::<u32>().expect(&said), 10_000);
    // Both happened, or the race was none.
    assert!(swaps > 100 && read != "0" && failed != "0", "{swaps} swaps: {said}");
    end(case);
}

#[test]
fn a_directory_is_the_one_that_it_was_at_the_start() {
    let ground = Ground::new();
    let (link, elsewhere) = (ground.at("link"), ground.at("more"));
    symlink(ground.at("work"), &link).unwrap();
    let config = format!("[plugins.files.grant]\nfiles.work = {{ path = {link:?}, write = true }}\n");
    let mut case = Case::of(home().config(&config).accept("files"));
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "ok work");
    fs::remove_file(&link).unwrap();
    symlink(&elsewhere, &link).unwrap();
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "ok work");
    // Even when it goes away: it is that directory, or nothing.
    fs::rename(ground.at("work"), ground.at("moved")).unwrap();
    fs::rename(&elsewhere, ground.at("work")).unwrap();
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "ok work");
    fs::remove_dir_all(ground.at("moved")).unwrap();
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "NotFound");
    assert_eq!(act(&mut case, "write", "/work/a", json!({ "text": "x" })), "NotFound");
    end(case);
}

#[test]
fn nothing_is_linked_or_moved_from_one_directory_to_another() {
    let ground = Ground::new();
    let mut case = ground.case();
    for op in ["link", "rename"] {
        for (path, to) in [("/read/a", "/work/x"), ("/work/a", "/read/x"), ("/work/a", "/more/x")] {
            assert_eq!(act(&mut case, op, path, json!({ "to": to })), "CrossesDevices", "{op} {path} {to}");
        }
    }
    assert_eq!(act(&mut case, "link", "/work/a", json!({ "to": "/work/d/a" })), "ok ");
    assert_eq!(act(&mut case, "list", "/more", json!({})), "ok a,d");
    end(case);
}

#[test]
fn a_file_with_another_name_outside_is_warned_of_where_it_can_be_written_to() {
    let ground = Ground::new();
    for name in ["read", "work"] {
        fs::hard_link(ground.at("canary"), ground.at(name).join("second")).unwrap();
    }
    let listed = ground.home("1MiB").run(&["plugin", "list"]);
    assert!(listed.stdout.contains("ready     files.wasm"), "{}", listed.stdout);
    let warned = listed.stderr.matches("another name somewhere").count();
    assert!(warned == 1 && listed.stderr.contains("files.work"), "{}", listed.stderr);
}

#[test]
fn what_is_no_file_refuses_the_plugin_and_only_that_one() {
    for name in ["read", "work"] {
        for what in ["a FIFO", "a socket"] {
            let ground = Ground::new();
            let path = ground.at(name).join("d/below/odd");
            let _listener = if what == "a FIFO" {
                fifo(&path);
                None
            } else {
                Some(UnixListener::bind(&path).unwrap())
            };
            let home = ground.home("1MiB").wat("plain");
            let refused = home.plugin("files.wasm");
            let reason = refused["reason"].as_str().unwrap();
            for part in [what, "d/below/odd", &format!("`files.{name}` under [plugins.files.grant]")] {
                assert!(reason.contains(part), "{part:?} in {reason}");
            }
            assert_eq!(home.plugin("plain.wasm")["state"], "ready");
        }
    }
}

#[test]
fn a_directory_that_is_missing_or_none_refuses_the_plugin_and_only_that_one() {
    let ground = Ground::new();
    for (path, why) in [("no-such", "is not there"), ("canary", "is not a directory")] {
        let config = format!("[plugins.files.grant]\nfiles.read = {:?}\n", ground.at(path));
        let home = home().config(&config).accept("files").wat("plain");
        let refused = home.plugin("files.wasm");
        let reason = refused["reason"].as_str().unwrap();
        assert!(reason.contains(why) && reason.contains("in hubcap.toml"), "{reason}");
        assert_eq!(home.plugin("plain.wasm")["state"], "ready");
    }
}

#[test]
fn a_fifo_that_comes_later_is_not_opened_and_holds_up_nobody() {
    let ground = Ground::new();
    let mut case = ground.case();
    fifo(&ground.at("work/fifo"));
    let _listener = UnixListener::bind(ground.at("work/socket")).unwrap();
    for path in ["/work/fifo", "/work/socket"] {
        let (said, time) = case.timed("files_act", json!({ "op": "read", "path": path }));
        assert_says(&said, "PermissionDenied");
        assert!(time < Duration::from_secs(5), "{time:?}");
        assert_eq!(act(&mut case, "append", path, json!({ "text": "x" })), "PermissionDenied");
    }
    // As a new count of a full directory meets it.
    assert_eq!(act(&mut case, "size", "/work/large", json!({ "size": 2 << 20 })), "Quota");
    let ended = end(case);
    assert!(ended.time < Duration::from_secs(10), "{:?}", ended.time);
}

/// A directory with nearly as many files as may be in one.
#[test]
fn what_a_plugin_does_to_its_own_directory_is_its_own_affair() {
    let ground = Ground::new();
    let mut case = ground.case();
    for path in ["/work", "/work/.", "/work/d/.."] {
        assert_ne!(act(&mut case, "rmdir", path, json!({})), "ok ", "{path}");
    }
    assert_ne!(act(&mut case, "rename", "/work", json!({ "to": "/work/d/x" })), "ok ");
    assert_eq!(act(&mut case, "read", "a", json!({})), "NotFound", "there is no current directory");
    // Somebody else takes it away.
    fs::remove_dir_all(ground.at("work")).unwrap();
    assert_eq!(act(&mut case, "list", "/work", json!({})), "ok ");
    assert_eq!(act(&mut case, "mkdir", "/work/x", json!({})), "NotFound");
    assert_eq!(act(&mut case, "read", "/more/a", json!({})), "ok more");
    end(case);
}

#[test]
fn a_file_from_before_1970_has_no_time_and_is_a_file_like_others() {
    let ground = Ground::new();
    let old = SystemTime::UNIX_EPOCH - Duration::from_secs(1_000_000);
    let file = fs::File::options().write(true).open(ground.at("read/a")).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(old).set_accessed(old)).unwrap();
    let mut case = ground.case();
    assert_eq!(act(&mut case, "stat", "/read/a", json!({})), "ok 4");
    assert_eq!(act(&mut case, "modified", "/read/a", json!({})), "ok ");
    assert_eq!(act(&mut case, "read", "/read/a", json!({})), "ok read");
    end(case);
}
