//! One guest that does what a bridge to workers has to: twenty programs and two calls of another plugin, at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::audit::calls;
use crate::support::case::Case;
use crate::support::programs::{Stage, children_of};
use crate::support::{SOON, holds_within};

/// The guest, granted one command that runs four times at once, and a tool of its neighbour.
fn stage(script: &str) -> Stage {
    Stage::new()
        .script_with("work", script, "at-once = 4")
        .asking("[[ask.hub]]\ntool = \"echo_sleep\"\n")
        .granting("[plugins.programs.grant.hub]\ntools = [\"echo_sleep\"]\n")
}

/// Twenty programs, and two calls that take this long.
fn arguments(stage: &Stage, ms: u64) -> Value {
    let more = json!({ "n": 20, "tool": "echo_sleep", "calls": 2, "arguments": { "ms": ms } });
    stage.arguments_with("work", &[], more)
}

#[test]
fn twenty_programs_and_two_calls_of_one_guest_take_about_as_long_as_the_ideal() {
    let stage = stage("sleep 1");
    let mut case = Case::of(stage.home().guest("echo"));
    let result = case.call("programs_many", arguments(&stage, 5_000));
    assert_ne!(result["isError"], true, "{result:#}");
    let (ended, ms) = (&result["structuredContent"], result["structuredContent"]["ms"].as_u64().unwrap());
    let programs = ended["ended"].as_array().unwrap();
    assert!(programs.len() == 20 && programs.iter().all(|program| program["code"] == 0), "{ended:#}");
    assert_eq!(ended["said"], json!(["slept", "slept"]));
    eprintln!(
        "20 programs of 1 s, 4 at once, and 2 hub calls of 5 s: {ms} ms, and the ideal is 5000; one after another it is 15000"
    );
    // Neither do the calls wait for the programs, nor one of them for the other.
    assert!((5_000..12_000).contains(&ms), "{ms}");
    stage.assert_gone_within(Duration::ZERO);
    case.end();
}

#[test]
fn nothing_of_twenty_programs_and_two_calls_is_left_five_seconds_after_they_are_cancelled() {
    let stage = stage("sleep 1000 & setsid sleep 1000 & wait");
    let home = stage.home().guest("echo");
    let mut server = home.serve();
    let id = server.send_running_call("programs_many", arguments(&stage, 50_000));
    // Four of them with two children each.
    stage.assert_running(12);
    let processes = stage.running().len();
    let host = u32::try_from(server.pid().as_raw_pid()).unwrap();
    let cancelled = Instant::now();
    server.cancel(&id);
    stage.assert_gone_within(Duration::from_secs(5));
    let gone = cancelled.elapsed();
    assert!(holds_within(SOON, || children_of(host).is_empty()), "{:?}", children_of(host));
    let is_cancelled = |record: &Value| record["outcome"]["code"] == "cancelled";
    assert!(holds_within(SOON, || calls(&home).iter().filter(|record| is_cancelled(record)).count() == 3));
    server.end();
    eprintln!("cancelled: {processes} processes gone after {gone:.1?}, 2 callees `cancelled`");
}
