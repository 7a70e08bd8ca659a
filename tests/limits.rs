//! Every limit of the host has a test that obeys it and one that violates it: the table says which.
//!
//! Invariant: a limit that is added to `host/src` without a row here fails the build, and so does a row
//! whose tests are not there.

mod approval;
mod audit;
mod http;
mod powers;
mod process;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::guests::{plugin_with, root};
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::sources::{has_test, rust_files};

/// A limit: its file below `host/src`, its name, and the tests that obey and violate it. Often one test
/// does both, at the edge.
struct Limit(&'static str, &'static str, &'static [&'static str]);

const LIMITS: &[Limit] = &[
    Limit(
        "cli/batches.rs",
        "MAX_BATCH",
        &[
            "a_batch_holds_what_fits_and_the_rest_goes_into_the_next",
            "a_file_that_fills_a_batch_is_sent_and_larger_binary_or_empty_ones_are_not",
        ],
    ),
    Limit("cli/bench/conversation.rs", "MAX_ANSWER", &["an_answer_has_up_to_16_mib_and_not_one_byte_more"]),
    Limit("cli/bench/mod.rs", "MAX_CALLS", &["up_to_ten_million_calls_are_made_and_1024_at_once"]),
    Limit("cli/bench/mod.rs", "MAX_IN_FLIGHT", &["up_to_ten_million_calls_are_made_and_1024_at_once"]),
    Limit(
        "cli/check/generate/maker.rs",
        "MAX_CHARS",
        &["all_strings_together_have_64_kib_and_not_one_character_more"],
    ),
    Limit("cli/check/generate/maker.rs", "MAX_DEPTH", &["sixty_four_levels_are_made_and_sixty_five_are_not"]),
    Limit(
        "cli/check/generate/maker.rs",
        "MAX_STEPS",
        &[
            "patterns_are_searched_until_the_steps_are_used_up",
            "each_try_is_paid_for_whether_it_brings_a_text_or_not",
        ],
    ),
    Limit("cli/check/generate/maker.rs", "MAX_VALUES", &["a_thousand_values_are_made_and_one_more_is_not"]),
    Limit(
        "cli/check/generate/mod.rs",
        "MAX_EXAMPLES",
        &["examples_and_the_default_of_the_root_are_cases_of_their_own"],
    ),
    Limit(
        "cli/sources.rs",
        "MAX_FILE",
        &[
            "a_file_up_to_its_bound_is_read_and_a_larger_one_is_not",
            "files_that_are_large_are_read_where_they_are_named",
        ],
    ),
    Limit(
        "cli/sources.rs",
        "MAX_NAMED",
        &[
            "a_file_up_to_its_bound_is_read_and_a_larger_one_is_not",
            "files_that_are_large_are_read_where_they_are_named",
        ],
    ),
    Limit("config/mod.rs", "MAX_DEADLINE_MS", &["every_bound_is_taken_at_its_edge_and_refused_beyond"]),
    Limit("config/mod.rs", "MAX_FUEL", &["every_bound_is_taken_at_its_edge_and_refused_beyond"]),
    Limit("config/mod.rs", "calls", &["the_hub_runs_only_so_many_calls_at_once"]),
    Limit(
        "config/mod.rs",
        "calls_per_plugin",
        &["as_many_run_as_there_are_seats_and_the_next_waits_in_vain"],
    ),
    Limit("config/mod.rs", "component_bytes", &["a_file_that_is_too_large_is_refused_by_its_size"]),
    Limit(
        "config/mod.rs",
        "line_bytes",
        &[
            "a_line_over_the_operators_bound_is_refused_and_the_next_one_works",
            "a_line_at_the_limit_is_taken_and_one_beyond_it_is_skipped",
        ],
    ),
    Limit(
        "config/mod.rs",
        "queue",
        &["a_full_queue_refuses_at_once", "a_full_queue_is_answered_with_overloaded_at_once"],
    ),
    Limit(
        "config/mod.rs",
        "queue_wait",
        &["whoever_waits_gets_the_place_that_comes_free", "a_call_waits_only_so_long_for_its_turn"],
    ),
    Limit("engine/mod.rs", "MAX_CORE_INSTANCES", &["core_instances_and_memories_are_counted"]),
    Limit("engine/mod.rs", "MAX_MEMORIES", &["core_instances_and_memories_are_counted"]),
    Limit("config/mod.rs", "MAX_MEMORY", &["every_bound_is_taken_at_its_edge_and_refused_beyond"]),
    Limit("engine/mod.rs", "MAX_TABLES", &["eight_tables_are_taken_and_nine_are_not"]),
    Limit(
        "engine/mod.rs",
        "MAX_TABLE_ELEMENTS",
        &["a_table_grows_to_its_limit", "table_elements_are_summed"],
    ),
    Limit(
        "error.rs",
        "MAX_MESSAGE_CHARS",
        &["a_message_of_10000_characters_is_kept_and_a_longer_one_is_cut"],
    ),
    Limit("hub/mod.rs", "LOADING_WAIT", &["a_list_waits_for_loading_and_no_longer_than_its_bound"]),
    Limit("imports/log.rs", "MAX_BYTES", &["sixty_four_kib_are_kept_and_the_rest_dropped"]),
    Limit("imports/log.rs", "MAX_LINE", &["a_line_without_end_is_cut_and_never_held_whole"]),
    Limit("imports/log.rs", "MAX_LINES", &["the_200th_line_is_kept_and_the_201st_dropped"]),
    Limit(
        "imports/progress.rs",
        "MAX_MESSAGE_CHARS",
        &["a_message_of_2000_characters_is_kept_and_a_longer_one_is_cut"],
    ),
    Limit(
        "imports/random.rs",
        "MAX_BYTES",
        &["the_bound_holds_for_one_request_and_for_many", "random_bytes_of_one_call_are_counted"],
    ),
    Limit("manifest/mod.rs", "MAX_BYTES", &["a_manifest_of_64_kib_is_read_and_a_larger_one_is_refused"]),
    Limit(
        "mcp/json.rs",
        "MAX_DEPTH",
        &["a_depth_of_64_is_read_and_one_of_65_is_not", "a_message_is_at_most_64_deep"],
    ),
    Limit(
        "mcp/json.rs",
        "MAX_VALUES",
        &[
            "keys_and_values_are_counted_and_no_more_than_100000_are_kept",
            "a_message_of_100000_keys_and_values_is_taken_and_a_larger_one_is_refused",
        ],
    ),
    Limit("mcp/message.rs", "MAX_ID", &["strings_of_256_bytes_and_integers_are_ids_and_nothing_else_is"]),
    Limit("mcp/message.rs", "MAX_QUOTE", &["no_error_repeats_the_clients_words_at_length"]),
    Limit("mcp/message.rs", "MAX_TOOL_NAME", &["no_error_repeats_the_clients_words_at_length"]),
    Limit(
        "mcp/mod.rs",
        "drain",
        &[
            "the_end_of_input_lets_requests_in_flight_finish",
            "what_still_runs_when_the_drain_is_over_is_cancelled_and_answered",
        ],
    ),
    Limit("mcp/mod.rs", "in_flight", &["no_more_requests_run_than_may_be_in_flight"]),
    Limit("mcp/mod.rs", "line_bytes", &["a_line_at_the_limit_is_taken_and_one_beyond_it_is_skipped"]),
    Limit(
        "mcp/mod.rs",
        "queue_bytes",
        &[
            "a_full_queue_has_no_room_until_somebody_reads",
            "a_client_that_does_not_read_costs_bounded_memory",
        ],
    ),
    Limit("plugin/convert.rs", "MAX_RESULT", &["a_result_of_one_mib_is_taken_and_a_larger_one_is_a_limit"]),
    Limit("plugin/define.rs", "MAX_DESCRIPTION", &["descriptions_and_titles_are_cleaned_and_bounded"]),
    Limit(
        "plugin/define.rs",
        "MAX_FULL_NAME",
        &["a_full_name_of_51_characters_is_taken_and_one_of_52_is_not"],
    ),
    Limit("plugin/define.rs", "MAX_TITLE", &["descriptions_and_titles_are_cleaned_and_bounded"]),
    Limit("plugin/define.rs", "MAX_TOOLS", &["sixty_four_tools_are_taken_and_sixty_five_are_not"]),
    Limit(
        "plugin/health.rs",
        "MAX_MESSAGE",
        &["a_message_of_2048_characters_is_kept_and_a_longer_one_is_cut"],
    ),
    Limit("plugin/format.rs", "MAX_ITEMS", &["a_hundred_thousand_things_are_taken_and_one_more_is_not"]),
    Limit("plugin/file.rs", "MAX_SIGNATURE", &["a_signature_of_4_kib_is_read_and_a_larger_file_is_none"]),
    Limit("plugin/mod.rs", "LIST_DEADLINE", &["starting_and_listing_have_deadlines_of_their_own"]),
    Limit("plugin/mod.rs", "LOAD_FUEL", &["a_plugin_that_hangs_while_it_loads_is_refused_in_time"]),
    Limit("plugin/mod.rs", "INIT_DEADLINE", &["starting_and_listing_have_deadlines_of_their_own"]),
    Limit("plugin/providers.rs", "MAX_MODELS", &["one_to_256_models_are_taken_in_their_order"]),
    Limit(
        "plugin/providers.rs",
        "MAX_MODEL_ID",
        &["a_models_id_has_up_to_128_visible_characters_and_stands_once"],
    ),
    Limit(
        "schema/mod.rs",
        "MAX_BYTES",
        &["a_schema_of_the_full_size_and_depth_is_read_and_a_larger_one_is_not"],
    ),
    Limit(
        "schema/mod.rs",
        "MAX_DEPTH",
        &["a_schema_of_the_full_size_and_depth_is_read_and_a_larger_one_is_not"],
    ),
    Limit("schema/mod.rs", "MAX_PATTERN_BYTES", &["a_pattern_that_compiles_to_too_much_is_refused"]),
    Limit("schema/mod.rs", "MAX_PATTERNS_BYTES", &["many_patterns_share_what_all_may_take"]),
    Limit("schema/mod.rs", "MAX_TOLD", &["five_violations_are_told_and_more_are_only_mentioned"]),
    Limit(
        "plugin/validators.rs",
        "MAX_FINDINGS",
        &[
            "a_text_has_10000_findings_and_not_one_more",
            "ten_thousand_findings_are_told_and_one_more_is_a_limit",
        ],
    ),
    Limit(
        "plugin/validators.rs",
        "MAX_PROSE",
        &[
            "a_rule_is_described_in_2_kib_and_not_one_byte_more",
            "a_message_of_2_kib_is_kept_and_a_longer_one_is_cut",
        ],
    ),
    Limit("plugin/validators.rs", "MAX_RULES", &["a_plugin_has_256_rules_and_not_one_more"]),
    Limit(
        "plugin/validators.rs",
        "MAX_RULE_ID",
        &["a_rule_id_has_64_characters_of_its_alphabet_and_not_one_more"],
    ),
    Limit(
        "sandbox/mod.rs",
        "HOST_CALL_BYTES",
        &["a_result_is_at_most_one_mebibyte", "a_result_of_very_many_blocks_is_refused_before_it_is_built"],
    ),
    Limit(
        "sandbox/mod.rs",
        "MAX_HANDLES",
        &["resources_of_the_guest_are_counted", "resources_of_the_host_are_counted"],
    ),
    Limit(
        "model/budget.rs",
        "deadline",
        &[
            "a_loop_that_has_the_fuel_ends_at_its_deadline",
            "a_guest_that_sleeps_for_ever_ends_at_its_deadline",
        ],
    ),
    Limit(
        "model/budget.rs",
        "fuel",
        &["the_operator_sets_the_fuel_of_a_plugin", "fuel_runs_out_at_the_same_round_each_time"],
    ),
    Limit(
        "model/budget.rs",
        "memory",
        &["the_operator_sets_the_memory_of_a_plugin", "memories_are_counted_together"],
    ),
    Limit(
        "cli/state/lines.rs",
        "MAX_LINE",
        &["keys_values_and_lines_of_the_full_size_are_read_and_larger_ones_are_not"],
    ),
    Limit("schema/expand.rs", "MAX_EXPANDED_DEPTH", &["sixty_four_levels_are_taken_and_sixty_five_are_not"]),
    Limit(
        "schema/mod.rs",
        "MAX_EXPANDED",
        &["a_schema_that_expands_to_ten_thousand_values_is_taken_and_a_larger_one_is_not"],
    ),
    Limit(
        "schema/mod.rs",
        "MAX_STEPS",
        &["a_check_of_up_to_ten_million_steps_is_made_and_a_larger_one_is_a_limit"],
    ),
    Limit("schema/mod.rs", "MAX_TOLD_IN", &["in_a_large_value_the_first_violation_is_told"]),
    Limit(
        "plugin/convert.rs",
        "MAX_RESULT_VALUES",
        &["a_structured_result_has_up_to_100000_values_and_no_hidden_characters"],
    ),
    Limit("plugin/load.rs", "COMPILE_DEADLINE", &["compiling_is_given_up_when_it_takes_too_long"]),
    Limit("imports/progress.rs", "MAX_PARTIAL", &["pieces_are_bounded_one_by_one_and_together"]),
    Limit("imports/progress.rs", "MAX_PARTIALS", &["pieces_are_bounded_one_by_one_and_together"]),
];

