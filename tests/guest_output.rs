//! What guests say: results, logs, and what they print where the host speaks to its client.
//!
//! Invariant: nothing of it is larger than its bound, and nothing of it is ever taken for the host's own.

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, cost, text};

#[test]
fn a_result_is_at_most_one_mebibyte() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_text", json!({ "bytes": 1_000_000 }));
    assert_eq!(text(&result).len(), 1_000_000);
    assert!(cost(&result, "resultBytes") >= 1_000_000, "{}", result["_meta"]);
    for bytes in [(1 << 20) + 1, 2 << 20, 7 << 20, 20 << 20] {
        assert_guest_failed(&case.call("huge_text", json!({ "bytes": bytes })), "limit");
    }
    case.end();
}

#[test]
fn a_result_of_very_many_blocks_is_refused_before_it_is_built() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_blocks", json!({ "blocks": 100 }));
    assert_eq!(result["content"].as_array().map(Vec::len), Some(100));
    assert_guest_failed(&case.call("huge_blocks", json!({ "blocks": 400_000 })), "limit");
    assert!(case.growth_mib() <= 88, "{} MiB", case.growth_mib());
    case.end();
}

#[test]
fn a_structured_result_has_to_be_json() {
    let mut case = Case::guest("bad-json");
    let result = case.call("bad-json_run", json!({ "case": "sound" }));
    assert_eq!(result["structuredContent"], json!({ "a": 1 }));
    for fault in ["truncated", "nan", "deep", "trailing"] {
        assert_guest_failed(&case.call("bad-json_run", json!({ "case": fault })), "invalid-output");
    }
    case.end();
}

#[test]
fn a_structured_result_has_to_match_its_schema() {
    let mut case = Case::of(Home::new().guest("echo"));
    let result = case.call("echo_structured", json!({ "n": 3 }));
    assert_eq!(result["structuredContent"], json!({ "n": 3, "twice": 6 }));
    assert_eq!(serde_json::from_str::<Value>(text(&result)).unwrap(), result["structuredContent"]);
    let result = case.call("echo_bad-structured", json!({}));
    assert_guest_failed(&result, "invalid-output");
    assert!(text(&result).contains("/n"), "the message names the path: {}", text(&result));
    assert!(result.get("structuredContent").is_none(), "{result:#}");
    case.end();
}

#[test]
fn an_error_text_is_cut_at_ten_thousand_characters() {
    let mut case = Case::of(Home::new().guest("echo"));
    let short = json!({ "code": "unavailable", "message": "later" });
    let result = case.call("echo_fail", short);
    assert_eq!(text(&result), "unavailable: later");
    assert_eq!(result["_meta"]["hubcap/error"]["code"], "unavailable");
    let long = json!({ "code": "internal", "message": "0123456789", "times": 50_000 });
    let result = case.call("echo_fail", long);
    assert_failed(&result, "internal", "plugin");
    assert!(text(&result).chars().count() <= 10_020, "{}", text(&result).len());
    case.end();
}

#[test]
fn log_lines_are_kept_up_to_their_bounds_and_the_rest_is_counted() {
    let mut case = Case::guest("log-flood");
    // Lines, bytes of each, and how many at most are kept.
    for (lines, bytes, least, most) in
        [(100, 100, 100, 100), (200, 10, 200, 200), (1_000, 10, 200, 200), (100_000, 1_000, 50, 66)]
    {
        let result = case.call("log-flood_lines", json!({ "n": lines, "bytes": bytes }));
        let (kept, dropped) = (cost(&result, "logLines"), cost(&result, "logLinesDropped"));
        assert!((least..=most).contains(&kept), "{kept} of {lines} lines of {bytes} bytes");
        assert_eq!(kept + dropped, lines);
    }
    let ended = case.end();
    assert!(ended.stderr.len() < 512 * 1024, "{} bytes of log", ended.stderr.len());
}

#[test]
fn a_long_log_line_is_cut_at_two_kibibytes() {
    let mut case = Case::guest("log-flood");
    let result = case.call("log-flood_lines", json!({ "n": 1, "bytes": 4 << 20 }));
    assert_eq!(cost(&result, "logLines"), 1);
    // More than one host call may hand over.
    let result = case.call("log-flood_lines", json!({ "n": 1, "bytes": 12 << 20 }));
    assert_guest_failed(&result, "limit");
    let ended = case.end();
    let longest = ended.stderr.lines().map(str::len).max().unwrap_or(0);
    assert!((2_000..4_096).contains(&longest), "the longest line has {longest} bytes");
}

#[test]
fn log_lines_cannot_carry_control_characters_or_forge_lines() {
    let mut case = Case::guest("log-flood");
    assert_says(&case.call("log-flood_control", json!({})), "2");
    let ended = case.end();
    assert!(ended.stderr.contains("evil"), "{}", ended.stderr);
    for character in ['\u{1b}', '\0', '\r', '\u{202e}', '\u{202c}'] {
        assert!(!ended.stderr.contains(character), "{character:?} in {:?}", ended.stderr);
    }
    for line in ended.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line.get("jsonrpc").is_none(), "{line:#}");
        // A terminal that shows the decoded text must not obey it either.
        assert!(!line.to_string().contains("\\u001b"), "{line:#}");
    }
}

#[test]
fn what_a_guest_prints_never_reaches_the_client() {
    let mut case = Case::guest("stdout-flood");
    assert_says(&case.call("stdout-flood_print", json!({ "n": 2 })), "2");
    assert_says(&case.call("stdout-flood_print", json!({ "n": 10_000 })), "10000");
    let ended = case.end();
    let forged = ended.messages.iter().filter(|message| message["id"] == "forged").count();
    assert_eq!(forged, 0);
    assert!(ended.stderr.len() < 512 * 1024, "{} bytes of log", ended.stderr.len());
    for line in ended.stderr.lines() {
        assert!(!line.starts_with("{\"jsonrpc\""), "{line}");
    }
}

#[test]
fn empty_writes_cost_no_memory() {
    let mut case = Case::guest_with("empty-writes", "fuel = 10_000_000_000, deadline = \"20s\"");
    assert_says(&case.call("empty-writes_write", json!({ "n": 10 })), "10");
    let result = case.call("empty-writes_write", json!({ "n": 1_000_000 }));
    assert_says(&result, "1000000");
    assert!(case.growth_mib() <= 24, "{} MiB", case.growth_mib());
    case.end();
}
