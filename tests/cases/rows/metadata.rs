//! Plugins that lie in what they tell of themselves, which is what a model reads.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "B07",
        injected: "instructions to the model in a description, a schema, an enum",
        expected: "a hint wherever an operator looks; the newcomer waits until a person accepts it",
        tests: &["trust_lints::text_that_speaks_to_the_model_needs_a_look_wherever_it_stands"],
    },
    Row {
        case: "B08",
        injected: "a description that names another plugin's tool",
        expected: "a hint, and the newcomer waits; the plugin that is named does not",
        tests: &["trust_lints::text_that_names_another_plugins_tool_needs_a_look"],
    },
    Row {
        case: "B09",
        injected: "a tool that calls itself read-only",
        expected: "opens no door: policy is the operator's, with the annotation and without",
        tests: &["trust::annotations_of_a_guest_open_no_door"],
    },
    Row {
        case: "B17",
        injected: "the same tool name with another description, schema or annotation after it was accepted",
        expected: "withheld with the difference, until it is accepted; the audit log has who it was and what changed",
        tests: &[
            "trust::a_description_that_changed_is_withheld_until_it_is_accepted",
            "trust::every_part_of_a_definition_counts_and_so_do_the_bytes",
            "audit_operator::what_was_accepted_has_a_record_with_what_changed_and_what_was_not_has_none",
        ],
    },
    Row {
        case: "B18",
        injected: "names that differ from an accepted tool's by `_`, `-` or case only",
        expected: "a hint, and the newcomer waits; what was accepted runs",
        tests: &["trust_lints::a_name_that_is_easily_taken_for_another_needs_a_look"],
    },
];
