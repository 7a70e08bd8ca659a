//! Plugins that break off in the middle of a call, or lie to the host about where something lies.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A12",
        injected: "a function that calls itself without end",
        expected: "`trap`, named as the end of the stack; the host is as before",
        tests: &["guest_traps::recursion_ends_with_the_guests_stack"],
    },
    Row {
        case: "A13",
        injected: "a host call at each depth of a recursion, and one from the last depth that there is",
        expected: "`trap` at the end of the stack; at the last depth the host call still works",
        tests: &[
            "guest_traps::recursion_into_host_calls_ends_with_the_guests_stack",
            "guest_traps::a_host_call_from_the_last_depth_that_there_is_works",
        ],
    },
    Row {
        case: "A14",
        injected: "six kinds of traps",
        expected: "`trap` with its kind and no backtrace; the next call works",
        tests: &["guest_traps::each_trap_is_named"],
    },
    Row {
        case: "A15",
        injected: "a panic with a message of 10 MiB",
        expected: "`trap`; the message stays in the log, cut at 2 KiB",
        tests: &["guest_traps::a_panic_is_a_trap_and_its_message_is_cut"],
    },
    Row {
        case: "A16",
        injected: "exit(0) and exit(1) in a call",
        expected: "`trap` that says so; the host goes on",
        tests: &["guest_traps::an_exit_ends_the_call_and_not_the_host"],
    },
    Row {
        case: "A17",
        injected: "results and arguments at addresses, of lengths, in encodings, with handles that cannot be",
        expected: "`trap` each; no panic",
        tests: &[
            "guest_traps::a_result_at_a_broken_address_is_a_trap",
            "guest_traps::arguments_of_a_host_call_that_cannot_be_are_a_trap",
        ],
    },
    Row {
        case: "A18",
        injected: "a `realloc` that returns nonsense, calls the host, traps, or never returns",
        expected: "`trap`, or `fuel`; refused where it is so from the start; no panic",
        tests: &[
            "guest_traps::a_place_that_the_guest_gives_for_a_result_is_not_trusted",
            "guest_traps::a_plugin_that_gives_no_place_for_its_arguments_is_refused",
        ],
    },
    Row {
        case: "A20",
        injected: "a result that is no UTF-8",
        expected: "`trap`",
        tests: &["guest_traps::a_result_that_is_no_utf8_is_a_trap"],
    },
];
