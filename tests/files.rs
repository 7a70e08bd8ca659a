//! Files: what a plugin reaches in the directories that it is granted, and what it does not.
//!
//! Invariant: every case that tries to get out has something outside that would show it, and the host is
//! as well after each as before.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end, home, words};
use crate::support::message::{assert_says, code, text};
use crate::support::promises::kept;

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
    let changes = text(&said).lines().count();
    assert_eq!(changes, 16);
    let after = fs::metadata(ground.at("read/a")).unwrap();
    assert_eq!((after.modified().unwrap(), after.len()), (before, 4));
    assert_eq!(act(&mut case, "list", "/read", json!({})), "ok a,d");
    end(case);
    let refused = text(&said).matches(": not-permitted").count();
    observed("C08", format_args!("{refused} of {changes} kinds of change: not-permitted"));
}

#[test]
fn no_path_leads_out_and_none_tells_what_is_there() {
    let ground = Ground::new();
    let mut case = ground.case();
    let root = ground.folder.path().display().to_string();
    let long = "a/".repeat(3_000);
    // Outside, whether it is there or not: the same words.
    let outside = [
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
    ];
    let mut same = 0;
    for (there, absent) in outside {
        for dir in ["read", "work"] {
            let words = words(&mut case, dir, &[there, absent]);
            assert_eq!(words[0], words[1], "{dir}: {there}, {absent}");
            assert!(words[0].starts_with("not-permitted not-permitted "), "{there}: {words:?}");
            same += 1;
        }
    }
    // Inside.
    for path in ["a", "./a", "d/../a", "d/below/../../a", "d//b", ".", "d/", "d/.", "d"] {
        assert!(words(&mut case, "work", &[path])[0].starts_with("ok ok "), "{path}");
    }
    // What is no path to anything.
    let none = ["", "a/", "a/.", "a/..", "a/b", "no-such/", "d/a\0b", "\0", &long, &"x".repeat(5_000)];
    let mut opened = 0;
    for path in none {
        let words = words(&mut case, "work", &[path]);
        opened += words[0].matches("ok").count();
        assert_eq!(opened, 0, "{path:.20}: {words:?}", path = path);
    }
    ground.assert_untouched();
    end(case);
    let names = 2 * outside.len() + none.len();
    observed("C01", format_args!("{names} paths out or to nothing: {opened} opened or made"));
    kept("P06", format_args!("{names} paths out of a directory: {opened} opened, made or changed"));
    observed("C38", format_args!("files: {same} pairs of what is there and what is not got the same words"));
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
        ("/dev/mem", "memory"),
        ("/sys/kernel", "system"),
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
    let outside = ["up", "up-absent", "absolute", "absolute-absent", "above"];
    let systems = ["environ", "root", "magic", "device", "memory", "system"];
    let denied = [&outside[..], &systems].concat();
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
    let loops = words(&mut case, "work", &["link-a", "chain-41"]);
    assert!(loops.iter().all(|said| said.starts_with("loop loop ")), "{loops:?}");
    ground.assert_untouched();
    end(case);
    let (out, loops) = (outside.len(), loops.len());
    observed(
        "C02",
        format_args!("{out} links out: not-permitted; a circle and a chain of 42: {loops} loops"),
    );
    let count = systems.len();
    observed(
        "C05",
        format_args!("{count} links to the system's: {}", said[outside.len()].replace("  ", " ")),
    );
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
    let last = act(&mut case, "stat", "/work/made", json!({}));
    assert_eq!(last, "PermissionDenied");
    ground.assert_untouched();
    end(case);
    observed("C02", format_args!("links by the guest: absolute ones not made, a relative one out: {last}"));
}

/// How often a file is opened while it is swapped for a link: more where there is time for it.
const TRIES: u32 = if cfg!(feature = "adversarial") { 100_000 } else { 10_000 };
/// Of them in one call.
const TRIES_OF_A_CALL: u32 = 5_000;

