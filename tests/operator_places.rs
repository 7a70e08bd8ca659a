//! Plugin directories that go and come, are full of rubbish, or hold what somebody compiled before.
//!
//! Invariant: a fault that did not happen fails its test, and the good plugin serves whatever lies around it.

use std::fs::{self, Permissions};
use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use hubcap::engine::Engine;
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::wat;
use crate::support::home::{Home, finish};
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};
use crate::support::server::{Era, Server};
use crate::support::told::described;
use crate::support::{SOON, holds_within};

const ERA: Era = Era::Legacy("2025-11-25");

#[track_caller]
fn assert_serves(server: &mut Server) {
    assert_says(&server.call("plain_run", json!({})), "done");
}

/// The command without the right of root to read what nobody may read.
fn without_override(home: &Home, arguments: &[&str]) -> Command {
    let command = home.command(arguments);
    if !rustix::process::geteuid().is_root() {
        return command;
    }
    let mut dropped = Command::new("setpriv");
    dropped.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(command.get_program());
    dropped.args(command.get_args()).current_dir(home.path()).env_clear();
    dropped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    dropped
}

#[test]
fn a_file_that_nobody_may_read_is_refused_with_the_systems_reason() {
    let home = Home::new().wat("plain").wat("traps");
    fs::set_permissions(home.plugins().join("traps.wasm"), Permissions::from_mode(0o000)).unwrap();
    let listed = finish(&mut without_override(&home, &["plugin", "list", "--json"]), b"");
    let list: Value = serde_json::from_str(&listed.stdout).expect(&listed.stderr);
    let (plain, traps) = (&list["plugins"][0], &list["plugins"][1]);
    assert_eq!((&plain["state"], &traps["state"]), (&json!("ready"), &json!("refused")), "{list:#}");
    let reason = traps["reason"].as_str().unwrap();
    assert!(reason.starts_with("cannot be read: Permission denied"), "{reason}");
    let mut server = home.serve_as(&mut without_override(&home, &["serve"]), ERA);
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_serves(&mut server);
    server.end();
    observed("E01", format_args!("with mode 000: {} ({reason}), the neighbour serves", traps["state"]));
}

/// What a component is once it is compiled, by an engine like the host's own.
fn artifact(component: &[u8]) -> Vec<u8> {
    Engine::new(2).unwrap().compile(component).unwrap().serialize().unwrap()
}

#[test]
fn what_was_compiled_before_is_refused_as_a_plugin_and_never_opened_elsewhere() {
    let artifact = artifact(&described("Compiled before."));
    let home = Home::new().wat("plain");
    assert_eq!(home.run(&["tools"]).code, Some(0));
    let places =
        ["state/tool.cwasm", "state/plain.cwasm", "state/cache/plain", "plugins/plain.cwasm", "plain.cwasm"];
    fs::create_dir_all(home.path().join("state/cache")).unwrap();
    fs::set_permissions(home.path().join("state"), Permissions::from_mode(0o700)).unwrap();
    let home = home.file("tool.wasm", &artifact);
    let watch = init(CreateFlags::NONBLOCK).unwrap();
    let mut names = Vec::new();
    for place in places.iter().copied().chain(["plugins/tool.wasm"]) {
        let path = home.path().join(place);
        fs::write(&path, &artifact).unwrap();
        names.push((add_watch(&watch, path, WatchFlags::OPEN | WatchFlags::ACCESS).unwrap(), place));
    }
    let plugin = home.plugin("tool.wasm");
    assert_eq!(plugin["state"], "refused", "{plugin:#}");
    assert!(plugin["reason"].as_str().unwrap().contains("precompiled"), "{plugin:#}");
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_serves(&mut server);
    server.end();
    let mut buffer = [MaybeUninit::uninit(); 4_096];
    let mut events = Reader::new(&watch, &mut buffer);
    let (mut elsewhere, mut as_plugin) = (Vec::new(), 0);
    while let Ok(event) = events.next() {
        match names.iter().find(|(watched, _)| *watched == event.wd()).unwrap().1 {
            "plugins/tool.wasm" => as_plugin += 1,
            place => elsewhere.push(place),
        }
    }
    assert_eq!(elsewhere, [""; 0]);
    // What was read as a plugin was seen, so the eyes are open.
    assert!(as_plugin > 0);
    observed(
        "E04",
        format_args!("a real artifact of {} bytes as a plugin: {}", artifact.len(), plugin["state"]),
    );
    observed(
        "E11",
        format_args!("artifacts at {} places of a cache: opened {} times", places.len(), elsewhere.len()),
    );
}

/// One that differs from the artifact, each time in another way.
fn mutated(artifact: &[u8], n: usize) -> Vec<u8> {
    let mut bytes = artifact.to_vec();
    let at = n.wrapping_mul(2_654_435_761) % bytes.len();
    match n % 4 {
        0 => bytes[at] ^= 1 << (n % 8),
        1 => bytes.truncate(at.max(1)),
        2 => bytes[at..].iter_mut().take(64).for_each(|byte| *byte = !*byte),
        _ => bytes.extend_from_slice(&artifact[..at.min(4_096)]),
    }
    bytes
}

