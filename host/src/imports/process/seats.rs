//! How many programs run at once, of a command and of all plugins, and how many wait.
//!
//! Invariant: a program that waits for its command's seat holds nothing that others need, and a seat is free
//! again only when nothing is left of the program that had it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::supervisor::Launcher;

/// Programs of one command that wait for a seat.
pub(super) const MAX_WAITING: usize = 32;

/// What the programs of all plugins share.
pub struct Programs {
    pub(super) launcher: Launcher,
    /// Where programs get directories of their own.
    temporary: PathBuf,
    seats: Arc<Semaphore>,
}

impl Programs {
    /// So many at once, each under a supervisor that is started in this way.
    pub fn new(launcher: Launcher, at_once: usize) -> Arc<Self> {
        let seats = Arc::new(Semaphore::new(at_once));
        Arc::new(Self { launcher, temporary: std::env::temp_dir(), seats })
    }

    /// A path for a directory of one program alone, by a name that nobody can guess.
    pub(super) fn own_directory(&self) -> PathBuf {
        self.temporary.join(format!("hubcap-{:032x}", rand::random::<u128>()))
    }
}

/// The seats of one command.
pub(super) struct Seats {
    own: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// A seat, or the right to wait for one.
pub(super) enum Turn {
    Now(OwnedSemaphorePermit),
    Later(Arc<Semaphore>, Waiting),
}

/// The right to run; it ends with this value.
pub(super) struct Seat {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Seats {
    pub(super) fn new(at_once: usize) -> Self {
        Self { own: Arc::new(Semaphore::new(at_once)), waiting: Arc::default() }
    }

    /// Takes a seat or joins those who wait; nothing where too many do.
    pub(super) fn take(&self) -> Option<Turn> {
        match Arc::clone(&self.own).try_acquire_owned() {
            Ok(own) => Some(Turn::Now(own)),
            Err(_) => Some(Turn::Later(Arc::clone(&self.own), Waiting::join(&self.waiting)?)),
        }
    }
}

impl Turn {
    /// Waits for the seat. The semaphores are never closed.
    pub(super) async fn come(self, programs: &Programs) -> Result<Seat, AcquireError> {
        let own = match self {
            Self::Now(own) => own,
            Self::Later(seats, waiting) => {
                let own = seats.acquire_owned().await?;
                drop(waiting);
                own
            }
        };
        Ok(Seat { _own: own, _all: Arc::clone(&programs.seats).acquire_owned().await? })
    }
}

/// Counts one that waits, for as long as it does.
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn join(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |n| (n < MAX_WAITING).then_some(n + 1);
        waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(Arc::clone(waiting)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{Launcher, MAX_WAITING, Programs, Seats};

    #[tokio::test]
    async fn thirty_two_programs_wait_and_the_next_is_turned_away() {
        let (programs, seats) = (Programs::new(Launcher::this_program(), 8), Seats::new(1));
        let seat = seats.take().unwrap().come(&programs).await.unwrap();
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| seats.take().unwrap()).collect();
        assert!(seats.take().is_none());
        // Whoever gives up makes room.
        waiting.pop();
        let next = seats.take().unwrap();
        assert!(seats.take().is_none());
        let mut come = Box::pin(waiting.remove(0).come(&programs));
        assert!((&mut come).now_or_never().is_none());
        drop(seat);
        assert!(come.await.is_ok());
        drop((waiting, next));
        assert!(seats.take().is_some());
    }

    #[tokio::test]
    async fn commands_share_the_seats_of_the_hub() {
        let programs = Programs::new(Launcher::this_program(), 2);
        let (one, other) = (Seats::new(4), Seats::new(4));
        let first = one.take().unwrap().come(&programs).await.unwrap();
        let _second = other.take().unwrap().come(&programs).await.unwrap();
        let mut third = Box::pin(other.take().unwrap().come(&programs));
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!(third.await.is_ok());
    }
}
