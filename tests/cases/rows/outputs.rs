//! Plugins that say too much, or what nobody should hear: results, errors, logs.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A19",
        injected: "a text that claims 2 GiB, results of 1 to 20 MiB, 400,000 blocks",
        expected: "`trap` or `limit` before the host builds it: it grows by 88 MiB at most",
        tests: &[
            "guest_traps::a_text_that_claims_two_gibibytes_costs_the_host_nothing",
            "guest_output::a_result_of_very_many_blocks_is_refused_before_it_is_built",
        ],
    },
    Row {
        case: "A21",
        injected: "no JSON, 99,000 levels, NaN, 1e999, numbers of 1 and 10 MB, two equal keys",
        expected: "`invalid-output`, `limit`; of two equal keys the last is checked and goes out alone",
        tests: &[
            "guest_output::a_structured_result_has_to_be_json",
            "guest_output::of_two_equal_keys_in_a_structured_result_the_last_counts_and_goes_out_alone",
        ],
    },
    Row {
        case: "A22",
        injected: "a structured result that breaks its own schema",
        expected: "`invalid-output` with the path; nothing of it is passed on",
        tests: &["guest_output::a_structured_result_has_to_match_its_schema"],
    },
    Row {
        case: "A26",
        injected: "a million log lines, lines of 4, 12 and 100 MiB, control characters, forged lines",
        expected: "200 lines and 64 KiB in a call, 2 KiB in a line, the rest counted or `limit`; no control character",
        tests: &[
            "guest_output::log_lines_are_kept_up_to_their_bounds_and_the_rest_is_counted",
            "guest_output::a_long_log_line_is_cut_at_two_kibibytes",
            "guest_output::a_line_without_an_end_is_one_line_of_the_log",
            "guest_output::log_lines_cannot_carry_control_characters_or_forge_lines",
        ],
    },
    Row {
        case: "A27",
        injected: "forged answers on the standard output and error of the guest",
        expected: "none is among the messages of the host",
        tests: &["guest_output::what_a_guest_prints_never_reaches_the_client"],
    },
    Row {
        case: "B15",
        injected: "links and resources with `javascript:`, `file:`, `data:` and `vbscript:`, in disguise too",
        expected: "dropped; a tool cannot name icons at all",
        tests: &["guest_output::links_that_run_something_or_name_a_file_are_dropped"],
    },
    Row {
        case: "B16",
        injected: "texts of 1 to 20 MiB, a link to /etc/passwd, an image that is none, an error of 500,000 characters",
        expected: "`limit`; dropped; base64 under the type that it claims; cut at 10,000 characters",
        tests: &[
            "guest_output::a_result_is_at_most_one_mebibyte",
            "guest_output::an_error_text_is_cut_at_ten_thousand_characters",
            "guest_output::links_that_run_something_or_name_a_file_are_dropped",
            "guest_output::an_image_that_is_none_stays_bytes_of_the_type_that_it_claims",
        ],
    },
];
