//! How many calls run and wait at once: in all, and for each plugin.
//!
//! Invariant: a plugin that is full holds no place of the hub's, so that it costs its neighbours
//! nothing; what does not fit is refused at once, and whoever waits does so within a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Limits;
use crate::error::{Blame, CallError, Code};
use crate::model::Call;
use crate::sandbox::cancelled;

/// The hub's places.
pub(super) struct Hall {
    places: Semaphore,
    limits: Limits,
}

/// One plugin's places, and who waits for one.
pub(super) struct Seats {
    seats: Semaphore,
    waiting: AtomicUsize,
}

/// The right to run; it ends with this value.
pub(super) struct Place<'a> {
    _seat: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Hall {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { places: Semaphore::new(limits.calls), limits: *limits }
    }

    /// Places for one more plugin.
    pub(super) fn seats(&self) -> Arc<Seats> {
        Arc::new(Seats { seats: Semaphore::new(self.limits.calls_per_plugin), waiting: AtomicUsize::new(0) })
    }

    /// Takes a place, and waits for one if there is room to wait.
    pub(super) async fn enter<'a, W>(
        &'a self,
        seats: &'a Seats,
        deadline: Instant,
        call: &Call<W>,
    ) -> Result<Place<'a>, CallError> {
        let calm = call.outlet.as_ref().is_none_or(|outlet| outlet.is_calm());
        if let Some(place) = self.try_enter(seats).filter(|_| calm) {
            return Ok(place);
        }
        let _waiting = Waiting::join(seats, self.limits.queue)?;
        let arrived = Instant::now();
        let until = deadline.min(arrived + self.limits.queue_wait);
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(cancelled()),
            place = self.wait(seats, call) => place,
            () = tokio::time::sleep_until(until.into()) => {
                let waited = until.saturating_duration_since(arrived).as_millis();
                Err(overloaded(format!("no place came free within {waited} ms")))
            }
        }
    }

    fn try_enter<'a>(&'a self, seats: &'a Seats) -> Option<Place<'a>> {
        let seat = seats.seats.try_acquire().ok()?;
        let place = self.places.try_acquire().ok()?;
        Some(Place { _seat: seat, _place: place })
    }

    async fn wait<'a, W>(&'a self, seats: &'a Seats, call: &Call<W>) -> Result<Place<'a>, CallError> {
        let closed = |_| CallError::new(Code::Unavailable, Blame::Host, "hubcap is shutting down");
        // The plugin's own seat first: whoever waits for it holds nothing that others need.
        let seat = seats.seats.acquire().await.map_err(closed)?;
        let place = self.places.acquire().await.map_err(closed)?;
        // With the place taken, so that no more than run at once can start when the outlet is free again.
        if let Some(outlet) = &call.outlet {
            outlet.calm().await;
        }
        Ok(Place { _seat: seat, _place: place })
    }
}

/// Counts one that waits, for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(seats: &'a Seats, room: usize) -> Result<Self, CallError> {
        let joined =
            seats.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < room).then_some(n + 1));
        match joined {
            Ok(_) => Ok(Self(&seats.waiting)),
            Err(_) => Err(overloaded(format!("{room} calls of this plugin are waiting already"))),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn overloaded(what: String) -> CallError {
    CallError::new(Code::Overloaded, Blame::Host, format!("{what}; try again in {} s", RETRY.as_secs()))
}

/// When a refused caller should come back.
const RETRY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::Hall;
    use crate::config::Limits;
    use crate::error::Code;
    use crate::model::{Call, Outlet};

    fn hall(calls: usize, calls_per_plugin: usize, queue: usize) -> Hall {
        let queue_wait = Duration::from_millis(20);
        Hall::new(&Limits { calls, calls_per_plugin, queue, queue_wait, ..Limits::default() })
    }

    fn call() -> Call<()> {
        Call::new(())
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn as_many_run_as_there_are_seats_and_the_next_waits_in_vain() {
        let hall = hall(8, 2, 1);
        let (seats, call) = (hall.seats(), call());
        let _first = hall.enter(&seats, later(), &call).await.ok().unwrap();
        let _second = hall.enter(&seats, later(), &call).await.ok().unwrap();
        let refused = hall.enter(&seats, later(), &call).await.err().unwrap();
        assert_eq!(refused.code, Code::Overloaded);
        assert!(refused.message().contains("within 20 ms"), "{refused}");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hall = hall(8, 1, 0);
        let (seats, call) = (hall.seats(), call());
        let _running = hall.enter(&seats, later(), &call).await.ok().unwrap();
        let refused = hall.enter(&seats, later(), &call).await.err().unwrap();
        assert!(refused.message().contains("waiting already"), "{refused}");
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_place_that_comes_free() {
        let hall = Hall::new(&Limits { calls: 1, ..Limits::default() });
        let (seats, call) = (hall.seats(), call());
        let running = hall.enter(&seats, later(), &call).await.ok().unwrap();
        let (entered, ()) = tokio::join!(hall.enter(&seats, later(), &call), async { drop(running) });
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_full_plugin_takes_no_place_from_its_neighbour() {
        let hall = hall(2, 1, 8);
        let (full, neighbour, call) = (hall.seats(), hall.seats(), call());
        let _running = hall.enter(&full, later(), &call).await.ok().unwrap();
        let waiting = hall.enter(&full, later(), &call);
        let (_, entered) = tokio::join!(waiting, hall.enter(&neighbour, later(), &call));
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_cancelled_call_stops_waiting() {
        let hall = Hall::new(&Limits { calls_per_plugin: 1, ..Limits::default() });
        let (seats, call) = (hall.seats(), call());
        let _running = hall.enter(&seats, later(), &call).await.ok().unwrap();
        let (refused, ()) = tokio::join!(hall.enter(&seats, later(), &call), async { call.cancel.cancel() });
        assert_eq!(refused.err().unwrap().code, Code::Cancelled);
    }

    /// An outlet that is blocked until it is told otherwise.
    #[derive(Debug, Default)]
    struct Blocked(tokio_util::sync::CancellationToken);

    impl Outlet for Blocked {
        fn is_calm(&self) -> bool {
            self.0.is_cancelled()
        }

        fn calm(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(self.0.cancelled())
        }
    }

    #[tokio::test]
    async fn no_call_starts_while_its_answer_could_not_leave() {
        let hall = hall(8, 8, 8);
        let blocked = Arc::new(Blocked::default());
        let call = Call { outlet: Some(blocked.clone()), ..call() };
        let seats = hall.seats();
        assert_eq!(hall.enter(&seats, later(), &call).await.err().unwrap().code, Code::Overloaded);
        let (entered, ()) = tokio::join!(hall.enter(&seats, later(), &call), async { blocked.0.cancel() });
        assert!(entered.is_ok());
    }
}
