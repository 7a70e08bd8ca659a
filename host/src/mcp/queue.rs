//! Requests that wait for places among those in flight.
//!
//! Invariant: they get places in the order in which they came, and together they want at most as many as
//! there are, so what waits never holds more memory than what may run.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rmcp::model::RequestId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::message::Request;

/// Bytes of a request that count as one place.
const PLACE: usize = 64 * 1024;

/// The places, and who waits for some.
pub(super) struct Queue {
    places: Arc<Semaphore>,
    /// How many places there are; as many may be waited for.
    most: u32,
    /// How many are waited for.
    wanted: u32,
    last_turn: u64,
    by_turn: BTreeMap<u64, Waiting>,
    by_id: HashMap<RequestId, u64>,
}

struct Waiting {
    request: Box<Request>,
    places: u32,
}

impl Queue {
    /// Nobody waits for any of `most` places.
    pub(super) fn new(most: u32) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        Self { places, most, wanted: 0, last_turn: 0, by_turn: BTreeMap::new(), by_id: HashMap::new() }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.by_turn.is_empty()
    }

    /// Whether a request with this id waits.
    pub(super) fn holds(&self, id: &RequestId) -> bool {
        self.by_id.contains_key(id)
    }

    /// Lets a request wait, whose id must not be held; gives it back where too much waits already. An
    /// empty queue takes every request.
    pub(super) fn join(&mut self, request: Box<Request>) -> Result<(), Box<Request>> {
        let places = u32::try_from(request.weight / PLACE).unwrap_or(u32::MAX).saturating_add(1);
        let places = places.min(self.most);
        if places > self.most - self.wanted {
            return Err(request);
        }
        self.wanted += places;
        self.last_turn += 1;
        self.by_id.insert(request.id.clone(), self.last_turn);
        self.by_turn.insert(self.last_turn, Waiting { request, places });
        Ok(())
    }

    /// Takes the request with this id out, if it waits.
    pub(super) fn leave(&mut self, id: &RequestId) -> Option<Box<Request>> {
        let turn = self.by_id.get(id).copied()?;
        self.take(turn)
    }

    /// Takes out whoever is first, without a place.
    pub(super) fn dismiss(&mut self) -> Option<Box<Request>> {
        let turn = self.by_turn.first_key_value().map(|(turn, _)| *turn)?;
        self.take(turn)
    }

    /// Whoever is first, as soon as there are places enough for it; never, while nobody waits. May be
    /// dropped while it waits; nothing is lost then.
    pub(super) async fn turn(&mut self) -> (Box<Request>, OwnedSemaphorePermit) {
        if let Some((&turn, waiting)) = self.by_turn.first_key_value() {
            let place = Arc::clone(&self.places).acquire_many_owned(waiting.places).await;
            if let (Ok(place), Some(request)) = (place, self.take(turn)) {
                return (request, place);
            }
        }
        std::future::pending().await
    }

    fn take(&mut self, turn: u64) -> Option<Box<Request>> {
        let Waiting { request, places } = self.by_turn.remove(&turn)?;
        self.wanted -= places;
        self.by_id.remove(&request.id);
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use rmcp::model::{ClientRequest, PingRequest, RequestId};

    use super::{PLACE, Queue};
    use crate::mcp::message::Request;

    fn request(id: i64, places: usize) -> Box<Request> {
        let body = ClientRequest::PingRequest(PingRequest::default());
        Box::new(Request { id: RequestId::Number(id), body, weight: places * PLACE - 1 })
    }

    fn turn(queue: &mut Queue) -> Option<(RequestId, tokio::sync::OwnedSemaphorePermit)> {
        queue.turn().now_or_never().map(|(request, place)| (request.id, place))
    }

    fn id(id: i64) -> RequestId {
        RequestId::Number(id)
    }

    #[test]
    fn turns_come_in_order_and_a_large_request_is_not_passed_by_small_ones() {
        let mut queue = Queue::new(4);
        assert!(turn(&mut queue).is_none());
        for (id, places) in [(1, 2), (2, 1)] {
            assert!(queue.join(request(id, places)).is_ok());
        }
        let [first, second] = [1, 2].map(|expected| {
            let (found, place) = turn(&mut queue).unwrap_or_else(|| unreachable!("there are places"));
            assert_eq!(found, id(expected));
            place
        });
        assert!(queue.join(request(3, 3)).is_ok() && queue.join(request(4, 1)).is_ok());
        drop(second);
        assert!(turn(&mut queue).is_none(), "two places are free, and the first in the queue needs three");
        drop(first);
        assert_eq!(turn(&mut queue).map(|(found, _)| found), Some(id(3)));
        assert_eq!(turn(&mut queue).map(|(found, _)| found), Some(id(4)));
        assert!(queue.is_empty());
    }

    #[test]
    fn what_waits_wants_at_most_as_many_places_as_there_are() {
        let mut queue = Queue::new(8);
        assert!(queue.join(request(1, 5)).is_ok() && queue.join(request(2, 3)).is_ok());
        assert_eq!(queue.join(request(3, 1)).map_err(|request| request.id), Err(id(3)));
        assert!(!queue.holds(&id(3)));
        assert!(queue.leave(&id(2)).is_some() && queue.leave(&id(2)).is_none());
        assert!(queue.join(request(3, 3)).is_ok() && queue.join(request(4, 1)).is_err());
        assert_eq!(queue.dismiss().map(|request| request.id), Some(id(1)));
        assert_eq!(queue.dismiss().map(|request| request.id), Some(id(3)));
        assert!(queue.dismiss().is_none() && queue.is_empty());
    }

    #[test]
    fn a_request_larger_than_all_places_waits_alone() {
        let mut queue = Queue::new(2);
        assert!(queue.join(request(1, 1000)).is_ok() && queue.join(request(2, 1)).is_err());
        let first = turn(&mut queue);
        assert_eq!(first.as_ref().map(|(found, _)| found), Some(&id(1)));
        assert!(queue.join(request(2, 1)).is_ok() && turn(&mut queue).is_none());
        drop(first);
        assert_eq!(turn(&mut queue).map(|(found, _)| found), Some(id(2)));
    }
}
