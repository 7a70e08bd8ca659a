//! Whether the system has what a start takes: threads and descriptors.
//!
//! Invariant: asked before anything is started, because the libraries that start threads and open descriptors
//! do not say that there are none: they panic, or never end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;
use std::thread;

/// Descriptors beside those that a process is given: the runtime's, and a plugin directory.
const DESCRIPTORS: usize = 16;

/// Threads beside those that run guests: for the log, signals, the audit log and the engine, one that is kept,
/// and one for work that blocks.
const THREADS: usize = 6;

/// Takes all of it at once, and gives it back.
///
/// # Errors
/// The system's own, where there is not enough.
pub(super) fn to_start(cores: usize) -> io::Result<()> {
    let descriptors: io::Result<Vec<OwnedFd>> =
        (0..DESCRIPTORS).map(|_| io::stderr().as_fd().try_clone_to_owned()).collect();
    descriptors?;
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // Each waits here, so that they are there together.
        let closed = gate.lock();
        let start = |_| thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
        let threads: io::Result<Vec<_>> = (0..cores + THREADS).map(start).collect();
        drop(closed);
        threads.map(drop)
    })
}
