//! What waits to be written: one queue, one writer.
//!
//! Invariant: messages leave whole, one a line, in the order in which they came in, and the queue holds
//! what its bound allows and one message more. Answers wait for room as they are; while any does, nobody
//! should take in more work ([`Outbox::calm`]).

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::model::Outlet;

/// A buffer that grew beyond this for a long answer is given back afterwards.
const KEPT: usize = 256 * 1024;

/// Messages on their way out.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// Bytes that are queued or being written.
    backlog: AtomicUsize,
    /// Answers that wait for room.
    waiting: AtomicUsize,
    /// Bytes of answers whose work has ended and that are not queued yet.
    coming: AtomicUsize,
    limit: usize,
    filled: Notify,
    changed: Notify,
    gone: CancellationToken,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    finished: bool,
}

/// An answer that waits for room.
struct Waiting<'a>(&'a Outbox);

impl<'a> Waiting<'a> {
    fn new(outbox: &'a Outbox) -> Self {
        outbox.waiting.fetch_add(1, Ordering::AcqRel);
        Self(outbox)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

impl Outlet for Outbox {
    fn is_calm(&self) -> bool {
        let bytes = self.backlog.load(Ordering::Acquire) + self.coming.load(Ordering::Acquire);
        (bytes < self.limit && self.waiting.load(Ordering::Acquire) == 0) || self.gone.is_cancelled()
    }

    fn calm(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.until(|| self.is_calm()))
    }
}

/// An answer from the end of its work until it is queued, or given up: its bytes count from the start, so
/// that what is on its way between the two is bounded as well.
#[derive(Debug)]
pub(super) struct Coming {
    out: Arc<Outbox>,
    bytes: AtomicUsize,
}

impl Coming {
    /// An answer to `out` whose work is still going on.
    pub(super) fn to(out: &Arc<Outbox>) -> Self {
        Self { out: Arc::clone(out), bytes: AtomicUsize::new(0) }
    }

    /// Where it goes.
    pub(super) fn out(&self) -> &Arc<Outbox> {
        &self.out
    }

