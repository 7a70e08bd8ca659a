//! Plugins that want to reach what they may not, and servers that help them.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "C13",
        injected: "URLs with every kind of inner address, in every spelling, each granted as a name for it",
        expected: "`denied` before a packet: no canary sees a connection, unless the very address is granted",
        tests: &[
            "adversarial::network::no_address_inside_the_network_is_reached_by_literal_or_by_name",
            "imports::http::address::tests::every_special_form_is_known_by_name",
            "imports::http::target::tests::every_way_to_write_an_address_is_that_address",
            "adversarial::syscalls::a_call_of_a_plugin_that_asks_for_nothing_reaches_out_of_the_process_by_nothing",
            "adversarial::syscalls::what_is_granted_is_seen_under_the_same_eyes_and_nothing_beside_it",
        ],
    },
    Row {
        case: "C14",
        injected: "names that lead inside, by an alias, among good answers, at the second time, 10,000 times",
        expected: "only an address that was vetted is connected to, from one lookup for each connection",
        tests: &[
            "adversarial::names::a_name_that_lies_or_does_not_answer_leads_nowhere_and_is_told",
            "imports::http::tests::policy::of_mixed_answers_only_what_was_vetted_is_connected_to",
            "imports::http::tests::policy::a_name_that_flips_is_judged_by_the_answer_that_is_connected_to",
            "imports::http::tests::policy::ten_thousand_answers_are_an_answer_and_none_is_an_error",
        ],
    },
    Row {
        case: "C15",
        injected: "301, 302, 303, 307, 308 to another host, port, scheme, to `file:`; a loop; with an identity",
        expected: "each is asked about like a request; at most 5; `authorization` stays with its origin",
        tests: &[
            "http_redirects::no_redirect_leads_to_what_is_not_granted",
            "http_redirects::a_redirect_from_tls_to_plain_text_needs_a_grant_of_its_own",
            "http_redirects::what_proves_an_identity_goes_to_no_other_origin",
            "http_redirects::a_loop_of_redirects_ends_after_five",
        ],
    },
    Row {
        case: "C16",
        injected: "authorities with a user, two ports, dots, NUL, `%2e`, port 0 or 99999, an open bracket",
        expected: "refused; what is compared with the grants is one canonical form",
        tests: &[
            "http::a_guest_cannot_smuggle_anything_past_the_host",
            "imports::http::target::tests::what_is_no_host_or_hides_another_is_refused",
        ],
    },
    Row {
        case: "C17",
        injected: "paths that are another URL, `*`, `//host`, with line ends",
        expected: "refused; nothing goes out",
        tests: &["http::a_guest_cannot_smuggle_anything_past_the_host"],
    },
    Row {
        case: "C18",
        injected: "CONNECT, TRACE, a method of 1 MiB, `upgrade: websocket` by the plugin and by a server",
        expected: "refused; nothing goes out, and nothing is upgraded",
        tests: &[
            "http::a_guest_cannot_smuggle_anything_past_the_host",
            "imports::http::tests::faults::an_upgrade_that_nobody_asked_for_fails",
        ],
    },
    Row {
        case: "C19",
        injected: "a `host` header of the plugin's own",
        expected: "refused: the host writes it",
        tests: &["http::a_guest_cannot_smuggle_anything_past_the_host"],
    },
    Row {
        case: "C20",
        injected: "certificates expired, of another name, of nobody, for an address; TLS 1.0; a handshake without end",
        expected: "no request goes out but to what the certificate is for; 5 s at most",
        tests: &[
            "imports::http::tests::secure::what_a_certificate_does_not_say_is_not_believed",
            "imports::http::tests::secure::an_address_can_be_what_a_certificate_is_for",
            "imports::http::tests::secure::versions_before_tls_1_2_are_not_spoken",
            "imports::http::tests::waits::a_handshake_that_never_ends_is_given_up",
        ],
    },
    Row {
        case: "C21",
        injected: "answers that drip, stop, have no end, lie about their length, are a gzip bomb; interim ones for ever",
        expected: "10 s idle, 64 KiB of headers, 8 MiB of body as it came; hubcap unpacks nothing",
        tests: &[
            "http_ends::what_is_packed_stays_packed_and_counts_as_it_came",
            "http_ends::a_body_that_drips_for_ever_ends_with_the_call",
            "http::what_a_body_ends_with_is_told_in_words",
            "imports::http::tests::waits::a_body_that_stops_is_given_up_and_one_that_drips_is_read",
            "imports::http::tests::waits::a_flood_of_interim_answers_is_no_answer",
            "imports::http::tests::bounds::endless_headers_end",
            "imports::http::tests::bounds::an_endless_answer_ends_at_8_mib",
            "imports::http::tests::faults::a_body_shorter_than_announced_is_incomplete",
            "imports::http::tests::faults::a_body_longer_than_announced_poisons_no_later_request",
        ],
    },
    Row {
        case: "C22",
        injected: "components that import the sockets of WASI: TCP, UDP, names",
        expected: "refused at load by the name of the import",
        tests: &["operator_faults::whatever_of_the_sockets_is_imported_is_refused_by_its_name"],
    },
    Row {
        case: "C23",
        injected: "proxies in the host's environment",
        expected: "not asked",
        tests: &["http::a_proxy_in_the_environment_is_not_asked"],
    },
];
