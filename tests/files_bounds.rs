//! Files: how much a plugin may write, hold and list.
//!
//! Invariant: each bound is reached, and then there is not one byte or file more.

use std::fs;

use serde_json::json;

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end};
use crate::support::message::{assert_guest_failed, assert_says, code, text};
use crate::support::{SOON, holds_within};

#[test]
fn a_directory_is_filled_up_to_its_quota_and_not_one_byte_more() {
    let ground = Ground::new();
    for name in ["work/a", "work/d/b"] {
        fs::write(ground.at(name), vec![b'x'; 32 << 10]).unwrap();
    }
    let mut case = ground.case();
    let said = case.call("files_fill", json!({ "dir": "work", "path": "large" }));
    assert_says(&said, &format!("{} quota", (1 << 20) - (64 << 10)));
    let advice = "raise `quota` in `files.work` under [plugins.files.grant]";
    assert!(holds_within(SOON, || case.server.stderr().contains(advice)), "{}", case.server.stderr());
    assert_eq!(act(&mut case, "append", "/work/large", json!({ "text": "x" })), "Io");
    assert_eq!(act(&mut case, "write-at", "/work/large", json!({ "at": 0, "text": "y" })), "ok ");
    assert_eq!(act(&mut case, "append", "/more/a", json!({ "text": "x" })), "ok ");
    // What is deleted is room again, whether the plugin did it or somebody else.
    assert_eq!(act(&mut case, "remove", "/work/large", json!({})), "ok ");
    assert_eq!(act(&mut case, "size", "/work/large", json!({ "size": (1 << 20) - (64 << 10) })), "ok ");
    assert_eq!(act(&mut case, "append", "/work/new", json!({ "text": "x" })), "Io");
    fs::remove_file(ground.at("work/a")).unwrap();
    let room = holds_within(SOON, || act(&mut case, "append", "/work/new", json!({ "text": "x" })) == "ok ");
    assert!(room);
    end(case);
    observed("C10", format_args!("{}, with {} KiB there before", text(&said), 64));
}

#[test]
fn a_hole_counts_like_what_is_in_it() {
    let ground = Ground::new();
    let mut case = ground.case();
    let sizes = [1_u64 << 20, 1 << 40, u64::MAX >> 1];
    for size in sizes {
        assert_eq!(act(&mut case, "size", "/work/sparse", json!({ "size": size })), "Quota", "{size}");
        let at = json!({ "at": size, "text": "x" });
        assert_eq!(act(&mut case, "write-at", "/work/sparse", at), "Io", "{size}");
    }
    let len = fs::metadata(ground.at("work/sparse")).unwrap().len();
    assert_eq!(len, 0);
    assert_eq!(act(&mut case, "size", "/work/sparse", json!({ "size": 1 << 19 })), "ok ");
    end(case);
    observed(
        "C10",
        format_args!("{} sparse files of 1 MiB to 8 EiB: refused, {len} bytes there", sizes.len()),
    );
}

#[test]
fn two_calls_at_once_have_one_quota() {
    let ground = Ground::new();
    let mut case = ground.case();
    let ids = ["one", "two", "three", "four"]
        .map(|name| case.server.send_call("files_fill", json!({ "dir": "work", "path": name })));
    let said = ids.map(|id| text(&case.server.result(&id)).to_owned());
    assert!(said.iter().all(|said| said.ends_with(" quota")), "{said:?}");
    let files = ["one", "two", "three", "four", "a", "d/b"];
    let used: u64 = files.iter().map(|name| fs::metadata(ground.at("work").join(name)).unwrap().len()).sum();
    assert!(((1 << 20) - (4 << 10) * 4..=1 << 20).contains(&used), "{used}");
    end(case);
}

