//! Plugins that call plugins: how deep, how long, how many at once, and who notices.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hub_calls::{caller, edges, home, said};
use crate::support::case::{Case, budget_of};
use crate::support::cases::observed;
use crate::support::holds_within;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, cost, receipt, text};
use crate::support::promises::kept;
use crate::support::server::Server;

/// How soon after its caller a callee is gone.
const GONE: Duration = Duration::from_secs(2);

/// Waits for a line of the log about a callee that ended in this way.
#[track_caller]
fn assert_ends(server: &Server, callee: &str, code: &str) {
    let plugin = format!("\"plugin\":\"{callee}\"");
    let ended = |line: &str| line.contains(&plugin) && line.contains(&format!("\"code\":\"{code}\""));
    let gone = holds_within(GONE, || server.stderr().lines().any(ended));
    assert!(gone, "{}", server.stderr());
}

/// Callers, each of which may call the same tool of all.
fn circle(ids: &[&str]) -> Home {
    let tools: Vec<String> = ids.iter().map(|id| format!("{id}_down")).collect();
    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
    let config: String = ids.iter().map(|id| edges(id, &tools)).collect();
    let home = ids.iter().fold(Home::new(), |home, id| caller(home, id)).config(&config);
    ids.iter().fold(home, |home, id| home.accept(id))
}

#[test]
fn calls_go_four_plugins_deep_and_never_round_in_a_circle() {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let mut server = circle(&ids).serve();
    let mut deepest = 0;
    for depth in 0..=4 {
        let result = server.call("a_down", json!({ "path": ids[1..=depth] }));
        deepest = depth;
        assert_eq!(result["structuredContent"]["depth"], json!(depth), "{result:#}");
    }
    let (too_deep, mut denied) = (ids[1..].to_vec(), 0);
    let fifty: Vec<&str> = ids.iter().cycle().skip(1).take(50).copied().collect();
    for (path, why) in [
        (vec!["a"], "the plugin \"a\" waits for this call already"),
        (vec!["b", "a"], "the plugin \"a\" waits"),
        (vec!["b", "c", "d", "b"], "the plugin \"b\" waits"),
        (too_deep, "4 plugins stand behind this call already"),
        (fifty, "4 plugins stand behind"),
    ] {
        let result = server.call("a_down", json!({ "path": path }));
        assert_failed(&result, "denied", "policy");
        assert!(text(&result).contains(why), "{path:?}: {}", text(&result));
        denied += 1;
    }
    server.end();
    observed(
        "A40",
        format_args!("4 plugins deep it goes; {denied} circles and longer chains, one of 50: `denied`"),
    );
    kept(
        "P31",
        format_args!("calls went {deepest} plugins deep; {denied} deeper or round in a circle were denied"),
    );
}

#[test]
fn a_circle_is_denied_at_once() {
    let home = caller(Home::new(), "a").config(&edges("a", &["a_down"])).accept("a");
    let mut server = home.serve();
    let fastest = (0..10)
        .map(|_| {
            let arguments = json!({ "tool": "a_down", "arguments": {} });
            let result = server.call("a_outcome", arguments);
            let outcome = &result["structuredContent"];
            assert!(outcome["said"].as_str().unwrap().starts_with("denied: "), "{result:#}");
            outcome["micros"].as_u64().unwrap()
        })
        .min()
        .unwrap();
    assert!(fastest < 10_000, "{fastest} µs");
    server.end();
    observed("A40", format_args!("a plugin that calls itself is denied within {fastest} µs"));
}

