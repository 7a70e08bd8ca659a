//! Calls in great number: none finds anything of another, and memory stays where it was.
//!
//! Invariant: the host is the same process from the first call to the last.

use serde_json::json;

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};

#[test]
fn nothing_of_a_call_is_left_for_the_next() {
    let mut case = Case::guest("state");
    let calls = short_or_long(1_000, 10_000);
    for _ in 0..calls {
        assert_says(&case.call("state_count", json!({})), "1");
        case.server.forget_messages();
    }
    case.end();
    observed("A39", format_args!("a counter in a static said 1 in each of {calls} calls"));
    kept("P14", format_args!("{calls} calls that count in a static: each was the first"));
}

#[test]
fn very_many_calls_leave_memory_where_it_was() {
    let mut case = Case::guest("memory");
    let calls = short_or_long(1_000, 10_000);
    for _ in 0..100 {
        assert_says(&case.call("memory_steps", json!({ "mebibytes": 4 })), "4");
    }
    let after_100 = case.server.facts();
    for _ in 100..calls {
        assert_says(&case.call("memory_steps", json!({ "mebibytes": 4 })), "4");
        case.server.forget_messages();
    }
    let growth = case.server.facts().rss_kib.saturating_sub(after_100.rss_kib) / 1024;
    assert!(growth <= 32, "{growth} MiB");
    case.end();
    kept("P04", format_args!("{calls} calls of 4 MiB each: {growth} MiB more than after 100"));
}
