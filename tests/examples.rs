//! The plugins to copy: each builds, loads and does what it says.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::{component, root};
use crate::support::home::{Finished, Home, finish};
use crate::support::message::assert_says;
use crate::support::server::Era;
use crate::support::web::{Web, ok};

/// A home with an example in it.
fn home_with(example: &str) -> Home {
    let home = Home::new();
    build(&root().join("examples").join(example), &home);
    home
}

/// Builds the plugin of a crate into a home.
fn build(folder: &Path, home: &Home) {
    let mut build = std::process::Command::new(env!("CARGO_BIN_EXE_hubcap"));
    build.args(["plugin", "build"]).arg(folder).arg("--out").arg(home.plugins());
    let built: Finished = finish(&mut build, b"");
    assert_eq!(built.code, Some(0), "{}{}", built.stdout, built.stderr);
}

#[test]
fn the_smallest_tool_has_at_most_25_lines_and_the_schema_of_its_function() {
    let source = std::fs::read_to_string(root().join("examples/hello/src/lib.rs")).unwrap();
    assert!(source.lines().count() <= 25, "{} lines", source.lines().count());
    let home = home_with("hello");
    let listed: Value = serde_json::from_str(&home.run(&["tools", "--json"]).stdout).unwrap();
    let tool = &listed["tools"][0];
    assert_eq!((&tool["name"], &tool["title"]), (&json!("hello_greet"), &json!("Greet")));
    assert_eq!(tool["description"], "Greets somebody by name.");
    let properties = &tool["inputSchema"]["properties"];
    assert_eq!(properties["name"]["description"], "Who is greeted.");
    assert_eq!(
        (&tool["inputSchema"]["required"], &tool["inputSchema"]["additionalProperties"]),
        (&json!(["name"]), &json!(false))
    );
    assert_eq!(
        home.run(&["call", "hello_greet", r#"{"name":"Ada","times":2}"#]).stdout,
        "Hello, Ada! Hello, Ada!\n"
    );
    let wrong = home.run(&["call", "hello_greet", r#"{"name":"Ada","times":300}"#]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("/times"), "{}", wrong.stderr);
}

#[test]
fn the_small_validator_is_used_by_agents_and_by_people() {
    let home = home_with("long-lines");
    assert_eq!(home.plugin("long-lines.wasm")["kinds"], json!(["validators"]));
    let text = format!("short\n{}\n", "x".repeat(121));
    let mut server = home.serve();
    let result = server.call("hubcap_validate", json!({ "text": text, "path": "a.txt" }));
    let finding = &result["structuredContent"]["findings"][0];
    assert_eq!((&finding["validator"], &finding["rule"]), (&json!("long-lines"), &json!("long-line")));
    assert_eq!((&finding["line"], &finding["span"]), (&json!(2), &json!({ "start": 6, "end": 127 })));
    server.end();
    std::fs::write(home.path().join("a.txt"), &text).unwrap();
    let judged = home.run(&["validate", "a.txt"]);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    assert!(
        judged.stdout.contains("a.txt:2:1: note[long-lines/long-line]: break the line"),
        "{}",
        judged.stdout
    );
    assert_eq!(home.run(&["validate", "a.txt", "--fail-on", "note"]).code, Some(1));
}

#[test]
fn notes_are_kept_in_the_directory_that_the_operator_grants_and_nowhere_else() {
    let home = home_with("notes");
    let keep =
        |title: &str| home.run(&["call", "notes_keep", &json!({ "title": title, "text": "x" }).to_string()]);
    let denied = keep("milk");
    assert_eq!(denied.code, Some(1));
    assert!(denied.stderr.contains("denied: to write the directory \"notes\""), "{}", denied.stderr);
    std::fs::create_dir(home.path().join("kept")).unwrap();
    let home = home.config("[plugins.notes.grant]\nfiles.notes = { path = \"kept\", write = true }\n");
    let keep =
        |title: &str| home.run(&["call", "notes_keep", &json!({ "title": title, "text": "x" }).to_string()]);
    assert_eq!(keep("milk").stdout, "kept milk\n");
    assert_eq!(std::fs::read_to_string(home.path().join("kept/milk.txt")).unwrap(), "x");
    assert_eq!(home.run(&["call", "notes_list"]).stdout, "milk\n");
    assert_eq!(home.run(&["call", "notes_read", r#"{"title":"milk"}"#]).stdout, "x\n");
    assert!(keep("../milk").stderr.contains("a title is made of"));
}

#[test]
fn a_secret_goes_to_its_server_and_is_seen_by_nobody_else() {
    const TOKEN: &str = "canary-tk-2f6d1b9c";
    let tickets = r#"[{"number":7,"title":"older"},{"number":12,"title":"newer"}]"#;
    let (web, pem) = Web::secure("localhost", move |peer| peer.answer_all(&|_: &str| ok(tickets)));
    let url = web.url("localhost");
    let home = home_of_tickets(&url, TOKEN, &pem);
    let mut server = home.serve();
    let results = [0, 1].map(|_| server.call("tickets_open", json!({})));
    results.iter().for_each(|result| assert_says(result, "#12 newer\n#7 older\n"));
    let outputs = [format!("{results:?}"), server.request("tools/list", json!({})).to_string()];
    let ended = server.end();
    // The server saw it in both requests, and had one handshake.
    let heard = web.heard();
    assert_eq!((heard.len(), web.accepted()), (2, 1), "{heard:?}");
    let sent = format!("authorization: Bearer {TOKEN}\r\n");
    assert!(heard.iter().all(|head| head.contains(&sent)), "{heard:?}");
    // Nobody else did.
    let inspected = home.run(&["plugin", "inspect", "tickets", "--json"]);
    let lock = std::fs::read_to_string(home.path().join("hubcap.lock")).unwrap();
    for output in outputs.iter().chain([
        &format!("{:?}", ended.messages),
        &ended.stderr,
        &inspected.stdout,
        &inspected.stderr,
        &lock,
    ]) {
        assert!(!output.contains(TOKEN), "{output}");
    }
    observed("C37", format_args!("bound to its server: in {} of its requests, in nothing else", heard.len()));
}

/// A home with the example, whose server is this one. The crate is the example's own; the origin in its
/// manifest is not, because no two runs of a test have the same port.
fn home_of_tickets(url: &str, token: &str, ca: &str) -> Home {
    let folder = root().join("examples/tickets");
    let manifest = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    let manifest = manifest.replace("url = \"https://tickets.example\"", &format!("url = \"{url}\""));
    let home =
        Home::new().file("tickets.wasm", &component("tickets")).file("tickets.toml", manifest.as_bytes());
    std::fs::write(home.path().join("ca.pem"), ca).unwrap();
    std::fs::write(home.path().join("token"), token).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(home.path().join("token"), private).unwrap();
    home.config(&format!(
        "[plugins.tickets.config]\nserver = {url:?}\n[plugins.tickets.grant]\n\
         http = [{{ url = {url:?}, ca = \"ca.pem\", addresses = [\"127.0.0.1\", \"::1\"] }}]\n\
         secrets.token = {{ file = \"token\" }}\n"
    ))
    .accept("tickets")
}

#[test]
fn the_operators_configuration_serves_every_plugin_that_it_names() {
    let text = std::fs::read_to_string(root().join("examples/operator/hubcap.toml")).unwrap();
    let read: toml::Table = text.parse().unwrap();
    let home = Home::new().config(&text);
    let named: Vec<&String> = read["plugins"].as_table().unwrap().keys().collect();
    for id in &named {
        let folders = ["plugins", "examples"].map(|parent| root().join(parent).join(id));
        build(folders.iter().find(|folder| folder.is_dir()).unwrap_or_else(|| panic!("no {id}")), &home);
    }
    let file = home.path().join("hubcap.toml");
    // As a configuration, without a home.
    let arguments = ["serve", "--log", "warn", "--config", file.to_str().unwrap()];
    let mut server = home.serve_as(&mut home.bare_command(&arguments), Era::Legacy("2025-11-25"));
    assert_says(&server.call("hello_greet", json!({ "name": "Ada" })), "Hello, Ada!");
    assert_eq!(server.tool_names().len(), 5, "{named:?}");
    // Nothing is refused, and no table is for nothing.
    let stderr = server.end().stderr;
    let without_home = ["plugins are not pinned", "the audit log cannot be written: there is no home"];
    let is_of_the_home = |line: &str| without_home.iter().any(|words| line.contains(words));
    assert!(stderr.lines().all(is_of_the_home), "{stderr}");
}

#[test]
fn the_counter_remembers_and_only_what_uses_state_imports_it() {
    let home = home_with("counter").config("[plugins.counter.grant]\nkv = \"64KiB\"\n").accept("counter");
    for count in ["1\n", "2\n"] {
        assert_eq!(home.run(&["call", "counter_count", r#"{"name":"visits"}"#]).stdout, count);
    }
    assert_eq!(home.run(&["call", "counter_list"]).stdout, "[\"visits\"]\n");
    let imports = |home: &Home, id: &str| {
        let inspected = home.run(&["plugin", "inspect", id, "--json"]).stdout;
        let inspected: Value = serde_json::from_str(&inspected).unwrap();
        inspected["imports"].as_array().unwrap().contains(&json!("hubcap:plugin/kv@1.0.0"))
    };
    assert!(imports(&home, "counter") && !imports(&home_with("hello"), "hello"));
    let mut test = std::process::Command::new(env!("CARGO_BIN_EXE_hubcap"));
    let tested = finish(test.args(["plugin", "test"]).arg(root().join("examples/counter")), b"");
    assert_eq!(tested.code, Some(0), "{}{}", tested.stdout, tested.stderr);
}
