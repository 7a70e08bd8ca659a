//! What a plugin asks for and what the operator grants: shown, refused, written.

use std::fs;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::{Home, finish};

const MANIFEST: &str = "id = \"asker\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n\
    [[ask.http]]\nurl = \"https://api.example\"\nmethods = [\"GET\", \"POST\"]\nwhy = \"reads issues\"\n\
    [[ask.files]]\nname = \"work\"\naccess = \"write\"\n\
    [[ask.secrets]]\nname = \"token\"\nurl = \"https://api.example\"\nheader = \"authorization\"\n";

fn home() -> Home {
    Home::new().file("asker.wasm", &wasm("echo")).file("asker.toml", MANIFEST.as_bytes())
}

fn grants(home: &Home) -> Value {
    let inspected = home.run(&["plugin", "inspect", "asker", "--json"]);
    let inspected: Value = serde_json::from_str(&inspected.stdout).expect(&inspected.stderr);
    inspected["grants"].clone()
}

#[test]
fn what_is_asked_and_not_granted_is_shown_with_the_line_to_write() {
    let home = home();
    let page = home.run(&["plugin", "inspect", "asker"]).stdout;
    for line in [
        "1 MiB of state: kv = 1048576",
        "GET, POST requests to https://api.example (reads issues): http = [\"https://api.example\"]",
        "files.work = { path = ",
        "carried by requests to https://api.example as `authorization: …`, which it does not see: secrets.token = { env = ",
    ] {
        assert!(page.contains(line), "{line:?} in {page}");
    }
    assert_eq!(grants(&home)["granted"], json!([]));
}

