//! Plugin files that change while they are in use: written in place, touched, taken away, replaced.
//!
//! Invariant: every call is answered by one whole version, and by none that was not accepted.

use std::fs::{self, File};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::support::cases::observed;
use crate::support::guests::{root, wasm, wat_component};
use crate::support::holds_within;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::{Era, Server};

/// A plugin that answers with these four letters.
fn version(answer: &str) -> Vec<u8> {
    let part = fs::read_to_string(root().join("tests/guests/wat/plugin.part")).unwrap();
    assert!(part.contains("\"done\"") && answer.len() == 4);
    wat_component(&part.replace("\"done\"", &format!("{answer:?}")))
}

fn said(server: &mut Server) -> String {
    let result = server.call("tool_run", json!({}));
    assert_ne!(result["isError"], true, "{result:#}");
    text(&result).to_owned()
}

#[test]
fn a_copy_that_is_not_whole_is_never_taken_for_what_was_accepted() {
    let whole = wasm("echo");
    let home = Home::new().wat("plain").file("tool.wasm", &whole);
    assert_eq!(home.run(&["tools"]).code, Some(0));
    let mut halves: Vec<Vec<u8>> =
        (1..whole.len()).step_by(whole.len() / 7).map(|cut| whole[..cut].to_vec()).collect();
    // A copy in place: the new start before the old end.
    let mut other = whole.clone();
    let at = whole.len() - 20;
    other[at] ^= 1;
    halves.push(other);
    let mut states = Vec::new();
    for half in &halves {
        fs::write(home.plugins().join("tool.wasm"), half).unwrap();
        let state = home.plugin("tool.wasm")["state"].clone();
        assert!(state == "refused" || state == "quarantined", "{} bytes: {state}", half.len());
        assert_ne!(home.run(&["call", "tool_say", r#"{"text":"hi"}"#]).code, Some(0));
        states.push(state);
    }
    fs::write(home.plugins().join("tool.wasm"), &whole).unwrap();
    assert_eq!(home.run(&["call", "tool_say", r#"{"text":"hi"}"#]).stdout, "hi\n");
    let refused = states.iter().filter(|state| **state == "refused").count();
    let withheld = states.len() - refused;
    observed("E07", format_args!("{} partial copies: {refused} refused, {withheld} withheld", states.len()));
}

#[test]
fn a_running_hub_goes_on_with_what_it_loaded_and_the_next_one_withholds_what_changed() {
    let (old, new) = (version("one."), version("two."));
    let home = Home::new().wat("plain").file("tool.wasm", &old);
    let path = home.plugins().join("tool.wasm");
    let mut server = home.serve();
    let mut calls = 0;
    let mut still_the_same = |server: &mut Server| {
        assert_eq!(said(server), "one.");
        calls += 1;
    };
    still_the_same(&mut server);
    for _ in 0..20 {
        // In place and slowly; touched only; another one in its place; none at all; and back.
        fs::write(&path, &new[..new.len() / 2]).unwrap();
        still_the_same(&mut server);
        fs::write(&path, &new).unwrap();
        still_the_same(&mut server);
        File::options().append(true).open(&path).unwrap().set_modified(SystemTime::now()).unwrap();
        still_the_same(&mut server);
        fs::write(path.with_extension("new"), &old).unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
        still_the_same(&mut server);
        fs::remove_file(&path).unwrap();
        still_the_same(&mut server);
    }
    fs::write(&path, &new).unwrap();
    // The same hub, and one that starts now.
    still_the_same(&mut server);
    let mut next = home.serve();
    assert_failed(&next.call("tool_run", json!({})), "quarantined", "policy");
    assert_says(&next.call("plain_run", json!({})), "done");
    next.end();
    server.end();
    fs::write(&path, &old).unwrap();
    File::options().append(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "one.\n", "the same bytes are the same plugin");
    observed(
        "E07",
        format_args!("100 replacements under a running hub: {calls} of {calls} calls by what was accepted"),
    );
}

#[test]
fn with_dev_a_slow_copy_loses_no_call_and_is_served_when_it_is_whole() {
    let home = Home::new().file("tool.wasm", &version("one."));
    let path = home.plugins().join("tool.wasm");
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    let (mut calls, mut before) = (0, "one.".to_owned());
    assert_eq!(said(&mut server), before);
    for n in 0..6 {
        let after = format!("v{n:02}.");
        let new = version(&after);
        // Half of it for longer than two looks: a file that cannot be loaded.
        fs::write(&path, &new[..new.len() / 2]).unwrap();
        let half = Instant::now();
        while half.elapsed() < Duration::from_millis(700) {
            assert_eq!(said(&mut server), before);
            calls += 1;
        }
        fs::write(&path, &new).unwrap();
        let served = holds_within(crate::support::SOON, || {
            let now = said(&mut server);
            assert!(now == before || now == after, "{now}");
            calls += 1;
            now == after
        });
        assert!(served, "{after} is not served: {}", server.stderr());
        before = after;
    }
    server.end();
    observed(
        "E07",
        format_args!("6 slow copies with --dev: {calls} calls, each by one whole version, 0 lost"),
    );
}
