//! Clients that call a plugin while it is replaced or withheld.
//!
//! Invariant: every call has one answer, which is of one whole version or says why there is none.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::{root, wat_component};
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::promises::short_or_long;
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

/// A plugin that answers with these four letters, and describes itself with these.
fn version(answer: &str, description: &str) -> Vec<u8> {
    let part = fs::read_to_string(root().join("tests/guests/wat/plugin.part")).unwrap();
    let described = "A hand-written test tool.";
    assert!(part.contains("\"done\"") && part.contains(described));
    assert!(answer.len() == 4 && description.len() == described.len());
    wat_component(&part.replace("\"done\"", &format!("{answer:?}")).replace(described, description))
}

/// Puts a whole file in the place of another.
fn replace(home: &Home, component: &[u8]) {
    let path = home.plugins().join("tool.wasm");
    fs::write(path.with_extension("new"), component).unwrap();
    fs::rename(path.with_extension("new"), path).unwrap();
}

/// Sixteen calls at once, and how each was answered: what it said, or the code of its failure.
fn burst(server: &mut Server) -> Vec<String> {
    let ids: Vec<Value> = (0..16).map(|_| server.send_call("tool_run", json!({}))).collect();
    let answer = |id: &Value| {
        let answer = server.answer(id);
        match answer.get("error") {
            Some(error) => error["code"].to_string(),
            None if answer["result"]["isError"] == true => code(&answer["result"]).to_owned(),
            None => text(&answer["result"]).to_owned(),
        }
    };
    let answers = ids.iter().map(answer).collect();
    server.forget_messages();
    answers
}

const DESCRIPTION: &str = "A hand-written test tool.";

#[test]
fn calls_during_a_reload_are_each_served_by_one_version() {
    let home = Home::new().file("tool.wasm", &version("v00.", DESCRIPTION));
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    assert_says(&server.call("tool_run", json!({})), "v00.");
    let reloads = short_or_long(6, 99);
    let (mut calls, mut during, mut before) = (0, 0, "v00.".to_owned());
    for n in 1..=reloads {
        let after = format!("v{n:02}.");
        replace(&home, &version(&after, DESCRIPTION));
        let served = holds_within(SOON, || {
            let answers = burst(&mut server);
            let old = answers.iter().filter(|said| **said == before).count();
            let new = answers.iter().filter(|said| **said == after).count();
            assert_eq!(old + new, answers.len(), "{answers:?}");
            calls += answers.len();
            during += old;
            new == answers.len()
        });
        assert!(served, "{after} is not served: {}", server.stderr());
        before = after;
    }
    assert!(during > 0, "no call came before the new version was there");
    server.end();
    observed("D21", format_args!("{reloads} reloads: {calls} calls, {during} by the version before, 0 lost"));
}

#[test]
fn calls_of_a_plugin_that_is_withheld_are_told_so() {
    let home = Home::new().wat("plain").file("tool.wasm", &version("one.", DESCRIPTION)).accept("tool");
    let mut server = home.serve();
    assert_says(&server.call("tool_run", json!({})), "one.");
    server.end();
    // It describes itself in another way than when it was accepted.
    replace(&home, &version("two.", "A hand-written fine tool."));
    let mut server = home.serve();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    burst(&mut server).into_iter().for_each(|answer| *told.entry(answer).or_default() += 1);
    let withheld = server.call("tool_run", json!({}));
    assert_failed(&withheld, "quarantined", "policy");
    assert_eq!(told, BTreeMap::from([("quarantined".to_owned(), 16)]));
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
    observed("D21", format_args!("withheld: {told:?}; the neighbour is served"));
}
