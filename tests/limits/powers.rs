//! The limits of what plugins are granted besides requests, and of who is trusted with it.
//!
//! Invariant: as in the table that it belongs to.

use super::Limit;

pub(super) const LIMITS: &[Limit] = &[
    Limit("imports/files/mod.rs", "MAX_LISTED", &["a_directory_has_at_most_a_hundred_thousand_files"]),
    Limit("imports/files/mod.rs", "MAX_OPEN", &["a_call_holds_sixty_four_files_open_and_not_one_more"]),
    Limit("imports/files/open.rs", "MAX_ENTRIES", &["a_directory_has_at_most_a_hundred_thousand_files"]),
    Limit("imports/files/open.rs", "SCAN_DEADLINE", &["a_directory_is_opened_in_time_or_refused"]),
    Limit(
        "imports/files/walk.rs",
        "MAX_DEPTH",
        &["sixty_four_directories_in_one_another_are_looked_into_and_not_one_more"],
    ),
    Limit("secrets/mod.rs", "MAX_BYTES", &["a_value_has_8_bytes_to_16_kib_on_one_line"]),
    Limit(
        "secrets/source.rs",
        "COMMAND_DEADLINE",
        &[
            "a_command_prints_the_secret_and_its_line_end_is_left_out",
            "a_command_that_takes_too_long_is_given_up",
        ],
    ),
    Limit("manifest/ask.rs", "MAX_STATE", &["what_cannot_be_asked_is_told_with_its_place"]),
    Limit("manifest/ask.rs", "MAX_ASKED", &["lists_names_and_reasons_have_their_bounds"]),
    Limit("manifest/ask.rs", "MAX_NAME", &["lists_names_and_reasons_have_their_bounds"]),
    Limit("manifest/ask.rs", "MAX_WHY", &["lists_names_and_reasons_have_their_bounds"]),
    Limit(
        "hub/bulkhead.rs",
        "MAX_OUTBOUND",
        &["sixteen_calls_of_a_plugin_are_on_their_way_and_one_more_costs_only_that_plugin"],
    ),
    Limit(
        "hub/chain.rs",
        "MAX_DEPTH",
        &[
            "four_plugins_may_stand_behind_a_call_and_not_five",
            "calls_go_four_plugins_deep_and_never_round_in_a_circle",
        ],
    ),
    Limit(
        "imports/hub/convert.rs",
        "MAX_SENT",
        &["a_callee_is_sent_one_mib_and_not_one_byte_more", "arguments_are_checked_before_the_callee_runs"],
    ),
    Limit("imports/hub/convert.rs", "MAX_VALUES", &["arguments_are_an_object_of_up_to_100000_values"]),
    Limit("imports/hub/inbox.rs", "MAX_EVENTS", &["of_reports_the_newest_is_kept_and_of_pieces_sixty_four"]),
    Limit("imports/hub/running.rs", "MAX_CALLS", &["a_call_makes_256_calls_and_not_one_more"]),
    Limit(
        "imports/hub/running.rs",
        "MAX_PENDING",
        &[
            "sixteen_calls_of_a_call_are_pending_and_one_more_is_overloaded",
            "a_flood_of_calls_is_bounded_and_costs_only_whoever_floods",
        ],
    ),
    Limit(
        "imports/hub/running.rs",
        "SETTLE_WAIT",
        &[
            "the_end_of_a_call_ends_what_it_called_and_counts_it",
            "a_callee_that_does_not_end_when_it_is_cancelled_is_cut_off",
        ],
    ),
    Limit("hub/readable.rs", "MAX_FILE", &["a_file_of_one_mib_is_read_and_a_larger_one_is_not"]),
    Limit("hub/reads.rs", "MAX_READS", &["eight_files_are_read_at_once_and_one_more_is_overloaded"]),
    Limit("hub/reads.rs", "READ_DEADLINE", &["a_read_that_does_not_end_is_given_up_at_its_deadline"]),
    Limit("lock/mod.rs", "MAX_KEPT", &["texts_are_kept_up_to_a_bound_and_fingerprints_beyond_it"]),
    Limit("lock/store.rs", "LOCK_WAIT", &["whoever_waits_for_another_hubcap_waits_within_bounds"]),
    Limit("lock/store.rs", "MAX_BYTES", &["a_lock_of_16_mib_is_read_and_nothing_larger_is_read_or_written"]),
    Limit("state/namespace.rs", "MAX_KEY", &["keys_have_1_to_512_bytes_and_values_at_most_64_kib"]),
    Limit(
        "state/namespace.rs",
        "MAX_KEYS",
        &[
            "a_namespace_has_1000_keys_and_not_one_more",
            "a_million_keys_and_values_of_any_size_end_at_the_quota",
        ],
    ),
    Limit("state/namespace.rs", "MAX_PAGE", &["pages_follow_each_other_in_byte_order_to_the_end"]),
    Limit("state/namespace.rs", "MAX_VALUE", &["keys_have_1_to_512_bytes_and_values_at_most_64_kib"]),
];
