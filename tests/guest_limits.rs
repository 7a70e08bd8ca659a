//! Guests that take too much: processor, time, memory, tables, instances, handles, random bytes.
//!
//! Invariant: each bound has a guest that stays inside it and one that does not, and after each of them
//! the host is as well as before.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::case::{Case, budget_of};
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::in_one_of_three;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, code, cost, text};

/// Guest memory (64 MiB), what one host call may lift (8 MiB), and what the host itself needs (16 MiB).
const MOST_GROWTH_MIB: u64 = 88;

/// What the machine may add to the time of a call as its caller sees it: it runs other tests too.
const BUSY: Duration = Duration::from_secs(1);

#[test]
fn a_loop_in_a_call_ends_when_its_fuel_is_used_up() {
    let mut case = Case::guest("looping");
    assert_says(&case.call("looping_count", json!({ "n": 100_000 })), "100000");
    let result = case.call("looping_spin", json!({}));
    assert_guest_failed(&result, "fuel");
    let fuel = cost(&result, "fuel");
    assert!((990_000_000..=1_000_000_000).contains(&fuel), "{fuel}");
    case.end();
    observed("A04", format_args!("a loop: {} after {fuel} units", code(&result)));
}

#[test]
fn the_operator_sets_the_fuel_of_a_plugin() {
    let mut case = Case::guest_with("looping", "fuel = 2_000_000");
    assert_says(&case.call("looping_count", json!({ "n": 10_000 })), "10000");
    let result = case.call("looping_count", json!({ "n": 10_000_000 }));
    assert_guest_failed(&result, "fuel");
    assert!(cost(&result, "fuel") <= 2_000_000, "{result:#}");
    case.end();
}

#[test]
fn the_same_call_costs_the_same_fuel_each_time() {
    let mut case = Case::guest("looping");
    let first = cost(&case.call("looping_count", json!({ "n": 12_345 })), "fuel");
    for _ in 0..100 {
        assert_eq!(cost(&case.call("looping_count", json!({ "n": 12_345 })), "fuel"), first);
    }
    case.end();
}

#[test]
fn fuel_runs_out_at_the_same_round_each_time() {
    let mut case = Case::guest_with("looping", "fuel = 2_000_000");
    let mut enough = |rounds: u32| {
        let result = case.call("looping_count", json!({ "n": rounds }));
        match code(&result) {
            "" => true,
            "fuel" => false,
            other => panic!("{other}: {result:#}"),
        }
    };
    // Six digits each, because reading the number costs fuel as well.
    let (mut most, mut too_many) = (100_000, 999_999);
    assert!(enough(most) && !enough(too_many));
    while too_many - most > 1 {
        let middle = u32::midpoint(most, too_many);
        if enough(middle) { most = middle } else { too_many = middle }
    }
    for _ in 0..100 {
        assert!(enough(most) && !enough(most + 1), "the bound of {most} rounds moved");
    }
    case.end();
    observed("A06", format_args!("{most} rounds worked and {too_many} did not, 100 times out of 100"));
}

#[test]
fn host_calls_do_not_refill_fuel() {
    let mut case = Case::guest_with("clock-flood", "fuel = 50_000_000");
    assert_says(&case.call("clock-flood_read", json!({ "n": 1_000 })), "1000");
    let result = case.call("clock-flood_read", json!({}));
    assert_guest_failed(&result, "fuel");
    let ended = case.end();
    let (fuel, log) = (cost(&result, "fuel"), ended.stderr.len());
    assert!(log < 64 << 10, "{log} bytes of log");
    observed("A07", format_args!("reading the clock for ever: {} after {fuel} units", code(&result)));
    observed("A25", format_args!("{} after {fuel} units; {log} bytes of log", code(&result)));
    observed(
        "A36",
        format_args!("reading the clock for ever: {} after {} units", code(&result), cost(&result, "fuel")),
    );
}

#[test]
fn waiting_for_timers_that_are_due_ends_at_the_budget() {
    let mut case = Case::guest_with("clock-flood", "fuel = 20_000_000, deadline = \"2s\"");
    assert_says(&case.call("clock-flood_busy-poll", json!({ "n": 100 })), "100");
    let result = case.call("clock-flood_busy-poll", json!({}));
    assert!(["fuel", "deadline"].contains(&code(&result)), "{result:#}");
    case.end();
    observed("A30", format_args!("{} after {} units", code(&result), cost(&result, "fuel")));
}

