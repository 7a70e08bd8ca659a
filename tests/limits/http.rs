//! The limits of the capability HTTP, all of them below `imports/http`.
//!
//! Invariant: as in the table that it belongs to.

use super::Limit;

pub(super) const LIMITS: &[Limit] = &[
    Limit(
        "imports/http/body.rs",
        "MAX_BODY",
        &[
            "an_answer_of_8_mib_is_read_and_a_longer_one_is_not",
            "a_request_of_8_mib_is_sent_and_a_longer_one_is_not",
        ],
    ),
    Limit(
        "imports/http/dial.rs",
        "MAX_ADDRESSES",
        &["the_eighth_address_is_tried_and_the_ninth_is_not", "of_ten_thousand_answers_eight_are_kept"],
    ),
    Limit(
        "imports/http/egress.rs",
        "MAX_PLUGIN_IN_FLIGHT",
        &["twenty_four_requests_of_a_plugin_are_in_flight_and_the_next_waits_its_turn"],
    ),
    Limit(
        "imports/http/mod.rs",
        "MAX_HEADERS",
        &["the_head_of_an_answer_has_64_kib_and_no_more", "endless_headers_end"],
    ),
    Limit(
        "imports/http/mod.rs",
        "MAX_IN_FLIGHT",
        &["six_requests_of_a_call_are_in_flight_and_the_seventh_is_refused"],
    ),
    Limit("imports/http/mod.rs", "MAX_REQUESTS", &["a_call_has_64_requests_and_no_more"]),
    Limit(
        "imports/http/pool.rs",
        "MAX_IDLE",
        &["eight_connections_are_kept_and_the_ninth_takes_the_place_of_the_oldest"],
    ),
    Limit(
        "imports/http/pool.rs",
        "READY_WAIT",
        &["a_second_request_finds_the_connection_of_the_first_in_another_call_too"],
    ),
    Limit(
        "imports/http/resolve.rs",
        "MAX_LOOKUPS",
        &["a_name_that_takes_too_long_is_given_up_and_holds_one_of_four_places"],
    ),
    Limit(
        "imports/http/times.rs",
        "CONNECT_WAIT",
        &["an_address_that_does_not_answer_is_given_up", "a_guest_gets_less_time_and_never_more"],
    ),
    Limit(
        "imports/http/times.rs",
        "DNS_WAIT",
        &["a_name_that_takes_too_long_is_given_up_and_holds_one_of_four_places"],
    ),
    Limit(
        "imports/http/times.rs",
        "FIRST_BYTE_WAIT",
        &["an_answer_that_does_not_begin_is_given_up_and_one_that_does_may_take_its_time"],
    ),
    Limit(
        "imports/http/times.rs",
        "IDLE_WAIT",
        &["a_body_that_stops_is_given_up_and_one_that_drips_is_read"],
    ),
    Limit(
        "imports/http/times.rs",
        "KEEP_WAIT",
        &[
            "an_idle_connection_is_closed_after_its_time",
            "a_second_request_finds_the_connection_of_the_first_in_another_call_too",
        ],
    ),
    Limit(
        "imports/http/times.rs",
        "TLS_WAIT",
        &[
            "a_handshake_that_never_ends_is_given_up",
            "a_granted_authority_is_trusted_and_a_second_request_pays_no_handshake",
        ],
    ),
];
