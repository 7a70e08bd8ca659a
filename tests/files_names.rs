//! Files: slashes at the end of names, names that are the system's, and times that cannot be.
//!
//! Invariant: each name that opens nothing stands beside one that does.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end, home, words};
use crate::support::message::{assert_says, text};

#[test]
fn a_slash_at_the_end_is_for_directories_and_leads_no_further() {
    let ground = Ground::new();
    let work = ground.at("work");
    for (target, name) in [
        ("a", "to-file"),
        ("d", "to-directory"),
        ("..", "out"),
        ("../canary", "to-canary"),
        ("no", "dangling"),
    ] {
        symlink(target, work.join(name)).unwrap();
    }
    let mut case = ground.case();
    for path in ["d/", "d//", "to-directory/", "to-directory/./", "to-directory/below/"] {
        assert!(words(&mut case, "work", &[path])[0].starts_with("ok ok "), "{path}");
    }
    let none = ["a/", "to-file/", "dangling/", "to-file/.", "out/", "out/canary", "to-canary/", "new/"];
    let said = words(&mut case, "work", &none);
    for (path, said) in none.iter().zip(&said) {
        assert!(!said.contains("ok"), "{path}: {said}");
    }
    let mut said = Vec::new();
    for (op, path, more) in [
        ("rename", "/work/a/", json!({ "to": "/work/b" })),
        ("rename", "/work/a", json!({ "to": "/work/b/" })),
        ("rename", "/work/d", json!({ "to": "/work/out/d" })),
        ("link", "/work/a", json!({ "to": "/work/b/" })),
        ("link", "/work/a/", json!({ "to": "/work/b" })),
        ("remove", "/work/a/", json!({})),
        ("remove", "/work/to-file/", json!({})),
        ("rmdir", "/work/out/", json!({})),
        ("rmdir", "/work/to-directory/", json!({})),
        ("write", "/work/new/", json!({ "text": "x" })),
        ("truncate", "/work/to-canary/", json!({})),
        ("mkdir", "/work/out/new/", json!({})),
    ] {
        said.push(act(&mut case, op, path, more));
        assert!(!said[said.len() - 1].starts_with("ok"), "{op} {path}: {said:?}");
    }
    for path in ["made/", "out/made"] {
        let made = case.call("files_symlink", json!({ "dir": "work", "path": path, "to": "d" }));
        assert_ne!(text(&made), "ok", "{path}");
        said.push(text(&made).to_owned());
    }
    assert_eq!(
        act(&mut case, "list", "/work", json!({})),
        "ok a,d,dangling,out,to-canary,to-directory,to-file"
    );
    assert_eq!(act(&mut case, "read", "/work/a", json!({})), "ok work");
    ground.assert_untouched();
    end(case);
    observed(
        "C01",
        format_args!(
            "{} names with a slash at the end open nothing, {} changes by them refused",
            none.len(),
            said.len()
        ),
    );
}

#[test]
fn what_is_the_systems_is_granted_under_no_name() {
    let ground = Ground::new();
    let links = ["/proc", "/proc/self/root/proc", "/sys/kernel", "/dev"];
    for (number, target) in links.iter().enumerate() {
        symlink(target, ground.at(&format!("read/link-{number}"))).unwrap();
    }
    let linked = (0..links.len()).map(|number| ground.at(&format!("read/link-{number}")));
    let mut refused = Vec::new();
    let named = [
        "/proc",
        "/proc/self/fd",
        "/proc/self/environ",
        "/proc/self/fd/0",
        "/proc/self/root",
        "/dev",
        "/dev/mem",
        "/dev/../proc",
        "/sys",
        "/sys/fs/cgroup",
    ];
    for path in named.map(Into::into).into_iter().chain(linked) {
        for write in [false, true] {
            let config = format!(
                "[plugins.files.grant]\nfiles.work = {{ path = {path:?}, write = {write}, broad = true }}\n"
            );
            let told = home().config(&config).run(&["tools"]);
            assert!(
                told.code == Some(2) && told.stderr.contains("hubcap.toml:2:"),
                "{path:?}: {}",
                told.stderr
            );
            assert!(told.stderr.contains("belongs to the system"), "{path:?}: {}", told.stderr);
            refused.push(told.code);
        }
    }
    observed(
        "C05",
        format_args!("{} grants of /proc, /sys, /dev refused, by name and by link", refused.len()),
    );
}

#[test]
fn times_that_cannot_be_are_refused_and_crash_nothing() {
    let ground = Ground::new();
    let mut case = ground.case();
    let mut times = |dir: &str, seconds: u64, nanos: u64| {
        let asked = json!({ "dir": dir, "seconds": seconds, "nanos": nanos });
        text(&case.call("files_times", asked)).to_owned()
    };
    assert_eq!(times("work", 1, 1), "ok ok ok");
    assert_eq!(
        times("read", 1, 1),
        "upstream: not-permitted",
        "a file that is only read is not opened to write"
    );
    let absurd = [
        (u64::MAX, 0),
        (u64::MAX, 999_999_999),
        (1 << 63, 0),
        ((1 << 63) - 1, 999_999_999),
        (1 << 40, 0),
        (0, 1_000_000_000),
        (0, u64::from(u32::MAX)),
    ];
    let said: Vec<String> = absurd.iter().map(|(seconds, nanos)| times("work", *seconds, *nanos)).collect();
    for (at, said) in absurd.iter().zip(&said) {
        let words: Vec<&str> = said.split(' ').collect();
        assert!(
            words.len() == 3 && words.iter().all(|word| ["ok", "overflow", "invalid"].contains(word)),
            "{at:?}: {said}"
        );
    }
    assert_says(&case.call("plain_run", json!({})), "done");
    let file = fs::metadata(ground.at("work/a")).unwrap();
    assert_eq!(file.len(), 4);
    end(case);
    let refused = said.iter().filter(|said| !said.starts_with("ok ok")).count();
    observed("A34", format_args!("{} absurd file times: {refused} refused, no crash", absurd.len()));
}