/// A call that would never end ends at its deadline of 300 ms: never sooner, and in one of three tries no later
/// than the host promises. Says how long that one took.
#[track_caller]
fn assert_ends_at_its_deadline(case: &mut Case, tool: &str) -> Duration {
    let deadline = Duration::from_millis(300);
    let latest = deadline + Duration::from_millis(250);
    let mut waited = Duration::ZERO;
    let in_time = in_one_of_three(|| {
        let (result, time) = case.timed(tool, json!({}));
        assert_guest_failed(&result, "deadline");
        assert!(time >= deadline, "{time:?}");
        waited = time;
        // The deadline counts from when the hub took the call, the wall time from when its guest started.
        Duration::from_micros(cost(&result, "wallMicros")) <= latest && time <= latest + BUSY
    });
    assert!(in_time, "{waited:?}");
    waited
}

#[test]
fn a_loop_that_has_the_fuel_ends_at_its_deadline() {
    let mut case = Case::guest_with("looping", "fuel = 100_000_000_000, deadline = \"300ms\"");
    let waited = assert_ends_at_its_deadline(&mut case, "looping_spin");
    case.end();
    observed("A04", format_args!("one with fuel for minutes and 300 ms: `deadline` after {waited:.0?}"));
}

#[test]
fn a_guest_that_sleeps_for_ever_ends_at_its_deadline() {
    let mut case = Case::guest_with("sleeping", "deadline = \"300ms\"");
    let waited = assert_ends_at_its_deadline(&mut case, "sleeping_forever");
    case.end();
    observed("A29", format_args!("asleep for ever with 300 ms: `deadline` after {waited:.0?}"));
}

#[test]
fn sleepers_do_not_slow_a_neighbour() {
    let mut case =
        Case::of(Home::new().guest("sleeping").config(&budget_of("sleeping", "deadline = \"1s\"")));
    let sleepers: Vec<Value> = (0..8).map(|_| case.server.send_call("sleeping_forever", json!({}))).collect();
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let (result, waited) = case.timed("plain_run", json!({}));
        assert_says(&result, "done");
        assert!(waited < Duration::from_millis(500), "{waited:?}");
        longest = longest.max(waited);
    }
    for sleeper in &sleepers {
        assert_guest_failed(&case.server.result(sleeper), "deadline");
    }
    case.end();
    observed("A36", format_args!("8 sleepers: 50 calls of the neighbour took {longest:.0?} at most"));
}

#[test]
fn loops_on_all_cores_leave_room_for_a_neighbour() {
    let mut case = Case::guest_with("looping", "fuel = 100_000_000_000, deadline = \"1500ms\"");
    let loops: Vec<Value> =
        (0..8).map(|_| case.server.send_running_call("looping_spin", json!({}))).collect();
    for _ in 0..10 {
        let (result, waited) = case.timed("plain_run", json!({}));
        assert_says(&result, "done");
        assert!(waited < BUSY, "{waited:?}");
    }
    for id in &loops {
        assert_guest_failed(&case.server.result(id), "deadline");
    }
    case.end();
}

/// One copy is one instruction, in which no guest yields.
#[test]
fn copies_of_all_of_a_memory_leave_room_for_a_neighbour() {
    let budget = budget_of("copying", "fuel = 100_000_000_000, deadline = \"4s\"");
    let mut case = Case::of(Home::new().wat("copying").config(&budget));
    let (once, one) = case.timed("copying_run", json!({ "n": 1 }));
    assert_says(&once, "done");
    let copies: Vec<Value> = (0..2).map(|_| case.server.send_call("copying_run", json!({}))).collect();
    let (mut served, mut longest) = (0, Duration::ZERO);
    let is_answer = |message: &Value| copies.contains(&message["id"]);
    while served < 20 && !case.server.messages().iter().any(is_answer) {
        let (result, waited) = case.timed("plain_run", json!({}));
        assert_says(&result, "done");
        assert!(waited < 3 * BUSY, "{waited:?}");
        (served, longest) = (served + 1, longest.max(waited));
    }
    assert!(served > 1, "the copies ended before the neighbour was served");
    for copy in &copies {
        assert_guest_failed(&case.server.result(copy), "deadline");
    }
    case.end();
    observed(
        "A05",
        format_args!("one copy: {one:.0?}; {served} calls of a neighbour of two: {longest:.0?} at most"),
    );
}