/// All rows.
fn rows() -> impl Iterator<Item = &'static Limit> {
    let powers = powers::LIMITS.iter().chain(process::LIMITS);
    LIMITS.iter().chain(approval::LIMITS).chain(audit::LIMITS).chain(http::LIMITS).chain(powers)
}

/// Structs whose every field is a limit.
const STRUCTS: [(&str, &str); 4] = [
    ("config/mod.rs", "Limits"),
    ("config/policy.rs", "Approval"),
    ("mcp/mod.rs", "StdioLimits"),
    ("model/budget.rs", "Budget"),
];

fn is_limit(name: &str) -> bool {
    name.starts_with("MAX_")
        || ["_DEADLINE", "_FUEL", "_WAIT"].iter().any(|end| name.ends_with(end))
        || name == "HOST_CALL_BYTES"
}

/// The limits that a file declares as constants.
fn constants(text: &str) -> Vec<String> {
    let declared = |line: &str| {
        let (_, after) = line.split_once("const ")?;
        let (name, kind) = after.split_once(':')?;
        let is_number = !kind.trim_start().starts_with('&');
        (is_number && is_limit(name) && !line.trim_start().starts_with("//")).then(|| name.to_owned())
    };
    text.lines().filter_map(declared).collect()
}

/// The fields of a struct.
fn fields(text: &str, name: &str) -> Vec<String> {
    let start = format!("pub struct {name} {{");
    let body = text.split_once(&start).unwrap_or_else(|| panic!("no `{start}`")).1;
    let body = body.split_once("\n}").unwrap().0;
    let field = |line: &str| Some(line.trim().strip_prefix("pub ")?.split_once(':')?.0.to_owned());
    body.lines().filter_map(field).collect()
}

