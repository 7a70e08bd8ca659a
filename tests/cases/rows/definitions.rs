//! Plugins that are refused for what they are or for what they tell of themselves.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A37",
        injected: "modules at the limits of the format: pieces of memory, targets, types, functions, locals, nesting",
        expected: "loaded, or refused with the bound, within 30 s and 1 GiB; neighbours serve meanwhile",
        tests: &[
            "guest_modules::modules_made_to_keep_the_compiler_busy_are_loaded_or_refused_while_others_serve",
            "operator_faults::a_file_that_takes_long_to_compile_costs_its_neighbours_nothing",
        ],
    },
    Row {
        case: "A38",
        injected: "a file of 1 GiB",
        expected: "refused by its size, above 16 MiB, before anything of it is read",
        tests: &["operator_faults::a_file_that_is_too_large_is_refused_by_its_size"],
    },
    Row {
        case: "A42",
        injected: "a use of each proposal that is off: memories, threads, GC, exceptions, tail calls, async and more",
        expected: "refused at load by the name of the proposal",
        tests: &["guest_modules::proposals_that_are_off_are_refused_by_name"],
    },
    Row {
        case: "A45",
        injected: "futures and streams, and a future cancelled",
        expected: "not loadable: async is off",
        tests: &["guest_modules::proposals_that_are_off_are_refused_by_name"],
    },
    Row {
        case: "B01",
        injected: "65 tools, and 10,000",
        expected: "the plugin is refused whole: 64 are allowed",
        tests: &["guest_metadata::definitions_that_break_a_rule_are_refused_by_name"],
    },
    Row {
        case: "B02",
        injected: "one name twice in a plugin, and in two plugins",
        expected: "refused; two tools, `<plugin>_<tool>` each",
        tests: &[
            "guest_metadata::definitions_that_break_a_rule_are_refused_by_name",
            "guest_metadata::the_same_name_in_two_plugins_is_two_tools",
            "operator_faults::a_file_name_that_is_no_id_is_refused_with_the_rule",
        ],
    },
    Row {
        case: "B03",
        injected: "plugin `a` with tool `b_c` beside ids like `a_b` and `B`",
        expected: "no id has the separator `_` or a capital, so the first `_` of a full name splits it",
        tests: &[
            "guest_metadata::the_same_name_in_two_plugins_is_two_tools",
            "operator_faults::a_file_name_that_is_no_id_is_refused_with_the_rule",
        ],
    },
    Row {
        case: "B04",
        injected: "names with letters of other scripts, hidden characters, emoji, spaces, slashes, none or 200 letters",
        expected: "refused: 1 to 40 of [a-zA-Z0-9_-]",
        tests: &["guest_metadata::names_with_any_other_letter_are_refused"],
    },
    Row {
        case: "B05",
        injected: "control, bidi, zero-width and tag characters in texts, enums, defaults and names of properties",
        expected: "texts are cleaned, the rest is refused; none is in the list",
        tests: &[
            "guest_metadata::descriptions_and_titles_are_cleaned_wherever_they_stand",
            "guest_metadata::definitions_that_break_a_rule_are_refused_by_name",
        ],
    },
    Row {
        case: "B06",
        injected: "descriptions of 1 MiB and of 2,049 bytes",
        expected: "refused: 2,048 are allowed, and nothing is cut silently",
        tests: &["guest_metadata::definitions_that_break_a_rule_are_refused_by_name"],
    },
    Row {
        case: "B10",
        injected: "schemas that are null, true, a list, a string, 5 MiB long, 500 deep, of 100,000 parts",
        expected: "refused at load",
        tests: &["guest_metadata::definitions_that_break_a_rule_are_refused_by_name"],
    },
    Row {
        case: "B11",
        injected: "references to servers, files, other documents, dynamic anchors, and in circles",
        expected: "refused at load; nothing is fetched",
        tests: &["guest_metadata::references_out_of_a_schema_are_never_followed"],
    },
    Row {
        case: "B12",
        injected: "50 KB against the pattern `^(a+)+$`; a pattern that compiles to too much",
        expected: "answered, the check within 100 ms; refused at load",
        tests: &[
            "guest_metadata::a_choice_of_a_million_ways_is_refused_and_a_pattern_takes_no_time",
            "schema::tests::a_pattern_that_would_backtrack_takes_linear_time",
            "schema::tests::a_pattern_that_compiles_to_too_much_is_refused",
        ],
    },
    Row {
        case: "B13",
        injected: "a choice of a million ways, and the widest one that is allowed",
        expected: "refused at load; checked within 100 ms",
        tests: &[
            "guest_metadata::a_choice_of_a_million_ways_is_refused_and_a_pattern_takes_no_time",
            "schema::tests::the_widest_choice_that_is_taken_is_settled_in_time",
        ],
    },
    Row {
        case: "B14",
        injected: "`x-mcp-header` with a line end, empty, twice, on an object, in a list",
        expected: "refused at load, as clients would have to refuse it later",
        tests: &["guest_metadata::a_header_that_no_client_may_send_is_refused"],
    },
];
