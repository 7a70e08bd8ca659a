//! Reads, side by side with each other and with the one who writes.
//!
//! Invariant: a read sees the state of one moment, and all that was acknowledged before it began.

use std::sync::Arc;

use redb::ReadableDatabase;

use crate::error::CallError;
use crate::state::State;
use crate::state::fault::{Down, Fault};
use crate::state::tables::{Snapshot, Usage};

/// Reads at once: they share the threads with other work that blocks.
pub(super) const READERS: usize = 8;

impl State {
    /// Reads something.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Snapshot) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, CallError> {
        // Nobody closes the semaphore, the only way in which this could fail.
        let place = Arc::clone(&self.readers).acquire_owned().await.ok();
        let state = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            state.with(|database| read(&Snapshot::of(&database.begin_read()?)?))
        });
        let done = reading.await.unwrap_or_else(|_| Err(Down::ending()));
        Ok(done?)
    }

    /// What each namespace holds, by name; namespaces with nothing in them are left out.
    ///
    /// # Errors
    /// `unavailable`, where the database cannot be used.
    pub async fn usage(self: &Arc<Self>) -> Result<Vec<(String, Usage)>, CallError> {
        self.read(Snapshot::usage).await
    }
}
