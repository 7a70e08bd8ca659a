//! What the tests read in a tool's result.

use serde_json::Value;

/// The text of the first block.
#[track_caller]
pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result:#}"))
}

/// The receipt.
#[track_caller]
pub(crate) fn receipt(result: &Value) -> &Value {
    let receipt = &result["_meta"]["hubcap/receipt"];
    assert!(receipt.is_object(), "no receipt in {result:#}");
    receipt
}

/// A number of the receipt.
#[track_caller]
pub(crate) fn cost(result: &Value, field: &str) -> u64 {
    receipt(result)[field].as_u64().unwrap_or_else(|| panic!("no {field} in {result:#}"))
}

/// The code of a failure; empty where it is none.
pub(crate) fn code(result: &Value) -> &str {
    result["_meta"]["hubcap/error"]["code"].as_str().unwrap_or("")
}

/// The call worked and said this.
#[track_caller]
pub(crate) fn assert_says(result: &Value, expected: &str) {
    assert_ne!(result["isError"], true, "{result:#}");
    assert_eq!(text(result), expected);
}

/// The call failed in this way, and in one that a caller can read: the code in front, no backtrace, and
/// not too long.
#[track_caller]
pub(crate) fn assert_failed(result: &Value, code: &str, blame: &str) {
    assert_eq!(result["isError"], true, "{result:#}");
    assert_eq!(result["_meta"]["hubcap/error"]["code"], code, "{result:#}");
    assert_eq!(result["_meta"]["hubcap/error"]["blame"], blame, "{result:#}");
    let text = text(result);
    assert!(text.starts_with(&format!("{code}: ")), "{text}");
    let message = text.chars().count() - code.len() - 2;
    assert!(message <= 10_000, "a message of {message} characters");
    for trace in ["backtrace", "<unknown>!", ".rs:"] {
        assert!(!text.contains(trace), "{text}");
    }
}

/// The guest's own fault, with what it cost.
#[track_caller]
pub(crate) fn assert_guest_failed(result: &Value, code: &str) {
    assert_failed(result, code, "plugin");
    receipt(result);
}
