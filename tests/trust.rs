//! What was accepted runs, and what is not the same any more waits: the lock, `plugin approve`, and the
//! faults of both.
//!
//! Invariant: each test looks at the real lock through the real program; what is withheld is neither
//! listed nor called.

use std::fs;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_failed, assert_says, text};
use crate::support::server::Era;
use crate::support::told::{Told, described, with_manifest};
use crate::support::{SOON, holds_within};

fn lock(home: &Home) -> Option<String> {
    fs::read_to_string(home.path().join("hubcap.lock")).ok()
}

/// A home whose plugin `tool` was pinned with this component.
fn pinned(component: &[u8]) -> Home {
    let home = Home::new().wat("plain").file("tool.wasm", component);
    assert_eq!(home.run(&["tools"]).code, Some(0));
    assert!(lock(&home).unwrap().contains("[plugins.tool]"));
    home
}

/// The plugin waits for this reason: its tool is neither listed nor called, and the one beside it works.
#[track_caller]
fn assert_withheld(home: &Home, reason: &str) {
    let plugin = home.plugin("tool.wasm");
    assert_eq!((&plugin["state"], &plugin["tools"]), (&json!("quarantined"), &json!(0)), "{plugin:#}");
    let expected = format!("{reason}; `hubcap plugin approve tool` shows it and accepts it");
    assert_eq!(plugin["reason"], expected);
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    let result = server.call("tool_run", json!({}));
    assert_failed(&result, "quarantined", "policy");
    assert!(text(&result).contains("hubcap plugin approve tool"), "{result:#}");
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
}

/// The plugin is ready and answers.
#[track_caller]
fn assert_serves(home: &Home) {
    let plugin = home.plugin("tool.wasm");
    assert_eq!(plugin["state"], "ready", "{plugin:#}");
    assert_eq!(home.run(&["call", "tool_run"]).stdout, "done\n");
}

#[track_caller]
fn approve(home: &Home) -> Finished {
    let approved = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!(approved.code, Some(0), "{}{}", approved.stdout, approved.stderr);
    assert!(approved.stdout.contains("accepted: tool "), "{}", approved.stdout);
    approved
}

#[track_caller]
fn assert_has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

#[test]
fn a_newcomer_is_pinned_when_it_is_first_seen_and_a_mere_look_pins_nothing() {
    let home = Home::new().file("tool.wasm", &described("Runs."));
    let file = home.plugins().join("tool.wasm");
    for look in [
        &["plugin", "list"][..],
        &["plugin", "inspect", "tool"],
        &["plugin", "inspect", file.to_str().unwrap()],
        &["plugin", "check", file.to_str().unwrap()],
    ] {
        assert_eq!(home.run(look).code, Some(0), "{look:?}");
        assert_eq!(lock(&home), None, "{look:?}");
    }
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["tool_run"]);
    server.end();
    let first = lock(&home).unwrap();
    assert_has(&first, &["[plugins.tool]", "digest = \"sha256:", "[plugins.tool.tools.run]", "Runs."]);
    assert_eq!(home.run(&["tools"]).code, Some(0));
    assert_eq!(lock(&home).unwrap(), first);
}

#[test]
fn call_tools_and_validate_pin_what_they_use() {
    for command in [&["call", "tool_run"][..], &["tools"], &["validate", "empty.txt"]] {
        let home = Home::new().file("tool.wasm", &described("Runs.")).guest("judge");
        fs::write(home.path().join("empty.txt"), "").unwrap();
        assert_eq!(home.run(command).code, Some(0), "{command:?}");
        let lock = lock(&home).unwrap();
        assert!(lock.contains("[plugins.tool]"), "{command:?}: {lock}");
        assert_eq!(lock.contains("[plugins.judge.rules]"), command[0] != "call", "{command:?}: {lock}");
    }
}

#[test]
fn a_description_that_changed_is_withheld_until_it_is_accepted() {
    let home = pinned(&described("Runs.\nSafely."));
    fs::write(home.plugins().join("tool.wasm"), described("Runs.\nAs root.")).unwrap();
    let before = lock(&home);
    assert_withheld(&home, "the description of tool run changed, digest changed");
    assert_eq!(lock(&home), before);

    let asked = home.run(&["plugin", "approve", "tool"]);
    assert_eq!(asked.code, Some(2), "{}", asked.stderr);
    assert_has(&asked.stderr, &["nobody can be asked here", "--yes"]);
    assert_has(&asked.stdout, &["    Runs.\n", "  - Safely.\n", "  + As root.\n", "digest sha256:"]);
    assert_eq!(lock(&home), before);

    approve(&home);
    assert_serves(&home);
    let again = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (Some(0), "nothing waits: tool 0.0.0 is accepted as it is\n")
    );
    let differences =
        asked.stdout.lines().filter(|line| line.starts_with("  - ") || line.starts_with("  + "));
    let shown: Vec<&str> = differences.map(str::trim).collect();
    observed(
        "B17",
        format_args!("a new description: withheld, shown as {}, runs once accepted", shown.join(" ")),
    );
    observed("E19", format_args!("out of date: withheld, and `approve` shows {}", shown.join(" ")));
}

