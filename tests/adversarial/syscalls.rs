//! What a call makes the host ask of the kernel: nothing, where the plugin asks for nothing.
//!
//! Invariant: the same look sees a file that is opened, a connection and a program, where they are granted.

use std::path::Path;

use serde_json::{Value, json};

use super::strace::{Step, Trace, between, opened, reaching_out};
use crate::support::cases::observed;
use crate::support::ground::Ground;
use crate::support::guests::wasm;
use crate::support::home::{Finished, Home, finish};
use crate::support::message::assert_says;
use crate::support::promises::kept;
use crate::support::server::{Era, Server};
use crate::support::web::{Web, ok};

/// Every call by which a process reaches out of itself, and those by which a request is known.
const TRACED: [&str; 3] =
    ["-f", "-e", "trace=%file,%network,%process,io_uring_setup,io_uring_enter,read,write"];

/// The audit log is written beside a call, whatever its plugin does: it would be in the way of the look.
const UNAUDITED: &str = "[audit]\nenabled = false\n";

/// Guests that ask for nothing, and try everything.
fn asking_for_nothing() -> Home {
    let guests = ["echo", "environment", "files", "kv", "requests", "secrets"];
    guests.into_iter().fold(Home::new().config(UNAUDITED), Home::guest)
}

/// What they try: the tool, and what it is told.
fn tries(url: &str) -> Vec<(&'static str, Value)> {
    let paths = ["/etc/passwd", "/proc/self/environ", "../../etc/passwd", "."];
    let acts = ["read", "write", "append", "list", "stat", "mkdir", "remove"];
    let files = paths.iter().flat_map(|path| acts.map(|op| ("files_act", json!({ "op": op, "path": path }))));
    let urls = [url.to_owned(), url.replace("127.0.0.1", "localhost"), "https://example.org".to_owned()];
    let requests = urls.iter().flat_map(|url| {
        [("requests_one", json!({ "url": url })), ("requests_several", json!({ "url": url, "count": 3 }))]
    });
    let entry = json!({ "key": "k", "value": "v" });
    let others = [
        ("kv_get", entry.clone()),
        ("kv_set", entry.clone()),
        ("kv_list", json!({})),
        ("kv_increment", entry),
        ("echo_say", json!({ "text": "hi" })),
        ("environment_all", json!({})),
        ("files_roots", json!({})),
        ("secrets_length", json!({ "name": "token" })),
    ];
    files.chain(requests).chain(others).collect()
}

/// Calls under an id by which the trace knows the call.
#[track_caller]
fn call(server: &mut Server, id: &str, tool: &str, arguments: &Value) -> Value {
    server.send_request_as(&json!(id), "tools/call", json!({ "name": tool, "arguments": arguments }));
    server.result(&json!(id))
}

#[test]
fn a_call_of_a_plugin_that_asks_for_nothing_reaches_out_of_the_process_by_nothing() {
    let web = Web::answering(|_| ok("reached"));
    let (home, trace) = (asking_for_nothing(), Trace::new());
    let mut traced = trace.around(&home.command(&["serve"]), &TRACED);
    let mut server = home.serve_as(&mut traced, Era::Legacy("2025-11-25"));
    server.tool_names();
    let tries = tries(&web.url("127.0.0.1"));
    let answers: Vec<Value> = tries
        .iter()
        .enumerate()
        .map(|(n, (tool, arguments))| call(&mut server, &format!("try-{n}"), tool, arguments))
        .collect();
    server.end();
    let steps = trace.steps();
    let mut reached = 0;
    for (n, (tool, arguments)) in tries.iter().enumerate() {
        let out = reaching_out(between(&steps, &format!("try-{n}")));
        assert!(out.is_empty(), "{tool} {arguments}: {out:#?}");
        reached += out.len();
    }
    let denied = answers.iter().filter(|answer| answer["isError"] == true).count();
    let opened = steps.iter().filter(|step| step.text.starts_with("open")).count();
    // It loaded under the same eyes, so they see.
    assert!(opened > 10 && denied >= 11, "{opened} {denied}");
    assert_eq!(web.accepted(), 0);
    let saw = format!(
        "{} calls without a grant, {denied} denied: {reached} system calls out of the process",
        tries.len()
    );
    observed("C13", &saw);
    observed("C24", &saw);
    kept("P05", &saw);
}

