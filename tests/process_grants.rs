//! Commands: asked for, granted, shown, and refused where they cannot be what was meant.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::programs::Stage;

#[test]
fn variables_that_run_other_code_stop_the_host_with_their_place() {
    for (keys, why) in [
        ("env = [\"LD_PRELOAD\"]", ":5:7: LD_PRELOAD is never given to a program"),
        ("inherit = [\"NODE_OPTIONS\"]", ":5:11: NODE_OPTIONS is never given to a program"),
        ("inherit = [\"BASH_ENV\", \"GIT_SSH_COMMAND\"]", "BASH_ENV is never given"),
        ("env = [\"PATH\"]", "PATH is set by no plugin"),
        ("deadline = \"2h\"", "is not between 1 ms and 3600000 ms"),
    ] {
        let home = Stage::new().program("env", Path::new("/usr/bin/env"), keys).unaccepted();
        let refused = home.run(&["tools"]);
        assert!(refused.code == Some(2) && refused.stderr.contains(why), "{keys}: {}", refused.stderr);
    }
    let home = Stage::new().asking("[[ask.process]]\ncommand = \"x\"\nenv = [\"LD_PRELOAD\"]\n").unaccepted();
    let reason = home.plugin("programs.wasm")["reason"].clone();
    assert!(reason.as_str().unwrap().contains("LD_PRELOAD is never given"), "{reason}");
}

#[test]
fn a_command_that_cannot_be_run_refuses_the_plugin_with_its_reason() {
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let reason = |stage: &Stage| {
        let plugin = stage.home_refused();
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        plugin["reason"].as_str().unwrap().to_owned()
    };
    let none = Stage::new().program("tool", Path::new("/no/such/tool"), "");
    assert_eq!(
        reason(&none),
        "bad command: /no/such/tool is not there: install it, or correct the path; it is granted as `process.tool` under [plugins.programs.grant] in hubcap.toml"
    );
    let stage = Stage::new().script("tool", "true");
    for (bits, why) in
        [(0o777, "is writable by others"), (0o775, "chmod go-w"), (0o644, "cannot be executed")]
    {
        mode(&stage.at("tool"), bits);
        assert!(reason(&stage).contains(why), "{bits:o}: {}", reason(&stage));
    }
    mode(&stage.at("tool"), 0o755);
    mode(stage.folder.path(), 0o770);
    assert!(reason(&stage).contains(", which is writable by others"), "{}", reason(&stage));
    mode(stage.folder.path(), 0o700);
    let folder = Stage::new().program("tool", Path::new("/usr"), "");
    assert!(reason(&folder).contains("is not a file"));
    let nowhere = Stage::new().program("tool", Path::new("/bin/ls"), "directory = \"project\"");
    assert!(reason(&nowhere).contains("which is not granted as `files.project`"), "{}", reason(&nowhere));
    let large =
        Stage::new().program("tool", Path::new("/bin/ls"), "args = [{ slot = \"x\", pattern = '\\w{999}' }]");
    assert!(reason(&large).contains("takes more than 1048576 bytes"), "{}", reason(&large));
}

#[test]
fn a_directory_in_which_a_plugin_could_change_a_program_is_not_granted_to_be_written_to() {
    let stage = Stage::new().script("tool", "true");
    let config =
        format!("[plugins.other.grant]\nfiles.work = {{ path = {:?}, write = true }}\n", stage.folder.path());
    let refused = stage.granting(&config).unaccepted().run(&["tools"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    assert!(
        refused.stderr.contains("can change a program that is granted as a command"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_command_is_granted_with_the_shape_that_was_shown_and_another_shape_waits() {
    let ask = |args: &str| {
        format!("[[ask.process]]\ncommand = \"say\"\nargs = {args}\nenv = [\"LANG\"]\nwhy = \"says it\"\n")
    };
    let args = "[\"-n\", { slot = \"words\", repeat = 3 }]";
    let home = Stage::new().asking(&ask(args)).unaccepted();
    fs::remove_file(home.path().join("hubcap.toml")).unwrap();
    for (program, why) in [
        ("say=/no/such/say", "/no/such/say is not there"),
        ("say=/proc/self/exe", "belongs to the system"),
        ("says=/bin/echo", "no command \"says\" is missing"),
    ] {
        let refused = home.run(&["plugin", "grant", "programs", "--yes", "--program", program]);
        assert!(refused.code == Some(2) && refused.stderr.contains(why), "{program}: {}", refused.stderr);
    }
    let none = home.run(&["plugin", "grant", "programs", "--yes"]);
    assert!(
        none.stdout.contains(&format!("to run \"say\" with {args}, setting LANG: says it")),
        "{}",
        none.stdout
    );
    assert!(!home.path().join("hubcap.toml").exists(), "only the operator knows the program");
    let granted = home.run(&["plugin", "grant", "programs", "--yes", "--program", "say=/bin/echo"]);
    assert_eq!(granted.code, Some(0), "{}", granted.stderr);
    let written = fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    assert!(
        written.contains(&format!(
            "[plugins.programs.grant.process.say]\npath = \"/bin/echo\"\nargs = {args}\n"
        )),
        "{written}"
    );
    let home = home.accept("programs");
    let said =
        home.run(&["call", "programs_run", r#"{"command":"say","slots":[["words",["a","b"]]]}"#, "--json"]);
    assert!(said.stdout.contains(r#""stdout":"a b""#), "{}", said.stdout);
    // A version that wants its slot somewhere else is another one.
    let manifest =
        format!("id = \"programs\"\nversion = \"1.0.0\"\n{}", ask("[{ slot = \"words\", dash = true }]"));
    let home = home.file("programs.toml", manifest.as_bytes());
    let plugin = home.plugin("programs.wasm");
    assert_eq!(plugin["state"], "quarantined", "{plugin:#}");
    let shown = home.run(&["plugin", "approve", "programs"]);
    for line in [format!("with {args}"), "with [{ slot = \"words\", dash = true }]".to_owned()] {
        assert!(shown.stdout.contains(&line), "{line:?}: {}{}", shown.stdout, shown.stderr);
    }
}
