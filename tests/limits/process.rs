//! The limits of the capability programs: of what is granted, of what is asked, and of what runs.
//!
//! Invariant: as in the table that it belongs to.

use super::Limit;

pub(super) const LIMITS: &[Limit] = &[
    Limit(
        "config/command.rs",
        "DEFAULT_DEADLINE",
        &[
            "commands_are_read_in_their_short_and_their_long_form",
            "a_program_ends_at_its_deadline_and_the_call_goes_on",
        ],
    ),
    Limit(
        "config/command.rs",
        "MAX_AT_ONCE",
        &["a_program_may_run_an_hour_and_64_of_it_at_once_and_no_more"],
    ),
    Limit(
        "config/mod.rs",
        "programs",
        &[
            "commands_share_the_seats_of_the_hub",
            "the_hub_runs_only_so_many_programs_at_once_and_a_full_queue_is_overloaded",
        ],
    ),
    Limit(
        "imports/process/drive.rs",
        "SUPERVISOR_WAIT",
        &["a_program_that_kills_or_stops_its_supervisor_dies_too"],
    ),
    Limit("imports/process/mod.rs", "MAX_ENVIRONMENT", &["variables_together_have_128_kib"]),
    Limit(
        "imports/process/mod.rs",
        "MAX_PROCESSES",
        &["a_program_has_256_processes_at_once_and_a_bomb_is_ended"],
    ),
    Limit("imports/process/open.rs", "FIND_DEADLINE", &["a_program_is_found_in_time_or_refused"]),
    Limit(
        "imports/process/seats.rs",
        "MAX_WAITING",
        &[
            "thirty_two_programs_wait_and_the_next_is_turned_away",
            "the_hub_runs_only_so_many_programs_at_once_and_a_full_queue_is_overloaded",
        ],
    ),
    Limit(
        "imports/process/shared.rs",
        "MAX_EVENT",
        &["events_have_64_kib_and_come_from_both_streams_in_turn"],
    ),
    Limit(
        "imports/process/shared.rs",
        "MAX_INPUT",
        &[
            "sixty_four_kib_of_input_wait_and_who_wanted_more_is_told_of_room_once",
            "a_program_that_never_reads_its_input_holds_up_nobody",
        ],
    ),
    Limit(
        "imports/process/shared.rs",
        "MAX_UNREAD",
        &[
            "four_mib_of_output_are_kept_and_then_there_is_no_room",
            "a_program_whose_output_is_not_taken_waits_after_4_mib",
        ],
    ),
    Limit(
        "imports/process/spawn.rs",
        "SEND_WAIT",
        &["a_supervisor_that_does_not_read_its_request_is_given_up"],
    ),
    Limit("program/file.rs", "MAX_LINKS", &["forty_links_are_followed_and_one_more_is_not"]),
    Limit("program/fill.rs", "MAX_ARGUMENTS", &["a_value_has_64_kib_and_all_arguments_256_kib"]),
    Limit("program/fill.rs", "MAX_VALUE", &["a_value_has_64_kib_and_all_arguments_256_kib"]),
    Limit(
        "program/pattern.rs",
        "MAX_COMPILED",
        &["a_pattern_has_1_kib_and_1_mib_once_compiled_and_32_groups_in_one_another"],
    ),
    Limit(
        "program/pattern.rs",
        "MAX_NESTED",
        &["a_pattern_has_1_kib_and_1_mib_once_compiled_and_32_groups_in_one_another"],
    ),
    Limit(
        "program/pattern.rs",
        "MAX_PATTERN",
        &["a_pattern_has_1_kib_and_1_mib_once_compiled_and_32_groups_in_one_another"],
    ),
    Limit(
        "program/shape.rs",
        "MAX_NAME",
        &["a_shape_has_64_parts_a_slot_256_values_and_a_name_64_characters"],
    ),
    Limit(
        "program/shape.rs",
        "MAX_PARTS",
        &["a_shape_has_64_parts_a_slot_256_values_and_a_name_64_characters"],
    ),
    Limit(
        "program/shape.rs",
        "MAX_REPEAT",
        &["a_shape_has_64_parts_a_slot_256_values_and_a_name_64_characters"],
    ),
    Limit(
        "program/variable.rs",
        "MAX_NAME",
        &["a_name_has_64_bytes_and_a_value_32_kib_and_neither_has_more"],
    ),
    Limit(
        "program/variable.rs",
        "MAX_VALUE",
        &["a_name_has_64_bytes_and_a_value_32_kib_and_neither_has_more"],
    ),
    Limit("supervisor/protocol.rs", "MAX_MESSAGE", &["a_message_of_8_mib_is_read_and_a_longer_one_is_not"]),
];
