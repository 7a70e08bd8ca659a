//! Programs that plugins may run, and what comes of them.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "C25",
        injected: "values of slots like `-c`, `--config=/x`, `@file`, `;rm`, `$(id)`, with line ends, NUL, 3 MB, too many",
        expected: "one argument each and no shell; what starts with `-`, has a NUL, is too large or fits no pattern is refused",
        tests: &[
            "process::a_program_gets_its_arguments_as_they_are_and_no_shell_sees_them",
            "process::a_guest_fills_slots_and_can_say_nothing_else",
            "program::fill::tests::a_value_is_an_option_only_where_its_slot_says_so",
        ],
    },
    Row {
        case: "C26",
        injected: "the program's file replaced, changed, removed, its link led elsewhere, also while it is started",
        expected: "the file that was granted or none: `denied` until hubcap starts again, and the operator is told which",
        tests: &[
            "process::a_program_that_was_replaced_or_changed_is_denied_until_the_host_starts_again",
            "process::a_file_that_is_swapped_while_it_is_started_is_never_run",
        ],
    },
    Row {
        case: "C27",
        injected: "forks, double forks, sessions of their own, daemons, `nohup`; then a cancel, a deadline, the program's end",
        expected: "all that came of the program is gone within its grace of 5 s, and no zombie is left",
        tests: &[
            "process_ends::a_cancelled_call_leaves_nothing_of_its_programs",
            "process_ends::a_call_ends_at_its_deadline_and_its_programs_with_it",
            "process_ends::what_a_program_leaves_behind_when_it_ends_is_ended",
        ],
    },
    Row {
        case: "C28",
        injected: "a fork bomb",
        expected: "a program has 256 processes at once: with more it is ended with `limit`; the host and the neighbour serve",
        tests: &["process_ends::a_program_has_256_processes_at_once_and_a_bomb_is_ended"],
    },
    Row {
        case: "C29",
        injected: "programs that ignore SIGTERM, close their output and stay, stop themselves",
        expected: "killed 5 s after they were asked to end, and taken away: no zombie",
        tests: &["process_ends::a_program_that_hears_nothing_is_killed_after_its_grace"],
    },
    Row {
        case: "C30",
        injected: "floods on output, on errors, on both, forged JSON-RPC, no line end, invalid UTF-8, escapes",
        expected: "bounded memory: it waits while nothing is taken; a line over 1 MiB is `limit`; never on the host's own output",
        tests: &[
            "process_streams::floods_are_taken_whole_in_bounded_memory_and_never_reach_the_hosts_output",
            "process_streams::lines_have_a_bound_and_the_stream_has_none",
            "process_streams::whatever_a_program_prints_is_no_more_than_bytes",
        ],
    },
    Row {
        case: "C31",
        injected: "10 MiB of input for programs that never read, read late, or write as much themselves",
        expected: "input and output go on at once, and the deadline ends what hangs",
        tests: &[
            "process_streams::a_program_that_never_reads_its_input_holds_up_nobody",
            "process_streams::input_goes_in_while_output_comes_out",
        ],
    },
    Row {
        case: "C32",
        injected: "a host that was started with more descriptors open, and with its own",
        expected: "a program has descriptors 0, 1 and 2, which are its own pipes",
        tests: &["process::a_program_has_three_descriptors_whatever_the_host_was_started_with"],
    },
    Row {
        case: "C33",
        injected: "a program looks for a terminal and more rights, and kills or stops its supervisor",
        expected: "no terminal, no new rights; it ends with its supervisor (it runs as the same user: told in the guide)",
        tests: &[
            "process::a_program_has_a_session_without_a_terminal_all_its_signals_no_new_rights_and_no_core_files",
            "process_ends::a_program_that_kills_or_stops_its_supervisor_dies_too",
        ],
    },
    Row {
        case: "C34",
        injected: "SIGKILL of the host while its programs run, with one supervisor stopped",
        expected: "all programs, and all that came of them, are gone within 2 s",
        tests: &["process_ends::programs_die_with_a_host_that_is_killed"],
    },
    Row {
        case: "C35",
        injected: "a program starts hubcap again: without a word of where, and with the same home and its own tool",
        expected: "no variable leads it back; one that is told where is a hub of its own, and all end with the outermost call",
        tests: &[
            "process_recursion::a_hubcap_in_a_program_is_told_nothing_of_the_hub_that_started_it",
            "process_recursion::a_program_that_calls_its_own_tool_again_and_again_ends_with_the_outermost_call",
        ],
    },
];
