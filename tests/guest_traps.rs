//! Guests that break off in the middle of a call: traps, recursion, panics, exits, broken pointers.
//!
//! Invariant: the caller learns what kind of end it was and nothing of the inside, and the next call works.

use serde_json::json;

use crate::support::case::Case;
use crate::support::message::{assert_guest_failed, assert_says, code, text};

#[test]
fn each_trap_is_named() {
    let mut case = Case::wat("traps");
    let traps = [
        (1, "unreachable"),
        (2, "divide by zero"),
        (3, "out of bounds memory"),
        (4, "indirect call"),
        (5, "uninitialized element"),
        (6, "conversion to integer"),
    ];
    for (number, name) in traps {
        let result = case.call("traps_run", json!({ "n": number }));
        assert_guest_failed(&result, "trap");
        assert!(text(&result).contains(name), "{result:#}");
        assert_says(&case.call("traps_run", json!({ "n": 9 })), "done");
    }
    case.end();
}

#[test]
fn recursion_into_host_calls_ends_with_the_guests_stack() {
    let mut case = Case::wat("recursion");
    assert_says(&case.call("recursion_run", json!({ "n": 1_000 })), "done");
    let result = case.call("recursion_run", json!({ "n": 100_000_000 }));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).contains("stack"), "{result:#}");
    case.end();
}

#[test]
fn a_panic_is_a_trap_and_its_message_is_cut() {
    let mut case = Case::guest("panicking");
    assert_guest_failed(&case.call("panicking_panic", json!({ "bytes": 10 })), "trap");
    let result = case.call("panicking_panic", json!({ "bytes": 10 << 20 }));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).len() < 4_096, "{} bytes", text(&result).len());
    let ended = case.end();
    assert!(ended.stderr.len() < 256 * 1024, "{} bytes of log", ended.stderr.len());
}

#[test]
fn an_exit_ends_the_call_and_not_the_host() {
    let mut case = Case::guest("exiting");
    for status in [0, 1] {
        let result = case.call("exiting_exit", json!({ "status": status }));
        assert_guest_failed(&result, "trap");
        assert!(text(&result).contains("exit"), "{result:#}");
    }
    case.end();
}

#[test]
fn a_result_that_is_no_utf8_is_a_trap() {
    let mut case = Case::guest("invalid-utf8");
    let result = case.call("invalid-utf8_run", json!({}));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).to_lowercase().contains("utf-8"), "{result:#}");
    case.end();
}

#[test]
fn a_result_at_a_broken_address_is_a_trap() {
    let mut case = Case::wat("bad-pointer");
    assert_says(&case.call("bad-pointer_run", json!({ "n": 0 })), "done");
    // Not aligned; over the end of memory; just before it; the last address there is.
    for address in [513u32, 65_536, 65_532, u32::MAX - 3] {
        assert_guest_failed(&case.call("bad-pointer_run", json!({ "n": address })), "trap");
    }
    case.end();
}

#[test]
fn a_text_that_claims_two_gibibytes_costs_the_host_nothing() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_claim", json!({}));
    assert!(["trap", "limit"].contains(&code(&result)), "{result:#}");
    assert_guest_failed(&result, code(&result));
    assert!(case.growth_mib() <= 24, "{} MiB", case.growth_mib());
    case.end();
}

#[test]
fn a_thousand_traps_leave_the_host_as_it_was() {
    let mut case = Case::wat("traps");
    for _ in 0..1_000 {
        assert_guest_failed(&case.call("traps_run", json!({ "n": 1 })), "trap");
    }
    case.end();
}
