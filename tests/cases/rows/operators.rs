//! What operators, disks and signals do to a hub.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "E05",
        injected: "typos, unknown capabilities, doubles, wrong types, `*`, `/`, nested tables, brackets without end",
        expected: "refused with file, line and column; what opens everything needs `broad = true`",
        tests: &[
            "operator_faults::a_broken_manifest_is_refused_with_its_line_and_column",
            "grants::a_typo_a_double_and_a_broad_grant_stop_the_host_with_their_place",
        ],
    },
    Row {
        case: "E07",
        injected: "plugin files written in place, slowly, touched, taken away, replaced by older ones, during calls",
        expected: "a hub goes on with what it loaded; half a file and another digest never run; `--dev` waits for the whole",
        tests: &[
            "replaced::a_running_hub_goes_on_with_what_it_loaded_and_the_next_one_withholds_what_changed",
            "replaced::a_copy_that_is_not_whole_is_never_taken_for_what_was_accepted",
            "replaced::with_dev_a_slow_copy_loses_no_call_and_is_served_when_it_is_whole",
            "trust_signatures::an_older_version_that_was_signed_once_is_a_downgrade",
        ],
    },
    Row {
        case: "E09",
        injected: "file systems that are full, writes and syncs that fail, under the state and under the lock",
        expected: "`unavailable`, told once; nothing acknowledged is lost; no decision without its record; the lock is whole",
        tests: &[
            "adversarial::full_disk::a_full_file_system_under_the_state_costs_what_is_new_and_nothing_that_was_acknowledged",
            "adversarial::full_disk::a_file_system_that_was_full_when_the_state_was_made_costs_nothing_later",
            "adversarial::full_disk::a_full_home_pins_nothing_says_so_and_keeps_the_lock_whole",
            "adversarial::disk_faults::a_write_that_the_disk_refuses_is_told_and_costs_nothing_that_was_acknowledged",
            "adversarial::disk_faults::what_was_accepted_is_in_the_lock_whole_or_was_never_said_to_be",
            "adversarial::audit::a_full_file_system_costs_records_and_decisions_and_no_call",
            "adversarial::audit::a_disk_that_fails_costs_what_is_told_and_nothing_that_was_acknowledged",
        ],
    },
    Row {
        case: "E10",
        injected: "a home on a file system that is only read",
        expected: "what was accepted runs; no state, no log, nothing new pinned, each said once; what waits goes on waiting",
        tests: &[
            "adversarial::read_only::a_home_that_is_only_read_serves_what_was_accepted_and_says_once_what_it_cannot_keep",
            "adversarial::audit::a_file_system_that_is_only_read_costs_records_and_decisions_and_no_call",
        ],
    },
    Row {
        case: "E11",
        injected: "the state flipped or cut short; a directory others may write to; a planted link; compiled artifacts anywhere",
        expected: "told, or read as it was; the neighbour serves; nothing compiled is kept on disk, and what lies there is never run",
        tests: &[
            "operator_places::what_was_compiled_before_is_refused_as_a_plugin_and_never_opened_elsewhere",
            "operator_places::no_artifact_is_run_however_it_was_changed",
            "state_damage::a_bit_that_flips_anywhere_in_the_state_is_told_or_changes_nothing",
            "state_damage::a_state_that_is_cut_short_is_told_and_an_empty_one_is_new",
            "state::a_place_that_others_can_write_to_or_that_is_none_is_refused_in_words",
        ],
    },
    Row {
        case: "E13",
        injected: "SIGTERM, SIGINT, SIGHUP while it starts, compiles, writes the lock, state and log, drains; a second one; SIGPIPE",
        expected: "what runs is done and written within 10 s, code 0; a second signal ends it at once; SIGPIPE is not heard",
        tests: &[
            "signals::a_server_that_is_ended_at_any_moment_of_its_start_leaves_a_home_that_works",
            "signals::a_server_that_is_ended_while_it_compiles_answers_and_ends_in_time",
            "signals::what_runs_at_a_signal_is_done_and_written_down",
            "signals::a_pipe_that_breaks_is_no_signal_to_a_server",
            "shutdown::a_second_signal_ends_the_server_at_once",
        ],
    },
    Row {
        case: "E14",
        injected: "SIGKILL at any moment while state and the audit log are written (`HUBCAP_KILLS` says how often)",
        expected: "nothing acknowledged is lost, no value is torn, a torn line at the end is repaired, the next start works",
        tests: &[
            "kills::nothing_that_was_acknowledged_is_lost_when_the_host_is_killed",
            "adversarial::disk_faults::a_host_that_ends_at_any_step_of_a_write_loses_nothing_that_was_acknowledged",
            "audit::tests::kills::nothing_that_was_acknowledged_is_lost_when_the_writer_is_killed",
            "audit_kills::a_server_that_is_killed_leaves_a_log_that_the_next_one_goes_on_with",
        ],
    },
    Row {
        case: "E16",
        injected: "segments of the audit log deleted, moved, edited, cut, while it is written to and between; the anchor removed",
        expected: "found and told; a new segment holds on to the last good record, and `verify` reports",
        tests: &[
            "audit::a_log_that_is_deleted_while_a_server_runs_is_begun_anew_and_told",
            "audit::an_edit_is_found_with_its_file_and_line_and_the_next_host_goes_on_in_a_new_segment",
            "audit::tests::meddling::a_segment_that_is_deleted_moved_replaced_or_cut_is_told_and_the_next_one_holds_on_to_it",
            "audit::tests::meddling::an_anchor_that_is_removed_or_changed_meanwhile_is_told",
            "audit::tests::edits::a_thousand_random_edits_are_found_each_and_every_one",
        ],
    },
    Row {
        case: "E17",
        injected: "two hubs on one home",
        expected: "the second has no state and says so; all else works, and the first is unharmed",
        tests: &["state::a_second_host_has_no_state_until_the_first_has_ended"],
    },
    Row {
        case: "E19",
        injected: "a lock that was edited by hand, has the line ends of another system, or is out of date",
        expected: "refused with its line; read as it is; the plugin is withheld and the difference shown",
        tests: &[
            "trust::a_lock_that_is_wrong_stops_every_command_with_its_place",
            "lock::file::tests::what_was_changed_by_hand_is_refused_with_its_place",
            "trust::a_description_that_changed_is_withheld_until_it_is_accepted",
        ],
    },
    Row {
        case: "E20",
        injected: "a plugin removed while a person is asked about its call, and while another plugin calls it",
        expected: "a yes that comes then is refused; the other plugin's call is `unavailable`, and it goes on",
        tests: &[
            "approval_rules::an_approval_does_not_hold_for_a_file_that_changed_meanwhile",
            "hub_calls::a_callee_that_goes_while_its_caller_is_served_is_unavailable",
        ],
    },
];
