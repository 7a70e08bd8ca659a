//! What becomes the program.
//!
//! Invariant: the file that is run is the one that was looked at a moment before (Linux; a script's interpreter
//! opens it once more), and the program's life is tied to its supervisor's before there is a program.

use std::ffi::{CString, OsStr};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::OFlags;

use super::protocol::{Failure, Launch, Target, receive};
use crate::program::Identity;

/// How files begin that the kernel runs by itself.
const ELF: [u8; 4] = *b"\x7fELF";

/// Becomes the program; where it comes back, it did not.
pub(super) fn run() -> io::Result<()> {
    let supervisor = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (launch, descriptors) = receive::<Launch>(&supervisor)?;
    if let Some(stdin) = descriptors.first() {
        rustix::stdio::dup2_stdin(stdin)?;
    }
    let failure = become_program(&launch);
    (&supervisor).write_all(&serde_json::to_vec(&failure)?)
}

fn become_program(launch: &Launch) -> Failure {
    close_fds::set_fds_cloexec(3, &[]);
    if let Err(error) = tie_to(launch.parent) {
        return Failure::System(error.to_string());
    }
    let Launch { target, links, .. } = launch;
    let path = Path::new(&target.path);
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Failure::Changed,
        Err(error) => return Failure::System(error.to_string()),
    };
    match file.metadata() {
        Ok(metadata) if Identity::of(&metadata) == target.identity => {}
        Ok(_) => return Failure::Changed,
        Err(error) => return Failure::System(error.to_string()),
    }
    let name = Path::new(&target.name).file_name().unwrap_or(OsStr::new("program"));
    let runnable = match same_file(&file, path, &Path::new(links).join(name)) {
        Ok(runnable) => runnable,
        Err(error) => return Failure::System(error.to_string()),
    };
    Failure::System(exec(&runnable, target).to_string())
}

/// Becomes the program. Not by the standard library, which hands a file that the kernel does not know to a shell.
fn exec(runnable: &Path, target: &Target) -> io::Error {
    let text = |text: &[u8]| CString::new(text).map_err(io::Error::from);
    let arguments = target.arguments.iter().map(|argument| text(argument.as_bytes()));
    let environment = target
        .environment
        .iter()
        .map(|(name, value)| text(&[name.as_bytes(), b"=", value.as_bytes()].concat()));
    let prepared = (|| {
        let name = text(target.name.as_bytes())?;
        let arguments: Vec<CString> = [Ok(name)].into_iter().chain(arguments).collect::<io::Result<_>>()?;
        let environment: Vec<CString> = environment.collect::<io::Result<_>>()?;
        Ok((text(runnable.as_os_str().as_bytes())?, arguments, environment))
    })();
    match prepared {
        Ok((path, arguments, environment)) => {
            reset_signals();
            match nix::unistd::execve(&path, &arguments, &environment) {
                Err(error) => error.into(),
                Ok(never) => match never {},
            }
        }
        Err(error) => error,
    }
}

/// Takes back what Rust does to signals at the start of a process, because programs expect to be ended by a pipe
/// that nobody reads: the standard library does so whenever it is to become another program, and nothing has this
/// name. And has none blocked, whatever hubcap was started with.
fn reset_signals() {
    let _ = Command::new("").exec();
    // It fails for no set of signals that there is.
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
}

/// From here on this process ends when its supervisor does, whatever it becomes.
#[cfg(target_os = "linux")]
fn tie_to(supervisor: i32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended just before.
    if rustix::process::getppid().is_some_and(|parent| parent.as_raw_pid() == supervisor) {
        return Ok(());
    }
    Err(io::Error::other("the supervisor is gone"))
}

#[cfg(not(target_os = "linux"))]
fn tie_to(_supervisor: i32) -> io::Result<()> {
    Ok(())
}

/// Opens the file itself, readable or not, and not what a link of its name leads to.
#[cfg(target_os = "linux")]
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::PATH.union(OFlags::NOFOLLOW).bits() as i32;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path)
}

/// A path that leads to the open file, whatever takes its place. It has the program's name, because that is
/// what lists of processes show.
fn same_file(file: &File, path: &Path, link: &Path) -> io::Result<PathBuf> {
    let open = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let mut start = [0; 4];
    match File::open(&open).and_then(|mut file| file.read_exact(&mut start)) {
        // It is given to an interpreter by its path, which it opens when this process has closed the file.
        Ok(()) if start != ELF => return Ok(path.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(path.to_owned()),
        // A program that cannot be read is no script.
        _ if cfg!(target_os = "linux") => {}
        _ => return Ok(path.to_owned()),
    }
    symlink(&open, link)?;
    Ok(link.to_owned())
}
