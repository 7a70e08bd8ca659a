//! Guests that hang while they are loaded, and guests that describe themselves as no plugin may.
//!
//! Invariant: each is refused for a reason that names its fault, or made harmless, and the others serve.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::message::assert_says;

/// A home with `bad-metadata` once for each case: the case is its id and its configuration.
fn home_of(cases: &[&str]) -> Home {
    let home = cases.iter().fold(Home::new().wat("plain"), |home, case| home.guest_as("bad-metadata", case));
    let table = |case: &&str| format!("[plugins.{case}]\nconfig = {{ case = \"{case}\" }}\n");
    home.config(&cases.iter().map(table).collect::<String>())
}

/// Characters that hide text or change how it looks.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn a_plugin_that_hangs_while_it_loads_is_refused_in_time() {
    let home = Home::new().guest("looping-init").guest("looping-list").wat("plain");
    let start = Instant::now();
    for file in ["looping-init.wasm", "looping-list.wasm"] {
        let plugin = home.plugin(file);
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap();
        assert!(reason.contains("fuel") || reason.contains("deadline"), "{reason}");
        assert_eq!(plugin["tools"], 0);
    }
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
}

#[test]
fn definitions_that_break_a_rule_are_refused_by_name() {
    let cases = [
        ("tools-65", "64"),
        ("duplicate", "same"),
        ("case-duplicate", "same"),
        ("empty-name", "name"),
        ("space-in-name", "a b"),
        ("cyrillic-name", "name"),
        ("zero-width-name", "name"),
        ("long-name", "40"),
        ("joined-name", "51"),
        ("array-schema", "schema"),
        ("string-schema", "object"),
        ("remote-ref", "$ref"),
        ("file-ref", "$ref"),
        ("deep-schema", "16"),
        ("large-schema", "32"),
        ("no-regex", "regex"),
    ];
    let home = home_of(&cases.map(|(case, _)| case));
    let list = home.plugin_list();
    for (case, word) in cases {
        let plugin = list.iter().find(|plugin| plugin["id"] == case).unwrap();
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap();
        assert!(reason.contains(word) && !reason.contains('\n'), "{case}: {reason}");
        assert!(!reason.contains(harmful), "{case}: {reason:?}");
    }
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    server.end();
}

#[test]
fn definitions_that_go_as_far_as_they_may_are_listed() {
    let cases = ["tools-64", "longest-name", "full-description", "shallow-schema"];
    let home = home_of(&cases);
    for plugin in home.plugin_list() {
        assert_eq!(plugin["reason"], Value::Null, "{plugin:#}");
        assert_eq!(plugin["state"], "ready");
    }
    let mut server = home.serve();
    let names = server.tool_names();
    assert_eq!(names.len(), 64 + 4);
    assert!(names.is_sorted());
    server.end();
}

#[test]
fn descriptions_are_cut_and_cleaned_or_refused() {
    let home = home_of(&["long-description", "control-description"]);
    let mut server = home.serve();
    let listed = server.request("tools/list", json!({}));
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let description = tool["description"].as_str().unwrap();
        assert!(description.len() <= 2_048 + 64, "{} bytes", description.len());
        let bad =
            |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}');
        assert!(!description.contains(bad), "{description:?}");
    }
    server.end();
}
