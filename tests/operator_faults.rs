//! What operators put into the plugin directory by mistake, and by bad luck.
//!
//! Invariant: each file is named with its own reason, and the good plugin beside it serves.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::{self, assemble, plugin_with};
use crate::support::home::Home;
use crate::support::message::assert_says;

/// The file is refused, in one line that has each of these words.
#[track_caller]
fn assert_refused(home: &Home, file: &str, words: &[&str]) {
    let plugin = home.plugin(file);
    assert_eq!(plugin["state"], "refused", "{plugin:#}");
    assert_eq!(plugin["tools"], 0, "{plugin:#}");
    let reason = plugin["reason"].as_str().unwrap_or_else(|| panic!("no reason: {plugin:#}"));
    assert!(!reason.contains('\n') && reason.len() < 2_048, "{reason}");
    for word in words {
        assert!(reason.to_lowercase().contains(&word.to_lowercase()), "{word:?} in {reason:?}");
    }
}

/// As much of the reason for a file as a row of the table holds.
fn reason(home: &Home, file: &str) -> String {
    home.plugin(file)["reason"].as_str().unwrap().chars().take(90).collect()
}

/// The good plugin is loaded, listed alone, and answers.
#[track_caller]
fn assert_the_good_one_serves(home: &Home) {
    assert_eq!(home.plugin("plain.wasm")["state"], "ready");
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_says(&server.call("plain_run", serde_json::json!({})), "done");
    server.end();
}

