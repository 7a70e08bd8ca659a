//! A machine that gives no more: descriptors and address space that run out, at the start and later.
//!
//! Invariant: there is an answer in words, never an abort, and what works without more goes on; a limit that
//! nothing ran into fails its test.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::ground::Ground;
use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::{assert_says, text};
use crate::support::promises::kept;
use crate::support::server::{Era, Server};
use crate::support::web::{Web, ok};
use crate::support::{SOON, holds_within};

const ERA: Era = Era::Legacy("2025-11-25");

/// The command under a limit, by the words of the shell's `ulimit`.
fn limited(home: &Home, limit: &str) -> Command {
    let command = home.command(&["serve"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args()).current_dir(home.path()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// The words of a client that shakes hands, calls the neighbour and goes.
pub(crate) fn one_call() -> String {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": "plain_run", "arguments": {} } }),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A start under a limit: it serves the call, or it says in words why it cannot.
#[track_caller]
pub(crate) fn serves_or_says_why(limit: &str, ended: &Finished) -> bool {
    let told = format!("{limit}: {:?} {}{}", ended.code, ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{told}");
    match ended.code {
        Some(0) => assert!(ended.stdout.contains("\"id\":2"), "{told}"),
        // 127 is the system's loader, which could not open a library.
        Some(1 | 2 | 127) => assert!(ended.stderr.len() > 10, "{told}"),
        _ => panic!("{told}"),
    }
    ended.stdout.contains("\"done\"")
}

#[test]
fn a_start_with_too_few_descriptors_serves_or_says_why_it_cannot() {
    let home = Home::new().wat("plain");
    let (mut served, mut refused) = (0, 0);
    for descriptors in (3..=24).chain([32, 64]) {
        let limit = format!("-n {descriptors}");
        let ended = finish(&mut limited(&home, &limit), one_call().as_bytes());
        match serves_or_says_why(&limit, &ended) {
            true => served += 1,
            false => refused += 1,
        }
    }
    assert!(served >= 2 && refused >= 2, "{served} {refused}");
    observed(
        "E15",
        format_args!("starts with 3 to 64 descriptors: {served} served, {refused} said why not, 0 aborts"),
    );
}

#[test]
fn a_start_with_too_little_address_space_says_what_to_change() {
    let home = Home::new().wat("plain");
    let mut refused = 0;
    for gibibytes in [1, 4, 64, 1_024] {
        let limit = format!("-v {}", gibibytes << 20);
        let ended = finish(&mut limited(&home, &limit), one_call().as_bytes());
        assert!(!serves_or_says_why(&limit, &ended), "{limit}");
        assert!(ended.stderr.contains("`ulimit -v`"), "{limit}: {}", ended.stderr);
        refused += 1;
    }
    observed("E15", format_args!("starts with 1 GiB to 1 TiB of address space: {refused} said what to lift"));
}

/// A home whose plugins need something of the machine: for files, state, requests and programs.
pub(crate) fn needy(ground: &Ground, url: &str) -> Home {
    let asks = [
        ("files", "[[ask.files]]\nname = \"read\"\naccess = \"read\"\n".to_owned()),
        ("kv", "[ask]\nkv = \"1MiB\"\n".to_owned()),
        ("requests", format!("[[ask.http]]\nurl = \"{url}\"\n")),
        ("programs", "[[ask.process]]\ncommand = \"true\"\nargs = []\n".to_owned()),
    ];
    let config = format!(
        "[plugins.files.grant]\nfiles.read = {:?}\n[plugins.kv.grant]\nkv = \"1MiB\"\n\
         [plugins.requests.grant]\nhttp = [{{ url = \"{url}\", addresses = [\"127.0.0.1\"] }}]\n\
         [plugins.programs.grant.process.true]\npath = \"/usr/bin/true\"\n\
         [defaults]\ndeadline = \"5s\"\n",
        ground.at("read")
    );
    let home = asks.iter().fold(Home::new().wat("plain").config(&config), |home, (id, ask)| {
        let manifest = format!("id = \"{id}\"\nversion = \"1.0.0\"\n{ask}");
        home.file(&format!("{id}.wasm"), &wasm(id)).file(&format!("{id}.toml"), manifest.as_bytes())
    });
    asks.iter().fold(home, |home, (id, _)| home.accept(id))
}

/// One call of each at once, and whether it got what it needs.
pub(crate) fn tries(server: &mut Server, url: &str) -> Vec<(&'static str, bool)> {
    let ids = [
        server.send_call("files_act", json!({ "op": "read", "path": "/read/a" })),
        server.send_call("kv_set", json!({ "key": "k", "value": "v" })),
        server.send_call("requests_one", json!({ "url": url })),
        server.send_call("programs_run", json!({ "command": "true" })),
    ];
    let [file, state, request, program] = ids.map(|id| server.result(&id));
    let says = |result: &Value, expected: &str| result["isError"] != true && text(result) == expected;
    vec![
        ("file", says(&file, "ok read")),
        ("state", says(&state, "set")),
        ("request", request["structuredContent"]["body"] == "reached"),
        ("program", program["structuredContent"]["code"] == 0),
    ]
}

fn set_descriptors(server: &Server, most: Option<u64>) {
    prlimit(Some(server.pid()), Resource::Nofile, Rlimit { current: most, ..getrlimit(Resource::Nofile) })
        .unwrap();
}

#[test]
fn a_server_without_a_free_descriptor_answers_and_has_all_back_within_five_seconds() {
    let (ground, web) = (Ground::new(), Web::answering(|_| ok("reached")));
    let url = web.url("127.0.0.1");
    let home = needy(&ground, &url);
    let mut server = home.serve();
    server.tool_names();
    let before = getrlimit(Resource::Nofile).current;
    let (mut failed, mut answered, mut longest) = (0, 0, Duration::ZERO);
    for round in 0..3 {
        // What is open stays open, and nothing else can be.
        set_descriptors(&server, Some(3));
        for _ in 0..2 {
            let tries = tries(&mut server, &url);
            failed += tries.iter().filter(|(_, worked)| !worked).count();
            answered += tries.len();
            assert_says(&server.call("plain_run", json!({})), "done");
            assert!(server.tool_names().contains(&"plain_run".to_owned()));
        }
        set_descriptors(&server, before);
        let start = Instant::now();
        let mut last = Vec::new();
        let back = holds_within(SOON, || {
            last = tries(&mut server, &url);
            last.iter().all(|(_, worked)| *worked)
        });
        assert!(back, "round {round}: {last:?}, {}", server.stderr());
        longest = longest.max(start.elapsed());
    }
    assert!(failed >= 6, "the limit was not felt: {failed} of {answered}");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
    server.end();
    observed(
        "E15",
        format_args!(
            "without a free descriptor: {failed} of {answered} calls failed, all answered; all back in {longest:.1?}"
        ),
    );
}

#[test]
fn with_sixty_four_descriptors_a_flood_is_answered_and_the_server_is_usable_after() {
    let (ground, web) = (Ground::new(), Web::answering(|_| ok("reached")));
    let url = web.url("127.0.0.1");
    let home = needy(&ground, &url);
    let mut server = home.serve_as(&mut limited(&home, "-n 64"), ERA);
    server.tool_names();
    let (mut errors, mut calls, mut longest) = (0, 0, Duration::ZERO);
    for _ in 0..3 {
        // 60 files each, eight at once: far more than there are.
        let ids: Vec<Value> =
            (0..16).map(|_| server.send_call("files_hold", json!({ "path": "/read/a", "n": 60 }))).collect();
        for _ in 0..5 {
            assert_says(&server.call("plain_run", json!({})), "done");
        }
        errors += ids.iter().filter(|id| server.result(id)["isError"] == true).count();
        calls += ids.len();
        let start = Instant::now();
        let mut last = Vec::new();
        let back = holds_within(SOON, || {
            last = tries(&mut server, &url);
            last.iter().all(|(_, worked)| *worked)
        });
        assert!(back, "{last:?}, {}", server.stderr());
        longest = longest.max(start.elapsed());
    }
    assert!(errors > 0, "64 descriptors were enough");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    let fds = server.facts().fds;
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
    server.end();
    let measured = format!(
        "with 64 descriptors: {errors} of {calls} calls failed, all answered; usable after {longest:.1?}, {fds} open"
    );
    observed("E15", &measured);
    kept("P34", measured);
}
