//! What plugins keep between calls: one embedded database in a directory of the host's own.
//!
//! Invariant: what was acknowledged is on disk. A namespace is named by the host, never by a guest, and
//! nobody reaches another one through it. A fault of the disk is told, and takes nothing with it.

mod fault;
mod making;
mod namespace;
mod reading;
mod space;
mod tables;
#[cfg(test)]
mod tests;
mod writing;

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::backends::FileBackend;
use redb::{Builder, Database};
use tokio::sync::Semaphore;

use crate::directory::Directory;

use fault::{Down, Fault};
use reading::READERS;
use writing::Queue;

pub use namespace::{MAX_KEY, MAX_KEYS, MAX_VALUE, Namespace};
pub use tables::{Page, Usage};

/// Name of the database in its directory.
const FILE: &str = "kv.redb";
/// Bytes of the database that are kept in memory.
const CACHE: usize = 16 << 20;

/// The database: opened by the first who needs it, closed after a fault, and opened again by the next.
pub struct State {
    directory: Option<PathBuf>,
    database: RwLock<Option<Database>>,
    queue: Mutex<Queue>,
    readers: Arc<Semaphore>,
    /// The fault that was logged last, until a change is written again: a plugin that tries again and again
    /// is told, the log is not.
    logged: Mutex<Option<String>>,
}

impl State {
    /// The state in this directory, where there is a place for one. Nothing is opened or made yet.
    pub fn new(directory: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            directory,
            database: RwLock::new(None),
            queue: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            logged: Mutex::default(),
        })
    }

    /// Where the database is, for the operator.
    pub fn path(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(FILE))
    }

    /// Whether anything was ever kept.
    pub fn exists(&self) -> bool {
        self.path().is_some_and(|path| path.symlink_metadata().is_ok())
    }

    /// Does something with the database. Blocks, and does not panic where the database does.
    fn with<R>(&self, act: impl FnOnce(&Database) -> Result<R, Fault>) -> Result<R, Down> {
        self.open_if_closed().map_err(|fault| self.down(&fault))?;
        let done = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            match &*database {
                Some(database) => guarded(|| act(database)),
                None => Err(Fault::Failed("it was closed after a fault".into())),
            }
        };
        done.map_err(|fault| {
            self.close();
            self.down(&fault)
        })
    }

    fn open_if_closed(&self) -> Result<(), Fault> {
        if self.database.read().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some(guarded(|| open(self.directory.as_deref()))?);
        }
        Ok(())
    }

    /// Closes the database: after a fault it takes nothing any more, and a new look may find it well.
    fn close(&self) {
        let closed = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // What is left to be written then is an optimisation for the next to open it.
        let _ = guarded(|| {
            drop(closed);
            Ok(())
        });
    }

    /// Logs a fault, once, and says what a caller may know of it.
    fn down(&self, fault: &Fault) -> Down {
        let words = fault.to_string();
        let mut logged = lock(&self.logged);
        if logged.as_ref() != Some(&words) {
            let file = self.path().map(|path| path.display().to_string());
            tracing::warn!(file, "the state of plugins is not available: {words}");
            *logged = Some(words.clone());
        }
        Down::new(&words)
    }
}

fn open(directory: Option<&Path>) -> Result<Database, Fault> {
    let directory = directory
        .ok_or_else(|| Fault::Failed("there is no home to keep it in; name one with --home".into()))?;
    let place = |what: &str, error: &dyn Display| Fault::Failed(format!("{what}: {error}"));
    let directory = Directory::own(directory).map_err(|error| place("its directory", &error))?;
    let file = directory.own_file(Path::new(FILE)).map_err(|error| place("its file", &error))?;
    making::forget_cut_off(&file).map_err(|error| place("its file", &error))?;
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    // Without it a file that somebody changed is trusted, and a page of it can be anything. No checksum covers
    // the bit of the header that says which of the last two commits holds.
    builder.set_check_integrity_on_open(true);
    let database = builder.create_with_backend(FileBackend::new(file)?)?;
    tables::make(&database)?;
    Ok(database)
}

/// The database checks what it reads and panics where that is impossible: one more way to fail.
fn guarded<R>(act: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
    let done = catch_unwind(AssertUnwindSafe(act));
    done.unwrap_or_else(|_| Err(Fault::Damaged("the database stopped".into())))
}

/// Nothing that is done under these locks can leave its data half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
