//! `hubcap bench`: it measures a server as a client meets it, and says clearly where it cannot.
//!
//! Invariant: no test asserts how fast something is.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::home::{Finished, Home, finish};
use crate::support::programs::children_of;
use crate::support::{SOON, holds_within};

const HELLO: &str = r#"{"text":"hello"}"#;

/// Measures another server than hubcap.
fn bench_other(arguments: &[&str], server: &[&str]) -> Finished {
    let arguments = [&["bench"][..], arguments, &["--"], server].concat();
    finish(&mut Home::new().bare_command(&arguments), b"")
}

/// What was measured.
#[track_caller]
fn levels(finished: &Finished) -> Vec<Value> {
    let printed: Value = serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", finished.stdout, finished.stderr));
    printed["levels"].as_array().expect("a list of levels").clone()
}

#[track_caller]
fn number(level: &Value, field: &str) -> f64 {
    level[field].as_f64().unwrap_or_else(|| panic!("no {field} in {level:#}"))
}

/// All that is told of a server whose calls all succeeded is there and makes sense.
#[track_caller]
fn assert_measured(level: &Value, concurrency: u64, calls: u64) {
    assert_eq!((&level["concurrency"], &level["calls"]), (&concurrency.into(), &calls.into()), "{level:#}");
    assert_eq!(level["errors"], serde_json::json!({}));
    let percentiles = ["p50Micros", "p95Micros", "p99Micros"].map(|field| number(level, field));
    assert!(percentiles[0] > 0.0 && percentiles.is_sorted(), "{level:#}");
    for field in ["callsPerSecond", "cpuMicrosPerCall", "firstListMillis"] {
        assert!(number(level, field) > 0.0, "{field} in {level:#}");
    }
    for look in [&level["before"], &level["after"]] {
        let memory = number(look, "memoryBytes");
        assert!((1e6..=1.1 * number(level, "peakMemoryBytes")).contains(&memory), "{level:#}");
        assert!(number(look, "threads") >= 1.0 && number(look, "descriptors") >= 3.0, "{level:#}");
    }
}

/// It failed in this way and said so, without a word on standard output.
#[track_caller]
fn assert_fails(finished: &Finished, code: i32, words: &[&str]) {
    assert_eq!(finished.code, Some(code), "{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.stdout, "");
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} in {:?}", finished.stderr);
    }
}

