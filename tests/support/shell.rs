//! A shell in a scratch folder, with the tested program on its path and cargo offline.
//!
//! Invariant: nothing of the machine's own configuration reaches a command, and nothing that a command
//! started outlives it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tempfile::TempDir;

use super::guests::root;
use super::holds_within;

/// Longest that a command may take: a build whose dependencies are not there yet is the slowest.
const LONGEST: Duration = Duration::from_secs(300);

/// A scratch folder and the commands that ran in it.
pub(crate) struct Shell {
    folder: TempDir,
    /// What ran, from when to when.
    pub(crate) history: Vec<(String, Instant, Instant)>,
}

/// What a command left behind.
pub(crate) struct Ran {
    /// Its exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output and error, as they came.
    pub(crate) output: String,
}

impl Shell {
    /// A folder with nothing in it but `hubcap`, which leads to this checkout.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(root(), folder.path().join("hubcap")).unwrap();
        Self { folder, history: Vec::new() }
    }

    /// Writes a file, and the folders that it is in.
    pub(crate) fn write(&self, path: &Path, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Runs a command to its end.
    pub(crate) fn run(&mut self, command: &str) -> Ran {
        let started = Instant::now();
        let mut child = self.command(command).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut output = Vec::new();
            pipe.read_to_end(&mut output).map(|_| String::from_utf8_lossy(&output).into_owned())
        });
        let code = end(&mut child);
        let output = reading.join().unwrap().unwrap();
        self.history.push((command.to_owned(), started, Instant::now()));
        Ran { code, output }
    }

    fn command(&self, command: &str) -> Command {
        let here = self.folder.path();
        let program = Path::new(env!("CARGO_BIN_EXE_hubcap")).parent().unwrap();
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(format!("exec 2>&1\n{command}")).current_dir(here).process_group(0);
        bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let inherited = ["CARGO", "RUSTUP_TOOLCHAIN"].map(|name| (name, std::env::var_os(name)));
        bash.env_clear().envs(inherited.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&path)));
        bash.env("HOME", here).env("PATH", path.unwrap()).env("LC_ALL", "C.UTF-8");
        // Both are found below HOME unless they are named, and HOME is the scratch folder.
        bash.env("CARGO_HOME", tool_home("CARGO_HOME", ".cargo"));
        bash.env("RUSTUP_HOME", tool_home("RUSTUP_HOME", ".rustup"));
        // What the workspace has built and fetched is there to be used.
        bash.env("CARGO_TARGET_DIR", root().join("target")).env("CARGO_NET_OFFLINE", "true");
        bash
    }
}

fn tool_home(variable: &str, folder: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(folder);
    std::env::var_os(variable).map_or_else(home, PathBuf::from)
}

/// Waits for the end of a command, ends whatever it left running, and gives its exit code.
fn end(child: &mut Child) -> Option<i32> {
    let group = Pid::from_child(child);
    // The ended command keeps its id until it is waited for, so nothing else can be meant by it.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let ended = holds_within(LONGEST, || waitid(WaitId::Pid(group), look).unwrap().is_some());
    kill_process_group(group, Signal::KILL).unwrap();
    let status = child.wait().unwrap();
    status.code().filter(|_| ended)
}
