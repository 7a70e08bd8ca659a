//! The command line: what it prints, where, and with which exit code.
//!
//! Invariant: a mistake is answered with what is wrong, where, and what to do, never with a backtrace.

use std::fs;

use serde_json::{Value, json};

use crate::support::guests;
use crate::support::home::{Finished, Home, finish};

/// The command failed in this way, with these words on standard error and nothing on standard output.
#[track_caller]
fn assert_fails(finished: &Finished, code: i32, words: &[&str]) {
    assert_eq!(finished.code, Some(code), "{}{}", finished.stdout, finished.stderr);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} in {:?}", finished.stderr);
    }
    for trace in ["backtrace", "panicked", "RUST_BACKTRACE"] {
        assert!(!finished.stderr.contains(trace), "{}", finished.stderr);
    }
}

#[track_caller]
fn assert_prints(finished: &Finished, expected: &str) {
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.stdout, expected, "{}", finished.stderr);
}

#[test]
fn a_call_takes_its_arguments_as_json_from_a_file_or_from_standard_input() {
    let home = Home::new().guest("echo");
    let arguments = r#"{"text":"hello"}"#;
    assert_prints(&home.run(&["call", "echo_say", arguments]), "hello\n");
    fs::write(home.path().join("arguments.json"), arguments).unwrap();
    assert_prints(&home.run(&["call", "echo_say", "@arguments.json"]), "hello\n");
    assert_prints(&home.run_with(&["call", "echo_say", "-"], arguments.as_bytes()), "hello\n");
    assert_prints(&home.run(&["call", "echo_sleep"]), "slept\n");
}

