//! Which requests wait for their answer.
//!
//! Invariant: what is inside is named by keys of ours, each given once. So the id of a cancelled or
//! answered request may come again at once, and a late answer to the old request can't reach the new one.

use std::collections::HashMap;
use std::sync::Arc;

use rmcp::model::{NumberOrString, ProgressToken, RequestId};
use tokio::sync::OwnedSemaphorePermit;

use super::outbox::{Coming, Outbox};

/// A place among the requests in flight. It is free again when both the work has ended and the answer is
/// on its way out; after a cancellation that is later than the client's eyes see it.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    /// The request's answer.
    pub(super) answer: Coming,
}

impl Place {
    /// A place for a request whose answer goes to `out`.
    pub(super) fn new(permit: OwnedSemaphorePermit, out: &Arc<Outbox>) -> Arc<Self> {
        Arc::new(Self { _permit: permit, answer: Coming::to(out) })
    }
}

/// The requests in flight.
#[derive(Default)]
pub(super) struct Flights {
    last: i64,
    by_key: HashMap<i64, Flight>,
    by_id: HashMap<RequestId, i64>,
}

struct Flight {
    id: RequestId,
    token: Option<ProgressToken>,
    place: Arc<Place>,
}

impl Flights {
    /// Whether nothing waits for an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Whether a request with this id, in the client's words, is in flight.
    pub(super) fn holds(&self, id: &RequestId) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether the request with this key is in flight.
    pub(super) fn is_open(&self, key: i64) -> bool {
        self.by_key.contains_key(&key)
    }

    /// Takes a request in and gives its key. Its id must not be held.
    pub(super) fn open(&mut self, id: RequestId, place: Arc<Place>) -> i64 {
        self.last += 1;
        self.by_id.insert(id.clone(), self.last);
        self.by_key.insert(self.last, Flight { id, token: None, place });
        self.last
    }

    /// The client wants progress of this request under this token.
    pub(super) fn follow(&mut self, key: i64, token: ProgressToken) {
        if let Some(flight) = self.by_key.get_mut(&key) {
            flight.token = Some(token);
        }
    }

    /// The request with this key is answered: its id and its place, unless it was cancelled before.
    pub(super) fn answer(&mut self, key: &NumberOrString) -> Option<(RequestId, Arc<Place>)> {
        let NumberOrString::Number(key) = key else { return None };
        let Flight { id, place, .. } = self.by_key.remove(key)?;
        self.by_id.remove(&id);
        Some((id, place))
    }

    /// The client gave up: the key of what it gave up, if that is still in flight.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<i64> {
        let key = self.by_id.remove(id)?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// The client's token for progress of the request with this key, if that is in flight.
    pub(super) fn token(&self, key: &ProgressToken) -> Option<ProgressToken> {
        let NumberOrString::Number(key) = key.0 else { return None };
        self.by_key.get(&key)?.token.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::Arc;

    use rmcp::model::{NumberOrString, ProgressToken, RequestId};
    use tokio::sync::Semaphore;

    use super::{Flights, Outbox, Place};

    fn id(number: i64) -> RequestId {
        RequestId::Number(number)
    }

    fn place() -> Arc<Place> {
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Place::new(permit, &Arc::new(Outbox::new(1_000)))
    }

    fn answered(flights: &mut Flights, key: i64) -> Option<RequestId> {
        flights.answer(&NumberOrString::Number(key)).map(|(id, _)| id)
    }

    #[test]
    fn an_id_is_held_until_its_answer() {
        let mut flights = Flights::default();
        let key = flights.open(id(7), place());
        assert!(flights.holds(&id(7)) && flights.is_open(key) && !flights.is_empty());
        assert_eq!(answered(&mut flights, key), Some(id(7)));
        assert_eq!(answered(&mut flights, key), None);
        assert!(!flights.holds(&id(7)) && flights.is_empty());
    }

    #[test]
    fn numbers_and_strings_are_different_ids() {
        let mut flights = Flights::default();
        flights.open(id(7), place());
        assert!(!flights.holds(&RequestId::String("7".into())));
    }

    #[test]
    fn a_late_answer_to_a_cancelled_request_does_not_reach_the_next_one_with_its_id() {
        let mut flights = Flights::default();
        let old = flights.open(id(7), place());
        assert_eq!(flights.cancel(&id(7)), Some(old));
        assert_eq!(flights.cancel(&id(7)), None);
        let new = flights.open(id(7), place());
        assert_eq!(answered(&mut flights, old), None);
        assert_eq!(answered(&mut flights, new), Some(id(7)));
    }

    #[test]
    fn a_token_lives_as_long_as_its_request() {
        let mut flights = Flights::default();
        let token = ProgressToken(NumberOrString::String("t".into()));
        let key = flights.open(id(1), place());
        let ours = ProgressToken(NumberOrString::Number(key));
        flights.follow(key, token.clone());
        assert_eq!(flights.token(&ours), Some(token));
        flights.cancel(&id(1));
        assert_eq!(flights.token(&ours), None);
    }
}
