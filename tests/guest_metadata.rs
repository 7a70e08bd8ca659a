//! Guests that hang while they are loaded, and guests that describe themselves as no plugin may.
//!
//! Invariant: each is refused for a reason that names its fault, or made harmless, and the others serve.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code};
use crate::support::told::Told;

/// A home with `bad-metadata` once for each case: the case is its id and its configuration.
fn home_of(cases: &[&str]) -> Home {
    let home = cases.iter().fold(Home::new().wat("plain"), |home, case| home.guest_as("bad-metadata", case));
    let table = |case: &&str| format!("[plugins.{case}]\nconfig = {{ case = \"{case}\" }}\n");
    home.config(&cases.iter().map(table).collect::<String>())
}

/// Characters that hide text or change how it looks.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn a_plugin_that_hangs_while_it_loads_is_refused_in_time() {
    let home = Home::new().guest("looping-init").wat("looping-start").guest("looping-list").wat("plain");
    let start = Instant::now();
    let list = home.plugin_list();
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(14), "{waited:?}");
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_says(&server.call("plain_run", json!({})), "done");
    let log = server.end().stderr;
    let end = |id: &str, step: &str| {
        let plugin = list.iter().find(|plugin| plugin["id"] == id).unwrap();
        assert_eq!((&plugin["state"], &plugin["tools"]), (&json!("refused"), &json!(0)), "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap();
        let code =
            reason.strip_prefix(&format!("failed in {step}: ")).and_then(|rest| rest.split(':').next());
        assert!(matches!(code, Some("fuel" | "deadline")), "{reason}");
        let told = log.lines().filter(|line| line.contains(id) && line.contains("refused")).count();
        assert_eq!(told, 1, "it is tried once: {log}");
        code.unwrap_or_default().to_owned()
    };
    let (init, start) = (end("looping-init", "init"), end("looping-start", "init"));
    observed("A01", format_args!("in init: {init}; in the start function: {start}; all in {waited:.1?}"));
    observed("A02", format_args!("{}, tried once; the neighbour serves", end("looping-list", "list-tools")));
}

#[test]
fn a_list_that_is_another_one_each_time_is_withheld_from_the_second_time_on() {
    let home = home_of(&["changing-text", "changing-names"]);
    let mut server = home.serve();
    let first = server.request("tools/list", json!({}))["result"].clone();
    assert_eq!(first["tools"].as_array().map(Vec::len), Some(3), "{first:#}");
    for _ in 0..50 {
        assert_eq!(server.request("tools/list", json!({}))["result"], first);
    }
    assert_says(&server.call("changing-text_t", json!({})), "called");
    server.end();
    for _ in 0..2 {
        for id in ["changing-text", "changing-names"] {
            let plugin = home.plugin(&format!("{id}.wasm"));
            assert_eq!(
                (&plugin["state"], &plugin["tools"]),
                (&json!("quarantined"), &json!(0)),
                "{plugin:#}"
            );
        }
        let mut server = home.serve();
        assert_eq!(server.tool_names(), ["plain_run"]);
        let result = server.call("changing-text_t", json!({}));
        assert_failed(&result, "quarantined", "policy");
        server.end();
        // What a person accepts is the list that was shown, and the next one is another.
        assert_eq!(home.run(&["plugin", "approve", "changing-text", "--yes"]).code, Some(0));
        observed("A44", format_args!("the same list 50 times; after a new start: {}", code(&result)));
    }
}

/// Definitions that break a rule, and a word of the reason.
const BROKEN: [(&str, &str); 28] = [
    ("tools-65", "65 tools, more than 64"),
    ("tools-10000", "10000 tools, more than 64"),
    ("duplicate", "same"),
    ("case-duplicate", "same"),
    ("empty-name", "name"),
    ("space-in-name", "a b"),
    ("cyrillic-name", "name"),
    ("zero-width-name", "name"),
    ("long-name", "40"),
    ("joined-name", "51"),
    ("array-schema", "schema"),
    ("string-schema", "object"),
    ("null-schema", "object"),
    ("true-schema", "object"),
    ("empty-schema", "object"),
    ("deepest-schema", "recursion"),
    ("schema-of-5-mib", "more than 32768"),
    ("schema-of-100000", "more than 32768"),
    ("control-enum", "hidden"),
    ("control-default", "hidden"),
    ("control-property", "hidden"),
    ("long-description", "1048576 bytes, more than 2048"),
    ("description-2049", "2049 bytes, more than 2048"),
    ("remote-ref", "$ref"),
    ("file-ref", "$ref"),
    ("deep-schema", "16"),
    ("large-schema", "32"),
    ("no-regex", "regex"),
];

