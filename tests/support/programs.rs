//! The stage of the tests of programs: scripts, a plugin that may run them, and a look at what still runs.
//!
//! Invariant: every program that a test starts carries the test's own mark in its environment, and so does
//! whatever came of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::case::Case;
use super::guests::wasm;
use super::home::Home;
use super::{SOON, holds_within};

/// Scripts, and what is granted of them.
pub(crate) struct Stage {
    /// Where the scripts are.
    pub(crate) folder: TempDir,
    manifest: String,
    config: String,
}

impl Stage {
    /// Without any script.
    pub(crate) fn new() -> Self {
        Self::with_budget("deadline = \"60s\", fuel = 20_000_000_000")
    }

    /// The same with another budget of calls.
    pub(crate) fn with_budget(budget: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            manifest: "id = \"programs\"\nversion = \"1.0.0\"\n".into(),
            config: format!("[plugins.programs]\nbudget = {{ {budget} }}\n"),
        }
    }

    /// The path of something on it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With more in the manifest.
    pub(crate) fn asking(mut self, manifest: &str) -> Self {
        self.manifest.push_str(manifest);
        self
    }

    /// With more in the configuration.
    pub(crate) fn granting(mut self, config: &str) -> Self {
        self.config.push_str(config);
        self
    }

    /// With a script for the shell that takes any arguments.
    pub(crate) fn script(self, name: &str, text: &str) -> Self {
        self.script_with(name, text, "")
    }

    /// The same with more keys in its grant.
    pub(crate) fn script_with(self, name: &str, text: &str, keys: &str) -> Self {
        write_script(&self.at(name), text);
        let path = self.at(name);
        self.program(name, &path, keys)
    }

    /// With a program that takes any arguments, and more keys in its grant.
    pub(crate) fn program(self, name: &str, path: &Path, keys: &str) -> Self {
        let ask = format!(
            "[[ask.process]]\ncommand = \"{name}\"\nargs = [{{ slot = \"args\", repeat = 64, dash = true }}]\nenv = [\"MARK\", \"LANG\"]\n"
        );
        let grant = format!("[plugins.programs.grant.process.{name}]\npath = {path:?}\n{keys}\n");
        self.asking(&ask).granting(&grant)
    }

    /// A home where the plugin has what it is granted.
    pub(crate) fn home(&self) -> Home {
        self.unaccepted().accept("programs")
    }

    /// A home where nobody has accepted the plugin yet.
    pub(crate) fn unaccepted(&self) -> Home {
        let home = Home::new().config(&self.config).file("programs.toml", self.manifest.as_bytes());
        home.file("programs.wasm", &wasm("programs"))
    }

    /// What becomes of the plugin where its grants cannot be used: accepted or not, it is refused.
    pub(crate) fn home_refused(&self) -> Value {
        let home = self.unaccepted();
        // Accepted before its grants are there, because what is refused cannot be.
        let granted = fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
        home.config("").accept("programs").config(&granted).plugin("programs.wasm")
    }

    /// The same, served beside a neighbour.
    pub(crate) fn case(&self) -> Case {
        Case::of(self.home())
    }

    /// The arguments of a tool that runs a command with this test's mark.
    pub(crate) fn arguments(&self, command: &str, args: &[&str]) -> Value {
        json!({ "command": command, "slots": [["args", args]], "env": { "MARK": self.mark() } })
    }

    /// The same with more.
    pub(crate) fn arguments_with(&self, command: &str, args: &[&str], more: Value) -> Value {
        let mut arguments = self.arguments(command, args);
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    }

    /// What the environment of this test's programs has in it.
    fn mark(&self) -> String {
        self.folder.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned()
    }

    /// The processes that carry the mark.
    pub(crate) fn running(&self) -> Vec<i32> {
        let mark = format!("MARK={}\0", self.mark()).into_bytes();
        let carries = |pid: &i32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.windows(mark.len()).any(|window| window == mark)
        };
        processes().into_iter().filter(carries).collect()
    }

    /// Nothing that carries the mark is left within this time.
    #[track_caller]
    pub(crate) fn assert_gone_within(&self, time: Duration) {
        let gone = holds_within(time, || self.running().is_empty());
        let left: Vec<String> = self.running().iter().map(|pid| described(*pid)).collect();
        assert!(gone, "after {time:?}: {left:?}");
    }

    /// So many processes carry the mark soon.
    #[track_caller]
    pub(crate) fn assert_running(&self, n: usize) {
        let there = holds_within(SOON, || self.running().len() == n);
        let left: Vec<String> = self.running().iter().map(|pid| described(*pid)).collect();
        assert!(there, "{n} expected: {left:?}");
    }
}

/// Nothing that a test leaves running outlives it.
impl Drop for Stage {
    fn drop(&mut self) {
        for pid in self.running() {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// Writes a script for the shell.
pub(crate) fn write_script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// All processes of the machine.
fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn described(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("{pid} {}", String::from_utf8_lossy(&line).replace('\0', " "))
}

/// The processes whose parent this is, zombies too.
pub(crate) fn children_of(parent: u32) -> Vec<i32> {
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.to_owned()).unwrap_or_default();
        fields.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    processes().into_iter().filter(is_child).collect()
}
