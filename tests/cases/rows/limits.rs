//! Plugins that take more than their budget: processor, memory, tables, instances, handles.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A05",
        injected: "copies of a whole memory of 60 MiB, for ever, in two calls at once",
        expected: "each ends at its deadline; a neighbour is answered within 3 s meanwhile",
        tests: &["guest_limits::copies_of_all_of_a_memory_leave_room_for_a_neighbour"],
    },
    Row {
        case: "A06",
        injected: "a loop of n rounds and of n + 1, around the end of the fuel",
        expected: "the same n works and the same n + 1 is `fuel`, each time",
        tests: &["guest_limits::fuel_runs_out_at_the_same_round_each_time"],
    },
    Row {
        case: "A07",
        injected: "very many small host calls",
        expected: "fuel is for the whole call: no host call gives any back",
        tests: &["guest_limits::host_calls_do_not_refill_fuel"],
    },
    Row {
        case: "A08",
        injected: "memory up to the limit and beyond, in steps and at once",
        expected: "no more at 64 MiB: a refused growth, or `memory` where the plugin insists; the host grows by 88 MiB at most",
        tests: &[
            "guest_limits::memory_that_is_asked_for_politely_ends_at_the_limit",
            "guest_limits::memory_that_is_insisted_on_ends_the_call",
        ],
    },
    Row {
        case: "A09",
        injected: "several memories, each within the limit",
        expected: "their sum counts: refused at load, `memory` in a call",
        tests: &[
            "guest_limits::memories_are_counted_together",
            "guest_modules::what_starts_too_large_is_refused_at_load",
        ],
    },
    Row {
        case: "A10",
        injected: "a table of ten million elements, and one that grows",
        expected: "refused at load, `limit` in a call, from 100,000 elements on",
        tests: &[
            "guest_limits::a_table_grows_to_its_limit",
            "guest_modules::what_starts_too_large_is_refused_at_load",
        ],
    },
    Row {
        case: "A11",
        injected: "1,000 core instances, in the plugin and in a component inside it",
        expected: "refused at load: 32 are allowed",
        tests: &["guest_modules::core_instances_and_memories_are_counted"],
    },
    Row {
        case: "A23",
        injected: "ten million resources of its own, none dropped",
        expected: "`limit` at 4,096",
        tests: &["guest_limits::resources_of_the_guest_are_counted"],
    },
    Row {
        case: "A24",
        injected: "a million pollables",
        expected: "`limit` at 4,096; no descriptor and little memory of the host taken",
        tests: &["guest_limits::resources_of_the_host_are_counted"],
    },
    Row {
        case: "A25",
        injected: "reading the clock for ever",
        expected: "`fuel`; nothing of it in the log",
        tests: &["guest_limits::host_calls_do_not_refill_fuel"],
    },
    Row {
        case: "A28",
        injected: "a million empty writes to standard output",
        expected: "they work, and the host does not grow",
        tests: &["guest_output::empty_writes_cost_no_memory"],
    },
    Row {
        case: "A29",
        injected: "a sleep for ever, a poll of nothing, a poll of a million timers",
        expected: "`deadline` at most 250 ms late; `trap`; `limit`",
        tests: &[
            "guest_limits::a_guest_that_sleeps_for_ever_ends_at_its_deadline",
            "guest_limits::a_poll_of_nothing_is_a_trap",
            "guest_limits::a_poll_of_very_many_things_is_bounded",
        ],
    },
];
