//! The limits of the audit log.
//!
//! Invariant: as in the table that it belongs to.

use super::Limit;

pub(super) const LIMITS: &[Limit] = &[
    Limit("audit/chain.rs", "MAX_LINE", &["a_line_of_256_kib_is_read_and_a_longer_one_is_none_of_ours"]),
    Limit("audit/deed.rs", "MAX_CHANGE", &["a_deed_has_a_record_of_a_bounded_length"]),
    Limit("audit/deed.rs", "MAX_CHANGES", &["a_deed_has_a_record_of_a_bounded_length"]),
    Limit("audit/files.rs", "MAX_HEAD", &["an_anchor_of_1_kib_is_read_and_a_longer_one_is_none"]),
    Limit(
        "audit/mod.rs",
        "CLOSE_WAIT",
        &["a_decision_and_the_end_wait_for_the_disk_and_no_longer_than_their_bounds"],
    ),
    Limit(
        "audit/mod.rs",
        "DECISION_WAIT",
        &["a_decision_and_the_end_wait_for_the_disk_and_no_longer_than_their_bounds"],
    ),
    Limit("audit/mod.rs", "MAX_RECORD", &["a_decision_fills_a_record_and_a_larger_one_is_refused"]),
    Limit(
        "audit/mod.rs",
        "MAX_WAITING",
        &["as_many_records_wait_as_there_is_room_for_and_one_more_is_lost_and_told_of"],
    ),
    Limit(
        "audit/mod.rs",
        "MAX_WAITING_BYTES",
        &["sixteen_mib_of_arguments_wait_and_what_comes_on_top_is_hashed_by_its_call"],
    ),
    Limit(
        "audit/record.rs",
        "MAX_WHOLE",
        &["arguments_of_64_kib_are_written_whole_where_that_is_wanted_and_longer_ones_hashed"],
    ),
];