#[test]
fn no_artifact_is_run_however_it_was_changed() {
    let artifact = artifact(&described("Compiled before."));
    let (rounds, each) = (short_or_long(2, 50), 200);
    let (mut tried, mut refused) = (0, 0);
    for round in 0..rounds {
        let home = (0..each).fold(Home::new().wat("plain"), |home, n| {
            home.file(&format!("m{n}.wasm"), &mutated(&artifact, round * each + n))
        });
        let list = home.plugin_list();
        let of = |state: &str| list.iter().filter(|plugin| plugin["state"] == state).count();
        assert_eq!((of("refused"), of("ready")), (each, 1), "{list:#?}");
        let mut server = home.serve();
        assert_eq!(server.tool_names(), ["plain_run"]);
        assert_serves(&mut server);
        server.end();
        (tried, refused) = (tried + each, refused + of("refused"));
    }
    let run = tried - refused;
    kept("P26", format_args!("{tried} changed artifacts: {refused} refused, {run} run"));
    observed("E11", format_args!("{tried} artifacts with bits flipped, cut, longer: {run} run"));
}

#[test]
fn a_running_hub_serves_on_when_its_directory_goes_moves_or_comes_back_empty() {
    type Fault = fn(&Path);
    let faults: [(&str, Fault); 5] = [
        ("moved", |at| fs::rename(at, at.with_extension("moved")).unwrap()),
        ("deleted", |at| fs::remove_dir_all(at).unwrap()),
        ("made anew", |at| {
            fs::remove_dir_all(at).unwrap();
            fs::create_dir(at).unwrap();
        }),
        ("a file in its place", |at| {
            fs::remove_dir_all(at).unwrap();
            fs::write(at, "no directory").unwrap();
        }),
        ("a link to nowhere", |at| {
            fs::remove_dir_all(at).unwrap();
            std::os::unix::fs::symlink("nowhere", at).unwrap();
        }),
    ];
    let (mut took_effect, mut calls) = (0, 0);
    for (name, fault) in faults {
        let home = Home::new().wat("plain");
        let mut server = home.serve();
        assert_serves(&mut server);
        fault(&home.plugins());
        took_effect += usize::from(!home.plugins().join("plain.wasm").exists());
        for _ in 0..5 {
            assert_serves(&mut server);
            assert_eq!(server.tool_names(), ["plain_run"], "{name}");
            calls += 1;
        }
        server.end();
        // The next one has none, and says so.
        assert_ne!(home.run(&["call", "plain_run"]).code, Some(0), "{name}");
    }
    assert_eq!(took_effect, faults.len());
    observed(
        "E08",
        format_args!("{took_effect} faults of the directory under a running hub: {calls} calls, 0 lost"),
    );
}

#[test]
fn with_dev_a_directory_that_is_gone_takes_nothing_away_and_is_read_when_it_is_back() {
    // One that the operator names: the default one is there once the first plugin is.
    let home = Home::new().wat("plain").config("plugin-dirs = [\"plugins\"]\n");
    let mut server = home.serve_as(&mut home.command(&["serve", "--dev"]), ERA);
    assert_serves(&mut server);
    let away = home.path().join("away");
    let mut turns = 0;
    for turn in 0..3 {
        fs::rename(home.plugins(), &away).unwrap();
        let told = |server: &Server| server.stderr().matches("what is loaded goes on").count();
        assert!(holds_within(SOON, || told(&server) > turn), "{}", server.stderr());
        assert_serves(&mut server);
        fs::write(away.join(format!("new{turn}.wasm")), wat("plain")).unwrap();
        fs::rename(&away, home.plugins()).unwrap();
        let tool = format!("new{turn}_run");
        assert!(holds_within(SOON, || server.tool_names().contains(&tool)), "{}", server.stderr());
        assert_serves(&mut server);
        turns += 1;
    }
    server.end();
    observed(
        "E08",
        format_args!("with --dev the directory went {turns} times: served on, and read when it was back"),
    );
}

#[test]
fn ten_thousand_files_that_are_none_are_each_refused_and_cost_the_good_one_nothing() {
    let home = Home::new().wat("plain");
    for n in 0..10_000 {
        fs::write(home.plugins().join(format!("rubbish-{n}.wasm")), "rubbish").unwrap();
        fs::write(home.plugins().join(format!("other-{n}.txt")), "").unwrap();
    }
    let list = home.plugin_list();
    let refused =
        list.iter().filter(|plugin| plugin["state"] == "refused" && plugin["reason"].is_string()).count();
    assert_eq!((list.len(), refused), (10_001, 10_000));
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_serves(&mut server);
    let fds = server.facts().fds;
    assert!(fds < 100, "{fds}");
    server.end();
    observed("E08", format_args!("10,000 files: {refused} refused by name, 1 serves, {fds} descriptors"));
}