#[test]
fn files_that_are_no_components_are_refused_by_what_they_are() {
    let core = wat::parse_str("(module (func (export \"run\")))").unwrap();
    // The text of a whole plugin: whoever took it would list its tool.
    let part = fs::read_to_string(guests::root().join("tests/guests/wat/plugin.part")).unwrap();
    let text = fs::read_to_string(guests::root().join("tests/guests/wat/plain.wat")).unwrap();
    let text = text[text.find("(component").unwrap()..].replace("  ;; include plugin.part\n", &part);
    assert_eq!(wat::parse_str(&text).unwrap(), guests::wat("plain"));
    let mut elf = b"\x7fELF\x02\x01\x01\0".to_vec();
    elf.resize(4_096, 0);
    let cases: [(&str, &[u8], &[&str]); 7] = [
        ("empty.wasm", b"", &["empty"]),
        ("one-byte.wasm", b"\0", &["not a component", "WebAssembly"]),
        ("picture.wasm", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01", &["not a component", "WebAssembly"]),
        ("text.wasm", text.as_bytes(), &["text"]),
        ("core.wasm", &core, &["core module", "component"]),
        ("artifact.wasm", &elf, &["precompiled"]),
        ("cut-header.wasm", b"\0asm\x0d\0\x01", &["not a component", "WebAssembly"]),
    ];
    let home = cases.iter().fold(Home::new().wat("plain"), |home, (name, bytes, _)| home.file(name, bytes));
    for (name, _, words) in cases {
        assert_refused(&home, name, words);
    }
    assert_the_good_one_serves(&home);
    let reasons: BTreeSet<String> = cases.iter().map(|(name, ..)| reason(&home, name)).collect();
    observed(
        "E01",
        format_args!("{} files refused with {} reasons, the neighbour serves", cases.len(), reasons.len()),
    );
    observed("E02", reason(&home, "core.wasm"));
    observed("E03", format_args!("{} bytes of text: {}", text.len(), reason(&home, "text.wasm")));
    observed("E04", reason(&home, "artifact.wasm"));
}

#[test]
fn files_that_are_no_files_are_refused_and_never_waited_for() {
    let home = Home::new().wat("plain");
    let at = |name: &str| home.plugins().join(name);
    fs::create_dir(at("directory.wasm")).unwrap();
    symlink("nowhere", at("dangling.wasm")).unwrap();
    mknodat(CWD, at("fifo.wasm"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _listening = UnixListener::bind(at("socket.wasm")).unwrap();
    symlink("loop.wasm", at("loop.wasm")).unwrap();
    let kinds = [
        ("directory", "directory"),
        ("dangling", "link"),
        ("loop", "link"),
        ("fifo", "file"),
        ("socket", "file"),
    ];
    for (name, word) in kinds {
        assert_refused(&home, &format!("{name}.wasm"), &[word]);
    }
    let start = Instant::now();
    assert_the_good_one_serves(&home);
    let waited = start.elapsed();
    observed(
        "E01",
        format_args!("{} that are no files: refused, the neighbour served in {waited:.1?}", kinds.len()),
    );
}

#[test]
fn a_file_that_is_too_large_is_refused_by_its_size() {
    let home = Home::new().wat("plain");
    let file = fs::File::create(home.plugins().join("large.wasm")).unwrap();
    for bytes in [(16 << 20) + 1, 1 << 30] {
        file.set_len(bytes).unwrap();
        assert_refused(&home, "large.wasm", &[&format!("{bytes} bytes, more than 16777216")]);
        assert_the_good_one_serves(&home);
    }
    let mut server = home.serve();
    server.tool_names();
    let peak = server.facts().peak_kib / 1024;
    assert!(peak < 512, "{peak} MiB");
    server.end();
    observed("A38", format_args!("{}; the host had {peak} MiB at most", home.plugin("large.wasm")["reason"]));
}

#[test]
fn a_component_that_is_cut_anywhere_is_refused() {
    let whole = guests::wasm("state");
    let cuts: Vec<usize> = (1..whole.len()).step_by(1_024).collect();
    let home = cuts
        .iter()
        .fold(Home::new().wat("plain"), |home, &cut| home.file(&format!("cut-{cut}.wasm"), &whole[..cut]));
    let list = home.plugin_list();
    assert_eq!(list.len(), cuts.len() + 1);
    for plugin in list.iter().filter(|plugin| plugin["id"] != "plain") {
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        assert!(plugin["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{plugin:#}");
    }
    assert_the_good_one_serves(&home);
    let refused = list.iter().filter(|plugin| plugin["state"] == "refused").count();
    observed("E01", format_args!("a component cut after each KiB: {refused} refused"));
}

#[test]
fn a_component_with_flipped_bits_never_takes_the_host_down() {
    let whole = guests::wat("traps");
    let mut home = Home::new().wat("plain");
    // Each byte of the header and a spread of the rest: some of it still is a component.
    for at in (0..8).chain((8..whole.len()).step_by(97)) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        home = home.file(&format!("flip-{at}.wasm"), &flipped);
    }
    let list = home.plugin_list();
    for plugin in &list {
        let refused = plugin["state"] == "refused" && plugin["reason"].is_string();
        assert!(refused || plugin["state"] == "ready", "{plugin:#}");
    }
    for at in 0..8 {
        assert_refused(&home, &format!("flip-{at}.wasm"), &[]);
    }
    let mut server = home.serve();
    assert_says(&server.call("plain_run", serde_json::json!({})), "done");
    server.end();
    let refused = list.iter().filter(|plugin| plugin["state"] == "refused").count();
    assert!(refused > 8, "{refused}");
    observed("E01", format_args!("a bit flipped at {} places: {refused} refused, 0 crashes", list.len() - 1));
}

#[test]
fn whatever_of_the_sockets_is_imported_is_refused_by_its_name() {
    let text = fs::read_to_string(guests::root().join("tests/guests/wat/sockets.wat")).unwrap();
    let tcp = "(instance (export \"tcp-socket\" (type (sub resource))))";
    assert!(text.contains(tcp));
    let resource = |name: &str| format!("(instance (export \"{name}\" (type (sub resource))))");
    let function = |name: &str| format!("(instance (export \"{name}\" (func)))");
    let interfaces = [
        ("tcp", resource("tcp-socket")),
        ("udp", resource("udp-socket")),
        ("ip-name-lookup", resource("resolve-address-stream")),
        ("network", resource("network")),
        ("tcp-create-socket", function("create-tcp-socket")),
        ("udp-create-socket", function("create-udp-socket")),
        ("instance-network", function("instance-network")),
    ];
    let named = |name: &str, instance: &str| {
        assemble(&text.replace(tcp, instance).replace("wasi:sockets/tcp@", &format!("wasi:sockets/{name}@")))
    };
    let home = interfaces.iter().fold(Home::new().wat("plain"), |home, (name, instance)| {
        home.file(&format!("{name}.wasm"), &named(name, instance))
    });
    for (name, _) in &interfaces {
        let import = format!("it imports `wasi:sockets/{name}@0.2.12`, which hubcap does not offer");
        assert_refused(&home, &format!("{name}.wasm"), &["missing import", &import]);
    }
    assert_the_good_one_serves(&home);
    let list = home.plugin_list();
    let of = |state: &str| list.iter().filter(|plugin| plugin["state"] == state).count();
    observed(
        "C22",
        format_args!("{} refused by the import's name, the neighbour {}", of("refused"), of("ready")),
    );
}

#[test]
fn an_import_that_no_plugin_gets_is_named() {
    let home = Home::new().wat("plain").wat("sockets").wat("foreign-import");
    assert_refused(&home, "sockets.wasm", &["wasi:sockets/tcp"]);
    assert_refused(&home, "foreign-import.wasm", &["foo:bar/baz"]);
    assert_the_good_one_serves(&home);
    observed("E02", reason(&home, "foreign-import.wasm"));
}

#[test]
fn a_component_of_another_world_is_told_what_a_plugin_exports() {
    let text = fs::read_to_string(guests::root().join("tests/guests/wat/plugin.part")).unwrap();
    let half = text.replace("  (export \"hubcap:plugin/lifecycle@1.0.0\" (instance $lifecycle))\n", "");
    let exporting = |version: &str| {
        ["lifecycle", "tools"].iter().fold(text.clone(), |text, interface| {
            let export = |version: &str| format!("(export \"hubcap:plugin/{interface}@{version}\"");
            text.replace(&export("1.0.0"), &export(version))
        })
    };
    let case = "(core module $case (func (export \"run\") (param i32) (result i32) (i32.const 0)))
        (core instance $case (instantiate $case))";
    let component = |part: &str| wat::parse_str(format!("(component {case} {part})")).unwrap();
    let home = Home::new()
        .wat("plain")
        .wat("other-world")
        .file("no-lifecycle.wasm", &component(&half))
        .file("newer.wasm", &component(&exporting("9.0.0")))
        .file("older.wasm", &component(&exporting("0.1.0")));
    assert_refused(&home, "other-world.wasm", &["hubcap:plugin"]);
    assert_refused(&home, "no-lifecycle.wasm", &["hubcap:plugin/lifecycle"]);
    assert_refused(&home, "newer.wasm", &["9.0.0", "1.0.0"]);
    assert_refused(&home, "older.wasm", &["0.1.0", "1.0.0"]);
    assert_the_good_one_serves(&home);
    for file in ["older.wasm", "no-lifecycle.wasm"] {
        observed("E02", format_args!("{file}: {}", reason(&home, file)));
    }
}

#[test]
fn a_broken_manifest_is_refused_with_its_line_and_column() {
    let bomb = format!("id = \"bomb\"\nversion = \"1.0.0\"\nask.kv = {}", "[".repeat(10_000));
    let cases = [
        ("typo", "id = \"typo\"\nversoin = \"1.0.0\"\n", &["typo.toml:2:1", "version"][..]),
        ("syntax", "id = \"syntax\"\nversion = \n", &["syntax.toml:2:"]),
        ("wrong-type", "id = \"wrong-type\"\nversion = 1\n", &["wrong-type.toml:2:"]),
        ("twice", "id = \"twice\"\nid = \"twice\"\nversion = \"1.0.0\"\n", &["twice.toml:2:"]),
        ("bad-id", "id = \"Not An Id\"\nversion = \"1.0.0\"\n", &["Not An Id"]),
        (
            "capability",
            "id = \"capability\"\nversion = \"1.0.0\"\n[ask]\nsockets = true\n",
            &["capability.toml:4:1", "sockets"],
        ),
        (
            "nested",
            "id = \"nested\"\nversion = \"1.0.0\"\n[[ask.files]]\nname = \"a\"\naccess = { write = true }\n",
            &["nested.toml:5:"],
        ),
        ("bomb", &bomb, &["bomb.toml:"]),
    ];
    let component = guests::wat("plain");
    let home = cases.iter().fold(Home::new().wat("plain"), |home, (name, manifest, _)| {
        home.file(&format!("{name}.wasm"), &component).file(&format!("{name}.toml"), manifest.as_bytes())
    });
    for (name, _, words) in cases {
        assert_refused(&home, &format!("{name}.wasm"), words);
    }
    assert_the_good_one_serves(&home);
    observed("E05", format_args!("{} broken manifests refused, each with its reason", cases.len()));
}

#[test]
fn a_manifest_beside_the_file_gives_it_its_id_and_version() {
    let manifest = b"id = \"given\"\nversion = \"1.2.3\"\n";
    let home = Home::new().file("any.wasm", &guests::wat("plain")).file("any.toml", manifest);
    let plugin = home.plugin("any.wasm");
    assert_eq!(plugin["reason"], Value::Null);
    assert_eq!((&plugin["id"], &plugin["version"]), (&"given".into(), &"1.2.3".into()));
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["given_run"]);
    server.end();
}

#[test]
fn two_files_with_one_id_are_both_refused_and_name_each_other() {
    let manifest = b"id = \"same\"\nversion = \"1.0.0\"\n";
    let component = guests::wat("traps");
    let home = Home::new()
        .wat("plain")
        .file("first.wasm", &component)
        .file("first.toml", manifest)
        .file("second.wasm", &component)
        .file("second.toml", manifest);
    assert_refused(&home, "first.wasm", &["same", "second.wasm"]);
    assert_refused(&home, "second.wasm", &["same", "first.wasm"]);
    assert_the_good_one_serves(&home);
    let states = ["first.wasm", "second.wasm"].map(|file| home.plugin(file)["state"].clone());
    observed("E06", format_args!("one component twice under one id: {} and {}", states[0], states[1]));
}

#[test]
fn a_file_name_that_is_no_id_is_refused_with_the_rule() {
    let component = guests::wat("traps");
    let long = format!("{}.wasm", "a".repeat(25));
    let names =
        ["Plain.wasm", "with_underscore.wasm", "1st.wasm", "dot.ted.wasm", "hubcap.wasm", "route.wasm"];
    let home = names
        .iter()
        .chain([&long.as_str()])
        .fold(Home::new().wat("plain"), |home, name| home.file(name, &component));
    for name in &names[..4] {
        assert_refused(&home, name, &["lower-case", "manifest"]);
    }
    assert_refused(&home, &long, &["23"]);
    for reserved in ["hubcap.wasm", "route.wasm"] {
        assert_refused(&home, reserved, &["not `hubcap` or `route`"]);
    }
    assert_the_good_one_serves(&home);
    let states = ["Plain.wasm", "plain.wasm"].map(|file| home.plugin(file)["state"].clone());
    observed("E06", format_args!("ids that differ by case: Plain {}, plain {}", states[0], states[1]));
}

#[test]
fn a_plugin_that_the_operator_switched_off_is_neither_loaded_nor_listed() {
    let home = Home::new().wat("plain").wat("traps").config("[plugins.traps]\nenabled = false\n");
    assert_eq!(home.plugin("traps.wasm")["state"], "disabled");
    assert_the_good_one_serves(&home);
}

#[test]
fn every_file_is_listed_once_and_in_order() {
    let home =
        Home::new().wat("traps").wat("plain").file("broken.wasm", b"x").file("notes.txt", b"not a plugin");
    let list = home.plugin_list();
    let files: Vec<_> = list.iter().map(|plugin| plugin["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["broken.wasm", "plain.wasm", "traps.wasm"]);
    let plain = &list[1];
    assert_eq!(plain["id"], "plain");
    assert_eq!(plain["version"], "0.0.0");
    assert_eq!(plain["kinds"], serde_json::json!(["tools"]));
    assert_eq!(plain["tools"], 1);
    assert!(plain["path"].as_str().unwrap().ends_with("plugins/plain.wasm"), "{plain:#}");
}

/// A function that takes a second or so to compile: many locals, many loops around each other.
fn slow_to_compile() -> String {
    let loops = "loop\n".repeat(900);
    let turn = |n: usize| {
        let (from, to) = (1 + n * 7 % 40_000, 1 + n * 13 % 40_000);
        format!("local.get {from} local.get 0 i32.add local.set {to} local.get {from} br_if 0 end\n")
    };
    let turns: String = (0..900).map(turn).collect();
    format!("(func (param i32) (result i32) (local {}) {loops}{turns} local.get 0)", "i32 ".repeat(40_000))
}

#[test]
fn a_file_that_takes_long_to_compile_costs_its_neighbours_nothing() {
    let bomb = plugin_with(&format!("(core module {})", slow_to_compile().repeat(4)));
    let home = Home::new().wat("plain").file("bomb.wasm", &bomb);
    let mut server = home.serve();
    let start = Instant::now();
    assert_says(&server.call("plain_run", json!({})), "done");
    let waited = start.elapsed();
    // The list waits for all: it says how long the bomb took.
    assert_eq!(server.tool_names(), ["bomb_run", "plain_run"]);
    assert!(waited * 2 < start.elapsed(), "{waited:?} of {:?}", start.elapsed());
    server.end();
}
