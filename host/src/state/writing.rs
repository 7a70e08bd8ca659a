//! Changes, several in one transaction: whoever comes while the disk is busy shares the next one.
//!
//! Invariant: a change is answered after its transaction is on disk, and those that wait are done in the
//! order in which they came. One thread writes, and none of the runtime's own ever waits for the disk.

use std::sync::Arc;

use redb::Database;
use tokio::sync::oneshot;

use crate::error::CallError;
use crate::state::fault::{Down, Fault, Stop};
use crate::state::tables::Tables;
use crate::state::{State, lock};

/// Changes that wait for the next transaction: at most one of each call that runs.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<Box<dyn Job>>,
    /// Whether somebody is taking them.
    led: bool,
}

#[cfg(test)]
impl Queue {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// A change and whoever waits for it.
trait Job: Send {
    /// Whether nobody waits any more, as after a deadline.
    fn abandoned(&self) -> bool;

    /// Does it; what it asked for and cannot have is kept for the answer.
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Fault>;

    /// Tells how it ended, once the transaction has.
    fn answer(self: Box<Self>, ended: Result<(), Down>);
}

struct Change<T, F> {
    change: Option<F>,
    done: Option<Result<T, CallError>>,
    reply: oneshot::Sender<Result<T, CallError>>,
}

impl<T: Send, F: FnOnce(&mut Tables<'_>) -> Result<T, Stop> + Send> Job for Change<T, F> {
    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Fault> {
        let Some(change) = self.change.take() else { return Ok(()) };
        self.done = Some(match change(tables) {
            Ok(value) => Ok(value),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Fault(fault)) => return Err(fault),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, ended: Result<(), Down>) {
        let done = match (ended, self.done) {
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => Err(Down::ending().into()),
            (Err(down), _) => Err(down.into()),
        };
        // Whoever waited may have given up meanwhile.
        let _ = self.reply.send(done);
    }
}

impl State {
    /// Makes a change that is on disk when this returns.
    pub(super) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, CallError> {
        let (reply, answer) = oneshot::channel();
        let led = {
            let mut queue = lock(&self.queue);
            queue.waiting.push(Box::new(Change { change: Some(change), done: None, reply }));
            std::mem::replace(&mut queue.led, true)
        };
        if !led {
            let state = Arc::clone(self);
            tokio::task::spawn_blocking(move || state.lead());
        }
        answer.await.unwrap_or_else(|_| Err(Down::ending().into()))
    }

    /// Takes what waits, again and again, until nothing does.
    fn lead(&self) {
        loop {
            let mut group = {
                let mut queue = lock(&self.queue);
                queue.led = !queue.waiting.is_empty();
                if !queue.led {
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            group.retain(|job| !job.abandoned());
            let ended = self.with(|database| commit(database, &mut group));
            if matches!(ended, Ok(true)) {
                // Only this shows that the disk is well: on a full one, opening and reading work.
                *lock(&self.logged) = None;
            }
            for job in group {
                job.answer(ended.clone().map(|_| ()));
            }
        }
    }
}

/// Does a group of changes in one transaction, which is on disk when this returns; says whether there was
/// anything to write.
fn commit(database: &Database, group: &mut [Box<dyn Job>]) -> Result<bool, Fault> {
    let mut transaction = database.begin_write()?;
    // In one phase, a file that was damaged later looks like a commit that was cut off: the commit before
    // it comes back, and what was acknowledged is gone without a word.
    transaction.set_two_phase_commit(true);
    let changed = {
        let mut tables = Tables::open(&transaction)?;
        for job in group {
            job.apply(&mut tables)?;
        }
        tables.changed
    };
    if changed {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(changed)
}