#[test]
fn every_part_of_a_definition_counts_and_so_do_the_bytes() {
    let schema = r#"{"type":"object","properties":{"note":{"type":"string"}}}"#;
    // The same to every agent: only the bytes differ.
    let mut padded = described("Runs.");
    padded.extend([0, 2, 1, b'x']);
    let changes = [
        (
            Told { schema, ..Told::default() }.component(),
            "the input schema of tool run changed, digest changed",
        ),
        (
            Told { read_only: true, ..Told::default() }.component(),
            "the annotations of tool run changed, digest changed",
        ),
        (
            Told { name: "walk", ..Told::default() }.component(),
            "tool run is gone, tool walk is new, digest changed",
        ),
        (padded, "digest changed, definitions are the same"),
    ];
    for (changed, reason) in &changes {
        let home = pinned(&described("Runs."));
        fs::write(home.plugins().join("tool.wasm"), changed).unwrap();
        assert_withheld(&home, reason);
        fs::write(home.plugins().join("tool.wasm"), described("Runs.")).unwrap();
        assert_serves(&home);
    }
    let reasons: Vec<&str> = changes.iter().map(|(_, reason)| reason.split(',').next().unwrap()).collect();
    observed("B17", format_args!("{} other changes withheld: {}", changes.len(), reasons[1..].join("; ")));
}

#[test]
fn another_configuration_that_changes_the_definitions_is_noticed() {
    let home =
        Home::new().guest("bad-metadata").config("[plugins.bad-metadata]\nconfig = { case = \"x\" }\n");
    assert_eq!(home.run(&["tools"]).code, Some(0));
    let home = home.config("[plugins.bad-metadata]\nconfig = { case = \"longest-name\" }\n");
    let plugin = home.plugin("bad-metadata.wasm");
    assert_eq!(plugin["state"], "quarantined");
    assert_has(plugin["reason"].as_str().unwrap(), &["tool t is gone, tool nnn"]);
}

const ASKS: &str = "id = \"tool\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";

#[test]
fn a_plugin_that_asks_for_more_waits_and_says_what_for() {
    let home = pinned(&with_manifest(described("Runs."), ASKS));
    let more = ASKS.replace("1.0.0", "1.1.0") + "[[ask.http]]\nurl = \"http://evil.example\"\n";
    fs::write(home.plugins().join("tool.wasm"), with_manifest(described("Runs."), &more)).unwrap();
    assert_withheld(
        &home,
        "version 1.0.0 became 1.1.0, it asks for more: GET requests to http://evil.example, digest changed",
    );
    let approved = approve(&home);
    assert_has(&approved.stdout, &["tool 1.0.0 → 1.1.0\n", "it asks for more: GET requests to http://evil"]);
    assert_serves(&home);
}

#[test]
fn a_newcomer_whose_id_has_grants_waits() {
    let component = with_manifest(described("Runs."), ASKS);
    let home = Home::new().wat("plain").file("tool.wasm", &component);
    let home = home.config("[plugins.tool.grant]\nkv = \"1MiB\"\n");
    assert_withheld(&home, "it is new, and hubcap.toml grants its id something");
    assert!(!lock(&home).unwrap().contains("[plugins.tool]"));
    let approved = approve(&home);
    assert_has(
        &approved.stdout,
        &["tool 1.0.0, which is new\n", "it asks for more: 1 MiB of state", "+ description: Runs."],
    );
    assert_serves(&home);
}

#[test]
fn annotations_of_a_guest_open_no_door() {
    let component = |read_only| Told { read_only, ..Told::default() }.component();
    let mut states = Vec::new();
    for read_only in [false, true] {
        let home = Home::new().wat("plain").file("tool.wasm", &component(read_only));
        assert_withheld(
            &home.config("[plugins.tool.grant]\nkv = 1024\n"),
            "it is new, and hubcap.toml grants its id something",
        );
        let home = Home::new().wat("plain").file("tool.wasm", &component(read_only));
        let home = home.config("[trust]\nmode = \"locked\"\n");
        let state = home.plugin("tool.wasm")["state"].clone();
        assert_eq!(state, "quarantined");
        states.push(format!("read-only {read_only}: {}", state.as_str().unwrap()));
    }
    observed("B09", format_args!("with grants and where it is locked, {}", states.join(", ")));
}

