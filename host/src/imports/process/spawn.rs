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
    let started = tokio::task::spawn_blocking(move || start_now(order, SEND_WAIT)).await;
    started.unwrap_or_else(|_| Err(io::Error::other("starting it crashed")))
}

fn start_now(order: Order, wait: Duration) -> io::Result<Started> {
    let (stdin, their_stdin) = pipe::pipe()?;
    let (their_stdout, stdout) = pipe::pipe()?;
    let (their_stderr, stderr) = pipe::pipe()?;
    let theirs =
        [their_stdin.into_blocking_fd()?, their_stdout.into_blocking_fd()?, their_stderr.into_blocking_fd()?];
    let (control, their_control) = StdStream::pair()?;
    let mut command = order.launcher.command(&order.label);
    command.stdin(OwnedFd::from(their_control));
    let mut child = Command::from(command).spawn()?;
    let directory = order.directory.as_ref().map(File::as_fd);
    let sent: Vec<BorrowedFd<'_>> = theirs.iter().map(OwnedFd::as_fd).chain(directory).collect();
    match hand_over(control, &order.request, &sent, wait) {
        Ok(control) => {
            Ok(Started { control, child, stdin: Some(stdin), output: [Some(stdout), Some(stderr)] })
        }
        Err(error) => {
            // It has started nothing yet, and does not listen.
            child.start_kill()?;
            Err(error)
        }
    }
}

fn hand_over(
    control: StdStream,
    request: &Request,
    descriptors: &[BorrowedFd<'_>],
    wait: Duration,
) -> io::Result<UnixStream> {
    control.set_write_timeout(Some(wait))?;
    send(&control, request, descriptors)?;
    control.set_nonblocking(true)?;
    UnixStream::from_std(control)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{Order, SEND_WAIT, start_now};
    use crate::program::Program;
    use crate::supervisor::{Launcher, Request, Target};

    fn order(launcher: &Path, bytes: usize) -> Order {
        let program = Program::find(Path::new("/bin/true")).unwrap();
        let target = Target {
            name: program.named.into(),
            path: program.path.into(),
            identity: program.identity,
            arguments: vec!["x".repeat(bytes)],
            environment: Vec::new(),
        };
        let own = "/no/such/directory".into();
        let request =
            Request { target, given: false, own, deadline_ms: 1_000, grace_ms: 1_000, processes: 1 };
        Order { launcher: Launcher::at(launcher.into()), label: "x".into(), request, directory: None }
    }

    #[tokio::test]
    async fn a_supervisor_that_does_not_read_its_request_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deaf");
        std::fs::write(&path, "#!/bin/sh\nexec sleep 1000\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // More than a connection holds.
        let begun = Instant::now();
        let late = start_now(order(&path, 4 << 20), Duration::from_millis(50)).err().unwrap();
        assert_eq!(late.kind(), std::io::ErrorKind::WouldBlock, "{late}");
        assert!(begun.elapsed() < SEND_WAIT, "{:?}", begun.elapsed());
        // What is small waits in the connection.
        let mut started = start_now(order(&path, 10), SEND_WAIT).ok().unwrap();
        started.child.start_kill().unwrap();
        started.child.wait().await.unwrap();
        assert!(start_now(order(Path::new("/no/such/launcher"), 1), SEND_WAIT).is_err());
    }
}
