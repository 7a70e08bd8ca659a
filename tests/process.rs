//! Programs: run exactly as they are granted, and nothing else of the host or of the machine is theirs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::message::{assert_failed, text};
use crate::support::programs::{Stage, write_script};
use crate::support::promises::kept;
use crate::support::server::Era;
use crate::support::{SOON, holds_within};

/// Runs a program to its end, which has to be a good one, and gives what it printed.
#[track_caller]
pub(crate) fn run(case: &mut Case, arguments: Value) -> String {
    let result = case.call("programs_run", arguments);
    assert_ne!(result["isError"], true, "{result:#}");
    let ended = &result["structuredContent"];
    assert_eq!((&ended["code"], &ended["stderr"]), (&json!(0), &json!("")), "{ended:#}");
    ended["stdout"].as_str().unwrap().to_owned()
}

/// A program is refused in these words, and was not run.
#[track_caller]
fn assert_refused(case: &mut Case, arguments: Value, code: &str, blame: &str, words: &str) {
    let result = case.call("programs_run", arguments);
    assert_failed(&result, code, blame);
    assert!(text(&result).contains(words), "{words:?}: {}", text(&result));
}

#[test]
fn a_program_gets_its_arguments_as_they_are_and_no_shell_sees_them() {
    let stage = Stage::new().script("args", "printf '<%s>' \"$#\" \"$@\"");
    let mut case = stage.case();
    let odd = ["a b", "; rm -rf /", "$(id)", "`id`", "a\nb", "*", "~", "'\"\\", "é", "--", "-x", "@file"];
    let said = run(&mut case, stage.arguments("args", &odd));
    let expected: String = odd.iter().map(|value| format!("<{value}>")).collect();
    assert_eq!(said, format!("<{}>{expected}", odd.len()));
    assert_eq!(run(&mut case, json!({ "command": "args", "stdin": "not read" })), "<0>");
    stage.assert_gone_within(SOON);
    case.end();
    observed(
        "C25",
        format_args!("{} odd arguments came to the program as they are", said.matches('<').count() - 1),
    );
    kept("P25", format_args!("{} odd arguments came as they are, and no shell saw them", odd.len()));
}

#[test]
fn a_guest_fills_slots_and_can_say_nothing_else() {
    let shape = "args = [\"log\", \"-n\", { slot = \"count\", pattern = \"[0-9]{1,3}\" }, { slot = \"name\" }, \"--\", { slot = \"paths\", repeat = 2 }]";
    let stage = Stage::new()
        .script_with("log", "echo x >> \"${0%/*}/trace\"; printf '<%s>' \"$@\"", shape)
        .granting("[plugins.programs.grant.process.other]\npath = \"/bin/ls\"\n");
    let mut case = stage.case();
    let fill = |count: Value, name: Value, paths: Value| json!({ "command": "log", "slots": [["count", [count]], ["name", [name]], ["paths", paths]] });
    assert_eq!(
        run(&mut case, fill(json!("7"), json!("n"), json!(["-x", "--config=/x"]))),
        "<log><-n><7><n><--><-x><--config=/x>"
    );
    let mut refused = 0;
    for (count, name, paths, words) in [
        (json!("7; id"), json!("n"), json!([]), "its pattern allows: [0-9]{1,3}"),
        (json!("7\n"), json!("n"), json!([]), "its pattern allows"),
        (json!("7"), json!("--dangerously-skip-permissions"), json!([]), "starts with `-`"),
        (json!("7"), json!("-c"), json!([]), "starts with `-`"),
        (json!("7"), json!("a\0b"), json!([]), "has a NUL in it"),
        (json!("7"), json!("n"), json!(["a", "b", "c"]), "takes at most 2 values, not 3"),
        (json!("7"), json!("n"), json!([3 << 20]), "has 3145728 bytes, more than 65536"),
        (json!("7"), json!(""), json!([]), "is empty"),
    ] {
        assert_refused(&mut case, fill(count, name, paths), "invalid-arguments", "caller", words);
        refused += 1;
    }
    for (slots, words) in [
        (json!([]), "the slot \"count\" needs a value"),
        (json!([["count", ["1"]], ["count", ["2"]], ["name", ["n"]]]), "is filled twice"),
        (json!([["more", ["1"]]]), "there is no slot \"more\"; it has \"count\", \"name\", \"paths\""),
    ] {
        assert_refused(
            &mut case,
            json!({ "command": "log", "slots": slots }),
            "invalid-arguments",
            "caller",
            words,
        );
        refused += 1;
    }
    let trace = fs::read_to_string(stage.at("trace")).unwrap();
    assert_eq!(trace, "x\n", "only the first one was run");
    case.end();
    observed(
        "C25",
        format_args!("{refused} fillings of slots refused, the good one run {} time", trace.lines().count()),
    );
}