    /// The work has ended, and the answer has so many bytes.
    pub(super) fn announce(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.out.coming.fetch_add(bytes, Ordering::AcqRel);
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.out.coming.fetch_sub(*self.bytes.get_mut(), Ordering::AcqRel);
        self.out.changed.notify_waiters();
    }
}

/// What the writer finds.
enum Next {
    Bytes,
    Nothing,
    Finished,
}

impl Outbox {
    /// A queue of `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            queue: Mutex::default(),
            backlog: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            coming: AtomicUsize::new(0),
            limit,
            filled: Notify::new(),
            changed: Notify::new(),
            gone: CancellationToken::new(),
        }
    }

    /// Whether another message may be queued. Always, once nobody reads: it goes nowhere then.
    pub(super) fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Acquire) < self.limit || self.gone.is_cancelled()
    }

    /// Queues an answer as soon as there is room.
    pub(super) async fn send(&self, answer: &impl Serialize) {
        if !self.has_room() {
            let _waiting = Waiting::new(self);
            self.until(|| self.has_room()).await;
        }
        self.push(answer);
    }

    async fn until(&self, condition: impl Fn() -> bool + Send) {
        while !condition() {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if condition() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until nobody reads any more.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Queues a message. Never waits, so that a message in parts can't be cut by another.
    pub(super) fn push(&self, message: &impl Serialize) {
        if self.gone.is_cancelled() {
            return;
        }
        let mut queue = self.lock();
        let before = queue.bytes.len();
        if let Err(error) = serde_json::to_writer(&mut queue.bytes, message) {
            queue.bytes.truncate(before);
            tracing::error!(%error, "an answer could not be written as JSON");
            return;
        }
        queue.bytes.push(b'\n');
        self.backlog.fetch_add(queue.bytes.len() - before, Ordering::AcqRel);
        drop(queue);
        self.filled.notify_one();
    }

    /// Nothing more will come: the writer ends when it has written what there is.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.filled.notify_one();
    }

    /// The one writer: writes what is queued until [`Self::finish`], or until nobody reads any more.
    pub(super) async fn write_to(&self, mut sink: impl AsyncWrite + Unpin) -> io::Result<()> {
        let ended = self.run(&mut sink).await;
        self.gone.cancel();
        self.changed.notify_waiters();
        ended
    }

    async fn run(&self, sink: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut chunk = Vec::new();
        loop {
            match self.take(&mut chunk) {
                Next::Bytes => self.write(sink, &chunk).await?,
                Next::Nothing => {
                    sink.flush().await?;
                    self.filled.notified().await;
                }
                Next::Finished => return sink.flush().await,
            }
        }
    }

    /// Swaps the empty or written `chunk` for what is queued.
    fn take(&self, chunk: &mut Vec<u8>) -> Next {
        chunk.clear();
        chunk.shrink_to(KEPT);
        let mut queue = self.lock();
        match (queue.bytes.is_empty(), queue.finished) {
            (false, _) => {
                std::mem::swap(&mut queue.bytes, chunk);
                Next::Bytes
            }
            (true, false) => Next::Nothing,
            (true, true) => Next::Finished,
        }
    }

    async fn write(&self, sink: &mut (impl AsyncWrite + Unpin), mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            let count = sink.write(rest).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[count..];
            self.backlog.fetch_sub(count, Ordering::AcqRel);
            self.changed.notify_waiters();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole at every point where a panic could strike.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, duplex};
    use tokio::time::timeout;

    use super::{Coming, Outbox};
    use crate::model::Outlet;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn messages_leave_in_order_and_the_writer_ends_when_told() {
        let out = Outbox::new(1000);
        let (near, mut far) = duplex(7);
        (0..50).for_each(|number| out.push(&number));
        out.finish();
        let mut read = String::new();
        let (written, _) = tokio::join!(out.write_to(near), far.read_to_string(&mut read));
        written.unwrap();
        let expected: String = (0..50).map(|number| format!("{number}\n")).collect();
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn a_full_queue_has_no_room_until_somebody_reads() {
        let out = Arc::new(Outbox::new(1000));
        let (near, mut far) = duplex(16);
        let writer = tokio::spawn({
            let out = Arc::clone(&out);
            async move { out.write_to(near).await }
        });
        while out.has_room() {
            out.push(&"x".repeat(100));
            tokio::task::yield_now().await;
        }
        let mut answer = std::pin::pin!(out.send(&"the last"));
        assert!(timeout(Duration::from_millis(50), &mut answer).await.is_err(), "nobody has read");
        assert!(timeout(Duration::from_millis(50), out.calm()).await.is_err(), "an answer waits");
        let mut read = vec![0; 600];
        far.read_exact(&mut read).await.unwrap();
        timeout(SOON, out.until(|| out.has_room())).await.unwrap();
        assert!(timeout(Duration::from_millis(50), out.calm()).await.is_err(), "an answer waits");
        timeout(SOON, answer).await.unwrap();
        timeout(SOON, out.calm()).await.unwrap();
        drop(far);
        assert!(writer.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn an_answer_counts_from_the_end_of_its_work_until_it_is_queued() {
        let out = Arc::new(Outbox::new(1000));
        let coming = [Coming::to(&out), Coming::to(&out)];
        assert!(out.is_calm());
        coming[0].announce(999);
        assert!(out.is_calm());
        coming[1].announce(1);
        assert!(!out.is_calm() && out.has_room());
        drop(coming);
        assert!(out.is_calm());
    }

    #[tokio::test]
    async fn nothing_is_kept_for_a_reader_that_is_gone() {
        let out = Outbox::new(10);
        let (near, far) = duplex(16);
        drop(far);
        out.push(&"x".repeat(100));
        assert!(out.write_to(near).await.is_err());
        timeout(SOON, out.gone()).await.unwrap();
        timeout(SOON, out.calm()).await.unwrap();
        out.push(&"more");
        assert!(out.lock().bytes.is_empty());
    }
}
