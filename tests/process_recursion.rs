//! A program that a plugin started starts hubcap again.
//!
//! Invariant: whatever it starts is a process that came of it, and ends with it.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::run;
use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::programs::Stage;
use crate::support::{SOON, holds_within};

#[test]
fn a_hubcap_in_a_program_is_told_nothing_of_the_hub_that_started_it() {
    let hubcap = env!("CARGO_BIN_EXE_hubcap");
    let stage = Stage::new()
        .script("env", "tr '\\0' '\\n' < /proc/$$/environ")
        .script("tools", &format!("HOME=$PWD {hubcap} tools; echo \"$?\""))
        .script(
            "call",
            &format!("HOME=$PWD {hubcap} call programs_run '{{\"command\": \"env\"}}' 2>&1; echo \"$?\""),
        );
    let home = stage.home();
    let mut case = Case::of(home);
    let given = run(&mut case, json!({ "command": "env" }));
    assert_eq!(given, "", "it has no variables at all");
    let result = case.call("programs_run", json!({ "command": "tools" }));
    let said = result["structuredContent"]["stderr"].as_str().unwrap();
    let listed = said.lines().find(|line| line.starts_with("no tools: "));
    let listed = listed.unwrap_or_else(|| panic!("{result:#}"));
    let called = run(&mut case, json!({ "command": "call" }));
    assert!(called.contains("there is no tool \"programs_run\"") && called.ends_with("\n1\n"), "{called}");
    case.end();
    observed("C35", format_args!("hubcap in a program: {} variables, {}", given.lines().count(), listed));
}

/// Calls the tool that runs it, in the same home, whose place a file beside it says.
const AGAIN: &str = "d=${0%/*}
echo x >> \"$d/levels\"
echo started
exec \"$(cat \"$d/hubcap\")\" call programs_run @\"$d/arguments\" --home \"$(cat \"$d/home\")\"";

#[test]
fn a_program_that_calls_its_own_tool_again_and_again_ends_with_the_outermost_call() {
    let stage = Stage::with_budget("deadline = \"120s\", fuel = 20_000_000_000").script("again", AGAIN);
    let home = stage.home();
    let arguments = stage.arguments("again", &[]);
    for (name, text) in [
        ("hubcap", env!("CARGO_BIN_EXE_hubcap")),
        ("home", home.path().to_str().unwrap()),
        ("arguments", &arguments.to_string()),
    ] {
        fs::write(stage.at(name), text).unwrap();
    }
    let mut case = Case::of(home);
    let levels = || fs::read_to_string(stage.at("levels")).unwrap_or_default().lines().count();
    let id: Value = case.server.send_running_call("programs_hold", arguments);
    assert!(holds_within(3 * SOON, || levels() >= 3), "{}", levels());
    let cancelled = Instant::now();
    case.server.cancel(&id);
    stage.assert_gone_within(SOON);
    let (time, reached) = (cancelled.elapsed(), levels());
    // Nothing is left that could begin another level.
    assert!(!holds_within(Duration::from_secs(1), || levels() > reached || !stage.running().is_empty()));
    case.end();
    observed(
        "C35",
        format_args!(
            "{reached} levels in one another, all gone {time:.1?} after the outermost was cancelled"
        ),
    );
}