#[test]
fn what_is_not_asked_and_granted_is_denied_alike_and_never_run() {
    let stage = Stage::new()
        .asking("[[ask.process]]\ncommand = \"asked\"\n")
        .granting("[plugins.programs.grant.process.granted]\npath = \"/bin/ls\"\n");
    let mut case = stage.case();
    for (name, author) in [
        ("asked", ""),
        ("granted", "its author asks for it in [[ask.process]] of plugin.toml, then "),
        ("/bin/ls", "its author asks for it in [[ask.process]] of plugin.toml, then "),
        ("ls", "its author asks for it in [[ask.process]] of plugin.toml, then "),
        ("../ls", "its author asks for it in [[ask.process]] of plugin.toml, then "),
    ] {
        let result = case.call("programs_run", json!({ "command": name }));
        assert_failed(&result, "denied", "policy");
        assert_eq!(
            text(&result),
            format!(
                "denied: the command {name:?} is not granted; {author}the operator adds `process.{name} = \"/path/to/the/program\"` under [plugins.programs.grant] in hubcap.toml"
            )
        );
    }
    let logged = case.end().stderr;
    assert_eq!(logged.matches("denied: the command").count(), 5, "{logged}");
}

#[test]
fn the_environment_is_what_is_granted_and_nothing_else() {
    let keys = "env = [\"MARK\", \"LANG\"]\ninherit = [\"HOME\", \"NOT_SET\", \"LANG\"]";
    let stage = Stage::new().program("env", Path::new("/usr/bin/env"), keys);
    let home = stage.home();
    let mut command = home.command(&["serve"]);
    command.env("LANG", "host").env("SECRET", "canary").env("HTTPS_PROXY", "http://127.0.0.1:9");
    command.env("LD_BIND_NOW", "1").env("GIT_PAGER", "x");
    let mut server = home.serve_as(&mut command, Era::Legacy("2025-11-25"));
    let mut environment = |env: Value| {
        let result = server.call("programs_run", json!({ "command": "env", "env": env }));
        let said = result["structuredContent"]["stdout"].as_str().unwrap_or_default().to_owned();
        (said.lines().map(str::to_owned).collect::<BTreeSet<_>>(), result)
    };
    let set = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let at_home = format!("HOME={}", home.path().display());
    assert_eq!(environment(json!({})).0, set(&[&at_home, "LANG=host"]));
    let own = environment(json!({ "LANG": "de_DE.UTF-8", "MARK": "a b=c" })).0;
    assert_eq!(own, set(&[&at_home, "LANG=de_DE.UTF-8", "MARK=a b=c"]));
    for (name, value, code, words) in [
        ("LD_PRELOAD", "/x.so", "denied", "to set \"LD_PRELOAD\" for the command \"env\" is not granted"),
        ("PATH", "/x", "denied", "is not granted"),
        ("HOME", "/x", "denied", "is not granted"),
        ("MARK=A", "b", "denied", "is not granted"),
        ("MARK", "a\0LD_PRELOAD=/x", "invalid-arguments", "has a NUL in it"),
        ("MARK", "() { :; }; id", "invalid-arguments", "is a function for a shell"),
        ("LANG", "../../x", "invalid-arguments", "has a `/`"),
    ] {
        let (_, refused) = environment(json!({ name: value }));
        assert_eq!(refused["_meta"]["hubcap/error"]["code"], code, "{refused:#}");
        assert!(text(&refused).contains(words), "{refused:#}");
    }
    server.end();
}