#[test]
fn memory_that_is_asked_for_politely_ends_at_the_limit() {
    let mut case = Case::guest("memory");
    let result = case.call("memory_steps", json!({ "mebibytes": 40 }));
    assert_says(&result, "40");
    let peak = cost(&result, "peakMemoryBytes");
    assert!((40 << 20..64 << 20).contains(&peak), "{peak}");
    let result = case.call("memory_steps", json!({ "mebibytes": 200 }));
    let taken: u64 = text(&result).parse().unwrap();
    assert!((50..64).contains(&taken), "{result:#}");
    assert!(cost(&result, "peakMemoryBytes") <= 64 << 20, "{result:#}");
    let growth = case.growth_mib();
    assert!(growth <= MOST_GROWTH_MIB, "{growth} MiB");
    case.end();
    observed("A08", format_args!("in steps: {taken} of 200 MiB, then no more; host grew {growth} MiB"));
}

#[test]
fn memory_that_is_insisted_on_ends_the_call() {
    let mut case = Case::guest("memory");
    assert_guest_failed(&case.call("memory_insist", json!({ "mebibytes": 200 })), "memory");
    assert_says(&case.call("memory_at-once", json!({ "mebibytes": 40 })), "40");
    let at_once = case.call("memory_at-once", json!({ "mebibytes": 200 }));
    assert_guest_failed(&at_once, "memory");
    let growth = case.growth_mib();
    assert!(growth <= MOST_GROWTH_MIB, "{growth} MiB");
    case.end();
    observed("A08", format_args!("200 MiB at once: {}; host grew {growth} MiB", code(&at_once)));
}

#[test]
fn the_operator_sets_the_memory_of_a_plugin() {
    let mut case = Case::guest_with("memory", "memory = \"16MiB\"");
    assert_says(&case.call("memory_insist", json!({ "mebibytes": 10 })), "10");
    assert_guest_failed(&case.call("memory_insist", json!({ "mebibytes": 20 })), "memory");
    case.end();
}

#[test]
fn memories_are_counted_together() {
    let mut case = Case::wat("growing-memories");
    assert_says(&case.call("growing-memories_run", json!({ "n": 300 })), "done");
    let more = case.call("growing-memories_run", json!({ "n": 400 }));
    assert_guest_failed(&more, "memory");
    case.end();
    observed("A09", format_args!("three that grow to 25 MiB each: {}", code(&more)));
}

#[test]
fn a_table_grows_to_its_limit() {
    let mut case = Case::wat("tables");
    assert_says(&case.call("tables_run", json!({ "n": 90_000 })), "done");
    let more = case.call("tables_run", json!({ "n": 110_000 }));
    assert_guest_failed(&more, "limit");
    case.end();
    observed("A10", format_args!("grown by 110,000 elements: {}", code(&more)));
}

#[test]
fn resources_of_the_guest_are_counted() {
    let mut case = Case::wat("resource-flood");
    assert_says(&case.call("resource-flood_run", json!({ "n": 4_000 })), "done");
    let flood = case.call("resource-flood_run", json!({ "n": 10_000_000 }));
    assert_guest_failed(&flood, "limit");
    case.end();
    observed("A23", format_args!("{} after {} units of fuel", code(&flood), cost(&flood, "fuel")));
}

#[test]
fn resources_of_the_host_are_counted() {
    let mut case = Case::guest("pollables");
    assert_says(&case.call("pollables_open", json!({ "n": 1_500 })), "1500");
    let flood = case.call("pollables_open", json!({ "n": 1_000_000 }));
    assert_guest_failed(&flood, "limit");
    let growth = case.growth_mib();
    assert!(growth <= MOST_GROWTH_MIB, "{growth} MiB");
    case.end();
    observed("A24", format_args!("a million pollables: {}; host grew {growth} MiB", code(&flood)));
}

