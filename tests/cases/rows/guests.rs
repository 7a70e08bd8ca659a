//! Plugins that take too much, wait for ever, or send what nobody should send.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "A30",
        injected: "polling timers that are always due, for ever",
        expected: "`fuel` or `deadline`; the neighbour is served",
        tests: &["guest_limits::waiting_for_timers_that_are_due_ends_at_the_budget"],
    },
    Row {
        case: "A31",
        injected: "100,000 requests without waiting for one",
        expected: "6 at once and 64 in a call go out, the others get an error; sockets and tasks end with the call",
        tests: &["http::a_flood_of_requests_reaches_the_server_in_sixes_and_sixty_fours"],
    },
    Row {
        case: "A32",
        injected: "answers never read, uploads never finished, parts kept or dropped in the wrong order",
        expected: "the call ends by itself, as `trap` or at its deadline; its sockets close within 1 s; no upload looks whole",
        tests: &[
            "http::the_end_of_a_call_closes_its_sockets",
            "http::a_guest_that_crashes_while_it_sends_leaves_no_whole_request_behind",
            "http_ends::an_upload_that_is_never_finished_ends_with_the_call_and_never_looks_whole",
            "http_ends::parts_of_a_request_that_are_kept_or_dropped_in_any_order_harm_only_their_call",
        ],
    },
    Row {
        case: "A33",
        injected: "100,000 headers, 1 MiB in one, line ends, two lengths, `+5`, framing and routing headers, trailers",
        expected: "refused, or `limit`; none of it is on the wire",
        tests: &[
            "http::a_guest_cannot_smuggle_anything_past_the_host",
            "http::headers_beyond_the_bound_end_the_call_and_not_the_host",
            "http_ends::headers_that_no_request_may_have_reach_no_server",
        ],
    },
    Row {
        case: "A34",
        injected: "timeouts of 0 and 2^64-1 ns, files from before 1970, file times that cannot be",
        expected: "clamped to the host's own or refused; no crash",
        tests: &[
            "http::a_guest_cannot_smuggle_anything_past_the_host",
            "imports::http::tests::waits::a_guest_that_asks_for_no_time_gets_a_millisecond_and_no_panic",
            "files::a_file_from_before_1970_has_no_time_and_is_a_file_like_others",
            "files_names::times_that_cannot_be_are_refused_and_crash_nothing",
        ],
    },
    Row {
        case: "A35",
        injected: "2^40 random bytes at once, 1 GiB in pieces of 1 KiB",
        expected: "`limit` at 1 MiB in a call; the host does not grow",
        tests: &["guest_limits::random_bytes_of_one_call_are_counted"],
    },
    Row {
        case: "A36",
        injected: "timers due at the very deadline, 10,000 and 1,000,000 timers, reading the clock for ever",
        expected: "one answer each, in time; `limit`; `fuel`; nobody starves",
        tests: &[
            "guest_limits::a_timer_that_is_due_at_the_very_deadline_gives_one_answer",
            "guest_limits::a_poll_of_very_many_things_is_bounded",
            "guest_limits::host_calls_do_not_refill_fuel",
            "guest_limits::sleepers_do_not_slow_a_neighbour",
        ],
    },
    Row {
        case: "C24",
        injected: "secrets and loader variables in the host's environment, a guest that reads all of it",
        expected: "no variable, argument or directory for a guest; only the operator's own command of a secret has them",
        tests: &[
            "environment::a_guest_sees_no_variable_no_argument_and_no_directory",
            "environment::the_command_of_a_secret_is_started_like_hubcap_itself_and_once",
            "adversarial::syscalls::a_call_of_a_plugin_that_asks_for_nothing_reaches_out_of_the_process_by_nothing",
            "adversarial::syscalls::a_call_by_the_command_line_opens_only_what_is_hubcaps_own",
        ],
    },
    Row {
        case: "C36",
        injected: "a million keys, 1 GiB of a value, keys with NUL and `../`, another plugin's keys, swaps at once",
        expected: "`limit` at the quota; keys are bytes in a namespace of the plugin's own; no change is lost",
        tests: &[
            "state::a_million_keys_and_values_of_any_size_end_at_the_quota",
            "state::a_plugin_reaches_only_its_own_keys_whatever_stands_in_them",
            "state::what_many_calls_change_at_once_is_all_there",
        ],
    },
    Row {
        case: "C37",
        injected: "a secret that was not granted; one that the plugin says wherever it can; one for server A sent to B",
        expected: "`denied`; taken out of results, errors, progress and logs; only A gets it",
        tests: &[
            "secrets::a_secret_is_seen_where_it_was_asked_and_granted_to_be_seen_and_nowhere_else",
            "secrets::a_secret_is_in_nothing_that_leaves_the_host",
            "secrets::a_secret_in_a_request_is_in_no_error_and_no_log",
            "secrets::progress_and_partial_text_show_no_secret",
            "imports::http::tests::secure::a_secret_replaces_what_the_guest_wrote_at_its_origin_and_is_nowhere_else",
            "examples::a_secret_goes_to_its_server_and_is_seen_by_nobody_else",
        ],
    },
    Row {
        case: "C38",
        injected: "files, hosts, keys and secrets that are there and denied, beside some that are not there",
        expected: "the same words for both",
        tests: &[
            "files::no_path_leads_out_and_none_tells_what_is_there",
            "http::without_a_grant_nothing_goes_out_and_the_line_that_would_grant_it_is_told",
            "state::without_a_grant_everything_is_denied_alike_and_nothing_is_made",
            "secrets::a_secret_is_seen_where_it_was_asked_and_granted_to_be_seen_and_nowhere_else",
        ],
    },
];
