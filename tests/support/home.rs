//! A home of its own for each test: plugins, configuration, and the command that runs there.
//!
//! Invariant: nothing of the machine's own configuration reaches the host, and the directory goes with
//! the test.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tempfile::TempDir;

use super::server::{Era, Server};
use super::{SOON, guests, holds_within};

/// A temporary home.
pub(crate) struct Home {
    // A server that still reads it keeps it, too.
    directory: Arc<TempDir>,
}

/// What a command left behind.
pub(crate) struct Finished {
    /// Its exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Home {
    /// A home with an empty plugin directory and no configuration.
    pub(crate) fn new() -> Self {
        let home = Self { directory: Arc::new(tempfile::tempdir().unwrap()) };
        fs::create_dir(home.plugins()).unwrap();
        home
    }

    /// With a Rust guest under its own name.
    pub(crate) fn guest(self, name: &str) -> Self {
        self.guest_as(name, name)
    }

    /// With a Rust guest under another id.
    pub(crate) fn guest_as(self, name: &str, id: &str) -> Self {
        self.file(&format!("{id}.wasm"), &guests::wasm(name))
    }

    /// With a hand-written guest under its own name.
    pub(crate) fn wat(self, name: &str) -> Self {
        self.file(&format!("{name}.wasm"), &guests::wat(name))
    }

    /// With any file in the plugin directory.
    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.plugins().join(name), bytes).unwrap();
        self
    }

    /// With a `hubcap.toml`.
    pub(crate) fn config(self, toml: &str) -> Self {
        fs::write(self.path().join("hubcap.toml"), toml).unwrap();
        self
    }

    /// With this plugin accepted as it is, which one that has grants needs.
    #[track_caller]
    pub(crate) fn accept(self, id: &str) -> Self {
        let accepted = self.run(&["plugin", "approve", id, "--yes"]);
        assert_eq!(accepted.code, Some(0), "{}{}", accepted.stdout, accepted.stderr);
        self
    }

    /// The home's directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The plugin directory.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.path().join("plugins")
    }

    /// The command in a clean environment, without its home.
    pub(crate) fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubcap"));
        command.args(arguments).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// The command in this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command(arguments);
        command.arg("--home").arg(self.path());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        finish(&mut self.command(arguments), b"")
    }

    /// The same, with something on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Finished {
        finish(&mut self.command(arguments), stdin)
    }

    /// `plugin list --json`: what became of each file, by its name.
    pub(crate) fn plugin(&self, file: &str) -> Value {
        let list = self.plugin_list();
        let found = list.iter().find(|plugin| plugin["file"] == file);
        found.unwrap_or_else(|| panic!("{file} is not in {list:#?}")).clone()
    }

    /// `plugin list --json`: all files.
    pub(crate) fn plugin_list(&self) -> Vec<Value> {
        let finished = self.run(&["plugin", "list", "--json"]);
        let list: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", finished.stdout, finished.stderr));
        list["plugins"].as_array().expect("a list of plugins").clone()
    }

    /// Serves this home to a client of the last revision with `initialize`.
    pub(crate) fn serve(&self) -> Server {
        self.serve_to(Era::Legacy("2025-11-25"))
    }

    /// Serves this home to a client of the given era.
    pub(crate) fn serve_to(&self, era: Era) -> Server {
        self.serve_as(&mut self.command(&["serve"]), era)
    }

    /// Serves this home to a client that can ask people.
    pub(crate) fn serve_asking(&self, era: Era) -> Server {
        let capabilities = serde_json::json!({ "elicitation": { "form": {} } });
        self.serve_able(&mut self.command(&["serve"]), era, capabilities)
    }

    /// Serves this home by a command of the test's own to a client that says it can do this.
    pub(crate) fn serve_able(&self, command: &mut Command, era: Era, capabilities: Value) -> Server {
        Server::start_as(command, era, Arc::clone(&self.directory), capabilities)
    }

    /// Serves this home by a command of the test's own.
    pub(crate) fn serve_as(&self, command: &mut Command, era: Era) -> Server {
        Server::start(command, era, Arc::clone(&self.directory))
    }
}

/// Runs a command to its end, with something on its standard input. One that hangs fails the test.
#[track_caller]
pub(crate) fn finish(command: &mut Command, stdin: &[u8]) -> Finished {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap()));
    // A command that does not read its input has its own way of saying so.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let mut status = None;
    let ended = holds_within(3 * SOON, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    if !ended {
        child.kill().unwrap();
    }
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    assert!(ended, "{command:?} does not end: {stdout}\n{stderr}");
    Finished { code: status.unwrap().code(), stdout, stderr }
}

fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("the output is text");
        text
    })
}
