//! What operators, and the machines that they have, do to a hub beside its disk.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "E01",
        injected: "plugin files that are empty, cut, flipped, too large, pictures, directories, links, FIFOs, sockets, mode 000",
        expected: "each refused with its own reason; a FIFO is not waited for; the neighbour serves",
        tests: &[
            "operator_faults::files_that_are_no_components_are_refused_by_what_they_are",
            "operator_faults::files_that_are_no_files_are_refused_and_never_waited_for",
            "operator_faults::a_file_that_is_too_large_is_refused_by_its_size",
            "operator_faults::a_component_that_is_cut_anywhere_is_refused",
            "operator_faults::a_component_with_flipped_bits_never_takes_the_host_down",
            "operator_places::a_file_that_nobody_may_read_is_refused_with_the_systems_reason",
        ],
    },
    Row {
        case: "E02",
        injected: "a core module; a component of another world, with other imports, of an older and a newer package",
        expected: "`not a component`, the name of the missing import or export, or both versions",
        tests: &[
            "operator_faults::files_that_are_no_components_are_refused_by_what_they_are",
            "operator_faults::an_import_that_no_plugin_gets_is_named",
            "operator_faults::a_component_of_another_world_is_told_what_a_plugin_exports",
        ],
    },
    Row {
        case: "E03",
        injected: "the text form of a whole plugin in a file named .wasm",
        expected: "refused as text",
        tests: &["operator_faults::files_that_are_no_components_are_refused_by_what_they_are"],
    },
    Row {
        case: "E04",
        injected: "what an engine like the host's compiled, and a bare ELF header, in the plugin directory",
        expected: "refused as precompiled; never run",
        tests: &[
            "operator_faults::files_that_are_no_components_are_refused_by_what_they_are",
            "operator_places::what_was_compiled_before_is_refused_as_a_plugin_and_never_opened_elsewhere",
        ],
    },
    Row {
        case: "E06",
        injected: "two files with one id, one of them twice, ids that differ by case",
        expected: "both refused, naming each other, unless the lock holds one; no capital is an id",
        tests: &[
            "operator_faults::two_files_with_one_id_are_both_refused_and_name_each_other",
            "operator_faults::a_file_name_that_is_no_id_is_refused_with_the_rule",
            "trust::the_file_that_the_lock_holds_keeps_its_id_against_any_other",
        ],
    },
    Row {
        case: "E08",
        injected: "the plugin directory moved, deleted, made anew, replaced, unmounted; 10,000 files that are no plugins",
        expected: "what is loaded goes on; `--dev` polls and reads it when it is back; each file is refused by its name",
        tests: &[
            "operator_places::a_running_hub_serves_on_when_its_directory_goes_moves_or_comes_back_empty",
            "operator_places::with_dev_a_directory_that_is_gone_takes_nothing_away_and_is_read_when_it_is_back",
            "operator_places::ten_thousand_files_that_are_none_are_each_refused_and_cost_the_good_one_nothing",
            "adversarial::unmounted::a_hub_whose_plugins_are_unmounted_serves_on_and_the_next_one_has_none",
        ],
    },
    Row {
        case: "E12",
        injected: "the wall clock a day on, a day back, in 1970, a century on; the process stopped (60 s in the long form)",
        expected: "no deadline and no decision follows it; what fell due falls due once; the log stays in order",
        tests: &[
            "operator_clocks::no_jump_of_the_wall_clock_changes_a_deadline_a_decision_or_the_order_of_the_log",
            "operator_clocks::what_falls_due_while_the_server_is_stopped_falls_due_once_when_it_goes_on",
        ],
    },
    Row {
        case: "E15",
        injected: "no descriptor, no thread, too little address space, at the start and while it serves",
        expected: "errors in words, one answer each, no abort; all works again when there is room",
        tests: &[
            "operator_limits::a_start_with_too_few_descriptors_serves_or_says_why_it_cannot",
            "operator_limits::a_start_with_too_little_address_space_says_what_to_change",
            "operator_limits::a_server_without_a_free_descriptor_answers_and_has_all_back_within_five_seconds",
            "operator_limits::with_sixty_four_descriptors_a_flood_is_answered_and_the_server_is_usable_after",
            "adversarial::threads::a_server_that_gets_no_thread_answers_every_call_and_works_when_there_are_some_again",
            "adversarial::threads::a_start_with_too_few_threads_serves_or_says_why_it_cannot",
        ],
    },
    Row {
        case: "E18",
        injected: "a `hubcap.toml` that is broken before the start, and while a server runs",
        expected: "no start, with file, line and column; it is read once: a running server keeps what it started with",
        tests: &[
            "operator_surroundings::a_running_server_keeps_the_configuration_that_it_was_started_with",
            "cli::a_broken_configuration_is_refused_with_its_place_and_the_nearest_key",
        ],
    },
    Row {
        case: "E21",
        injected: "environments of a megabyte, not UTF-8, without HOME or PATH, odd TZ and locales, none at all",
        expected: "it starts and serves",
        tests: &[
            "operator_surroundings::a_server_starts_in_whatever_environment",
            "cli::an_empty_environment_is_enough",
        ],
    },
    Row {
        case: "E22",
        injected: "standard error closed, full, without a reader, with one that does not read",
        expected: "no call waits for the log, and its lines go nowhere else",
        tests: &[
            "operator_surroundings::a_standard_error_that_is_closed_or_takes_nothing_costs_no_call",
            "client_faults::a_client_that_does_not_read_the_log_waits_for_nothing",
        ],
    },
];
