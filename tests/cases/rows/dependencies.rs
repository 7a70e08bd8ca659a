//! Servers and resolvers that fail.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "F05",
        injected: "nobody listening, packets dropped, a reset and a half-close in the middle of a body",
        expected: "`upstream` with a word of its own for each; connecting takes 5 s at most",
        tests: &[
            "adversarial::network::a_host_that_answers_no_packet_is_given_up_in_time_and_holds_up_nobody",
            "http_ends::each_way_that_a_server_fails_has_its_own_words",
            "imports::http::tests::faults::a_port_where_nobody_listens_refuses",
            "imports::http::tests::faults::a_connection_that_is_reset_or_half_closed_in_the_middle_of_a_body_is_incomplete",
            "imports::http::tests::waits::an_address_that_does_not_answer_is_given_up",
        ],
    },
    Row {
        case: "F06",
        injected: "bodies that drip, stop, have no end, or unpack to very much",
        expected: "the call's deadline, 10 s idle, 8 MiB as it came",
        tests: &[
            "http_ends::a_body_that_drips_for_ever_ends_with_the_call",
            "http_ends::what_is_packed_stays_packed_and_counts_as_it_came",
            "http::what_a_body_ends_with_is_told_in_words",
            "imports::http::tests::waits::a_body_that_stops_is_given_up_and_one_that_drips_is_read",
            "imports::http::tests::bounds::an_endless_answer_ends_at_8_mib",
        ],
    },
    Row {
        case: "F14",
        injected: "NXDOMAIN, SERVFAIL, no address, no answer from the resolver",
        expected: "`upstream`; 3 s at most; nothing is remembered, and other names resolve",
        tests: &[
            "adversarial::names::a_name_that_lies_or_does_not_answer_leads_nowhere_and_is_told",
            "imports::http::tests::waits::a_name_that_takes_too_long_is_given_up_and_holds_one_of_four_places",
            "imports::http::tests::policy::ten_thousand_answers_are_an_answer_and_none_is_an_error",
        ],
    },
];