#[test]
fn a_poll_of_very_many_things_is_bounded() {
    let mut case = Case::guest_with("sleeping", "deadline = \"1s\"");
    assert_says(&case.call("sleeping_many", json!({ "n": 1_000 })), "1000");
    for timers in [10_000, 1_000_000] {
        let result = case.call("sleeping_many", json!({ "n": timers }));
        assert_guest_failed(&result, "limit");
        observed("A36", format_args!("{timers} timers at once: {}", code(&result)));
        observed("A29", format_args!("a list of {timers}: {}", code(&result)));
    }
    let (result, waited) = case.timed("sleeping_repeated", json!({ "n": 1_000_000 }));
    assert!(["deadline", "limit"].contains(&code(&result)), "{result:#}");
    assert!(waited < Duration::from_millis(1_250) + BUSY, "{waited:?}");
    assert!(case.growth_mib() <= 2 * MOST_GROWTH_MIB, "{} MiB", case.growth_mib());
    case.end();
}

/// Either may win, and then the other has lost.
#[test]
fn a_timer_that_is_due_at_the_very_deadline_gives_one_answer() {
    let mut case = Case::of(Home::new().guest("echo").config(&budget_of("echo", "deadline = \"150ms\"")));
    let (mut woke, mut late, mut longest) = (0, 0, Duration::ZERO);
    for ms in (130..=160).chain([149, 150, 151].repeat(5)) {
        let (result, waited) = case.timed("echo_sleep", json!({ "ms": ms }));
        match code(&result) {
            "" => woke += 1,
            "deadline" => late += 1,
            other => panic!("{other}: {result:#}"),
        }
        assert!(waited <= Duration::from_millis(150 + 250) + BUSY, "{waited:?}");
        longest = longest.max(waited);
    }
    assert!(late > 0, "some are due after it");
    let calls: Vec<Value> =
        (0..8).map(|_| case.server.send_call("echo_sleep", json!({ "ms": 150 }))).collect();
    for call in &calls {
        let code = code(&case.server.result(call)).to_owned();
        assert!(["", "deadline"].contains(&code.as_str()), "{code}");
    }
    case.end();
    observed(
        "A36",
        format_args!(
            "timers around a deadline of 150 ms: {woke} woke, {late} deadline, {longest:.0?} at most"
        ),
    );
}

#[test]
fn a_poll_of_nothing_is_a_trap() {
    let mut case = Case::guest("sleeping");
    let result = case.call("sleeping_empty", json!({}));
    assert_guest_failed(&result, "trap");
    case.end();
    observed("A29", format_args!("an empty list: {}", code(&result)));
}

#[test]
fn random_bytes_of_one_call_are_counted() {
    let mut case = Case::guest("random");
    let mebibyte = json!({ "pieces": 1, "bytes": 1 << 20 });
    assert_says(&case.call("random_take", mebibyte), "1048576");
    assert_says(&case.call("random_take", json!({ "pieces": 1_024, "bytes": 1_024 })), "1048576");
    for too_much in [json!({ "pieces": 1, "bytes": 2 << 20 }), json!({ "pieces": 2_048, "bytes": 1_024 })] {
        assert_guest_failed(&case.call("random_take", too_much), "limit");
    }
    let absurd = case.call("random_take", json!({ "pieces": 1, "bytes": 1u64 << 40 }));
    assert_guest_failed(&absurd, "limit");
    let pieces = case.call("random_take", json!({ "pieces": 1 << 20, "bytes": 1_024 }));
    assert_guest_failed(&pieces, "limit");
    let growth = case.growth_mib();
    case.end();
    observed(
        "A35",
        format_args!(
            "2^40 bytes at once: {}; 1 GiB in pieces: {}; host grew {growth} MiB",
            code(&absurd),
            code(&pieces)
        ),
    );
}

#[test]
fn a_plugin_that_failed_has_its_next_call_served() {
    let mut case = Case::guest_with("looping", "fuel = 1_000_000");
    for _ in 0..3 {
        assert_failed(&case.call("looping_spin", json!({})), "fuel", "plugin");
        assert_says(&case.call("looping_count", json!({ "n": 10 })), "10");
    }
    case.end();
}
