//! The calls that one call of a guest makes: how many, for whom, how long, at what cost.
//!
//! Invariant: none of them outlives the call that made it, and each that was started is in the costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Pending;
use super::exchange::Exchange;
use super::inbox::{End, Filler, Inbox};
use crate::error::{Blame, CallError, Code};
use crate::model::{Call, CallId, CalleeCosts, Caller, Calling, Follower, PluginId};
use crate::outcome::Outcome;

/// Calls of one call that run at once, or whose result waits to be taken: each can hold 1 MiB of arguments and 2
/// of what comes back.
pub(super) const MAX_PENDING: usize = 16;
/// Calls of one call in all.
pub(super) const MAX_CALLS: usize = 256;
/// Longest that the end of a call waits for what it cancelled. A guest that computes is gone within a few epoch
/// ticks, and a caller gets its answer at most 250 ms after its deadline.
pub(super) const SETTLE_WAIT: Duration = Duration::from_millis(100);

/// The call that a guest serves, as far as calls from within it need to know.
pub(crate) struct Serving {
    /// The guest's plugin.
    pub(crate) plugin: PluginId,
    /// The call.
    pub(crate) call: CallId,
    /// When it ends.
    pub(crate) deadline: Instant,
    /// Fires when its caller gives up.
    pub(crate) cancel: CancellationToken,
    /// Whose it is.
    pub(crate) caller: Caller,
}

/// What runs, and what has run.
pub(super) struct Running {
    caller: Arc<Calling>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    places: Arc<Semaphore>,
    left: usize,
    costs: Arc<Mutex<CalleeCosts>>,
}

impl Running {
    /// Nothing yet.
    pub(super) fn new(serving: &Serving) -> Self {
        let Serving { plugin, call, deadline, cancel, caller } = serving;
        Self {
            caller: Arc::new(Calling {
                plugin: plugin.clone(),
                call: *call,
                deadline: *deadline,
                caller: caller.clone(),
            }),
            cancel: cancel.child_token(),
            tasks: JoinSet::new(),
            places: Arc::new(Semaphore::new(MAX_PENDING)),
            left: MAX_CALLS,
            costs: Arc::default(),
        }
    }

    /// Starts work that makes so many calls.
    pub(super) fn start<F>(
        &mut self,
        exchange: Arc<dyn Exchange>,
        calls: usize,
        work: impl FnOnce(Line) -> F,
    ) -> Result<Pending, CallError>
    where
        F: Future<Output = End> + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| too_many_at_once())?;
        self.left = self.left.checked_sub(calls).ok_or_else(too_many)?;
        // Those that have ended are nobody's business any more.
        while self.tasks.try_join_next().is_some() {}
        let cancel = self.cancel.child_token();
        let inbox = Arc::new(Inbox::default());
        let line = Line {
            exchange,
            follower: inbox.clone(),
            caller: Arc::clone(&self.caller),
            cancel: cancel.clone(),
            costs: Arc::clone(&self.costs),
        };
        self.tasks.spawn(Filler::new(Arc::clone(&inbox)).fill(work(line)));
        Ok(Pending { inbox, _cancel: cancel.drop_guard(), _place: place })
    }

    /// Cancels what still runs, waits for its end within a bound, and says what all of it cost. What does not end
    /// by itself is cut off.
    pub(super) async fn settle(mut self) -> CalleeCosts {
        self.cancel.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SETTLE_WAIT, ended).await.is_err() {
            tracing::warn!("calls of this call did not end when they were cancelled: they are cut off");
        }
        *locked(&self.costs)
    }
}

fn locked(costs: &Mutex<CalleeCosts>) -> std::sync::MutexGuard<'_, CalleeCosts> {
    // Nothing that is done with it can leave it half-changed.
    costs.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many_at_once() -> CallError {
    let message = format!("{MAX_PENDING} calls of this call run already: finish or drop one first");
    CallError::new(Code::Overloaded, Blame::Plugin, message)
}

fn too_many() -> CallError {
    CallError::new(Code::Limit, Blame::Plugin, format!("one call makes at most {MAX_CALLS} calls"))
}

/// What one piece of work needs to make its calls.
pub(super) struct Line {
    exchange: Arc<dyn Exchange>,
    follower: Arc<dyn Follower>,
    caller: Arc<Calling>,
    cancel: CancellationToken,
    costs: Arc<Mutex<CalleeCosts>>,
}

impl Line {
    /// The hub.
    pub(super) fn exchange(&self) -> Arc<dyn Exchange> {
        Arc::clone(&self.exchange)
    }

    /// A call that does this, and is counted from now on.
    pub(super) fn call<W>(&self, work: W) -> Call<W> {
        locked(&self.costs).start();
        Call {
            cancel: self.cancel.clone(),
            progress: Some(Arc::clone(&self.follower)),
            caller: Caller::Plugin(Arc::clone(&self.caller)),
            ..Call::new(work)
        }
    }

    /// What came of a call, whose cost is added.
    pub(super) fn paid<T>(&self, outcome: Outcome<T>) -> Result<T, CallError> {
        locked(&self.costs).end(outcome.receipt.as_ref(), outcome.result.is_err());
        outcome.result
    }
}
