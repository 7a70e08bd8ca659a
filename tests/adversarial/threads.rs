//! A system that starts no thread and no process any more, by `strace` in the kernel's place.
//!
//! Invariant: each start that was refused is counted where it was refused; none fails the test.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::strace::{Trace, injected};
use crate::operator_limits::{needy, one_call, serves_or_says_why, tries};
use crate::support::cases::observed;
use crate::support::ground::Ground;
use crate::support::home::{Home, finish};
use crate::support::message::assert_says;
use crate::support::web::{Web, ok};
use crate::support::{SOON, holds_within};

/// Every way to start a thread or a process.
const STARTS: &str = "clone,clone3,fork,vfork";

#[test]
fn a_server_that_gets_no_thread_answers_every_call_and_works_when_there_are_some_again() {
    let (ground, web) = (Ground::new(), Web::answering(|_| ok("reached")));
    let url = web.url("127.0.0.1");
    let home = needy(&ground, &url);
    let mut server = home.serve();
    server.tool_names();
    // What worked in the background has gone when nothing has come or gone for a second.
    let (mut threads, mut since) = (0, Instant::now());
    holds_within(SOON, || {
        let now = server.facts().threads;
        if now != threads {
            (threads, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_secs(1)
    });
    let (trace, inject) = (format!("trace={STARTS}"), format!("inject={STARTS}:error=EAGAIN"));
    let attached = Trace::new().attach(&server, &["-e", &trace, "-e", &inject]);
    let (mut failed, mut answered) = (0, 0);
    for _ in 0..2 {
        let tries = tries(&mut server, &url);
        failed += tries.iter().filter(|(_, worked)| !worked).count();
        answered += tries.len();
        assert_says(&server.call("plain_run", json!({})), "done");
        assert!(server.tool_names().contains(&"plain_run".to_owned()));
    }
    let steps = attached.detach();
    let refused = injected(&steps);
    assert!(refused > 0 && failed > 0, "{refused} starts refused, {failed} of {answered} calls failed");
    let mut last = Vec::new();
    let back = holds_within(SOON, || {
        last = tries(&mut server, &url);
        last.iter().all(|(_, worked)| *worked)
    });
    assert!(back, "{last:?}, {}", server.stderr());
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
    server.end();
    observed(
        "E15",
        format_args!(
            "{refused} starts of threads refused: {failed} of {answered} calls failed, all answered, then all work"
        ),
    );
}

/// A user of the system that has no process.
const NOBODY: u32 = 54_321;

/// The server with so many threads at most. Root is bound by no such limit, so that it runs as somebody else.
fn with_threads(home: &Home, most: u32) -> Command {
    let command = home.command(&["serve"]);
    let mut limited = Command::new("prlimit");
    if rustix::process::geteuid().is_root() {
        limited = Command::new("setpriv");
        let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        limited.args(ids).args(["--clear-groups", "prlimit"]);
    }
    limited.arg(format!("--nproc={most}")).arg(home.path().join("hubcap")).args(command.get_args());
    limited.current_dir(home.path()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
}

#[test]
fn a_start_with_too_few_threads_serves_or_says_why_it_cannot() {
    let home = Home::new().wat("plain");
    fs::copy(env!("CARGO_BIN_EXE_hubcap"), home.path().join("hubcap")).unwrap();
    if rustix::process::geteuid().is_root() {
        for path in ["", "plugins", "plugins/plain.wasm", "hubcap"] {
            chown(home.path().join(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let (mut served, mut told) = (0, 0);
    for most in (1..=10).chain([100_000]) {
        let limit = format!("{most} threads");
        match serves_or_says_why(&limit, &finish(&mut with_threads(&home, most), one_call().as_bytes())) {
            true => served += 1,
            false => told += 1,
        }
    }
    assert!(told > 0 && served > 0, "{told} {served}");
    observed(
        "E15",
        format_args!("starts with 1 to 10 threads: {told} said why not, {served} served, 0 aborts"),
    );
}
