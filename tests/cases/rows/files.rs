//! Plugins that want out of the directories that they are granted, or fill them.
//!
//! Invariant: as in the table that it belongs to.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        case: "C01",
        injected: "`..`, absolute, empty, NUL and overlong paths; slashes at the end of names",
        expected: "an error; what is outside is neither read nor changed",
        tests: &[
            "files::no_path_leads_out_and_none_tells_what_is_there",
            "files_names::a_slash_at_the_end_is_for_directories_and_leads_no_further",
        ],
    },
    Row {
        case: "C02",
        injected: "symbolic links out, made by the host and by the plugin; chains; a circle",
        expected: "not followed out; an absolute one is not made; `loop` for chains beyond 40",
        tests: &[
            "files::symbolic_links_lead_nowhere_but_inside",
            "files::a_link_that_the_plugin_makes_leads_nowhere_but_inside",
        ],
    },
    Row {
        case: "C03",
        injected: "a file swapped for a link out, over and over, while the plugin opens it 100,000 times",
        expected: "never the file outside",
        tests: &["files::a_link_that_is_swapped_in_while_a_file_is_opened_leads_nowhere"],
    },
    Row {
        case: "C04",
        injected: "a granted path that is a link, swapped after the start; the directory moved or taken away",
        expected: "the directory that it was at the start, or nothing",
        tests: &["files::a_directory_is_the_one_that_it_was_at_the_start"],
    },
    Row {
        case: "C05",
        injected: "/proc/self, /dev/mem, /sys as a grant or by a link",
        expected: "the configuration is refused with its line; links are not followed",
        tests: &[
            "files::symbolic_links_lead_nowhere_but_inside",
            "files_names::what_is_the_systems_is_granted_under_no_name",
            "config::grant::tests::what_would_open_everything_is_only_taken_where_it_is_named_as_such",
        ],
    },
    Row {
        case: "C06",
        injected: "hard links and renames from one granted directory to another",
        expected: "refused as between two devices",
        tests: &["files::nothing_is_linked_or_moved_from_one_directory_to_another"],
    },
    Row {
        case: "C07",
        injected: "a file in a granted directory that has a second name outside",
        expected: "cannot be told apart when it is used: the operator is warned where it may be written to",
        tests: &["files::a_file_with_another_name_outside_is_warned_of_where_it_can_be_written_to"],
    },
    Row {
        case: "C08",
        injected: "truncate, set-size, set-times, rename, unlink and the like where reading is granted",
        expected: "not-permitted; nothing changes",
        tests: &["files::nothing_changes_in_a_directory_that_is_only_read"],
    },
    Row {
        case: "C09",
        injected: "FIFOs, sockets and devices in a granted directory, there before and made later",
        expected: "the plugin is refused at load; what comes later is not opened; calls and the end wait for nothing",
        tests: &[
            "files_special::what_is_no_file_refuses_the_plugin_and_only_that_one",
            "files_special::a_fifo_that_comes_later_is_not_opened_and_holds_up_nobody",
            "adversarial::devices::a_device_refuses_the_plugin_and_one_that_comes_later_is_not_opened",
        ],
    },
    Row {
        case: "C10",
        injected: "writing without end, very many files, sparse files of up to 8 EiB; a full file system",
        expected: "an error at the quota, holes counted, at 100,000 files, and at the disk's own end; deleting makes room",
        tests: &[
            "files_bounds::a_directory_is_filled_up_to_its_quota_and_not_one_byte_more",
            "files_bounds::a_hole_counts_like_what_is_in_it",
            "files_bounds::a_directory_has_at_most_a_hundred_thousand_files",
            "adversarial::full_disk::a_directory_that_is_full_of_bytes_or_files_is_told_to_the_guest",
        ],
    },
    Row {
        case: "C11",
        injected: "a listing of more than 100,000 names, a file of 4 TiB read to its end",
        expected: "`limit`; pieces, until the deadline; bounded memory",
        tests: &[
            "files_bounds::a_directory_has_at_most_a_hundred_thousand_files",
            "files_bounds::a_large_file_is_read_in_pieces",
        ],
    },
    Row {
        case: "C12",
        injected: "removing and moving its own directory; relative paths; the directory taken away by others",
        expected: "errors for that plugin alone; there is no current directory",
        tests: &["files::what_a_plugin_does_to_its_own_directory_is_its_own_affair"],
    },
];
