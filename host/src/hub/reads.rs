//! Files that are read for agents: how many at once, and how long one is waited for.
//!
//! Invariant: a disk that does not answer costs a bounded number of threads, and no call more than its bound.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::error::{Blame, CallError, Code};
use crate::hub::bulkhead::overloaded;
use crate::model::text;
use crate::sandbox::cancelled;

/// Files that are read at once. One that was given up counts until the system lets go of it.
const MAX_READS: usize = 8;
/// Longest that a call waits for its file.
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// The places for reads.
#[derive(Clone)]
pub(super) struct Reads(Arc<Semaphore>);

impl Default for Reads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_READS)))
    }
}

impl Reads {
    /// Does `read`, which blocks, elsewhere, and waits for it within bounds. `path` is for errors.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        path: &str,
        cancel: &CancellationToken,
        read: impl FnOnce() -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, CallError> {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else {
            return Err(overloaded(format!("{MAX_READS} files are being read already")));
        };
        let reading = tokio::task::spawn_blocking(move || {
            let read = read();
            drop(place);
            read
        });
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(cancelled()),
            read = reading => read.unwrap_or_else(|error| {
                Err(CallError::new(Code::Internal, Blame::Host, "reading the file crashed").with_source(error))
            }),
            () = tokio::time::sleep(READ_DEADLINE) => Err(too_late(path)),
        }
    }
}

fn too_late(path: &str) -> CallError {
    let message = format!(
        "reading {:?} took longer than {} s; send the text itself, or have the operator see to its disk",
        text::truncate(path, 200),
        READ_DEADLINE.as_secs()
    );
    CallError::new(Code::Deadline, Blame::Host, message).private()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::time::Instant;

    use tokio_util::sync::CancellationToken;

    use super::{MAX_READS, READ_DEADLINE, Reads};
    use crate::error::{CallError, Code};

    /// A read that goes on until its end is dropped.
    fn endless() -> (Sender<()>, impl FnOnce() -> Result<(), CallError> + Send + 'static) {
        let (end, ended) = channel();
        (end, move || {
            _ = ended.recv();
            Ok(())
        })
    }

    #[tokio::test]
    async fn a_read_that_does_not_end_is_given_up_at_its_deadline() {
        let (reads, stop) = (Reads::default(), CancellationToken::new());
        assert!(reads.run("quick", &stop, || Ok(())).await.is_ok());
        let (_end, read) = endless();
        let started = Instant::now();
        let error = reads.run("slow", &stop, read).await.unwrap_err();
        assert_eq!(error.code, Code::Deadline);
        assert!(error.message().contains("\"slow\"") && started.elapsed() >= READ_DEADLINE, "{error}");
    }

    #[tokio::test]
    async fn eight_files_are_read_at_once_and_one_more_is_overloaded() {
        let (reads, stop) = (Reads::default(), CancellationToken::new());
        let gone = CancellationToken::new();
        gone.cancel();
        let mut ends = Vec::new();
        for _ in 0..MAX_READS {
            let (end, read) = endless();
            ends.push(end);
            // Nobody waits any more; the read goes on.
            assert_eq!(reads.run("slow", &gone, read).await.unwrap_err().code, Code::Cancelled);
        }
        assert_eq!(reads.run("one more", &stop, || Ok(())).await.unwrap_err().code, Code::Overloaded);
        drop(ends);
        drop(reads.0.acquire_many(MAX_READS as u32).await.unwrap());
        assert!(reads.run("one more", &stop, || Ok(())).await.is_ok());
    }
}
