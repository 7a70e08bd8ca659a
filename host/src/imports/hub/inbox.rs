//! What a callee told and nobody has taken yet.
//!
//! Invariant: bounded, and always ended: also where the work that fills it is gone without a word.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::bindings::hub::{Event, Reply};
use crate::error::{Blame, CallError, Code};
use crate::model::{Follower, Progress};

/// Pieces of a result that wait to be taken; more are dropped.
const MAX_EVENTS: usize = 64;

/// What a call came to.
pub(super) type End = Result<Reply, CallError>;

/// The place between a running call and the guest that waits for it.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    end: Option<End>,
    is_over: bool,
}

impl State {
    /// Of reports the newest counts; a piece for which there is no room is dropped.
    fn push(&mut self, news: Progress) {
        match news {
            Progress::Report { done, total, .. } => {
                self.events.retain(|event| !matches!(event, Event::Progress(_)));
                self.events.push_back(Event::Progress((done, total)));
            }
            Progress::Partial(text) if self.events.len() < MAX_EVENTS => {
                self.events.push_back(Event::Partial(text));
            }
            Progress::Partial(_) => {}
        }
    }
}

impl Inbox {
    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        // Nothing in here can leave the state half-changed.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.with(change);
        self.changed.notify_waiters();
    }

    /// The next event; that the result is there, again and again once it is.
    pub(super) fn next(&self) -> Option<Event> {
        self.with(|state| state.events.pop_front().or_else(|| state.is_over.then_some(Event::Ready)))
    }

    /// Waits until there is something to take.
    pub(super) async fn ready(&self) {
        self.wait(|state| (state.is_over || !state.events.is_empty()).then_some(())).await;
    }

    /// Waits for the end.
    pub(super) async fn end(&self) -> End {
        self.wait(|state| state.is_over.then(|| state.end.take().unwrap_or_else(|| Err(gone())))).await
    }

    async fn wait<R>(&self, look: impl Fn(&mut State) -> Option<R>) -> R {
        loop {
            // Before the look, so that no change after it goes unheard.
            let changed = self.changed.notified();
            if let Some(found) = self.with(&look) {
                return found;
            }
            changed.await;
        }
    }
}

/// The work behind it was given up, or crashed.
fn gone() -> CallError {
    CallError::new(Code::Internal, Blame::Host, "a fault inside hubcap ended the call; the log says more")
}

impl Follower for Inbox {
    fn hear(&self, news: Progress) {
        self.change(|state| state.push(news));
    }
}

/// Brings an inbox its end; dropping it does so, too.
pub(super) struct Filler(Arc<Inbox>);

impl Filler {
    /// That of this inbox.
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self(inbox)
    }

    /// Does the work, which tells the inbox what it has to tell by itself.
    pub(super) async fn fill(self, work: impl Future<Output = End>) {
        let end = work.await;
        self.0.change(|state| state.end = Some(end));
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.0.change(|state| state.is_over = true);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Event, Filler, Inbox, MAX_EVENTS, Reply};
    use crate::bindings::tool_types::ToolOutput;
    use crate::model::{Follower, Progress};

    fn report(done: f64) -> Progress {
        Progress::Report { done, total: Some(9.0), message: None }
    }

    fn reply() -> Reply {
        Reply::Tool(ToolOutput { content: Vec::new(), structured: None, meta: Vec::new() })
    }

    /// What an inbox has once work has told this and ended.
    async fn told(news: Vec<Progress>) -> Vec<Event> {
        let inbox = Arc::new(Inbox::default());
        news.into_iter().for_each(|one| inbox.hear(one));
        Filler::new(Arc::clone(&inbox)).fill(async { Ok(reply()) }).await;
        inbox.ready().await;
        let events = std::iter::from_fn(|| inbox.next().filter(|event| !matches!(event, Event::Ready)));
        let events = events.collect();
        assert!(inbox.end().await.is_ok());
        events
    }

    #[tokio::test]
    async fn of_reports_the_newest_is_kept_and_of_pieces_sixty_four() {
        let piece = |n: usize| Progress::Partial(n.to_string());
        let events = told(vec![report(1.0), piece(0), report(2.0), piece(1)]).await;
        assert_eq!(
            format!("{events:?}"),
            r#"[Event::Partial("0"), Event::Progress((2.0, Some(9.0))), Event::Partial("1")]"#
        );
        assert_eq!(told((0..MAX_EVENTS).map(piece).collect()).await.len(), MAX_EVENTS);
        assert_eq!(told((0..=MAX_EVENTS).map(piece).collect()).await.len(), MAX_EVENTS);
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_an_end_that_nobody_told() {
        let inbox = Arc::new(Inbox::default());
        let filler = Filler::new(Arc::clone(&inbox));
        assert!(inbox.next().is_none());
        let ((), end) = tokio::join!(async { drop(filler) }, inbox.end());
        assert!(end.unwrap_err().message().contains("a fault inside hubcap"));
        assert!(matches!(inbox.next(), Some(Event::Ready)));
    }
}