#[test]
fn definitions_that_break_a_rule_are_refused_by_name() {
    let home = home_of(&BROKEN.map(|(case, _)| case));
    let list = home.plugin_list();
    for (case, word) in BROKEN {
        let plugin = list.iter().find(|plugin| plugin["id"] == case).unwrap();
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap();
        assert!(reason.contains(word) && !reason.contains('\n'), "{case}: {reason}");
        assert!(!reason.contains(harmful), "{case}: {reason:?}");
    }
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    server.end();
    let refused = |cases: &[&str]| {
        let is_one = |plugin: &&Value| cases.iter().any(|case| plugin["id"] == *case);
        list.iter().filter(is_one).filter(|plugin| plugin["state"] == "refused").count()
    };
    observed(
        "B01",
        format_args!("{} plugins of 65 and 10,000 tools refused", refused(&["tools-65", "tools-10000"])),
    );
    observed(
        "B02",
        format_args!("{} lists with a name twice refused", refused(&["duplicate", "case-duplicate"])),
    );
    let hidden = ["control-enum", "control-default", "control-property"];
    observed("B05", format_args!("in an enum, a default, a property's name: {} refused", refused(&hidden)));
    let long = ["long-description", "description-2049"];
    observed("B06", format_args!("descriptions of 1 MiB and of 2,049 bytes: {} refused", refused(&long)));
    let is_schema = |case: &&str| case.ends_with("-schema") || case.starts_with("schema-");
    let schemas: Vec<&str> = BROKEN.map(|(case, _)| case).into_iter().filter(is_schema).collect();
    observed("B10", format_args!("{} of {} schemas refused", refused(&schemas), schemas.len()));
}

#[test]
fn the_same_name_in_two_plugins_is_two_tools() {
    let named = |name| Told { name, ..Told::default() }.component();
    let home =
        Home::new().file("a.wasm", &named("b_c")).file("d.wasm", &named("c")).file("e.wasm", &named("c"));
    let home = home.file("a_b.wasm", &named("c")).file("a.b.wasm", &named("c")).file("D.wasm", &named("c"));
    let mut server = home.serve();
    let names = server.tool_names();
    assert_eq!(names, ["a_b_c", "d_c", "e_c"]);
    for name in &names {
        let result = server.call(name, json!({}));
        assert_says(&result, "done");
        let plugin = result["_meta"]["hubcap/receipt"]["plugin"].as_str().unwrap();
        assert_eq!(plugin, name.split('_').next().unwrap());
    }
    server.end();
    let list = home.plugin_list();
    let refused = list.iter().filter(|plugin| plugin["state"] == "refused").count();
    assert_eq!(refused, 3, "{list:#?}");
    observed("B02", format_args!("`c` in two plugins: {} and {}", names[1], names[2]));
    observed(
        "B03",
        format_args!("{refused} ids with a separator or in capitals refused; {} is a's own", names[0]),
    );
}

#[test]
fn names_with_any_other_letter_are_refused() {
    let long = "n".repeat(200);
    let names = [
        "",
        " ",
        "a b",
        "a/b",
        "../a",
        "a.b",
        "a\n",
        "s\u{0430}y",
        "say\u{200b}",
        "\u{202e}yas",
        "say\u{1f600}",
        "caf\u{e9}",
        "cafe\u{301}",
        "\u{ff53}ay",
        "a\0",
        "a:b",
        "a\"b",
        long.as_str(),
    ];
    let component = |name| Told { name, ..Told::default() }.component();
    let home = names.iter().enumerate().fold(Home::new().wat("plain"), |home, (n, name)| {
        home.file(&format!("name-{n}.wasm"), &component(name))
    });
    let list = home.plugin_list();
    let refused: Vec<&Value> = list.iter().filter(|plugin| plugin["state"] == "refused").collect();
    assert_eq!(refused.len(), names.len(), "{list:#?}");
    for plugin in &refused {
        let reason = plugin["reason"].as_str().unwrap();
        assert!(reason.contains("is not 1 to 40 of [a-zA-Z0-9_-]") && reason.is_ascii(), "{reason}");
    }
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    server.end();
    observed("B04", format_args!("{} of {} names refused", refused.len(), names.len()));
}