#[test]
fn a_tool_is_measured_with_each_number_of_calls_in_flight() {
    let home = Home::new().guest("echo");
    let finished = home.run(&["bench", "echo_say", HELLO, "--calls", "50", "--concurrency", "1,4", "--json"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let levels = levels(&finished);
    assert_eq!(levels.len(), 2);
    assert_measured(&levels[0], 1, 50);
    assert_measured(&levels[1], 4, 50);
}

#[test]
fn people_get_a_table_with_the_same() {
    let home = Home::new().guest("echo");
    let finished = home.run(&["bench", "echo_say", HELLO, "--calls", "20", "--concurrency", "2"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let lines: Vec<Vec<&str>> = finished.stdout.lines().map(|line| line.split("  ").collect()).collect();
    for words in ["in flight", "p50 µs", "CPU µs/call", "peak MiB", "first list ms", "descriptors"] {
        assert!(finished.stdout.contains(words), "{}", finished.stdout);
    }
    let rows = lines.iter().filter(|line| line.iter().any(|cell| cell.trim() == "2")).count();
    assert!(rows >= 2, "{}", finished.stdout);
    assert!(!finished.stdout.contains(" - "), "{}", finished.stdout);
}

#[test]
fn the_server_has_the_options_of_the_command() {
    let plugins = Home::new().guest("echo");
    let directory = plugins.plugins();
    let home = Home::new();
    let measured = |options: &[&str]| {
        let bench = ["bench", "echo_say", HELLO, "--calls", "1", "--concurrency", "1", "--json"];
        levels(&home.run(&[&bench[..], options].concat())).len()
    };
    assert_eq!(measured(&["--plugins", directory.to_str().unwrap()]), 1);
    let named = Home::new().config(&format!("plugin-dirs = [{directory:?}]\n"));
    let file = named.path().join("hubcap.toml");
    assert_eq!(measured(&["--config", file.to_str().unwrap()]), 1);
    let logged = ["--log", "info", "--log-format", "json", "--plugins", directory.to_str().unwrap()];
    let bench = ["bench", "echo_say", HELLO, "--calls", "1", "--concurrency", "1"];
    let finished = home.run(&[&bench[..], &logged[..]].concat());
    assert!(finished.stderr.contains("plugin is ready"), "{}", finished.stderr);
}

#[test]
fn another_server_is_measured_by_the_same_client() {
    let home = Home::new().guest("echo");
    let directory = home.path().to_str().unwrap();
    let finished = bench_other(
        &["echo_say", HELLO, "--calls", "10", "--concurrency", "3", "--json"],
        &[env!("CARGO_BIN_EXE_hubcap"), "serve", "--log", "error", "--home", directory],
    );
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_measured(&levels(&finished)[0], 3, 10);
}

#[test]
fn calls_that_fail_are_counted_by_code_and_fail_the_command() {
    let home = Home::new().guest("echo").config("[limits]\ncalls-per-plugin = 1\nqueue = 0\n");
    let finished =
        home.run(&["bench", "echo_sleep", r#"{"ms":50}"#, "--calls", "24", "--concurrency", "8", "--json"]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let levels = levels(&finished);
    let refused = levels[0]["errors"]["overloaded"].as_u64().unwrap_or(0);
    assert!(refused > 0, "{levels:#?}");
    let told = format!("{refused} of 24 calls failed");
    assert!(finished.stderr.contains(&told), "{told:?} in {}", finished.stderr);
}

#[test]
fn a_tool_that_cannot_be_called_is_told_of_in_its_own_words() {
    let home =
        Home::new().guest("echo").config("[[policy]]\ntools = [\"echo_structured\"]\naction = \"ask\"\n");
    let bench = |tool: &str, arguments: &str| home.run(&["bench", tool, arguments]);
    assert_fails(&bench("echo_sya", "{}"), 1, &["first call failed", "echo_sya", "did you mean", "echo_say"]);
    assert_fails(&bench("echo_say", r#"{"text":7}"#), 1, &["first call failed: invalid-arguments", "/text"]);
    assert_fails(&bench("echo_structured", r#"{"n":1}"#), 1, &["first call failed: approval"]);
}

#[test]
fn a_mistake_on_the_command_line_is_told_before_a_server_is_started() {
    let home = Home::new();
    assert_fails(&home.run(&["bench", "echo_say", "{\"text\":"]), 2, &["no JSON", "column"]);
    assert_fails(&home.run(&["bench", "echo_say", "[1]"]), 2, &["object"]);
    assert_fails(
        &home.run(&["bench", "echo_say", "--plugins", "/nowhere/plugins"]),
        2,
        &["/nowhere/plugins"],
    );
    assert_fails(&home.run(&["bench", "echo_say", "--concurrency", "1,x"]), 2, &["--concurrency", "x"]);
    let wrong = Home::new().config("[limits]\ncals = 5\n");
    assert_fails(&wrong.run(&["bench", "echo_say"]), 2, &["hubcap.toml:2:1", "calls"]);
}

#[test]
fn up_to_ten_million_calls_are_made_and_1024_at_once() {
    let started = |calls: &str, concurrency: &str| {
        let finished =
            bench_other(&["x", "--calls", calls, "--concurrency", concurrency], &["/nowhere/server"]);
        assert_eq!(finished.code, Some(2));
        finished.stderr.contains("cannot start /nowhere/server")
    };
    assert!(started("10000000", "1024"));
    for (calls, concurrency) in [("10000001", "1"), ("0", "1"), ("1", "1025"), ("1", "1,0")] {
        assert!(!started(calls, concurrency), "{calls} {concurrency}");
    }
}

#[test]
fn a_server_that_ends_or_speaks_no_mcp_is_told_of() {
    let bench = |script: &str| bench_other(&["x"], &["sh", "-c", script]);
    assert_fails(&bench("exit 3"), 1, &["the server ended with exit status: 3"]);
    assert_fails(&bench("read line"), 1, &["the server ended before it had answered"]);
    assert_fails(&bench("kill -9 $$"), 1, &["signal: 9"]);
    assert_fails(&bench("echo Hello there; cat >/dev/null"), 1, &["no message of MCP: Hello there"]);
    let refusal = r#"echo '{"id":1,"error":{"code":-32000,"message":"not today"}}'; cat >/dev/null"#;
    assert_fails(&bench(refusal), 1, &["`initialize`", "-32000: not today"]);
}

#[test]
fn an_interrupt_ends_the_server_too() {
    let home = Home::new().guest("echo");
    let mut command = home.command(&["bench", "echo_say", HELLO, "--calls", "10000000"]);
    let mut bench =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut servers = Vec::new();
    holds_within(SOON, || {
        servers = children_of(bench.id());
        !servers.is_empty()
    });
    assert_eq!(servers.len(), 1);
    kill_process(Pid::from_child(&bench), Signal::INT).unwrap();
    let mut status = None;
    let ended = holds_within(SOON, || {
        status = bench.try_wait().unwrap();
        status.is_some()
    });
    if !ended {
        bench.kill().unwrap();
    }
    let output = bench.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(ended, "it does not end: {said}");
    assert_eq!(status.unwrap().code(), Some(1));
    assert!(said.contains("interrupted"), "{said}");
    let server = servers[0];
    assert!(!std::path::Path::new(&format!("/proc/{server}")).exists(), "{server} goes on");
}