#[test]
fn every_limit_has_a_test_that_obeys_it_and_one_that_violates_it() {
    let source = root().join("host/src");
    let mut declared = BTreeSet::new();
    for path in rust_files(&source) {
        let file = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        declared.extend(constants(&text).into_iter().map(|name| (file.clone(), name)));
        for (_, name) in STRUCTS.iter().filter(|(of, _)| *of == file) {
            declared.extend(fields(&text, name).into_iter().map(|name| (file.clone(), name)));
        }
    }
    let listed: BTreeSet<_> =
        rows().map(|Limit(file, name, _)| ((*file).to_owned(), (*name).to_owned())).collect();
    assert_eq!(declared, listed, "the limits of the host and the rows of the table differ");
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let mut all = rust_files(&root().join("host/src"));
    all.extend(rust_files(&root().join("tests")));
    let text: String = all.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for Limit(file, name, tests) in rows() {
        assert!(!tests.is_empty(), "{file} {name}");
        for test in *tests {
            assert!(has_test(&text, test), "{file} {name}: there is no test {test}");
        }
    }
}

#[test]
fn eight_tables_are_taken_and_nine_are_not() {
    let tables = |n: usize| {
        plugin_with(&format!(
            "(core module $m (table 1 funcref))\n{}",
            "(core instance (instantiate $m))\n".repeat(n)
        ))
    };
    let home = Home::new().file("tables-8.wasm", &tables(8)).file("tables-9.wasm", &tables(9));
    assert_eq!(home.plugin("tables-8.wasm")["reason"], Value::Null);
    let refused = home.plugin("tables-9.wasm");
    assert_eq!(refused["state"], "refused");
    assert!(refused["reason"].as_str().unwrap().contains("table"), "{refused:#}");
}

#[test]
fn starting_and_listing_have_deadlines_of_their_own() {
    let config = "
        [plugins.in-time]
        config = { init-ms = 300, list-ms = 300 }
        [plugins.late-init]
        config = { init-ms = 60000, list-ms = 0 }
        [plugins.late-list]
        config = { init-ms = 0, list-ms = 60000 }
    ";
    let home = ["in-time", "late-init", "late-list"]
        .iter()
        .fold(Home::new().config(config), |home, id| home.guest_as("slow-start", id));
    let start = Instant::now();
    let list = home.plugin_list();
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    let reason = |id: &str| list.iter().find(|plugin| plugin["id"] == id).unwrap()["reason"].clone();
    assert_eq!(reason("in-time"), Value::Null);
    for (id, step, ms) in [("late-init", "init", 5_000), ("late-list", "list-tools", 2_000)] {
        let reason = reason(id);
        let words = reason.as_str().unwrap();
        assert!(
            words.contains(step) && words.contains("deadline") && words.contains(&format!("{ms} ms")),
            "{words}"
        );
    }
    let mut server = home.serve();
    assert_says(&server.call("in-time_run", json!({})), "done");
    server.end();
}
