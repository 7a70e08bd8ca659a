//! Plugins that hang, or are another one each time that they are asked.
//!
//! Invariant: as in the table that it belongs to. A43, a plugin that calls itself healthy while all its calls
//! fail, has no row: it is about circuit breakers, and hubcap has none yet.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A01",
        injected: "a loop without end in `init`, and in the start function of a core module",
        expected: "refused with `fuel` or `deadline` (5 s); no tools of it; the others serve",
        tests: &["guest_metadata::a_plugin_that_hangs_while_it_loads_is_refused_in_time"],
    },
    Row {
        case: "A02",
        injected: "a loop without end in `list-tools`",
        expected: "refused with `fuel` or `deadline` (2 s), and not tried again while the file stays as it is",
        tests: &["guest_metadata::a_plugin_that_hangs_while_it_loads_is_refused_in_time"],
    },
    Row {
        case: "A03",
        injected: "a loop without end in `health`, and a sleep",
        expected: "`hubcap plugin check`, which alone asks for health, asks once and tells `fuel` or `deadline` within 2 s and 250 ms",
        tests: &["plugin_check::a_health_check_that_never_ends_is_told_as_failed_within_its_bound"],
    },
    Row {
        case: "A04",
        injected: "a loop without end in a call",
        expected: "`fuel`; `deadline` at most 250 ms late where there is fuel enough; the neighbour is served",
        tests: &[
            "guest_limits::a_loop_in_a_call_ends_when_its_fuel_is_used_up",
            "guest_limits::a_loop_that_has_the_fuel_ends_at_its_deadline",
        ],
    },
    Row {
        case: "A39",
        injected: "a counter in a static",
        expected: "always 1: each call has a store of its own",
        tests: &["promises::calls::nothing_of_a_call_is_left_for_the_next"],
    },
    Row {
        case: "A44",
        injected: "a list of tools with other texts or names each time",
        expected: "one hub lists what it loaded; the next one withholds the plugin, and so again after each approval",
        tests: &["guest_metadata::a_list_that_is_another_one_each_time_is_withheld_from_the_second_time_on"],
    },
];