/// A home in which each of these is the schema of a plugin's tool, and the plugins' reasons to be refused.
fn reasons(schemas: &[String]) -> Vec<String> {
    let home = schemas.iter().enumerate().fold(Home::new().wat("plain"), |home, (n, schema)| {
        home.file(&format!("schema-{n:02}.wasm"), &Told { schema, ..Told::default() }.component())
    });
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    server.end();
    let list = home.plugin_list();
    let refused = list.iter().filter(|plugin| plugin["state"] == "refused");
    refused.map(|plugin| plugin["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn references_out_of_a_schema_are_never_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let canary = tempfile::NamedTempFile::new().unwrap();
    let with = |more: Value| {
        let mut schema = json!({ "type": "object" });
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema.to_string()
    };
    let property = |reference: String| with(json!({ "properties": { "a": { "$ref": reference } } }));
    let schemas = [
        property(format!("http://127.0.0.1:{port}/a.json")),
        property(format!("https://127.0.0.1:{port}/a.json")),
        property(format!("//127.0.0.1:{port}/a.json")),
        property(format!("file://{}", canary.path().display())),
        property("other.json".to_owned()),
        property("#".to_owned()),
        with(json!({ "$id": format!("http://127.0.0.1:{port}/"), "properties": { "a": { "$ref": "b" } } })),
        with(json!({ "$dynamicAnchor": "a", "properties": { "a": { "$dynamicRef": "#a" } } })),
        with(json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } })),
    ];
    let reasons = reasons(&schemas);
    assert_eq!(reasons.len(), schemas.len(), "{reasons:#?}");
    assert!(listener.accept().is_err(), "somebody asked for a schema");
    observed(
        "B11",
        format_args!("{} ways to refer refused; nobody connected to the server named", reasons.len()),
    );
}

#[test]
fn a_choice_of_a_million_ways_is_refused_and_a_pattern_takes_no_time() {
    let level = |n: usize| {
        let next = json!({ "$ref": format!("#/{}", n + 1) });
        (n.to_string(), json!({ "anyOf": vec![next; if n < 10 { 4 } else { 0 }] }))
    };
    let mut schema: serde_json::Map<String, Value> = (0..=10).map(level).collect();
    schema.insert("type".into(), json!("object"));
    schema.insert("10".into(), json!({ "type": "object" }));
    schema.insert("$ref".into(), json!("#/0"));
    let told = reasons(&[Value::Object(schema).to_string()]);
    assert!(told[0].contains("values once its `$ref`s are followed, more than 10000"), "{told:#?}");
    let pattern = json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } }).to_string();
    let tool = Told { schema: &pattern, ..Told::default() }.component();
    let mut case = Case::of(Home::new().file("tool.wasm", &tool));
    assert_says(&case.call("tool_run", json!({ "a": "a".repeat(50_000) })), "done");
    let (result, waited) = case.timed("tool_run", json!({ "a": format!("{}b", "a".repeat(50_000)) }));
    assert_failed(&result, "invalid-arguments", "caller");
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    case.end();
    let (_, count) = told[0].split_once("input schema ").unwrap();
    observed("B13", format_args!("4^10 ways: {count}"));
    observed(
        "B12",
        format_args!("a call with 50 KB that do not match: {} after {waited:.1?}", code(&result)),
    );
}

#[test]
fn a_header_that_no_client_may_send_is_refused() {
    let header = |name: &str, kind: &str| json!({ "type": kind, "x-mcp-header": name });
    let with = |properties: Value| json!({ "type": "object", "properties": properties }).to_string();
    let schemas = [
        with(json!({ "a": header("A\r\nEvil: 1", "string") })),
        with(json!({ "a": header("", "string") })),
        with(json!({ "a": header("A", "string"), "b": header("a", "string") })),
        with(json!({ "a": header("A", "object") })),
        with(json!({ "a": { "type": "array", "items": header("A", "string") } })),
    ];
    let reasons = reasons(&schemas);
    assert_eq!(reasons.len(), schemas.len(), "{reasons:#?}");
    assert!(
        reasons.iter().all(|reason| reason.contains("x-mcp-header") && !reason.contains(harmful)),
        "{reasons:#?}"
    );
    observed("B14", format_args!("{} tools with such a header refused", reasons.len()));
}

#[test]
fn definitions_that_go_as_far_as_they_may_are_listed() {
    let cases = ["tools-64", "longest-name", "full-description", "shallow-schema"];
    let home = home_of(&cases);
    for plugin in home.plugin_list() {
        assert_eq!(plugin["reason"], Value::Null, "{plugin:#}");
        assert_eq!(plugin["state"], "ready");
    }
    let mut server = home.serve();
    let names = server.tool_names();
    assert_eq!(names.len(), 64 + 4);
    assert!(names.is_sorted());
    server.end();
}

#[test]
fn descriptions_and_titles_are_cleaned_wherever_they_stand() {
    let home = home_of(&["control-description", "control-title", "control-parameter"]);
    let mut server = home.serve();
    let listed = server.request("tools/list", json!({}));
    assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(4), "{listed:#}");
    let shown = listed.to_string();
    // JSON writes a control character in words.
    let hidden = shown.matches(harmful).count() + shown.matches("\\u").count();
    assert_eq!(hidden, 0, "{shown}");
    let cleaned = shown.matches("a[31mredz").count();
    assert_eq!(cleaned, 3, "{shown}");
    server.end();
    observed("B05", format_args!("in {cleaned} texts: cleaned; {hidden} hidden characters in the list"));
}