#[test]
fn granting_writes_the_file_with_its_comments_and_is_taken_from_then_on() {
    let home = home().config("# mine\n[plugins.asker] # this one\nenabled = true\n");
    fs::create_dir(home.path().join("work")).unwrap();
    let work = format!("work={}", home.path().join("work").display());
    let granted =
        home.run(&["plugin", "grant", "asker", "--yes", "--file", &work, "--secret", "token=env:TOKEN"]);
    assert_eq!(granted.code, Some(0), "{}", granted.stderr);
    assert!(
        granted.stdout.contains("asker asks for:") && granted.stdout.contains("reads issues"),
        "{}",
        granted.stdout
    );
    let file = fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    assert!(file.starts_with("# mine\n[plugins.asker] # this one\nenabled = true\n"), "{file}");
    assert_eq!(grants(&home)["missing"], json!([]));
    assert_eq!(grants(&home)["granted"].as_array().unwrap().len(), 4);
    let again = home.run(&["plugin", "grant", "asker", "--yes"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "asker has all that it asks for.\n"));
    assert_eq!(fs::read_to_string(home.path().join("hubcap.toml")).unwrap(), file);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_granted() {
    let home = home();
    let refused = home.run(&["plugin", "grant", "asker"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert!(!home.path().join("hubcap.toml").exists());
    // What only the operator knows stays out where nobody says it.
    let some = home.run(&["plugin", "grant", "asker", "--yes"]);
    assert!(some.stdout.contains("2 more asked for and not granted"), "{}", some.stdout);
    assert_eq!(grants(&home)["missing"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_granted_is_told_and_nothing_is_written() {
    let home = home();
    for (arguments, why) in [
        (vec!["asker", "--yes", "--file", "wrok=/tmp"], "no directory \"wrok\" is missing"),
        (vec!["asker", "--yes", "--file", "work=/no/such/folder"], "is not a directory"),
        (vec!["asker", "--yes", "--file", "work=/proc"], "belongs to the system"),
        (vec!["asker", "--yes", "--file", "work=/"], "broad = true"),
        (vec!["asker", "--yes", "--file", "work=."], "broad = true"),
        (vec!["asker", "--yes", "--file", "work=plugins"], "hubcap's own files"),
        (vec!["asker", "--yes", "--file", "work=/tmp", "--file", "work=/var"], "named twice"),
        (vec!["asker", "--yes", "--secret", "token=TOKEN"], "env:VARIABLE"),
        (vec!["askre", "--yes"], "did you mean \"asker\"?"),
    ] {
        let refused = home.run(&[&["plugin", "grant"], arguments.as_slice()].concat());
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stdout);
        assert!(refused.stderr.contains(why), "{arguments:?}: {}", refused.stderr);
        assert!(!home.path().join("hubcap.toml").exists(), "{arguments:?}");
    }
}

#[test]
fn a_path_means_the_same_when_it_is_granted_and_when_it_is_read() {
    let home = home();
    fs::create_dir(home.path().join("data")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("hubcap.toml");
    fs::write(&file, "# mine\n").unwrap();
    let mut command = home.command(&["plugin", "grant", "asker", "--yes", "--file", "work=data"]);
    let granted = finish(command.arg("--config").arg(&file), b"");
    assert_eq!(granted.code, Some(0), "{}", granted.stderr);
    let data = home.path().join("data");
    assert!(granted.stdout.contains(data.to_str().unwrap()), "{}", granted.stdout);
    assert!(fs::read_to_string(file).unwrap().contains(data.to_str().unwrap()));
}

#[test]
fn what_a_later_version_asks_for_besides_is_missing_again() {
    let home = home();
    assert_eq!(home.run(&["plugin", "grant", "asker", "--yes", "--secret", "token=env:HOME"]).code, Some(0));
    let more = MANIFEST.replace("[\"GET\", \"POST\"]", "[\"GET\", \"POST\", \"DELETE\"]");
    let home = home.file("asker.toml", more.as_bytes());
    let grants = grants(&home);
    assert!(!grants["granted"].to_string().contains("DELETE"), "{grants}");
    assert!(grants["missing"].to_string().contains("DELETE"), "{grants}");
}

#[test]
fn a_file_from_elsewhere_gets_no_grants_by_its_id() {
    let home = home();
    let trace = home.path().join("was-run");
    let command = format!("[\"/bin/sh\", \"-c\", \"touch {}; echo canary-value\"]", trace.display());
    let home = home
        .config(&format!("[plugins.asker.grant]\nkv = 1024\nsecrets.token = {{ command = {command} }}\n"));
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["asker.wasm", "asker.toml"] {
        fs::copy(home.plugins().join(name), elsewhere.path().join(name)).unwrap();
    }
    let file = elsewhere.path().join("asker.wasm");
    for look in ["inspect", "check"] {
        home.run(&["plugin", look, file.to_str().unwrap()]);
        assert!(!trace.exists(), "{look} read a secret");
    }
    // Once its file is accepted it has it, wherever that lies.
    let home = home.accept("asker");
    home.run(&["plugin", "inspect", file.to_str().unwrap()]);
    assert!(trace.exists());
}

#[test]
fn what_the_operator_wrote_is_in_no_answer_to_an_agent() {
    let manifest = "id = \"asker\"\nversion = \"1.0.0\"\n[config.properties.token]\ntype = \"string\"\npattern = \"^gho_\"\n";
    let home = Home::new().file("asker.wasm", &wasm("echo")).file("asker.toml", manifest.as_bytes());
    let home = home.config("[plugins.asker]\nconfig = { token = \"ghp_canary\" }\n");
    let called = home.run(&["call", "asker_say", "{}", "--json"]);
    assert!(called.stdout.contains("hubcap.toml:2:12"), "{}", called.stdout);
    assert!(!(called.stdout + &called.stderr).contains("ghp_canary"));
}

#[test]
fn a_typo_a_double_and_a_broad_grant_stop_the_host_with_their_place() {
    let faults = [
        ("htpp = []", "hubcap.toml:2:1: unknown key `htpp`; did you mean `http`?"),
        ("kv = 1\nkv = 2", "hubcap.toml:3:1: duplicate key `kv`"),
        ("kv = true", "hubcap.toml:2:6: "),
        ("http = [\"https://*\"]", "hubcap.toml:2:8: `*` is every host there is"),
        ("files.work = \"/\"", "hubcap.toml:2:7: / is all of the user's home or more"),
        ("files.work = { path = \"/proc\", broad = true }", "/proc belongs to the system"),
        ("http = [{ url = \"https://a.example\", grant = { files = \"/\" } }]", "unknown key `grant`"),
        ("kv = { bytes = 1, http = [\"https://*\"] }", "hubcap.toml:2:6: "),
        ("files.work = { path = { path = \"/srv\", broad = true } }", "hubcap.toml:2:"),
    ];
    let mut broad = 0;
    for (grant, why) in faults {
        let home = home().config(&format!("[plugins.asker.grant]\n{grant}\n"));
        let refused = home.run(&["tools"]);
        assert!(refused.code == Some(2) && refused.stderr.contains(why), "{grant}: {}", refused.stderr);
        broad += refused.stderr.matches("broad = true").count();
    }
    observed(
        "E05",
        format_args!("{} faulty grants stop the host, {broad} with how to mean it", faults.len()),
    );
}

#[test]
fn what_a_plugin_calls_is_granted_by_name_and_where_it_is_left_open_by_the_names_that_are_given() {
    let manifest = "id = \"asker\"\nversion = \"1.0.0\"\n[[ask.hub]]\ntool = \"echo_say\"\nwhy = \"says it\"\n\
        [[ask.hub]]\nprovider = \"*\"\n";
    let home = Home::new().file("asker.wasm", &wasm("echo")).file("asker.toml", manifest.as_bytes());
    let page = home.run(&["plugin", "inspect", "asker"]).stdout;
    for line in [
        "calls of the tool \"echo_say\" (says it): hub.tools = [\"echo_say\"]",
        "calls of providers, which you name: hub.providers = [\"name-of-one\"]",
    ] {
        assert!(page.contains(line), "{line:?} in {page}");
    }
    for (callee, why) in [
        ("provider", "KIND=NAME"),
        ("provider=a_b", "is no provider"),
        ("tool=echo_fail", "no tool is left to be named"),
    ] {
        let refused = home.run(&["plugin", "grant", "asker", "--yes", "--callee", callee]);
        assert!(refused.code == Some(2) && refused.stderr.contains(why), "{callee}: {}", refused.stderr);
    }
    let some = home.run(&["plugin", "grant", "asker", "--yes"]);
    assert!(some.stdout.contains("1 more asked for and not granted"), "{}{}", some.stdout, some.stderr);
    let both = ["--callee", "provider=one", "--callee", "provider=two"];
    let granted = home.run(&[&["plugin", "grant", "asker", "--yes"][..], &both].concat());
    assert!(granted.stdout.contains("calls of providers: one,two"), "{}{}", granted.stdout, granted.stderr);
    let file = fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    assert_eq!(file, "[plugins.asker.grant.hub]\ntools = [\"echo_say\"]\nproviders = [\"one\", \"two\"]\n");
    assert_eq!(grants(&home)["missing"], json!([]));
    // Another callee is another ask: the plugin waits for the operator.
    let home = home.accept("asker");
    let home = home.file("asker.toml", manifest.replace("echo_say", "echo_fail").as_bytes());
    let reason = home.plugin("asker.wasm")["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("asks for more: calls of the tool \"echo_fail\""), "{reason}");
}
