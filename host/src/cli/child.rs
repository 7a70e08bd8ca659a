//! A server that runs as our child: started with pipes, ended by the end of its input.
//!
//! Invariant: none outlives us: one that does not end in time is killed.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cli::{Done, Failure};

/// Longest that a server may take to end once its input is closed.
const ENDING: Duration = Duration::from_secs(15);

/// Starts a server; what it logs goes where ours goes.
pub(super) fn start(command: &mut Command) -> std::io::Result<(Child, ChildStdin, ChildStdout)> {
    let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    match (server.stdin.take(), server.stdout.take()) {
        (Some(input), Some(output)) => Ok((server, input, output)),
        _ => Err(std::io::Error::other("it has no pipes")),
    }
}

/// Waits for the end of a server whose input is closed.
pub(super) async fn stop(server: &mut Child) -> Done {
    match tokio::time::timeout(ENDING, server.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Failure::Failed(format!("the server ended with {status}"))),
        Ok(Err(error)) => Err(Failure::Failed(format!("the server is lost: {error}"))),
        Err(_) => {
            // Where it cannot be killed, dropping it tries once more.
            let _ = server.kill().await;
            Err(Failure::Failed(format!(
                "the server did not end within {} s and was killed",
                ENDING.as_secs()
            )))
        }
    }
}
