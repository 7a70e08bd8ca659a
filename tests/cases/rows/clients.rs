//! Clients that send what no client should, or do not listen, over standard input and output.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "D01",
        injected: "lines that are no JSON, broken off at each byte, with something behind; NUL, empty lines, CRLF, a mark",
        expected: "`-32700` with id null for each; what white space can explain is tolerated; the next request works",
        tests: &[
            "client_lines::a_line_that_is_no_json_is_answered_and_the_next_one_works",
            "client_lines::empty_lines_a_byte_order_mark_and_carriage_returns_are_tolerated",
            "mcp::json::tests::what_is_not_json_is_malformed",
            "mcp::conversations::protocol::lines_that_are_no_message_are_answered_and_the_next_ones_work",
        ],
    },
    Row {
        case: "D02",
        injected: "arrays and objects 65 to 200,000 deep, closed and not",
        expected: "64 are served; beyond that `-32700`, without stack or memory",
        tests: &[
            "client_lines::a_message_is_at_most_64_deep",
            "mcp::json::tests::a_depth_of_64_is_read_and_one_of_65_is_not",
            "mcp::json::tests::a_depth_of_100000_costs_no_stack",
        ],
    },
    Row {
        case: "D03",
        injected: "a line of 100 MiB, with an end and without",
        expected: "refused before its end and logged; memory for one line of 4 MiB; later lines work",
        tests: &[
            "client_lines::a_line_of_a_hundred_megabytes_costs_no_memory",
            "client_lines::a_line_over_the_operators_bound_is_refused_and_the_next_one_works",
            "mcp::lines::tests::memory_stays_at_the_limit_during_an_endless_line_and_is_given_back_after_it",
        ],
    },
    Row {
        case: "D04",
        injected: "invalid UTF-8, overlong forms, lone surrogates",
        expected: "`-32700` like any line that is no JSON",
        tests: &[
            "client_lines::a_line_that_is_no_utf8_is_refused_like_one_that_is_no_json",
            "mcp::json::tests::what_is_not_json_is_malformed",
        ],
    },
    Row {
        case: "D05",
        injected: "half a line, a pause and its rest; half a line and the end of input",
        expected: "the rest completes it; the end is a refusal and a clean exit",
        tests: &[
            "client_lines::half_a_line_waits_for_its_rest",
            "mcp::lines::tests::half_a_line_survives_a_wait_that_is_given_up",
        ],
    },
    Row {
        case: "D06",
        injected: "ids that are null, floats, 1e400, objects, arrays, booleans, beyond 64 bits, strings of 257 bytes and 1 MiB",
        expected: "`-32600` with id null, and nothing long is repeated; negative and empty ids are ids",
        tests: &[
            "client_lines::an_id_of_a_wrong_type_is_refused_and_never_repeated_at_length",
            "mcp::message::tests::strings_of_256_bytes_and_integers_are_ids_and_nothing_else_is",
            "mcp::message::tests::no_error_repeats_the_clients_words_at_length",
        ],
    },
    Row {
        case: "D07",
        injected: "an id again while it is in flight, after a cancellation, and after its answer",
        expected: "`-32600` while it is in flight, which harms the first call not; free again after it",
        tests: &[
            "client_faults::an_id_that_is_in_flight_is_refused_and_the_first_call_is_unharmed",
            "mcp::conversations::flow::a_cancelled_request_ends_without_a_word_and_its_id_is_free_at_once",
            "mcp::conversations::house::a_request_that_waits_can_be_given_up_and_its_id_is_free_at_once",
            "mcp::flights::tests::a_late_answer_to_a_cancelled_request_does_not_reach_the_next_one_with_its_id",
        ],
    },
    Row {
        case: "D08",
        injected: "batches: empty, of one, of a thousand calls, of 100,000 entries, longer than a line may be",
        expected: "`-32600`, nothing in them runs; bounded work and memory",
        tests: &["client_lines::a_batch_is_refused", "mcp::json::tests::batches_and_scalars_are_no_messages"],
    },
    Row {
        case: "D09",
        injected: "requests before `initialize`, of 2026-07-28, of both eras mixed, of unknown revisions; `initialize` again",
        expected: "each is answered in its own era, or told which revisions there are",
        tests: &[
            "client_calls::requests_of_all_eras_in_any_order_are_answered_in_their_own",
            "mcp::a_modern_request_of_an_unknown_revision_is_told_which_are_known",
            "mcp::a_revision_that_is_unknown_or_has_no_handshake_is_answered_with_the_last_that_has_one",
            "mcp::a_request_before_the_handshake_is_answered_and_the_handshake_still_works",
            "mcp::conversations::protocol::both_eras_work_in_one_conversation_in_any_order",
            "mcp::conversations::protocol::a_request_must_say_its_revision_unless_initialize_came_first",
        ],
    },
    Row {
        case: "D10",
        injected: "unknown methods and tools; params missing, of wrong types, too many; replies that nobody asked for",
        expected: "`-32601`, `-32602`; what is too much is passed over; replies answer nothing",
        tests: &[
            "client_calls::what_a_request_lacks_or_has_wrong_is_told_and_what_it_has_too_much_is_passed_over",
            "mcp::an_unknown_tool_is_an_error_that_names_the_nearest_one",
            "mcp::an_answer_that_nobody_asked_for_is_ignored",
            "mcp::message::tests::methods_and_params_that_are_not_ours_are_refused_by_name",
        ],
    },
    Row {
        case: "D11",
        injected: "100,000 calls at once",
        expected: "one answer each; what cannot wait is `overloaded` within 50 ms; 64 MiB at most",
        tests: &[
            "client_floods::a_hundred_thousand_calls_at_once_have_one_answer_each_and_bounded_memory",
            "client_faults::two_thousand_calls_at_once_have_one_answer_each",
            "client_faults::a_full_queue_is_answered_with_overloaded_at_once",
            "promises::queues::a_call_that_finds_the_queue_full_is_told_to_come_back_within_50_ms",
            "mcp::conversations::house::who_comes_when_enough_wait_is_told_to_come_back",
        ],
    },
    Row {
        case: "D12",
        injected: "cancellations of unknown, answered and coming ids, a thousand times each, and of no id at all",
        expected: "only the call that is meant ends, without a word; nothing is left of the others",
        tests: &[
            "client_floods::a_flood_of_cancellations_hits_nothing_but_what_it_names",
            "client_faults::cancelling_what_is_not_there_changes_nothing",
        ],
    },
    Row {
        case: "D14",
        injected: "a client that never reads, with large results and with many small answers waiting",
        expected: "8 MiB wait, then nothing more is read; memory is bounded; all is answered once it reads",
        tests: &[
            "client_faults::a_client_that_does_not_read_costs_bounded_memory",
            "client_floods::a_client_that_does_not_read_is_not_read_either_until_it_does",
            "mcp::conversations::flow::a_slow_reader_stops_the_reading_and_gets_every_answer_later",
        ],
    },
    Row {
        case: "D15",
        injected: "input closed, output closed, the client killed in the middle of a call with a program",
        expected: "exit 0 within the drain of 10 s, no signal, and no program left",
        tests: &[
            "client_ends::a_client_that_is_killed_in_a_call_takes_the_server_and_its_programs_with_it",
            "shutdown::a_client_that_is_gone_ends_the_server_without_a_signal",
            "shutdown::a_call_that_does_not_end_is_given_up_after_ten_seconds_and_answered",
            "process_ends::a_host_that_ends_leaves_no_programs",
        ],
    },
    Row {
        case: "D16",
        injected: "a flood of progress tokens, `_meta` of 4 MB and of 90,000 values, line ends and terminal codes in trace ids",
        expected: "bounded memory; reports under the client's own token only; no line of the log is forged",
        tests: &[
            "client_floods::progress_tokens_without_number_or_measure_cost_nothing_that_lasts",
            "client_floods::metadata_is_bounded_like_all_else_and_forges_nothing_in_the_log",
            "mcp::flights::tests::a_token_lives_as_long_as_its_request",
        ],
    },
    Row {
        case: "D17",
        injected: "arguments of 4 MiB, 127 deep, against the schema, with `__proto__`, double and case-variant keys",
        expected: "one rule: doubles and what is too deep or long are refused, all else arrives as it was sent",
        tests: &[
            "client_calls::arguments_mean_one_thing_or_are_refused",
            "client_faults::a_call_that_a_plugin_cannot_take_is_the_callers_fault",
            "client_lines::a_message_is_at_most_64_deep",
            "mcp::json::tests::a_key_that_stands_twice_is_noticed_at_any_depth",
        ],
    },
    Row {
        case: "D21",
        injected: "calls while their plugin is reloaded by `serve --dev`, and after it was withheld",
        expected: "each served by one version and none lost; `quarantined`, where it is withheld",
        tests: &[
            "client_reloads::calls_during_a_reload_are_each_served_by_one_version",
            "client_reloads::calls_of_a_plugin_that_is_withheld_are_told_so",
            "replaced::with_dev_a_slow_copy_loses_no_call_and_is_served_when_it_is_whole",
        ],
    },
    Row {
        case: "D22",
        injected: "timeouts and deadlines in `_meta` and params: negative, past, endless",
        expected: "the operator's deadline holds, no sooner and no later",
        tests: &["client_calls::no_word_of_the_client_about_time_moves_a_deadline"],
    },
];
