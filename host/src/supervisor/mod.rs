//! What stands between hubcap and a program that it runs: a process of its own that ends the program and all
//! that came of it, whatever becomes of hubcap.
//!
//! hubcap starts itself anew, by a first argument that is no command. That process becomes the parent of
//! whatever the program leaves behind (Linux), starts the program through a third one, which ties its life to
//! its parent's and becomes the program, and then waits: for the program's end, its deadline, or the word of
//! hubcap. The end of the connection to hubcap is such a word, too.
//!
//! Invariant: it reads nothing of the program's input and output, and ends only when nothing of the program is
//! left.

mod descendants;
mod launch;
mod private;
mod protocol;
mod watch;

pub(crate) use descendants::end_session;
pub(crate) use protocol::{Ended, Failure, Report, Request, STOP, Target, send};

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// First argument of a supervisor.
const SUPERVISE: &str = "__supervise";
/// First argument of what becomes the program.
const LAUNCH: &str = "__launch";

/// What can be started as a supervisor: a program whose `main` begins with [`run_if_asked`].
#[derive(Clone, Debug)]
pub struct Launcher(PathBuf);

impl Launcher {
    /// The program that is running, which need not be in its place any more (Linux).
    pub fn this_program() -> Self {
        Self(this_program())
    }

    /// Another one.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The command that starts a supervisor for a program. It shows in lists of processes under this label.
    pub(crate) fn command(&self, label: &str) -> Command {
        let mut command = command(&self.0, SUPERVISE, label);
        command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

#[cfg(target_os = "linux")]
fn this_program() -> PathBuf {
    "/proc/self/exe".into()
}

#[cfg(not(target_os = "linux"))]
fn this_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "hubcap".into())
}

fn command(program: &Path, role: &str, label: &str) -> Command {
    let mut command = Command::new(program);
    command.arg0("hubcap").args([role, label]).env_clear();
    command
}

/// Does the work of a supervisor where the arguments of the process ask for that: first thing in `main`.
pub fn run_if_asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    let role = arguments.next()?;
    let run: fn(&str) -> io::Result<()> = match role.to_str()? {
        SUPERVISE => watch::run,
        LAUNCH => |_| launch::run(),
        _ => return None,
    };
    let label = arguments.next().unwrap_or_default();
    // Whoever started it hears of it by the connection, and nobody else did.
    Some(if run(&label.to_string_lossy()).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