#[test]
fn where_it_is_locked_only_what_is_pinned_runs() {
    let home = pinned(&described("Runs.")).config("[trust]\nmode = \"locked\"\n");
    fs::write(home.plugins().join("other.wasm"), described("Runs too.")).unwrap();
    assert_eq!(
        home.plugin("other.wasm")["reason"],
        "it is new, and [trust] mode is \"locked\"; `hubcap plugin approve other` shows it and accepts it"
    );
    assert_serves(&home);
    assert!(!lock(&home).unwrap().contains("[plugins.other]"));
    assert_eq!(home.run(&["plugin", "approve", "other", "--yes"]).code, Some(0));
    assert_eq!(home.run(&["call", "other_run"]).stdout, "done\n");
}

#[test]
fn with_dev_changes_are_accepted_as_they_come_warned_of_once_and_never_pinned() {
    let home = pinned(&described("Runs."));
    let before = lock(&home);
    fs::write(home.plugins().join("tool.wasm"), described("Runs, new.")).unwrap();
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), Era::Legacy("2025-11-25"));
    assert_says(&server.call("tool_run", json!({})), "done");
    fs::write(home.plugins().join("tool.wasm"), Told { name: "walk", ..Told::default() }.component())
        .unwrap();
    assert!(holds_within(SOON, || server.tool_names().contains(&"tool_walk".into())));
    let stderr = server.end().stderr;
    assert_eq!(stderr.matches("every change is accepted as it comes").count(), 1, "{stderr}");
    assert_eq!(lock(&home), before);
    assert_withheld(&home, "tool run is gone, tool walk is new, digest changed");
}

#[test]
fn the_file_that_the_lock_holds_keeps_its_id_against_any_other() {
    let home = pinned(&described("Runs."));
    let claim = "id = \"tool\"\nversion = \"9.0.0\"\n";
    fs::write(home.plugins().join("a.wasm"), with_manifest(described("Mine now."), claim)).unwrap();
    let other = home.plugin("a.wasm");
    assert_eq!(other["state"], "refused");
    assert_has(
        other["reason"].as_str().unwrap(),
        &["duplicate id", "tool.wasm, whose digest the lock holds"],
    );
    assert_serves(&home);
    // Without the file that was accepted nobody has the id: not the newcomer, not by being alone.
    fs::remove_file(home.plugins().join("tool.wasm")).unwrap();
    assert_eq!(home.plugin("a.wasm")["state"], "quarantined");
    fs::write(home.plugins().join("b.wasm"), with_manifest(described("No, mine."), claim)).unwrap();
    for file in ["a.wasm", "b.wasm"] {
        assert_has(home.plugin(file)["reason"].as_str().unwrap(), &["duplicate id", "a.wasm", "b.wasm"]);
    }
    observed("E06", format_args!("beside the file that was accepted, another is {}", other["state"]));
}

#[test]
fn a_lock_that_is_wrong_stops_every_command_with_its_place() {
    let home = pinned(&described("Runs."));
    let good = lock(&home).unwrap();
    let mut stopped = 0;
    for (from, to, told) in [
        ("Runs.", "Runs!", "changed by hand: the hash of the text is sha256:"),
        ("digest = \"sha256:", "digest = \"md5:", "64 lower-case hexadecimal digits"),
        ("version = 1", "version = 99", "form 99"),
        ("[plugins.tool]", "[plugins.tool", ""),
    ] {
        let bad = good.replacen(from, to, 1);
        fs::write(home.path().join("hubcap.lock"), &bad).unwrap();
        for command in [&["serve"][..], &["tools"], &["plugin", "list"], &["plugin", "approve", "tool"]] {
            let refused = home.run(command);
            assert_eq!(refused.code, Some(2), "{command:?}: {}", refused.stderr);
            let (_, place) = refused.stderr.split_once("hubcap.lock:").expect("the file is named");
            let numbers: Vec<_> = place.split(':').take(2).map(str::parse::<u32>).collect();
            assert!(numbers.iter().all(Result::is_ok), "{}", refused.stderr);
            assert_has(&refused.stderr, &[told]);
        }
        assert_eq!(lock(&home).unwrap(), bad);
        stopped += 1;
    }
    // Line ends of another system are no change.
    fs::write(home.path().join("hubcap.lock"), good.replace('\n', "\r\n")).unwrap();
    assert_serves(&home);
    let state = home.plugin("tool.wasm")["state"].clone();
    observed(
        "E19",
        format_args!("edited by hand: {stopped} of 4 stop every command, lock kept; CRLF: {state}"),
    );
}

