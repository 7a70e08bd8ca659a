//! How full a directory is that a plugin may write to, and whatever makes it fuller.
//!
//! Invariant: what is counted is never less than what is there, as far as the plugin made it: growth is
//! counted before it happens and one at a time, and only a new count of the directory takes away what
//! others deleted. All of it runs beside the async threads, and at most one thread of a directory is
//! held up by a slow disk.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::sync::Mutex;
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::runtime::spawn_blocking;

use crate::imports::files::walk::{Bounds, walk};

/// How long a full directory is taken to be as full as it was counted, where the plugin itself frees
/// nothing: a plugin that goes on writing must not have it counted each time.
const COUNTED_ANEW: Duration = Duration::from_secs(1);

/// Bytes and entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

impl Size {
    /// Only bytes.
    pub(super) fn bytes(bytes: u64) -> Self {
        Self { bytes, entries: 0 }
    }

    /// One entry with so many bytes.
    pub(super) fn entry(bytes: u64) -> Self {
        Self { bytes, entries: 1 }
    }
}

/// How full a directory is. All calls of a plugin share it.
pub(super) struct Usage {
    directory: Arc<File>,
    /// For the operator, where it is full.
    advice: String,
    most: Size,
    /// Longest that a new count may take.
    patience: Duration,
    state: Arc<Mutex<State>>,
    /// The plugin has deleted something since the last count.
    freed: AtomicBool,
}

struct State {
    used: Size,
    counted: Instant,
    told: bool,
}

/// Why a file did not change.
#[derive(Debug)]
pub(super) enum Failed {
    /// The directory is full.
    Full,
    Io(io::Error),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the directory is full"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}

impl Failed {
    /// The word for the guest.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Full => ErrorCode::Quota,
            Self::Io(error) => error.into(),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Failed> for FsError {
    fn from(failed: Failed) -> Self {
        failed.code().into()
    }
}

/// Where bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Offset(u64),
    End,
}

impl Usage {
    /// A directory that was just counted. `advice` is for the operator, where it gets full.
    pub(super) fn new(
        directory: Arc<File>,
        used: Size,
        most: Size,
        patience: Duration,
        advice: String,
    ) -> Arc<Self> {
        let state = State { used, counted: Instant::now(), told: false };
        let state = Arc::new(Mutex::new(state));
        Arc::new(Self { directory, advice, most, patience, state, freed: AtomicBool::new(false) })
    }

    /// Writes all bytes.
    pub(super) async fn write(
        self: &Arc<Self>,
        file: Arc<File>,
        bytes: Bytes,
        at: At,
    ) -> Result<u64, Failed> {
        self.change(move |usage, state| usage.write_now(state, &file, bytes, at)).await
    }

    /// Gives a file another length.
    pub(super) async fn set_size(self: &Arc<Self>, file: Arc<File>, size: u64) -> Result<(), Failed> {
        self.change(move |usage, state| {
            let before = file.metadata()?.len();
            usage.reserve(state, Size::bytes(size.saturating_sub(before)))?;
            file.set_len(size)?;
            state.used.bytes = state.used.bytes.saturating_sub(before.saturating_sub(size));
            Ok(())
        })
        .await
    }

    /// Takes room for what is about to be made.
    pub(super) async fn take(self: &Arc<Self>, size: Size) -> Result<(), Failed> {
        self.change(move |usage, state| usage.reserve(state, size)).await
    }

    /// Gives back room that was taken for what was not made after all.
    pub(super) async fn give_back(&self, size: Size) {
        let mut state = self.state.lock().await;
        state.used.bytes = state.used.bytes.saturating_sub(size.bytes);
        state.used.entries = state.used.entries.saturating_sub(size.entries);
    }

    /// Something was deleted: a full directory is worth another count.
    pub(super) fn freed(&self) {
        self.freed.store(true, Ordering::Relaxed);
    }