#[test]
fn a_call_with_json_prints_the_result_of_the_protocol_on_one_line() {
    let home = Home::new().guest("echo");
    let finished = home.run(&["call", "echo_structured", r#"{"n":4}"#, "--json"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(finished.stdout.lines().count(), 1, "{}", finished.stdout);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["structuredContent"], json!({ "n": 4, "twice": 8 }));
    assert_eq!(result["content"][0]["type"], "text");
    assert_ne!(result["isError"], true);
    assert_eq!(result["_meta"]["hubcap/receipt"]["tool"], "structured");
}

#[test]
fn a_call_that_fails_exits_with_1() {
    let home =
        Home::new().guest("echo").guest("looping").config("[plugins.looping]\nbudget = { fuel = 1000000 }\n");
    let failing = r#"{"code":"unavailable","message":"come back later"}"#;
    assert_fails(&home.run(&["call", "echo_fail", failing]), 1, &["unavailable", "come back later"]);
    assert_fails(&home.run(&["call", "looping_spin"]), 1, &["fuel"]);
    assert_fails(&home.run(&["call", "echo_say", r#"{"text":7}"#]), 1, &["invalid-arguments", "/text"]);
    let finished = home.run(&["call", "echo_fail", failing, "--json"]);
    assert_eq!(finished.code, Some(1));
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["isError"], true);
    assert_eq!(result["_meta"]["hubcap/error"]["code"], "unavailable");
}

#[test]
fn a_call_of_an_unknown_tool_names_the_nearest_one() {
    let home = Home::new().guest("echo");
    let finished = home.run(&["call", "echo_sya"]);
    assert_fails(&finished, finished.code.filter(|code| *code > 0).unwrap_or(1), &["echo_sya", "echo_say"]);
    assert_eq!(finished.stdout, "");
}

#[test]
fn arguments_that_are_no_json_are_a_usage_error_that_says_where() {
    let home = Home::new().guest("echo");
    assert_fails(&home.run(&["call", "echo_say", "{\"text\":"]), 2, &["column"]);
    assert_fails(&home.run(&["call", "echo_say", "[1]"]), 2, &["object"]);
    assert_fails(&home.run(&["call", "echo_say", "@missing.json"]), 2, &["missing.json"]);
    assert_fails(&home.run_with(&["call", "echo_say", "-"], b"no json"), 2, &["line 1"]);
}

#[test]
fn tools_are_listed_for_people_and_for_programs() {
    let home = Home::new().guest("echo").wat("plain");
    let finished = home.run(&["tools"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    for word in ["echo_say", "Says the text again.", "plain_run"] {
        assert!(finished.stdout.contains(word), "{}", finished.stdout);
    }
    let finished = home.run(&["tools", "--json"]);
    let listed: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(listed.to_string().contains("\"echo_say\""), "{listed:#}");
}

#[test]
fn plugins_are_listed_for_people_with_their_reasons() {
    let home = Home::new().wat("plain").file("broken.wasm", b"");
    let finished = home.run(&["plugin", "list"]);
    let reason = home.plugin("broken.wasm")["reason"].as_str().unwrap().to_owned();
    for word in ["plain", "ready", "broken.wasm", "refused", reason.as_str()] {
        assert!(finished.stdout.contains(word), "{word:?} in {}", finished.stdout);
    }
}

#[test]
fn a_home_without_plugins_serves_none_and_says_where_it_looked() {
    let home = Home::new();
    let finished = home.run(&["tools"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(home.plugin_list().len(), 0);
    let mut server = home.serve();
    assert_eq!(server.tool_names(), Vec::<String>::new());
    let ended = server.end();
    let place = home.plugins();
    assert!(ended.stderr.contains(place.to_str().unwrap()), "{}", ended.stderr);
}

#[test]
fn a_plugin_directory_that_is_missing_is_named() {
    let home = Home::new();
    for command in ["tools", "serve"] {
        let finished = home.run(&[command, "--plugins", "/nowhere/plugins"]);
        assert_fails(&finished, 2, &["/nowhere/plugins"]);
    }
    let home = Home::new().config("plugin-dirs = [\"elsewhere\"]\n");
    assert_fails(&home.run(&["tools"]), 2, &["elsewhere"]);
}

#[test]
fn directories_are_named_by_flag_environment_and_file() {
    let plugins = Home::new().wat("plain");
    let home = Home::new();
    let directory = plugins.plugins();
    let directory = directory.to_str().unwrap();
    let lists = |finished: &Finished| {
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        finished.stdout.contains("plain_run")
    };
    assert!(!lists(&home.run(&["tools"])));
    assert!(lists(&home.run(&["tools", "--plugins", directory])));
    assert!(lists(&finish(home.command(&["tools"]).env("HUBCAP_PLUGINS", directory), b"")));
    assert!(lists(&finish(home.bare_command(&["tools"]).env("HUBCAP_HOME", plugins.path()), b"")));
    let named = Home::new().config(&format!("plugin-dirs = [\"{directory}\"]\n"));
    assert!(lists(&named.run(&["tools"])));
    let file = named.path().join("hubcap.toml");
    assert!(lists(&home.run(&["tools", "--config", file.to_str().unwrap()])));
    assert!(lists(&finish(home.command(&["tools"]).env("HUBCAP_CONFIG", &file), b"")));
}

#[test]
fn the_nearest_home_from_here_upward_is_used() {
    let home = Home::new();
    let inner = home.path().join("work/deep");
    fs::create_dir_all(&inner).unwrap();
    let nearest = home.path().join("work/.hubcap/plugins");
    fs::create_dir_all(&nearest).unwrap();
    fs::write(nearest.join("plain.wasm"), guests::wat("plain")).unwrap();
    let finished = finish(home.bare_command(&["tools"]).current_dir(&inner), b"");
    assert!(finished.stdout.contains("plain_run"), "{}{}", finished.stdout, finished.stderr);
}

#[test]
fn a_broken_configuration_is_refused_with_its_place_and_the_nearest_key() {
    let cases = [
        ("[defaults]\nfule = 5\n", &["hubcap.toml:2:1", "fule", "fuel"][..]),
        ("[limits]\ncalls-per-plugn = 5\n", &["hubcap.toml:2:1", "calls-per-plugin"]),
        ("plugin-dir = [\"x\"]\n", &["hubcap.toml:1:1", "plugin-dirs"]),
        ("[plugins.echo]\nbudget = { feul = 1 }\n", &["hubcap.toml:2:12", "fuel"]),
        ("[defaults]\ndeadline = \"soon\"\n", &["hubcap.toml:2:12", "soon"]),
        ("[defaults]\nmemory = \"64 parsecs\"\n", &["hubcap.toml:2:10", "64 parsecs"]),
        ("[defaults]\nfuel = -1\n", &["hubcap.toml:2:8"]),
        ("[defaults]\nmemory = \"2GiB\"\n", &["hubcap.toml:2:10"]),
        ("[limits\n", &["hubcap.toml:1:"]),
        ("[limits]\ncalls = 1\ncalls = 2\n", &["hubcap.toml:3:1"]),
    ];
    for (toml, words) in cases {
        let home = Home::new().wat("plain").config(toml);
        for command in ["tools", "serve"] {
            assert_fails(&home.run(&[command]), 2, words);
        }
    }
}

#[test]
fn a_configuration_of_a_plugin_that_is_not_there_is_pointed_out() {
    let home = Home::new().wat("plain").config("[plugins.plian]\nenabled = false\n");
    let finished = home.run(&["plugin", "list"]);
    assert!(finished.stderr.contains("plian"), "{}{}", finished.stdout, finished.stderr);
}

#[test]
fn an_empty_environment_is_enough() {
    let home = Home::new().wat("plain");
    let finished = finish(home.command(&["call", "plain_run"]).env_clear(), b"");
    assert_prints(&finished, "done\n");
}

#[test]
fn help_names_every_command_and_every_command_has_help() {
    let home = Home::new();
    let finished = finish(&mut home.bare_command(&["--help"]), b"");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    for command in ["serve", "call", "tools", "validate", "plugin", "bench", "demo"] {
        assert!(finished.stdout.contains(command), "{}", finished.stdout);
        let own = finish(&mut home.bare_command(&[command, "--help"]), b"");
        assert_eq!(own.code, Some(0), "{command}: {}", own.stderr);
        assert!(own.stdout.contains("Usage"), "{command}: {}", own.stdout);
    }
    let finished = finish(&mut home.bare_command(&["--version"]), b"");
    assert!(finished.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", finished.stdout);
}

#[test]
fn a_mistyped_command_or_flag_is_a_usage_error() {
    let home = Home::new();
    assert_fails(&home.run(&["srve"]), 2, &["srve", "serve"]);
    assert_fails(&home.run(&["tools", "--jsno"]), 2, &["--jsno", "--json"]);
    assert_fails(&home.run(&["call"]), 2, &["NAME"]);
    assert_fails(&home.run(&["tools", "--log", "louder"]), 2, &["louder"]);
}

#[test]
fn logs_go_to_standard_error_in_the_asked_format() {
    let home = Home::new().guest("echo");
    let arguments = r#"{"lines":2}"#;
    let finished = home.run(&["call", "echo_log", arguments, "--log", "info", "--log-format", "json"]);
    assert_prints(&finished, "2\n");
    assert!(finished.stderr.contains("line 1 of echo"), "{}", finished.stderr);
    for line in finished.stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    let finished = home.run(&["call", "echo_log", arguments, "--log", "info", "--log-format", "human"]);
    assert!(finished.stderr.lines().any(|line| line.contains("line 1 of echo") && !line.starts_with('{')));
    let finished = home.run(&["call", "echo_log", arguments, "--log", "error"]);
    assert_eq!(finished.stderr, "");
}
