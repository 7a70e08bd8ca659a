//! A guest that computes for ever gives way to others.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::case::budget_of;
use crate::support::home::Home;
use crate::support::message::{assert_guest_failed, assert_says};
use crate::support::promises::{kept, short_or_long};
use crate::support::server::Era;

/// How often a guest that computes gives way.
const YIELDS: Duration = Duration::from_millis(50);

/// The median of what calls of a neighbour took beside a guest that spins, where one thread runs both.
fn median_beside_a_spinning_guest(home: &Home, calls: usize) -> (Duration, Duration) {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap();
    let cpu = (0..).find(|cpu| allowed.is_set(*cpu)).unwrap();
    let mut command = Command::new("taskset");
    let serve = home.command(&["serve"]);
    command.args(["--cpu-list", &cpu.to_string()]).arg(serve.get_program()).args(serve.get_args());
    command.current_dir(home.path()).env_clear();
    command.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut server = home.serve_as(&mut command, Era::Legacy("2025-11-25"));
    server.tool_names();
    let spinning = server.send_running_call("looping_spin", json!({}));
    let mut times: Vec<Duration> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            assert_says(&server.call("plain_run", json!({})), "done");
            start.elapsed()
        })
        .collect();
    assert!(server.wait_for(&spinning, Duration::ZERO).is_none(), "it did not spin all the time");
    server.cancel(&spinning);
    server.end();
    times.sort();
    (times[calls / 2], times[calls - 1])
}

#[test]
fn a_guest_that_spins_gives_way_every_fifty_milliseconds() {
    let budget = budget_of("looping", "fuel = 100_000_000_000, deadline = \"1m\"");
    let home = Home::new().guest("looping").wat("plain").config(&budget);
    let calls = short_or_long(30, 500);
    // The machine runs other tests, too: one of three looks at it has to be undisturbed.
    let looks = (0..3).map(|_| median_beside_a_spinning_guest(&home, calls));
    let (median, most) = looks.min().unwrap();
    assert!(median <= YIELDS, "{median:?}");
    kept(
        "P03",
        format_args!(
            "beside a guest that spins on the only thread a neighbour's call takes {median:.0?}, {most:.0?} at most"
        ),
    );
}

#[test]
fn a_guest_that_spins_stops_at_the_same_fuel_each_time() {
    let home = Home::new().guest("looping").config(&budget_of("looping", "fuel = 5_000_000"));
    let mut server = home.serve();
    let mut ends: Vec<u64> = (0..short_or_long(100, 1_000))
        .map(|_| {
            let result = server.call("looping_spin", json!({}));
            assert_guest_failed(&result, "fuel");
            result["_meta"]["hubcap/receipt"]["fuel"].as_u64().unwrap()
        })
        .collect();
    server.end();
    let times = ends.len();
    ends.dedup();
    assert_eq!(ends.len(), 1, "{ends:?}");
    kept("P03", format_args!("{times} of {times} times it stopped after the same {} units of fuel", ends[0]));
}
