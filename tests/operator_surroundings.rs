//! What a server is started in, and what changes around it: environment, configuration, standard error.
//!
//! Invariant: a fault that did not reach the server fails its test.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_guest_failed, assert_says, cost};
use crate::support::server::{Era, Server};

const ERA: Era = Era::Legacy("2025-11-25");

#[track_caller]
fn assert_serves(server: &mut Server) {
    assert_says(&server.call("plain_run", json!({})), "done");
}

#[test]
fn a_running_server_keeps_the_configuration_that_it_was_started_with() {
    let good = "[plugins.looping]\nbudget = { fuel = 3_000_000 }\n";
    let broken = ["[limits\n", "calls = \n", "[plugins.looping]\nbudgte = 1\n", "\0", "[[[[[["];
    let mut kept = 0;
    for dev in [false, true] {
        let home = Home::new().wat("plain").guest("looping").config(good);
        let arguments: &[&str] = if dev { &["serve", "--dev"] } else { &["serve"] };
        let mut server = home.serve_as(&mut home.command(arguments), ERA);
        server.tool_names();
        for text in broken {
            fs::write(home.path().join("hubcap.toml"), text).unwrap();
            // Whoever starts now is told where it is wrong.
            let refused = home.run(&["serve"]);
            assert_eq!(refused.code, Some(2), "{text:?}: {}", refused.stderr);
            assert!(refused.stderr.contains("hubcap.toml:"), "{text:?}: {}", refused.stderr);
            assert_serves(&mut server);
            let result = server.call("looping_spin", json!({}));
            assert_guest_failed(&result, "fuel");
            assert!(cost(&result, "fuel") <= 3_000_000, "{result:#}");
            kept += 1;
        }
        server.end();
    }
    observed(
        "E18",
        format_args!("{kept} broken files: each start refused with its place, the running server as before"),
    );
}

/// Variables, each with its value or taken away.
type Variables = Vec<(OsString, Option<OsString>)>;

/// Environments that are odd, each beside or in the place of what a test's command has.
fn environments() -> Vec<(&'static str, Variables)> {
    let raw = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let set = |name: &str, value: &[u8]| vec![(name.into(), Some(raw(value)))];
    let unset = |name: &str| vec![(name.into(), None)];
    let many = (0..1_000).map(|n| (format!("HUGE_{n}").into(), Some(raw(&[b'x'; 1_024])))).collect();
    vec![
        ("a megabyte", many),
        ("one of 120 KiB", set("HUGE", &[b'x'; 120 << 10])),
        ("a value that is no UTF-8", set("ODD", b"\xff\xfe\x80")),
        ("a name that is no UTF-8", vec![(raw(b"ODD\xff"), Some("x".into()))]),
        ("a newline", set("ODD", b"a\nb=c\r\n")),
        ("no HOME", unset("HOME")),
        ("an empty HOME", set("HOME", b"")),
        ("a HOME that is not there", set("HOME", b"/nowhere/at/all")),
        ("a HOME that is no UTF-8", set("HOME", b"/tmp/\xff")),
        ("no PATH", unset("PATH")),
        ("a TZ that is not there", set("TZ", b":/nowhere")),
        ("a TZ out of bounds", set("TZ", b"XXX99999999999")),
        ("a TZ that is no UTF-8", set("TZ", b"\xff")),
        ("LC_ALL=C", set("LC_ALL", b"C")),
        ("a locale that is not there", set("LC_ALL", b"xx_YY.nonsense")),
        ("a locale that is no UTF-8", set("LANG", b"\xff\xff")),
        ("a TERM that is not there", set("TERM", b"\x1b[31m")),
        ("a TMPDIR that is not there", set("TMPDIR", b"/nowhere")),
        ("an XDG_DATA_HOME that is no path", set("XDG_DATA_HOME", b"\xff")),
        ("an empty variable of hubcap", set("HUBCAP_CONFIG", b"")),
        ("another", set("HUBCAP_HOME", b"")),
        ("and another", set("HUBCAP_PLUGINS", b"")),
        ("variables of the runtime", set("TOKIO_WORKER_THREADS", b"nonsense")),
        ("variables of other loggers", set("RUST_LOG", b"\xff=,,nonsense=")),
    ]
}

#[test]
fn a_server_starts_in_whatever_environment() {
    let home = Home::new().wat("plain");
    let (mut started, mut took_effect) = (0, 0);
    for (name, variables) in environments() {
        let mut command = home.command(&["serve"]);
        for (variable, value) in &variables {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        let mut server = home.serve_as(&mut command, ERA);
        let environment = fs::read(format!("/proc/{}/environ", server.pid().as_raw_pid())).unwrap();
        let holds = |part: &OsStr| environment.split(|byte| *byte == 0).any(|line| line == part.as_bytes());
        let arrived = variables.iter().all(|(variable, value)| {
            let mut line = variable.clone();
            line.push("=");
            match value {
                Some(value) => {
                    line.push(value);
                    holds(&line)
                }
                None => environment.split(|byte| *byte == 0).all(|one| !one.starts_with(line.as_bytes())),
            }
        });
        assert!(arrived, "{name} did not arrive");
        took_effect += 1;
        assert_serves(&mut server);
        server.end();
        started += 1;
    }
    observed("E21", format_args!("{took_effect} odd environments: {started} started and served"));
}

/// The command with another standard error, by the words of bash.
fn with_stderr(home: &Home, words: &str) -> Command {
    let command = home.command(&["serve", "--log", "trace"]);
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("{words}\nexec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args());
    bash.current_dir(home.path()).env_clear();
    bash.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bash
}

#[test]
fn a_standard_error_that_is_closed_or_takes_nothing_costs_no_call() {
    let cases = [
        ("closed", "exec 2>&-", "/dev/null"),
        ("full", "exec 2>/dev/full", "/dev/full"),
        // Its reader has ended before the server starts.
        ("broken", "exec 2> >(exit 0); wait $!", "pipe:"),
    ];
    let (mut calls, mut took_effect, mut longest) = (0, 0, Duration::ZERO);
    for (name, words, expected) in cases {
        let home = Home::new().guest("log-flood").wat("plain");
        let mut server = home.serve_as(&mut with_stderr(&home, words), ERA);
        server.tool_names();
        let is = fs::read_link(format!("/proc/{}/fd/2", server.pid().as_raw_pid())).unwrap();
        assert!(is.to_string_lossy().starts_with(expected), "{name}: {}", is.display());
        for _ in 0..20 {
            let start = Instant::now();
            assert_says(&server.call("log-flood_lines", json!({ "n": 60, "bytes": 1_000 })), "60");
            assert_serves(&mut server);
            longest = longest.max(start.elapsed());
            calls += 2;
        }
        // Nothing of the log went to where the next file would have been.
        assert_eq!(home.run(&["audit", "verify"]).code, Some(0), "{name}");
        let ended = server.end();
        took_effect += usize::from(ended.stderr.is_empty());
    }
    assert_eq!(took_effect, cases.len());
    observed(
        "E22",
        format_args!(
            "{took_effect} kinds of a stderr that is gone: {calls} calls, all answered, {longest:.0?} at most"
        ),
    );
}
