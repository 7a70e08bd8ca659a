//! The limits of asking a person.
//!
//! Invariant: as in the table that it belongs to.

use super::Limit;

pub(super) const LIMITS: &[Limit] = &[
    Limit("config/policy.rs", "MAX_CLASS", &["an_answer_may_take_up_to_an_hour_and_names_have_their_bounds"]),
    Limit(
        "config/policy.rs",
        "MAX_PATTERN",
        &["an_answer_may_take_up_to_an_hour_and_names_have_their_bounds"],
    ),
    Limit(
        "config/policy.rs",
        "MAX_WAIT_MS",
        &["an_answer_may_take_up_to_an_hour_and_names_have_their_bounds"],
    ),
    Limit(
        "config/policy.rs",
        "wait",
        &["a_call_runs_once_a_person_has_approved_it", "an_answer_that_comes_too_late_is_a_no"],
    ),
    Limit(
        "mcp/approval/sealed.rs",
        "MAX_USED",
        &["ten_thousand_used_seals_are_known_and_with_more_no_answer_counts"],
    ),
    Limit("mcp/approval/mod.rs", "MAX_REQUEST_STATE", &["an_answer_without_a_question_is_no_approval"]),
    Limit(
        "policy/question.rs",
        "MAX_CHARS",
        &["of_large_arguments_the_size_the_head_and_the_tail_are_shown"],
    ),
    Limit("policy/question.rs", "MAX_LINES", &["of_many_lines_the_first_and_the_last_are_shown"]),
];
