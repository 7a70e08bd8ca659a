//! What changed is withheld before anybody could read it.

use std::fs;

use serde_json::json;

use crate::kills::Random;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says};
use crate::support::promises::{kept, short_or_long};
use crate::support::told::Told;

/// A plugin that differs from the accepted one in one thing, which is named.
fn changed(random: &mut Random, n: usize) -> (&'static str, Vec<u8>) {
    let text = format!("{}-{n}", random.below(u64::MAX));
    let schema = format!(r#"{{"type":"object","properties":{{"p{n}":{{"type":"string"}}}}}}"#);
    match n % 6 {
        0 => ("description", Told { description: &format!("Runs {text}."), ..Told::default() }.component()),
        1 => ("schema", Told { schema: &schema, ..Told::default() }.component()),
        2 => ("annotations", Told { read_only: true, ..Told::default() }.component()),
        3 => ("name", Told { name: &format!("run{n}"), ..Told::default() }.component()),
        4 => ("description by one letter", Told { description: "Runs!", ..Told::default() }.component()),
        _ => {
            // Nothing that an agent could read: a custom section of the file.
            let mut padded = Told::default().component();
            padded.extend([0, 3, 1, b'x', random.below(256) as u8]);
            ("digest", padded)
        }
    }
}

#[test]
fn whatever_changes_of_a_plugin_is_withheld_from_the_next_list() {
    let home = Home::new().wat("plain").file("tool.wasm", &Told::default().component());
    assert_eq!(home.run(&["tools"]).code, Some(0));
    let mut random = Random(7);
    let (mut changes, mut withheld) = (0, 0);
    for n in 0..short_or_long(12, 100) {
        let (what, component) = changed(&mut random, n);
        fs::write(home.plugins().join("tool.wasm"), component).unwrap();
        changes += 1;
        let mut server = home.serve();
        assert_eq!(server.tool_names(), ["plain_run"], "{what}");
        assert_failed(&server.call("tool_run", json!({})), "quarantined", "policy");
        assert_says(&server.call("plain_run", json!({})), "done");
        server.end();
        withheld += 1;
    }
    // As it was accepted it runs again.
    fs::write(home.plugins().join("tool.wasm"), Told::default().component()).unwrap();
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
    kept(
        "P11",
        format_args!(
            "{withheld} of {changes} changes of text, schema, hints, name and bytes withheld before the next list"
        ),
    );
}
