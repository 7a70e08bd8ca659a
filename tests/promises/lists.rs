//! What is listed: the same bytes each time, and names that every client can use.
//!
//! Invariant: lists are compared as they came, and names as the client sees them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::promises::{kept, short_or_long};

/// The answers to so many equal requests for the list, byte by byte, each asked for after the one before.
fn lists(home: &Home, count: usize) -> BTreeSet<String> {
    let mut serve = home.command(&["serve"]);
    let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {} });
    let request =
        json!({ "jsonrpc": "2.0", "id": "list", "method": "tools/list", "params": { "_meta": meta } });
    let mut answers = BufReader::new(stdout).lines();
    let lists = (0..count)
        .map(|_| {
            writeln!(stdin, "{request}").unwrap();
            answers.next().expect("an answer").unwrap()
        })
        .collect();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    lists
}

#[test]
fn the_list_is_the_same_byte_by_byte_each_time_and_after_each_start() {
    let home = Home::new().guest("echo").guest("state").guest("memory").wat("plain").wat("traps");
    let (calls, starts) = (short_or_long(1_000, 10_000), short_or_long(3, 100));
    let mut all = lists(&home, calls);
    for _ in 0..starts {
        all.extend(lists(&home, 2));
    }
    assert_eq!(all.len(), 1, "{all:#?}");
    let list = all.pop_first().unwrap();
    let parsed: Value = serde_json::from_str(&list).unwrap();
    let tools = parsed["result"]["tools"].as_array().map_or(0, Vec::len);
    assert!(tools > 10, "{list}");
    let total = calls + 2 * starts;
    kept(
        "P29",
        format_args!(
            "{total} lists of {tools} tools, {} starts: 1 answer, of {} bytes",
            starts + 1,
            list.len()
        ),
    );
}

/// What the promise allows as a name.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Plugins whose tools have names that no tool may have.
const BAD: [&str; 8] = [
    "duplicate",
    "case-duplicate",
    "empty-name",
    "space-in-name",
    "cyrillic-name",
    "zero-width-name",
    "long-name",
    "joined-name",
];

#[test]
fn names_of_tools_are_plain_short_and_nobody_elses() {
    let cases = || BAD.into_iter().chain(["tools-64", "longest-name"]);
    // Three of one kind: what tells their tools apart is whose they are.
    let twins = Home::new().guest("echo").guest_as("echo", "other").guest_as("echo", "third").wat("plain");
    let home = cases().fold(twins, |home, case| home.guest_as("bad-metadata", case));
    let config = cases().map(|case| format!("[plugins.{case}]\nconfig = {{ case = \"{case}\" }}\n"));
    let home = home.config(&config.collect::<String>());
    let mut server = home.serve();
    let names = server.tool_names();
    server.end();
    assert!(names.iter().all(|name| is_name(name)), "{names:#?}");
    let longest = names.iter().map(String::len).max().unwrap();
    let folded: BTreeSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(folded.len(), names.len(), "names that differ by case only");
    let files = home.plugin_list();
    let states = BAD.map(|case| files.iter().find(|plugin| plugin["id"] == case).unwrap()["state"].clone());
    let refused = states.iter().filter(|state| **state == "refused").count();
    assert_eq!(refused, BAD.len(), "{states:?}");
    let of_bad =
        names.iter().filter(|name| BAD.iter().any(|case| name.starts_with(&format!("{case}_")))).count();
    assert_eq!(of_bad, 0, "{names:#?}");
    kept(
        "P12",
        format_args!(
            "{} names, {longest} bytes at most, all unlike when folded; {refused} of {} bad plugins refused",
            names.len(),
            BAD.len()
        ),
    );
}