#[test]
fn two_slow_callees_take_as_long_as_one() {
    let mut server = home(&["echo_sleep", "echo_progress"]).serve();
    // Once all is loaded.
    assert_eq!(said(&mut server, "echo_progress", json!({ "steps": 1 })), "1");
    let arguments = json!({ "tools": ["echo_sleep", "echo_sleep"], "arguments": { "ms": 3_000 } });
    let started = Instant::now();
    let result = server.call("a_many", arguments);
    let time = started.elapsed();
    assert_eq!(result["structuredContent"]["said"], json!(["slept", "slept"]), "{result:#}");
    assert!(time >= Duration::from_secs(3) && time < Duration::from_millis(5_900), "{time:?}");
    let told = result["structuredContent"]["told"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    // Of reports that nobody takes the newest counts.
    let arguments = json!({ "tools": ["echo_progress"], "arguments": { "steps": 500 } });
    let result = server.call("a_many", arguments);
    let told = result["structuredContent"]["told"].as_array().unwrap();
    assert!(told.last() == Some(&json!("0: 500 of Some(500.0)")), "{told:?}");
    server.end();
}

#[test]
fn a_callee_has_no_more_time_than_its_caller_has_left() {
    let home =
        home(&["echo_sleep"]).config(&(edges("a", &["echo_sleep"]) + &budget_of("a", "deadline = \"1s\"")));
    let mut server = home.serve();
    let started = Instant::now();
    let result = server.call("a_pass-on", json!({ "tool": "echo_sleep", "arguments": { "ms": 20_000 } }));
    let time = started.elapsed();
    assert_failed(&result, "deadline", "plugin");
    assert!(time < Duration::from_secs(10), "{time:?}");
    assert!(receipt(&result)["callees"]["failed"] == 1, "{result:#}");
    kept(
        "P31",
        format_args!("a callee that sleeps 20 s ended with its caller's deadline of 1 s, after {time:.1?}"),
    );
    let ends = |line: &&str| line.contains("\"plugin\":\"echo\"") && line.contains("\"blame\"");
    assert!(holds_within(GONE, || server.stderr().lines().any(|line| ends(&line))), "{}", server.stderr());
    server.end();
    let home = circle(&["a", "b"]);
    let config = std::fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    let mut server = home.config(&(config + &budget_of("a", "deadline = \"3s\""))).serve();
    let result = server.call("a_down", json!({ "path": ["b"] }));
    let left = result["structuredContent"]["deadline"].as_u64().unwrap();
    assert!((1..=3_000).contains(&left), "{left}");
    server.end();
}

#[test]
fn whoever_gives_up_a_call_gives_up_what_it_called() {
    let mut server = home(&["echo_sleep", "looping_spin"]).guest("looping").serve();
    for (tool, callee) in [("echo_sleep", "echo"), ("looping_spin", "looping")] {
        let arguments = json!({ "tools": [tool], "arguments": { "ms": 20_000 } });
        // Its caller passes on that it runs.
        let id = server.send_running_call("a_many", arguments);
        server.cancel(&id);
        assert_ends(&server, callee, "cancelled");
    }
    server.end();
}

#[test]
fn a_call_that_is_dropped_left_or_crashed_out_of_ends_soon() {
    for (how, arguments, ends) in [
        ("a_give-up", json!({ "ms": 600 }), "went on"),
        ("a_leave", json!({}), "left"),
        ("a_crash", json!({}), "trap: "),
    ] {
        for (tool, callee) in [("echo_sleep", "echo"), ("looping_spin", "looping")] {
            let mut server = home(&["echo_sleep", "looping_spin"]).guest("looping").serve();
            let mut asked = json!({ "tool": tool, "arguments": { "ms": 20_000 } });
            asked["ms"] = arguments["ms"].clone();
            let result = server.call(how, asked);
            assert!(text(&result).starts_with(ends), "{result:#}");
            let callees = &receipt(&result)["callees"];
            assert_eq!((&callees["calls"], &callees["failed"]), (&json!(1), &json!(1)), "{callees}");
            assert_ends(&server, callee, "cancelled");
            server.end();
        }
    }
}

#[test]
fn a_flood_of_calls_is_bounded_and_costs_only_whoever_floods() {
    let mut case = Case::of(home(&["echo_sleep"]));
    let flood = json!({ "tool": "echo_sleep", "arguments": { "ms": 6_000 }, "times": 10_000 });
    let floods: Vec<Value> = (0..4).map(|_| case.server.send_call("a_flood", flood.clone())).collect();
    // Agents have places of their own at the plugin that is flooded: they do not wait until one of its is free.
    let started = Instant::now();
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    while started.elapsed() < Duration::from_secs(3) {
        let (result, time) = case.timed("echo_say", json!({ "text": "here" }));
        assert_says(&result, "here");
        assert!(time < Duration::from_secs(2), "{time:?}");
        (answered, slowest) = (answered + 1, slowest.max(time));
    }
    let mut overloaded = 0;
    for flood in &floods {
        let result = case.server.result(flood);
        let counts = &result["structuredContent"];
        assert_eq!((&counts["started"], &counts["overloaded"]), (&json!(16), &json!(9_984)), "{counts}");
        assert_eq!(receipt(&result)["callees"]["calls"], 16);
        overloaded += counts["overloaded"].as_u64().unwrap();
    }
    assert!(case.growth_mib() < 256, "{} MiB", case.growth_mib());
    case.end();
    observed(
        "A41",
        format_args!(
            "of 40000 calls {overloaded} `overloaded`; {answered} of agents answered, slowest {slowest:.0?}"
        ),
    );
}

#[test]
fn two_plugins_that_call_each_other_under_full_load_do_not_lock_each_other_out() {
    let tools = ["a_down", "b_down", "echo_say"];
    let config = edges("a", &tools)
        + &edges("b", &tools)
        + "[limits]\ncalls = 4\ncalls-per-plugin = 2\nqueue = 64\nqueue-wait = \"20s\"\n";
    let home = caller(caller(Home::new().guest("echo"), "a"), "b").config(&config).accept("a").accept("b");
    let mut server = home.serve();
    let started = Instant::now();
    let calls: Vec<Value> = (0..32)
        .map(|n| {
            let (from, to) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
            let tool = format!("{to}_down");
            let arguments = json!({ "tools": vec![tool; 8], "arguments": { "path": [] } });
            server.send_call(&format!("{from}_many"), arguments)
        })
        .collect();
    for call in &calls {
        let result = server.result(call);
        let said = result["structuredContent"]["said"].as_array().unwrap_or_else(|| panic!("{result:#}"));
        assert!(said.iter().all(|said| said.as_str().unwrap().contains("\"depth\":1")), "{said:?}");
    }
    let time = started.elapsed();
    assert!(time < Duration::from_secs(15), "{time:?}");
    let result = server.call("a_pass-on", json!({ "tool": "echo_say", "arguments": { "text": "x" } }));
    assert!(cost(&result, "fuel") > 0);
    assert_eq!(said(&mut server, "echo_say", json!({ "text": "y" })), "y");
    server.end();
    observed(
        "A41",
        format_args!("2 plugins with {} calls of 8 to each other: all answered in {time:.1?}", calls.len()),
    );
}