/// Swaps a file for a link out of the directory and back, over and over, while the plugin opens it.
#[test]
fn a_link_that_is_swapped_in_while_a_file_is_opened_leads_nowhere() {
    let ground = Ground::new();
    let (work, canary) = (ground.at("work"), ground.at("canary"));
    for name in ["original", "swap"] {
        fs::write(work.join(name), "inside").unwrap();
    }
    // Each call takes some seconds, and more where the machine is busy.
    let mut case = Case::of(ground.home_within("1MiB", "2m"));
    let hammer = json!({ "path": "/work/swap", "text": "inside", "tries": TRIES_OF_A_CALL });
    let (mut swaps, mut read, mut denied) = (0, 0, 0);
    for _ in 0..TRIES / TRIES_OF_A_CALL {
        let id = case.server.send_call("files_hammer", hammer.clone());
        let answer = loop {
            // A second name: a new file would have to be written to the disk before it takes another's place.
            fs::hard_link(work.join("original"), work.join("file")).unwrap();
            symlink(&canary, work.join("link")).unwrap();
            fs::rename(work.join("link"), work.join("swap")).unwrap();
            fs::rename(work.join("file"), work.join("swap")).unwrap();
            swaps += 1;
            if let Some(answer) = case.server.wait_for(&id, Duration::ZERO) {
                break answer;
            }
        };
        let said = text(&answer["result"]).to_owned();
        let counts: Vec<u32> = said.split(' ').map(|count| count.parse().expect(&said)).collect();
        read += counts[0];
        denied += counts[1];
    }
    assert_eq!(read + denied, TRIES);
    // Both happened, or the race was none.
    assert!(swaps > 100 && read > 0 && denied > 0, "{swaps} swaps: {read} read, {denied} denied");
    end(case);
    observed(
        "C03",
        format_args!("{TRIES} tries, {swaps} swaps: {read} read the file inside, {denied} denied"),
    );
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
    let moved = act(&mut case, "read", "/work/a", json!({}));
    assert_eq!(moved, "ok work");
    fs::remove_dir_all(ground.at("moved")).unwrap();
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "NotFound");
    let last = act(&mut case, "write", "/work/a", json!({ "text": "x" }));
    assert_eq!(last, "NotFound");
    end(case);
    observed("C04", format_args!("link swapped and directory moved: {moved}; taken away: {last}"));
}

#[test]
fn nothing_is_linked_or_moved_from_one_directory_to_another() {
    let ground = Ground::new();
    let mut case = ground.case();
    let mut refused = 0;
    for op in ["link", "rename"] {
        for (path, to) in [("/read/a", "/work/x"), ("/work/a", "/read/x"), ("/work/a", "/more/x")] {
            assert_eq!(act(&mut case, op, path, json!({ "to": to })), "CrossesDevices", "{op} {path} {to}");
            refused += 1;
        }
    }
    assert_eq!(act(&mut case, "link", "/work/a", json!({ "to": "/work/d/a" })), "ok ");
    assert_eq!(act(&mut case, "list", "/more", json!({})), "ok a,d");
    end(case);
    observed("C06", format_args!("{refused} links and renames across grants: CrossesDevices"));
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
    observed("C07", format_args!("{warned} warning, of the directory that may be written to"));
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
fn what_a_plugin_does_to_its_own_directory_is_its_own_affair() {
    let ground = Ground::new();
    let mut case = ground.case();
    let mut said =
        ["/work", "/work/.", "/work/d/.."].map(|path| act(&mut case, "rmdir", path, json!({}))).to_vec();
    said.push(act(&mut case, "rename", "/work", json!({ "to": "/work/d/x" })));
    assert!(said.iter().all(|said| said != "ok "), "{said:?}");
    assert_eq!(act(&mut case, "read", "a", json!({})), "NotFound", "there is no current directory");
    // Somebody else takes it away.
    fs::remove_dir_all(ground.at("work")).unwrap();
    assert_eq!(act(&mut case, "list", "/work", json!({})), "ok ");
    let gone = act(&mut case, "mkdir", "/work/x", json!({}));
    assert_eq!(gone, "NotFound");
    assert_eq!(act(&mut case, "read", "/more/a", json!({})), "ok more");
    end(case);
    observed("C12", format_args!("removing and moving itself: {}; taken away: {gone}", said.join(", ")));
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
    let read = act(&mut case, "read", "/read/a", json!({}));
    assert_eq!(read, "ok read");
    end(case);
    observed("A34", format_args!("a file from before 1970: stat, time and content: {read}"));
}
