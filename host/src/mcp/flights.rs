//! Which requests wait for their answer.
//!
//! Invariant: what is inside is named by keys of ours, each given once. So the id of a cancelled or
//! answered request may come again at once, and a late answer to the old request can't reach the new one.

use std::collections::HashMap;

use rmcp::model::{ProgressToken, RequestId};

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
    pub(super) fn open(&mut self, id: RequestId) -> i64 {
        self.last += 1;
        self.by_id.insert(id.clone(), self.last);
        self.by_key.insert(self.last, Flight { id, token: None });
        self.last
    }

    /// The client wants progress of this request under this token.
    pub(super) fn follow(&mut self, key: i64, token: ProgressToken) {
        if let Some(flight) = self.by_key.get_mut(&key) {
            flight.token = Some(token);
        }
    }

    /// The request is answered: its id, unless it was cancelled before.
    pub(super) fn answer(&mut self, key: i64) -> Option<RequestId> {
        let flight = self.by_key.remove(&key)?;
        self.by_id.remove(&flight.id);
        Some(flight.id)
    }

    /// The client gave up: the key of what it gave up, if that is still in flight.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<i64> {
        let key = self.by_id.remove(id)?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// The client's token for progress of a request that is in flight.
    pub(super) fn token(&self, key: i64) -> Option<ProgressToken> {
        self.by_key.get(&key)?.token.clone()
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{NumberOrString, ProgressToken, RequestId};

    use super::Flights;

    fn id(number: i64) -> RequestId {
        RequestId::Number(number)
    }

    #[test]
    fn an_id_is_held_until_its_answer() {
        let mut flights = Flights::default();
        let key = flights.open(id(7));
        assert!(flights.holds(&id(7)) && flights.is_open(key) && !flights.is_empty());
        assert_eq!(flights.answer(key), Some(id(7)));
        assert_eq!(flights.answer(key), None);
        assert!(!flights.holds(&id(7)) && flights.is_empty());
    }

    #[test]
    fn numbers_and_strings_are_different_ids() {
        let mut flights = Flights::default();
        flights.open(id(7));
        assert!(!flights.holds(&RequestId::String("7".into())));
    }

    #[test]
    fn a_late_answer_to_a_cancelled_request_does_not_reach_the_next_one_with_its_id() {
        let mut flights = Flights::default();
        let old = flights.open(id(7));
        assert_eq!(flights.cancel(&id(7)), Some(old));
        assert_eq!(flights.cancel(&id(7)), None);
        let new = flights.open(id(7));
        assert_eq!(flights.answer(old), None);
        assert_eq!(flights.answer(new), Some(id(7)));
    }

    #[test]
    fn a_token_lives_as_long_as_its_request() {
        let mut flights = Flights::default();
        let token = ProgressToken(NumberOrString::String("t".into()));
        let key = flights.open(id(1));
        flights.follow(key, token.clone());
        assert_eq!(flights.token(key), Some(token));
        flights.cancel(&id(1));
        assert_eq!(flights.token(key), None);
    }
}