/// The same guests, each with something granted.
fn with_grants(ground: &Ground, url: &str) -> Home {
    let asks = [
        ("files", "[[ask.files]]\nname = \"read\"\naccess = \"read\"\n".to_owned()),
        ("kv", "[ask]\nkv = \"1MiB\"\n".to_owned()),
        ("requests", format!("[[ask.http]]\nurl = \"{url}\"\n")),
        ("secrets", "[[ask.secrets]]\nname = \"token\"\nreveal = true\n".to_owned()),
    ];
    let config = format!(
        "{UNAUDITED}[plugins.files.grant]\nfiles.read = {:?}\n[plugins.kv.grant]\nkv = \"1MiB\"\n\
         [plugins.requests.grant]\nhttp = [{{ url = \"{url}\", addresses = [\"127.0.0.1\"] }}]\n\
         [plugins.secrets.grant]\nsecrets.token = {{ command = [\"/bin/echo\", \"s3cret-value\"], reveal = true }}\n",
        ground.at("read")
    );
    let manifest = |(id, ask): &(&str, String)| format!("id = \"{id}\"\nversion = \"1.0.0\"\n{ask}");
    let home = asks.iter().fold(Home::new().config(&config), |home, ask| {
        home.file(&format!("{}.wasm", ask.0), &wasm(ask.0))
            .file(&format!("{}.toml", ask.0), manifest(ask).as_bytes())
    });
    asks.iter().fold(home, |home, (id, _)| home.accept(id))
}

#[test]
fn what_is_granted_is_seen_under_the_same_eyes_and_nothing_beside_it() {
    let (ground, web) = (Ground::new(), Web::answering(|_| ok("reached")));
    let url = web.url("127.0.0.1");
    let (home, trace) = (with_grants(&ground, &url), Trace::new());
    let mut traced = trace.around(&home.command(&["serve"]), &TRACED);
    let mut server = home.serve_as(&mut traced, Era::Legacy("2025-11-25"));
    server.tool_names();
    assert_says(
        &call(&mut server, "file", "files_act", &json!({ "op": "read", "path": "/read/a" })),
        "ok read",
    );
    let answer = call(&mut server, "request", "requests_one", &json!({ "url": url }));
    assert_eq!(answer["structuredContent"]["body"], "reached", "{answer:#}");
    assert_says(&call(&mut server, "state", "kv_set", &json!({ "key": "k", "value": "v" })), "set");
    assert_says(&call(&mut server, "secret", "secrets_length", &json!({ "name": "token" })), "12");
    server.end();
    let steps = trace.steps();
    let out = |id| reaching_out(between(&steps, id));
    let each = |id, parts: &[&str]| {
        let other = out(id).into_iter().find(|text| !parts.iter().any(|part| text.contains(part)));
        assert!(other.is_none(), "{id}: {other:?}");
    };
    let count = |id, call: &str| out(id).iter().filter(|text| text.starts_with(call)).count();
    // Looked at, then opened: the one file, below the one directory.
    let (file, of_file) = (format!("{}>, \"a\"", ground.at("read").display()), ground.at("read/a"));
    each("file", &[&file, &format!("{}>, \"\"", of_file.display())]);
    assert_eq!(count("file", "open"), 2);
    let port = format!("sin_port=htons({}), sin_addr=inet_addr(\"127.0.0.1\")", web.port());
    each("request", &[&port, "<socket:[", "socket(AF_INET"]);
    let connects = out("request").iter().filter(|text| text.contains(&port)).count();
    assert_eq!((connects, count("request", "connect("), count("request", "open")), (1, 1, 0));
    let state = home.path().join("state");
    each("state", &[&state.display().to_string(), &format!("\"{}\", O_RDONLY", home.path().display())]);
    assert!(count("state", "open") >= 2);
    // It was read when its plugin was loaded: by one program, in one process.
    assert!(out("secret").is_empty(), "{:#?}", out("secret"));
    let programs: Vec<&Step> = steps.iter().filter(|step| step.text.starts_with("execve(")).collect();
    assert_eq!(programs.len(), 2, "{programs:#?}");
    assert!(programs[1].text.starts_with("execve(\"/bin/echo\", ["), "{programs:#?}");
    let processes = steps.iter().filter(|step| {
        ["clone", "fork", "vfork"].iter().any(|call| step.text.starts_with(call))
            && !step.text.contains("CLONE_THREAD")
    });
    assert_eq!(processes.count(), 1);
    let opens = count("file", "open");
    observed(
        "C13",
        format_args!(
            "granted, by the same trace: {connects} connection for a request, {opens} opens for a file"
        ),
    );
}