#[test]
fn a_directory_has_at_most_a_hundred_thousand_files() {
    let ground = Ground::new();
    // Four are there already.
    for at in 0..99_900 - 4 {
        fs::File::create(ground.at("work").join(format!("f{at}"))).unwrap();
    }
    let mut case = ground.case();
    let many = case.call("files_many", json!({ "path": "/work/d", "n": 1_000 }));
    assert_says(&many, "100 Quota");
    observed("C10", format_args!("100000 files, {} more at the end of that: {}", 1_000, text(&many)));
    assert_eq!(act(&mut case, "mkdir", "/work/e", json!({})), "Quota");
    assert_eq!(act(&mut case, "link", "/work/a", json!({ "to": "/work/e" })), "Quota");
    assert_eq!(act(&mut case, "write", "/work/a", json!({ "text": "x" })), "ok ");
    assert_eq!(act(&mut case, "remove", "/work/f0", json!({})), "ok ");
    assert_eq!(act(&mut case, "mkdir", "/work/e", json!({})), "ok ");
    // A listing of all of it takes its memory once, and two are more than a call gets.
    assert_says(&case.call("files_count", json!({ "path": "/work" })), "99898");
    let twice = case.call("files_count", json!({ "path": "/work", "listings": 2 }));
    assert_guest_failed(&twice, "limit");
    assert!(text(&twice).contains("lists more than 100000 files at once"), "{twice:#}");
    assert!(case.growth_mib() < 96, "{} MiB", case.growth_mib());
    assert_says(&case.call("plain_run", json!({})), "done");
    // More from outside, and it can be read and not written to.
    for at in 0..200 {
        fs::File::create(ground.at("work").join(format!("g{at}"))).unwrap();
    }
    let home = ground.home("1MiB");
    let reason = home.plugin("files.wasm")["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("more than 100000 files"), "{reason}");
    let config = format!("[plugins.files.grant]\nfiles.read = {:?}\n", ground.at("work"));
    let home = home.config(&config);
    let listed = home.run(&["plugin", "list"]);
    assert!(listed.stdout.contains("ready     files.wasm"), "{}", listed.stdout);
    assert!(listed.stderr.contains("too large to be looked at whole"), "{}", listed.stderr);
    let mut case = Case::of(home);
    let whole = case.call("files_count", json!({ "path": "/read" }));
    assert_guest_failed(&whole, "limit");
    let growth = case.growth_mib();
    assert!(growth < 32, "{growth} MiB");
    end(case);
    let names = fs::read_dir(ground.at("work")).unwrap().count();
    assert!(names > 100_000, "{names}");
    observed(
        "C11",
        format_args!("a listing of {names} names: {}, the host grew by {growth} MiB", code(&whole)),
    );
}

#[test]
fn a_large_file_is_read_in_pieces() {
    let ground = Ground::new();
    fs::File::create(ground.at("read/large")).unwrap().set_len(64 << 20).unwrap();
    let mut case = ground.case();
    assert_says(&case.call("files_length", json!({ "path": "/read/large" })), &(64 << 20).to_string());
    assert!(case.growth_mib() < 32, "{} MiB", case.growth_mib());
    end(case);
    // Of which there is no end: the call has one.
    fs::File::create(ground.at("read/large")).unwrap().set_len(1 << 42).unwrap();
    let mut case = Case::of(ground.home_within("1MiB", "1s"));
    let ended = case.call("files_length", json!({ "path": "/read/large" }));
    assert_guest_failed(&ended, "deadline");
    let growth = case.growth_mib();
    assert!(growth < 32, "{growth} MiB");
    end(case);
    observed("C11", format_args!("a file of 4 TiB: {}, the host grew by {growth} MiB", code(&ended)));
}

#[test]
fn a_call_holds_sixty_four_files_open_and_not_one_more() {
    let ground = Ground::new();
    let mut case = ground.case();
    assert_says(&case.call("files_hold", json!({ "path": "/read/a", "n": 64 })), "64");
    let result = case.call("files_hold", json!({ "path": "/read/a", "n": 65 }));
    assert_guest_failed(&result, "limit");
    assert!(text(&result).contains("holds more than 64 files open"), "{result:#}");
    end(case);
}