#[test]
fn a_home_that_cannot_be_written_is_warned_of_and_works() {
    let home = Home::new().file("tool.wasm", &described("Runs."));
    fs::create_dir(home.path().join(".hubcap.lock.guard")).unwrap();
    let mut server = home.serve();
    assert_says(&server.call("tool_run", json!({})), "done");
    assert_eq!(server.tool_names(), ["tool_run"]);
    let stderr = server.end().stderr;
    assert_has(&stderr, &["plugins are not pinned", "hubcap.lock"]);
    assert_eq!(lock(&home), None);
    let refused = home.run(&["plugin", "approve", "tool", "--yes"]);
    assert_eq!(refused.code, Some(1));
    assert_has(&refused.stderr, &["cannot write", "hubcap.lock"]);
}

#[test]
fn plugins_that_are_named_work_without_a_home_and_none_is_made() {
    let elsewhere = Home::new().file("tool.wasm", &described("Runs."));
    let home = Home::new();
    let plugins = elsewhere.plugins();
    let mut command = home.bare_command(&["tools", "--plugins", plugins.to_str().unwrap()]);
    let listed = finish(&mut command, b"");
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), "tool_run\n    Runs.\n"));
    assert_has(&listed.stderr, &["plugins are not pinned", "is not there"]);
    assert!(!home.path().join(".local").exists() && lock(&elsewhere).is_none());
}

#[test]
fn approvals_and_servers_at_once_lose_nothing() {
    let home = pinned(&described("Runs."));
    let mut server = home.serve();
    assert_says(&server.call("tool_run", json!({})), "done");
    fs::write(home.plugins().join("tool.wasm"), described("Runs, new.")).unwrap();
    let more: Vec<Home> = (0..4)
        .map(|n| Home::new().file(&format!("more-{n}.wasm"), &described(&format!("Runs {n}."))))
        .collect();
    std::thread::scope(|threads| {
        threads.spawn(|| approve(&home));
        for other in &more {
            let plugins = other.plugins();
            let home = &home;
            threads.spawn(move || home.run(&["tools", "--plugins", plugins.to_str().unwrap()]));
        }
    });
    let lock = lock(&home).unwrap();
    assert_has(
        &lock,
        &["[plugins.more-0]", "[plugins.more-1]", "[plugins.more-2]", "[plugins.more-3]", "Runs, new."],
    );
    // What runs goes on with what it has.
    assert_says(&server.call("tool_run", json!({})), "done");
    server.end();
    assert_serves(&home);
}

#[test]
fn what_cannot_be_approved_is_told_apart() {
    let home = pinned(&described("Runs.")).file("broken.wasm", b"no component");
    let home = home.config("[plugins.plain]\nenabled = false\n");
    let unknown = home.run(&["plugin", "approve", "tol", "--yes"]);
    assert_eq!(unknown.code, Some(2));
    assert_has(&unknown.stderr, &["there is no plugin \"tol\"; did you mean \"tool\"?"]);
    let disabled = home.run(&["plugin", "approve", "plain", "--yes"]);
    assert_eq!(disabled.code, Some(1));
    assert_has(&disabled.stderr, &["nothing to accept", "switched off"]);
}

#[test]
fn inspect_shows_where_a_plugin_stands_whatever_that_is() {
    let home = pinned(&described("Runs."));
    let standing = |home: &Home| -> Value {
        let inspected = home.run(&["plugin", "inspect", "tool", "--json"]);
        let inspected: Value = serde_json::from_str(&inspected.stdout).expect("it is shown");
        inspected["lock"].clone()
    };
    assert_eq!(standing(&home), json!({ "standing": "accepted", "reason": null }));
    fs::write(home.plugins().join("tool.wasm"), described("Changed.")).unwrap();
    assert_eq!(standing(&home)["reason"], "the description of tool run changed, digest changed");
    let page = home.run(&["plugin", "inspect", "tool"]).stdout;
    assert_has(&page, &["lock      waits: the description of tool run changed", "Changed."]);
    fs::remove_file(home.path().join("hubcap.lock")).unwrap();
    assert_eq!(standing(&home)["standing"], "new");
}