#[test]
fn a_program_has_three_descriptors_whatever_the_host_was_started_with() {
    let stage = Stage::new().script("fds", "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /\\1 /p'");
    let home = stage.home();
    let leaked = stage.at("leaked");
    fs::write(&leaked, "").unwrap();
    let mut command = Command::new("/bin/sh");
    // The descriptor of the host's own standard output, too.
    let script = "exec 7>&1 8<\"$1\" 9>>\"$1\"; shift; exec \"$@\"";
    command.args(["-c", script, "sh"]).arg(&leaked).arg(env!("CARGO_BIN_EXE_hubcap"));
    command.args(["serve", "--home"]).arg(home.path()).current_dir(home.path()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut server = home.serve_as(&mut command, Era::Legacy("2025-11-25"));
    let (mut seen, mut inherited) = (Vec::new(), 0);
    for _ in 0..3 {
        let result = server.call("programs_run", json!({ "command": "fds" }));
        let said = result["structuredContent"]["stdout"].as_str().unwrap();
        let fds: Vec<(&str, &str)> = said.lines().filter_map(|line| line.split_once(' ')).collect();
        let kinds: Vec<&str> = fds.iter().map(|(_, what)| what.split(':').next().unwrap()).collect();
        // The last one is the directory that `ls` itself reads.
        assert!(fds.len() == 4 && kinds[..3] == ["pipe"; 3] && kinds[3].starts_with("/proc/"), "{said}");
        seen = fds[..3].iter().map(|(number, _)| (*number).to_owned()).collect();
        inherited += fds.len() - 4;
    }
    server.end();
    observed("C32", format_args!("a host with 7, 8 and 9 open, its program: {}", seen.join(", ")));
    kept("P25", format_args!("3 programs of a host with 3 descriptors more: {inherited} inherited"));
}

#[test]
fn a_program_has_a_session_without_a_terminal_all_its_signals_no_new_rights_and_no_core_files() {
    let look = "cut -d' ' -f6,7 /proc/$$/stat; ulimit -c; cat /proc/$$/comm; echo \"$0\"";
    let stage = Stage::new().script("look", look).program("sed", Path::new("/bin/sed"), "").program(
        "sleep",
        Path::new("/bin/sleep"),
        "",
    );
    let mut case = stage.case();
    let said = run(&mut case, stage.arguments("look", &[]));
    let lines: Vec<&str> = said.lines().collect();
    let (session, terminal) = lines[0].split_once(' ').unwrap();
    let host = fs::read_to_string(format!("/proc/{}/stat", case.server.pid())).unwrap();
    let host_session = host.rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap();
    assert!(session != host_session && terminal == "0", "{said}");
    let script = stage.at("look").canonicalize().unwrap();
    assert_eq!(lines[1..], ["0", "look", script.to_str().unwrap()]);
    // Not by a shell, which blocks signals for a moment.
    let script = "s/^NoNewPrivs:\t//p; s/^SigIgn:\t//p; s/^SigBlk:\t//p";
    let status = run(&mut case, stage.arguments("sed", &["-n", script, "/proc/self/status"]));
    let lines_of_status: Vec<&str> = status.lines().collect();
    // Above 31 are those that the C library keeps for itself.
    let signals = |hex: &str| u64::from_str_radix(hex, 16).unwrap() & 0x7fff_ffff;
    // What ignores a signal where hubcap is started, as `nohup` does, has it ignored by all that comes of it.
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    let pipe = 1 << 12;
    let ignored = signals(lines_of_status[1]) & !(signals(own) & !pipe);
    let blocked = signals(lines_of_status[0]);
    assert_eq!((blocked, ignored), (0, 0), "none is blocked, or ignored by hubcap: {status}");
    assert_eq!(lines_of_status[2], "1");
    // Lists of processes show what runs by its name.
    let arguments = stage.arguments("sleep", &["60"]);
    let _id = case.server.send_call("programs_run", arguments);
    stage.assert_running(1);
    let pid = stage.running()[0];
    let is_sleep = || fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm == "sleep\n");
    assert!(holds_within(SOON, is_sleep));
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert_eq!(line, b"/bin/sleep\x0060\0");
    observed(
        "C33",
        format_args!("a session of its own, terminal {terminal}, NoNewPrivs {}", lines_of_status[2]),
    );
}

#[test]
fn a_program_that_was_replaced_or_changed_is_denied_until_the_host_starts_again() {
    let stage = Stage::new().script("tool", "echo good").script("other", "echo good");
    symlink(stage.at("other"), stage.at("link")).unwrap();
    let stage = {
        let link = stage.at("link");
        stage.program("linked", &link, "")
    };
    let home = stage.home();
    let mut case = Case::of(home);
    let arguments = |name: &str| json!({ "command": name });
    assert_eq!(run(&mut case, arguments("tool")), "good\n");
    // A link that leads elsewhere now changes nothing: what it led to is what was granted.
    write_script(&stage.at("evil"), "echo evil");
    symlink(stage.at("evil"), stage.at("link-2")).unwrap();
    fs::rename(stage.at("link-2"), stage.at("link")).unwrap();
    assert_eq!(run(&mut case, arguments("linked")), "good\n");
    let denied = "is another file than when the plugin was loaded, was changed, or is gone; the operator starts hubcap again";
    fs::rename(stage.at("evil"), stage.at("tool")).unwrap();
    assert_refused(&mut case, arguments("tool"), "denied", "policy", denied);
    write_script(&stage.at("other"), "echo EVIL");
    assert_refused(&mut case, arguments("linked"), "denied", "policy", denied);
    fs::remove_file(stage.at("other")).unwrap();
    assert_refused(&mut case, arguments("linked"), "denied", "policy", denied);
    let logged = case.end().stderr;
    let place = stage.at("tool").canonicalize().unwrap();
    assert!(logged.contains(place.to_str().unwrap()), "the operator is told which: {logged}");
    let denied = logged.lines().filter(|line| line.contains(denied)).count();
    observed(
        "C26",
        format_args!("replaced, changed and removed programs: denied, {denied} lines in the log"),
    );
}

