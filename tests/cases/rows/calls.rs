//! Calls that lead to other calls, wait for a person, or are given up.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A40",
        injected: "a plugin that calls itself, two that call each other, a chain of 50",
        expected: "`denied` within 10 ms; four plugins deep it goes",
        tests: &[
            "hub_bounds::calls_go_four_plugins_deep_and_never_round_in_a_circle",
            "hub_bounds::a_circle_is_denied_at_once",
        ],
    },
    Row {
        case: "A41",
        injected: "10,000 calls at once of a neighbour, four times; two plugins that call each other under full load",
        expected: "16 run or wait for each call that floods, the rest is `overloaded`; agents and the neighbour are served",
        tests: &[
            "hub_bounds::a_flood_of_calls_is_bounded_and_costs_only_whoever_floods",
            "hub_bounds::two_plugins_that_call_each_other_under_full_load_do_not_lock_each_other_out",
        ],
    },
    Row {
        case: "C39",
        injected: "a plugin without a grant calls one that has it",
        expected: "needs the edge from caller to tool; the callee has its own grants, and the log has both ids",
        tests: &["hub_calls::a_callee_works_with_its_own_grants_and_the_log_has_both_ids"],
    },
    Row {
        case: "C40",
        injected: "arguments changed after the yes, a replay, one yes for two calls, letters that look alike, 1 MB of arguments",
        expected: "a yes is for these arguments, this tool and this conversation, once; size, head, tail and warnings are shown",
        tests: &[
            "approval::an_approval_is_good_for_what_was_asked_and_nothing_else",
            "approval::an_approval_is_good_for_one_call",
            "approval_rules::of_a_mebibyte_of_arguments_a_person_sees_the_size_the_head_and_the_tail",
            "approval_rules::a_person_is_warned_of_what_does_not_show",
        ],
    },
    Row {
        case: "D13",
        injected: "cancels of calls that run, wait their turn, wait for a person, for an HTTP answer, for a program",
        expected: "the work stops and its place is free within 500 ms, a program within its grace; the log says `cancelled`",
        tests: &[
            "cancelled::a_call_that_is_cancelled_while_it_runs_waits_or_is_asked_for_has_its_record",
            "cancelled::a_call_that_is_cancelled_while_its_program_runs_has_its_record",
            "cancelled::a_call_that_is_cancelled_while_its_request_waits_has_its_record",
        ],
    },
];