    /// Does one thing after the other, each in a thread that may block. A call that ends leaves what has
    /// begun to its end.
    async fn change<R: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Self, &mut State) -> Result<R, Failed> + Send + 'static,
    ) -> Result<R, Failed> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let usage = Arc::clone(self);
        spawn_blocking(move || act(&usage, &mut state)).await
    }

    fn write_now(&self, state: &mut State, file: &File, mut bytes: Bytes, at: At) -> Result<u64, Failed> {
        let before = file.metadata()?.len();
        let mut offset = match at {
            At::Offset(offset) => offset,
            At::End => before,
        };
        let written = bytes.len() as u64;
        let end = offset.checked_add(written).ok_or(io::Error::from(io::ErrorKind::InvalidInput))?;
        if written > 0 {
            self.reserve(state, Size::bytes(end.saturating_sub(before)))?;
        }
        while !bytes.is_empty() {
            let part = file.write_at(&bytes, offset)?;
            if part == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            bytes.advance(part);
            offset += part as u64;
        }
        Ok(written)
    }

    /// Takes room, if there is any, where need be after a new count.
    fn reserve(&self, state: &mut State, more: Size) -> Result<(), Failed> {
        let room = self.take_room(state, more)
            || (self.is_worth_a_count(state) && self.count(state) && self.take_room(state, more));
        if room {
            return Ok(());
        }
        if !state.told {
            state.told = true;
            tracing::warn!("{}", self.advice);
        }
        Err(Failed::Full)
    }

    fn take_room(&self, state: &mut State, more: Size) -> bool {
        let bytes = state.used.bytes.saturating_add(more.bytes);
        let entries = state.used.entries.saturating_add(more.entries);
        // What does not grow is never refused, however full the operator's own files make it.
        let fits = (more.bytes == 0 || bytes <= self.most.bytes)
            && (more.entries == 0 || entries <= self.most.entries);
        if fits {
            state.used = Size { bytes, entries };
        }
        fits
    }

    fn is_worth_a_count(&self, state: &State) -> bool {
        self.freed.load(Ordering::Relaxed) || state.counted.elapsed() >= COUNTED_ANEW
    }

    /// Counts anew; says whether that came to an end.
    fn count(&self, state: &mut State) -> bool {
        self.freed.store(false, Ordering::Relaxed);
        let bounds = Bounds { entries: self.most.entries, until: Instant::now() + self.patience };
        let found = walk(&self.directory, true, bounds);
        state.counted = Instant::now();
        if found.stopped.is_some() {
            return false;
        }
        state.used = Size { bytes: found.bytes, entries: found.entries };
        state.told = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use tempfile::TempDir;

    use super::{At, Failed, Size, Usage};

    const MOST: Size = Size { bytes: 100, entries: 3 };

    fn folder() -> (TempDir, Arc<Usage>) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(File::open(folder.path()).unwrap());
        let usage = Usage::new(directory, Size::default(), MOST, Duration::from_secs(5), "full".into());
        (folder, usage)
    }

    fn file(folder: &TempDir, name: &str) -> Arc<File> {
        Arc::new(File::create(folder.path().join(name)).unwrap())
    }

    fn some(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    #[tokio::test]
    async fn only_growth_counts_and_it_counts_with_the_hole_before_it() {
        let (folder, usage) = folder();
        let file = file(&folder, "a");
        assert_eq!(usage.write(Arc::clone(&file), some(60), At::End).await.unwrap(), 60);
        // Over what is there, as often as one likes.
        for _ in 0..10 {
            usage.write(Arc::clone(&file), some(60), At::Offset(0)).await.unwrap();
        }
        assert!(matches!(usage.write(Arc::clone(&file), some(1), At::Offset(100)).await, Err(Failed::Full)));
        assert!(matches!(usage.write(Arc::clone(&file), some(41), At::End).await, Err(Failed::Full)));
        assert!(matches!(usage.set_size(Arc::clone(&file), 1 << 40).await, Err(Failed::Full)));
        assert_eq!(file.metadata().unwrap().len(), 60);
        usage.write(Arc::clone(&file), some(1), At::Offset(99)).await.unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100);
        assert!(usage.write(Arc::clone(&file), some(1), At::Offset(u64::MAX)).await.is_err());
    }

    #[tokio::test]
    async fn what_is_cut_off_is_room_again() {
        let (folder, usage) = folder();
        let file = file(&folder, "a");
        usage.set_size(Arc::clone(&file), 100).await.unwrap();
        usage.set_size(Arc::clone(&file), 0).await.unwrap();
        usage.write(file, some(100), At::End).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_directory_is_counted_anew_when_the_plugin_deleted_something() {
        let (folder, usage) = folder();
        usage.set_size(file(&folder, "a"), 100).await.unwrap();
        fs::remove_file(folder.path().join("a")).unwrap();
        // Nobody has said so yet, and the last count was just now.
        assert!(matches!(usage.set_size(file(&folder, "b"), 100).await, Err(Failed::Full)));
        usage.freed();
        usage.set_size(file(&folder, "b"), 100).await.unwrap();
    }

    #[tokio::test]
    async fn entries_are_counted_and_given_back() {
        let (folder, usage) = folder();
        for _ in 0..3 {
            usage.take(Size::entry(0)).await.unwrap();
        }
        assert!(matches!(usage.take(Size::entry(0)).await, Err(Failed::Full)));
        usage.give_back(Size::entry(0)).await;
        usage.take(Size::entry(0)).await.unwrap();
        // Bytes are another matter.
        usage.set_size(file(&folder, "a"), 100).await.unwrap();
    }

    #[tokio::test]
    async fn many_at_once_get_no_more_together_than_there_is_room() {
        let (folder, usage) = folder();
        let writing = (0..50).map(|at| {
            let (usage, file) = (Arc::clone(&usage), file(&folder, &format!("{at}")));
            tokio::spawn(async move { usage.write(file, some(10), At::End).await.is_ok() })
        });
        let done = futures::future::join_all(writing.collect::<Vec<_>>()).await;
        assert_eq!(done.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 10);
    }
}