#[test]
fn a_file_that_is_swapped_while_it_is_started_is_never_run() {
    let stage = Stage::new();
    for (name, from) in [("tool", "/bin/echo"), ("evil", "/bin/false")] {
        fs::copy(from, stage.at(name)).unwrap();
        fs::set_permissions(stage.at(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = stage.at("tool");
    let stage = stage.program("tool", &path, "");
    let mut case = stage.case();
    let done = AtomicBool::new(false);
    let (mut good, mut denied) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The two files change places; their times of change do, too, so that few starts find theirs.
            while !done.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                let (tool, evil) = (stage.at("tool"), stage.at("evil"));
                rustix::fs::renameat_with(rustix::fs::CWD, &tool, rustix::fs::CWD, &evil, flags).unwrap();
            }
        });
        for _ in 0..60 {
            let result = case.call("programs_run", stage.arguments("tool", &["good"]));
            let ended = &result["structuredContent"];
            match (ended["code"].as_i64(), result["_meta"]["hubcap/error"]["code"].as_str()) {
                (Some(0), None) => good += 1,
                (None, Some("denied")) => denied += 1,
                _ => {
                    done.store(true, Ordering::Relaxed);
                    panic!("another program was run: {result:#}");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(good + denied == 60 && denied > 0, "{good} {denied}");
    case.end();
    observed(
        "C26",
        format_args!("60 starts while two files change places: {good} the granted one, {denied} denied"),
    );
}

#[test]
fn a_program_works_in_its_directory_or_in_an_empty_one_of_its_own() {
    let ask = "[[ask.files]]\nname = \"project\"\naccess = \"read\"\n";
    let look = "pwd -P; ls -A; stat -c %a .; echo x > made 2>/dev/null; echo y > ../beside 2>/dev/null; true";
    let stage = Stage::new().asking(ask).script("alone", look);
    fs::create_dir_all(stage.at("project/below")).unwrap();
    symlink("/etc", stage.at("project/out")).unwrap();
    let grant = format!("[plugins.programs.grant.files]\nproject = {:?}\n", stage.at("project"));
    let stage = stage.granting(&grant).program("pwd", Path::new("/bin/pwd"), "directory = \"project\"");
    let mut case = stage.case();
    let project = stage.at("project").canonicalize().unwrap();
    let place = |directory: Value| json!({ "command": "pwd", "directory": directory });
    for (directory, expected) in [
        (Value::Null, ""),
        (json!("."), ""),
        (json!("/project"), ""),
        (json!("below"), "/below"),
        (json!("/project/below"), "/below"),
        (json!("below/.."), ""),
    ] {
        let said = run(&mut case, place(directory.clone()));
        assert_eq!(said.trim_end(), format!("{}{expected}", project.display()), "{directory}");
    }
    for directory in ["..", "/", "/etc", "/projects", "out", "below/../..", "none", "/project/../..", ""] {
        let words = "there is no such directory in \"project\" to work in";
        if directory.is_empty() {
            assert_eq!(run(&mut case, place(json!(directory))).trim_end(), project.display().to_string());
        } else {
            assert_refused(&mut case, place(json!(directory)), "invalid-arguments", "caller", words);
        }
    }
    assert_refused(
        &mut case,
        json!({ "command": "alone", "directory": "." }),
        "denied",
        "policy",
        "the operator names one with `directory`",
    );
    let (first, second) =
        (run(&mut case, stage.arguments("alone", &[])), run(&mut case, stage.arguments("alone", &[])));
    for said in [&first, &second] {
        let lines: Vec<&str> = said.lines().collect();
        let path = Path::new(lines[0]);
        assert_eq!(lines[1..], ["700"], "it is empty, and its owner's alone");
        assert!(path.starts_with(std::env::temp_dir()) && !path.exists(), "{said}");
        assert!(!path.parent().unwrap().exists(), "what was made beside it is gone, too");
    }
    assert_ne!(first, second);
    case.end();
}
