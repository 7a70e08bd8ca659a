//! Strings: of a pattern, of a format, or of a length.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::maker::count;
use super::pattern;

/// What stands where a text may be anything and must not be empty.
const PLAIN: &str = "text";

/// The `nth` string that a schema allows, of at most `room` characters, found in as many steps as are left.
pub(super) fn make(
    schema: &Map<String, Value>,
    full: bool,
    nth: usize,
    room: usize,
    steps: &Cell<usize>,
) -> Option<String> {
    let least = count(schema, "minLength").unwrap_or(0);
    let most = count(schema, "maxLength").unwrap_or(usize::MAX).min(room);
    if least > most {
        return None;
    }
    let word = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
    let made = match (word("pattern"), word("format").and_then(|format| of_format(format, nth))) {
        // A pattern is checked, a format is only told.
        (Some(pattern), _) => pattern::smallest(pattern, nth, least, most, steps)?,
        (None, Some(sample)) => sample,
        (None, None) => plain(full, nth, least, most)?,
    };
    (least..=most).contains(&made.chars().count()).then_some(made)
}

/// A text of a length within bounds.
fn plain(full: bool, nth: usize, least: usize, most: usize) -> Option<String> {
    let number = if nth == 0 { String::new() } else { nth.to_string() };
    let word: String =
        if full { PLAIN.chars().take(most.saturating_sub(number.len())).collect() } else { String::new() };
    let made = word + &number;
    let padding = least.saturating_sub(made.len());
    (made.len() <= most).then(|| "a".repeat(padding) + &made)
}

/// A text of a format, where it is a known one.
fn of_format(format: &str, nth: usize) -> Option<String> {
    let tail = if nth == 0 { String::new() } else { nth.to_string() };
    Some(match format {
        "date" => format!("2024-01-{:02}", nth % 28 + 1),
        "time" => format!("12:00:{:02}Z", nth % 60),
        "date-time" => format!("2024-01-{:02}T12:00:00Z", nth % 28 + 1),
        "duration" => format!("P{}D", nth + 1),
        "email" | "idn-email" => format!("user{tail}@example.com"),
        "hostname" | "idn-hostname" => format!("host{tail}.example.com"),
        "ipv4" => format!("192.0.2.{}", nth % 254 + 1),
        "ipv6" => format!("2001:db8::{:x}", nth + 1),
        "uri" | "uri-reference" | "iri" | "iri-reference" | "uri-template" | "url" => {
            format!("https://example.com/{tail}")
        }
        "uuid" => format!("00000000-0000-4000-8000-{nth:012}"),
        "json-pointer" => format!("/a{tail}"),
        "relative-json-pointer" => nth.to_string(),
        "regex" => format!("a{tail}"),
        _ => return None,
    })
}
