//! Starts a supervisor with a program's request.
//!
//! Invariant: beside the threads of the runtime; what is opened for the program is closed here as soon as it
//! was sent.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::supervisor::{Launcher, Request, send};

/// Longest that a supervisor may take to read its request.
const SEND_WAIT: Duration = Duration::from_secs(5);

/// A supervisor to start.
pub(super) struct Order {
    pub(super) launcher: Launcher,
    /// What lists of processes show.
    pub(super) label: String,
    pub(super) request: Request,
    /// Where the program works, if not in a directory of its own.
    pub(super) directory: Option<File>,
}

/// A supervisor that was started, and the ends of its program's pipes.
pub(super) struct Started {
    pub(super) control: UnixStream,
    pub(super) child: Child,
    pub(super) stdin: Option<pipe::Sender>,
    pub(super) output: [Option<pipe::Receiver>; 2],
}

/// Starts it.
pub(super) async fn start(order: Order) -> io::Result<Started> {
    let started = tokio::task::spawn_blocking(move || start_now(order)).await;
    started.unwrap_or_else(|_| Err(io::Error::other("starting it crashed")))
}

fn start_now(order: Order) -> io::Result<Started> {
    let (stdin, their_stdin) = pipe::pipe()?;
    let (their_stdout, stdout) = pipe::pipe()?;
    let (their_stderr, stderr) = pipe::pipe()?;
    let theirs =
        [their_stdin.into_blocking_fd()?, their_stdout.into_blocking_fd()?, their_stderr.into_blocking_fd()?];
    let (control, their_control) = StdStream::pair()?;
    let mut command = order.launcher.command(&order.label);
    command.stdin(OwnedFd::from(their_control));
    let child = Command::from(command).spawn()?;
    control.set_write_timeout(Some(SEND_WAIT))?;
    let directory = order.directory.as_ref().map(File::as_fd);
    let sent: Vec<BorrowedFd<'_>> = theirs.iter().map(OwnedFd::as_fd).chain(directory).collect();
    send(&control, &order.request, &sent)?;
    control.set_nonblocking(true)?;
    let control = UnixStream::from_std(control)?;
    Ok(Started { control, child, stdin: Some(stdin), output: [Some(stdout), Some(stderr)] })
}