/// What a program opens on this system before it does anything: libraries, and what the kernel says of
/// itself and of the process.
const SYSTEM: [&str; 7] = [
    "/etc/ld.so.",
    "/lib",
    "/proc/self/",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu/",
    "/sys/fs/cgroup/",
    "/usr/lib",
];

/// Calls a tool by the command line, and gives what it printed and what it asked of the kernel.
fn call_once(home: &Home, tool: &str, arguments: &Value) -> (Finished, Vec<Step>) {
    let trace = Trace::new();
    let command = home.command(&["call", tool, &arguments.to_string()]);
    let finished = finish(&mut trace.around(&command, &TRACED), b"");
    (finished, trace.steps())
}

/// What a process opened that is neither the system's nor in its home, and its connections, programs and
/// processes.
fn foreign(home: &Home, steps: &[Step]) -> Vec<String> {
    let own = |path: &str| {
        Path::new(path).starts_with(home.path()) || SYSTEM.iter().any(|start| path.starts_with(start))
    };
    let opens = steps.iter().filter_map(opened).filter(|path| !own(path));
    let calls = ["connect(", "sendto(", "bind(", "execve(", "fork(", "vfork(", "socket("];
    let others = steps.iter().filter(|step| calls.iter().any(|call| step.text.starts_with(call)));
    opens.chain(others.skip(1).map(|step| step.text.clone())).collect()
}

#[test]
fn a_call_by_the_command_line_opens_only_what_is_hubcaps_own() {
    let web = Web::answering(|_| ok("reached"));
    let url = web.url("127.0.0.1");
    let file = json!({ "op": "read", "path": "/etc/passwd" });
    let (mut opens, mut calls, mut foreign_opens) = (0, 0, 0);
    for (guest, tool, arguments) in [
        ("echo", "echo_say", json!({ "text": "hi" })),
        ("files", "files_act", file),
        ("requests", "requests_one", json!({ "url": url })),
        ("kv", "kv_set", json!({ "key": "k", "value": "v" })),
    ] {
        let home = Home::new().guest(guest);
        let (finished, steps) = call_once(&home, tool, &arguments);
        assert!(finished.code.is_some(), "{}", finished.stderr);
        let others = foreign(&home, &steps);
        assert_eq!(others, [""; 0], "{tool}");
        foreign_opens += others.len();
        calls += 1;
        opens += steps.iter().filter_map(opened).count();
    }
    assert_eq!(web.accepted(), 0);
    // The same look at what is granted.
    let ground = Ground::new();
    let home = with_grants(&ground, &url);
    let file = ground.at("read/a").display().to_string();
    for (tool, arguments, seen) in [
        ("files_act", json!({ "op": "read", "path": "/read/a" }), file.as_str()),
        ("requests_one", json!({ "url": url }), "connect("),
        ("secrets_length", json!({ "name": "token" }), "execve(\"/bin/echo\", "),
    ] {
        let (finished, steps) = call_once(&home, tool, &arguments);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let all = foreign(&home, &steps);
        assert!(all.iter().any(|one| one.starts_with(seen)), "{tool}: {all:#?}");
    }
    assert_eq!(web.accepted(), 1);
    observed(
        "C24",
        format_args!(
            "{calls} calls by the command line: {opens} opens, {foreign_opens} not of hubcap or the system"
        ),
    );
}
