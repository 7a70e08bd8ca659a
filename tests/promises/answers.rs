//! Every request has one answer, in time.
//!
//! Invariant: answers are counted by their ids, and those to nobody's request too.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kills::Random;
use crate::support::case::{Case, budget_of};
use crate::support::home::Home;
use crate::support::message::{assert_guest_failed, cost};
use crate::support::promises::{kept, short_or_long};
use crate::support::server::{Era, Server};

/// Requests in flight at once that no queue refuses: 8 run and 32 wait.
const WINDOW: u64 = 30;

/// Some request.
fn any(random: &mut Random) -> (&'static str, Value) {
    let call = |name: &str, arguments: Value| ("tools/call", json!({ "name": name, "arguments": arguments }));
    match random.below(12) {
        0 => call("echo_say", json!({ "text": "x" })),
        1 => call("echo_sleep", json!({ "ms": random.below(20) })),
        2 => call("echo_fail", json!({ "code": "upstream", "message": "no" })),
        3 => call("echo_structured", json!({ "n": "three" })),
        4 => call("echo_progress", json!({ "steps": 5 })),
        5 => call("echo_big", json!({ "bytes": random.below(100_000) })),
        6 => call("echo_no-such", json!({})),
        7 => call("traps_run", json!({ "n": random.below(8) })),
        8 => call("plain_run", json!([])),
        9 => ("tools/list", json!({})),
        10 => ("tools/list", json!({ "cursor": "nonsense" })),
        _ => ("no/such", json!({})),
    }
}

/// Sends a window of requests and expects one answer to each, and to nothing else.
fn assert_one_each(server: &mut Server, random: &mut Random) -> usize {
    let mut ids: Vec<u64> = (0..WINDOW)
        .map(|_| {
            let (method, params) = any(random);
            server.send_request(method, params).as_u64().unwrap()
        })
        .collect();
    for id in &ids {
        server.answer(&json!(id));
    }
    // Whatever comes twice comes before the answer to this.
    ids.push(server.send_request("tools/list", json!({})).as_u64().unwrap());
    server.answer(&json!(ids.last().unwrap()));
    let answers = server.messages().iter().filter(|message| message.get("method").is_none());
    let mut answered: Vec<u64> = answers.map(|answer| answer["id"].as_u64().unwrap()).collect();
    answered.sort_unstable();
    assert_eq!(answered, ids);
    let failed = |message: &&Value| message.get("error").is_some() || message["result"]["isError"] == true;
    let failures = server.messages().iter().filter(failed).count();
    server.forget_messages();
    failures
}

#[test]
fn every_request_of_a_mixture_has_exactly_one_answer() {
    let home = Home::new().guest("echo").wat("plain").wat("traps");
    let (mut requests, mut failures) = (0, 0);
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let (mut server, mut random) = (home.serve_to(era), Random(1));
        server.forget_messages();
        for _ in 0..short_or_long(40, 4_000) {
            failures += assert_one_each(&mut server, &mut random);
            requests += WINDOW + 1;
        }
        assert!(server.end().messages.is_empty(), "an answer too many");
    }
    assert!(failures > 0);
    kept(
        "P02",
        format_args!("{requests} requests of both eras: one answer each, {failures} of them failures"),
    );
}

/// What the machine may add to the time of a call as its caller sees it: it runs other tests too.
const BUSY: Duration = Duration::from_secs(1);

#[test]
fn a_call_that_does_not_end_is_answered_at_its_deadline() {
    let (deadline, grace) = (Duration::from_millis(400), Duration::from_millis(250));
    let config = budget_of("sleeping", "deadline = \"400ms\"")
        + &budget_of("echo", "deadline = \"400ms\"")
        + &budget_of("looping", "fuel = 100_000_000_000, deadline = \"400ms\"");
    let mut case = Case::of(Home::new().guest("sleeping").guest("looping").guest("echo").config(&config));
    let (mut longest, mut calls) = (Duration::ZERO, 0);
    for _ in 0..short_or_long(3, 200) {
        for (tool, arguments) in [
            ("looping_spin", json!({})),
            ("sleeping_forever", json!({})),
            ("echo_sleep", json!({ "ms": 60_000 })),
            ("sleeping_repeated", json!({ "n": 10 })),
        ] {
            let (result, waited) = case.timed(tool, arguments);
            assert_guest_failed(&result, "deadline");
            let wall = Duration::from_micros(cost(&result, "wallMicros"));
            assert!(wall <= deadline + grace, "{tool}: {wall:?}");
            assert!(waited >= deadline && waited <= deadline + grace + BUSY, "{tool}: {waited:?}");
            (longest, calls) = (longest.max(waited), calls + 1);
        }
    }
    case.end();
    kept(
        "P02",
        format_args!(
            "{calls} calls without an end, deadline {deadline:?}: answered after {longest:.0?} at most"
        ),
    );
}
