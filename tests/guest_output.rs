//! What guests say: results, logs, and what they print where the host speaks to its client.
//!
//! Invariant: nothing of it is larger than its bound, and nothing of it is ever taken for the host's own.

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, code, cost, text};

#[test]
fn a_result_is_at_most_one_mebibyte() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_text", json!({ "bytes": 1_000_000 }));
    assert_eq!(text(&result).len(), 1_000_000);
    assert!(cost(&result, "resultBytes") >= 1_000_000, "{}", result["_meta"]);
    for bytes in [(1 << 20) + 1, 2 << 20, 7 << 20, 20 << 20] {
        let result = case.call("huge_text", json!({ "bytes": bytes }));
        assert_guest_failed(&result, "limit");
        observed("B16", format_args!("a text of {} KiB: {}", bytes >> 10, code(&result)));
    }
    case.end();
}

#[test]
fn a_result_of_very_many_blocks_is_refused_before_it_is_built() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_blocks", json!({ "blocks": 100 }));
    assert_eq!(result["content"].as_array().map(Vec::len), Some(100));
    let many = case.call("huge_blocks", json!({ "blocks": 400_000 }));
    assert_guest_failed(&many, "limit");
    let growth = case.growth_mib();
    assert!(growth <= 88, "{growth} MiB");
    case.end();
    observed("A19", format_args!("400,000 blocks: {}; host grew {growth} MiB", code(&many)));
}

#[test]
fn a_structured_result_has_to_be_json() {
    let mut case = Case::guest("bad-json");
    let result = case.call("bad-json_run", json!({ "case": "sound" }));
    assert_eq!(result["structuredContent"], json!({ "a": 1 }));
    let faults = ["truncated", "nan", "deep", "trailing", "infinite", "long-number"];
    for fault in faults {
        let result = case.call("bad-json_run", json!({ "case": fault }));
        assert_guest_failed(&result, "invalid-output");
        assert!(result.get("structuredContent").is_none(), "{result:#}");
    }
    let longer = case.call("bad-json_run", json!({ "case": "longer-number" }));
    assert_guest_failed(&longer, "limit");
    case.end();
    observed(
        "A21",
        format_args!("{}: invalid-output; a number of 10 MiB: {}", faults.join(", "), code(&longer)),
    );
}

/// What was checked is what the caller gets: one value under each key.
#[test]
fn of_two_equal_keys_in_a_structured_result_the_last_counts_and_goes_out_alone() {
    let mut case = Case::guest("bad-json");
    let result = case.call("bad-json_run", json!({ "case": "twice" }));
    assert_eq!(result["structuredContent"], json!({ "a": "last" }));
    assert_eq!(text(&result), "{\"a\":\"last\"}");
    case.end();
    observed("A21", format_args!("two equal keys: the caller gets {}", text(&result)));
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
    observed("A22", format_args!("{}; structured content {}", code(&result), result["structuredContent"]));
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
    let characters = text(&result).chars().count();
    assert!(characters <= 10_020, "{characters}");
    case.end();
    observed("B16", format_args!("an error text of 500,000 characters: {characters} arrive"));
}

#[test]
fn log_lines_are_kept_up_to_their_bounds_and_the_rest_is_counted() {
    let mut case = Case::guest("log-flood");
    // Lines, bytes of each, and how many at most are kept.
    for (lines, bytes, least, most) in
        [(100, 100, 100, 100), (200, 10, 200, 200), (1_000, 10, 200, 200), (1_000_000, 1_000, 50, 66)]
    {
        let result = case.call("log-flood_lines", json!({ "n": lines, "bytes": bytes }));
        let (kept, dropped) = (cost(&result, "logLines"), cost(&result, "logLinesDropped"));
        assert!((least..=most).contains(&kept), "{kept} of {lines} lines of {bytes} bytes");
        assert_eq!(kept + dropped, lines);
        observed("A26", format_args!("{lines} lines of {bytes} bytes: {kept} kept, {dropped} dropped"));
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
    observed(
        "A26",
        format_args!("a line of 4 MiB: {longest} bytes of log; one of 12 MiB: {}", code(&result)),
    );
}

#[test]
fn a_line_without_an_end_is_one_line_of_the_log() {
    let mut case = Case::guest("stdout-flood");
    let result = case.call("stdout-flood_line", json!({ "mebibytes": 100 }));
    assert_says(&result, "100");
    assert_eq!(cost(&result, "logLines"), 1);
    let growth = case.growth_mib();
    assert!(growth <= 24, "{growth} MiB");
    let ended = case.end();
    let longest = ended.stderr.lines().map(str::len).max().unwrap_or(0);
    assert!((2_000..4_096).contains(&longest), "the longest line has {longest} bytes");
    observed(
        "A26",
        format_args!("100 MiB without a line end: {longest} bytes of log; host grew {growth} MiB"),
    );
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
    let characters = ['\u{1b}', '\0', '\r', '\u{202e}', '\u{202c}'];
    let found = ended.stderr.matches(characters).count();
    observed("A26", format_args!("of {} control characters {found} are in the log", characters.len()));
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
    let sent = ended.messages.len();
    observed("A27", format_args!("20,004 forged answers: {forged} among the {sent} messages of the host"));
}

#[test]
fn empty_writes_cost_no_memory() {
    let mut case = Case::guest_with("empty-writes", "fuel = 10_000_000_000, deadline = \"20s\"");
    assert_says(&case.call("empty-writes_write", json!({ "n": 10 })), "10");
    let result = case.call("empty-writes_write", json!({ "n": 1_000_000 }));
    assert_says(&result, "1000000");
    let growth = case.growth_mib();
    assert!(growth <= 24, "{growth} MiB");
    case.end();
    observed("A28", format_args!("{} empty writes: host grew {growth} MiB", text(&result)));
}

#[test]
fn links_that_run_something_or_name_a_file_are_dropped() {
    let mut case = Case::guest("bad-content");
    let kept = case.call("bad-content_links", json!({ "uri": "https://example.org/a" }));
    assert_eq!(kept["content"].as_array().map(Vec::len), Some(4), "{kept:#}");
    let long = format!("data:text/html;base64,{}", "A".repeat(450_000));
    let longer = format!("data:text/html;base64,{}", "A".repeat(3 << 20));
    let bad = [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "java\r\nscript:alert(1)",
        "java\u{200b}script:alert(1)",
        "\u{1}javascript:alert(1)",
        "vbscript:x",
        long.as_str(),
    ];
    for uri in bad {
        let result = case.call("bad-content_links", json!({ "uri": uri }));
        let texts: Vec<&Value> =
            result["content"].as_array().unwrap().iter().map(|block| &block["text"]).collect();
        assert_eq!(texts, ["before", "after"], "{uri:.40}");
    }
    let too_long = case.call("bad-content_links", json!({ "uri": longer }));
    assert_guest_failed(&too_long, "limit");
    case.end();
    observed(
        "B15",
        format_args!("{} links and as many resources dropped; one of 3 MiB: {}", bad.len(), code(&too_long)),
    );
    observed("B16", format_args!("a link and a resource {}: dropped, the texts around them stay", bad[0]));
}

#[test]
fn an_image_that_is_none_stays_bytes_of_the_type_that_it_claims() {
    let mut case = Case::guest("bad-content");
    let script = json!({ "bytes": "<script>alert(1)</script>", "type": "image/png\u{202e}\u{1b}" });
    let result = case.call("bad-content_image", script);
    let image = &result["content"][0];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    assert_eq!(image["data"], "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==");
    case.end();
    observed("B16", format_args!("a script as {}: base64 as it is", image["mimeType"]));
}
