//! Files: what is none. FIFOs and sockets in a granted directory, there at the start or made later.
//!
//! Invariant: nothing waits for the other end of anything, and the neighbour is ready all the time.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::json;

use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end, fifo};
use crate::support::message::assert_says;

#[test]
fn what_is_no_file_refuses_the_plugin_and_only_that_one() {
    let mut count = 0;
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
            count += 1;
        }
    }
    observed(
        "C09",
        format_args!("{count} directories with a FIFO or socket: refused at load, the neighbour ready"),
    );
}

#[test]
fn a_fifo_that_comes_later_is_not_opened_and_holds_up_nobody() {
    let ground = Ground::new();
    let mut case = ground.case();
    fifo(&ground.at("work/fifo"));
    let _listener = UnixListener::bind(ground.at("work/socket")).unwrap();
    let mut longest = Duration::ZERO;
    for path in ["/work/fifo", "/work/socket"] {
        let (said, time) = case.timed("files_act", json!({ "op": "read", "path": path }));
        assert_says(&said, "PermissionDenied");
        assert!(time < Duration::from_secs(5), "{time:?}");
        longest = longest.max(time);
        assert_eq!(act(&mut case, "append", path, json!({ "text": "x" })), "PermissionDenied");
    }
    // As a new count of a full directory meets it.
    assert_eq!(act(&mut case, "size", "/work/large", json!({ "size": 2 << 20 })), "Quota");
    let ended = end(case);
    assert!(ended.time < Duration::from_secs(10), "{:?}", ended.time);
    observed(
        "C09",
        format_args!(
            "a FIFO and a socket that came later: not opened, longest call {longest:.0?}, end {:.0?}",
            ended.time
        ),
    );
}
