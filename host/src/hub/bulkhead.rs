//! How many calls run and wait at once: in all, for each plugin, and at each depth.
//!
//! Invariant: a plugin that is full holds no place of the hub's, so that it costs its neighbours
//! nothing; what does not fit is refused at once, and whoever waits does so within a bound. A call waits only
//! for calls of its own depth, and these only for deeper ones: plugins that call each other cannot lock each
//! other out, and what plugins call takes nothing from agents and people.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use crate::config::Limits;
use crate::error::{Blame, CallError, Code};
use crate::hub::chain::MAX_DEPTH;
use crate::model::Call;
use crate::sandbox::cancelled;

/// Calls of one plugin's that run or wait to run at one depth, all its own calls together: no more than one call
/// may make, so that a plugin that floods another one leaves room in that one's queue.
const MAX_OUTBOUND: usize = 16;

/// How many depths there are.
const DEPTHS: usize = MAX_DEPTH + 1;

/// The hub's places.
pub(super) struct Hall {
    places: [Semaphore; DEPTHS],
    limits: Limits,
}

/// One plugin's places, by depth.
pub(super) struct Seats([Level; DEPTHS]);

/// A plugin's places at one depth, and who waits for one.
struct Level {
    seats: Semaphore,
    waiting: AtomicUsize,
    /// For what the plugin itself calls.
    outbound: Semaphore,
}

/// The right to run; it ends with this value.
pub(super) struct Place<'a> {
    _outbound: Option<SemaphorePermit<'a>>,
    _seat: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Hall {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = std::array::from_fn(|depth| Semaphore::new(places_at(limits, depth)));
        Self { places, limits: *limits }
    }

    /// How many calls run at once, those of plugins included.
    pub(super) fn places(limits: &Limits) -> usize {
        (0..DEPTHS).map(|depth| places_at(limits, depth)).sum()
    }

    /// Places for one more plugin.
    pub(super) fn seats(&self) -> Arc<Seats> {
        Arc::new(Seats(std::array::from_fn(|_| Level {
            seats: Semaphore::new(self.limits.calls_per_plugin),
            waiting: AtomicUsize::new(0),
            outbound: Semaphore::new(MAX_OUTBOUND),
        })))
    }

    /// Takes a place, and waits for one if there is room to wait. `from` are the places of the plugin that calls,
    /// if one does.
    pub(super) async fn enter<'a, W>(
        &'a self,
        from: Option<&'a Seats>,
        to: &'a Seats,
        deadline: Instant,
        call: &Call<W>,
    ) -> Result<Place<'a>, CallError> {
        let door = self.door(from, to, call.depth())?;
        let calm = call.outlet.as_ref().is_none_or(|outlet| outlet.is_calm());
        if let Some(place) = door.try_enter().filter(|_| calm) {
            return Ok(place);
        }
        let arrived = Instant::now();
        let until = deadline.min(arrived + self.limits.queue_wait);
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(cancelled()),
            place = door.wait(self.limits.queue, call) => place,
            () = tokio::time::sleep_until(until.into()) => {
                let waited = until.saturating_duration_since(arrived).as_millis();
                Err(overloaded(format!("no place came free within {waited} ms")))
            }
        }
    }

    fn door<'a>(
        &'a self,
        from: Option<&'a Seats>,
        to: &'a Seats,
        depth: usize,
    ) -> Result<Door<'a>, CallError> {
        match (self.places.get(depth), to.0.get(depth)) {
            (Some(places), Some(to)) => {
                let from = from.and_then(|from| from.0.get(depth)).map(|level| &level.outbound);
                Ok(Door { from, to, places })
            }
            _ => Err(CallError::new(Code::Internal, Blame::Host, "a call is deeper than calls go")),
        }
    }
}

/// Places at a depth. What plugins call has as many as agents and people, deeper calls a quarter of that and half
/// as many again at each depth: they are rare, and each place reserves some 34 GB of address space in one piece.
/// With all the calls that can be configured that is 85 TB, and a process on x86-64 has no piece of more than 93.
fn places_at(limits: &Limits, depth: usize) -> usize {
    let places = match depth {
        0 | 1 => limits.calls,
        deeper => limits.calls >> deeper,
    };
    places.max(1)
}

/// What a call has to get past.
struct Door<'a> {
    from: Option<&'a Semaphore>,
    to: &'a Level,
    places: &'a Semaphore,
}

impl<'a> Door<'a> {
    fn try_enter(&self) -> Option<Place<'a>> {
        let outbound = self.from.map(Semaphore::try_acquire).transpose().ok()?;
        let seat = self.to.seats.try_acquire().ok()?;
        let place = self.places.try_acquire().ok()?;
        Some(Place { _outbound: outbound, _seat: seat, _place: place })
    }

    async fn wait<W>(&self, room: usize, call: &Call<W>) -> Result<Place<'a>, CallError> {
        let closed =
            |_: AcquireError| CallError::new(Code::Unavailable, Blame::Host, "hubcap is shutting down");
        // What is the caller's own first: whoever waits for it takes no room in the callee's queue.
        let outbound = match self.from {
            Some(outbound) => Some(outbound.acquire().await.map_err(closed)?),
            None => None,
        };
        let _waiting = Waiting::join(&self.to.waiting, room)?;
        // Then the callee's seat: whoever waits for it holds nothing that others need.
        let seat = self.to.seats.acquire().await.map_err(closed)?;
        let place = self.places.acquire().await.map_err(closed)?;
        // With the place taken, so that no more than run at once can start when the outlet is free again.
        if let Some(outlet) = &call.outlet {
            outlet.calm().await;
        }
        Ok(Place { _outbound: outbound, _seat: seat, _place: place })
    }
}

/// Counts one that waits, for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicUsize, room: usize) -> Result<Self, CallError> {
        let joined =
            waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < room).then_some(n + 1));
        match joined {
            Ok(_) => Ok(Self(waiting)),
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

    use super::{Hall, MAX_DEPTH, MAX_OUTBOUND};
    use crate::config::Limits;
    use crate::engine::Engine;
    use crate::error::Code;
    use crate::model::{Call, CallId, Caller, Calling, Outlet, PluginId};

    fn hall(calls: usize, calls_per_plugin: usize, queue: usize) -> Hall {
        let queue_wait = Duration::from_millis(20);
        Hall::new(&Limits { calls, calls_per_plugin, queue, queue_wait, ..Limits::default() })
    }

    fn call() -> Call<()> {
        Call::new(())
    }

    /// A call with so many plugins behind it.
    fn nested(depth: usize) -> Call<()> {
        let caller = (0..depth).fold(Caller::Agent, |caller, n| {
            let plugin = PluginId::new(&format!("p{n}")).unwrap();
            Caller::Plugin(Arc::new(Calling { plugin, call: CallId::next(), deadline: later(), caller }))
        });
        Call { caller, ..call() }
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn as_many_run_as_there_are_seats_and_the_next_waits_in_vain() {
        let hall = hall(8, 2, 1);
        let (seats, call) = (hall.seats(), call());
        let _first = hall.enter(None, &seats, later(), &call).await.ok().unwrap();
        let _second = hall.enter(None, &seats, later(), &call).await.ok().unwrap();
        let refused = hall.enter(None, &seats, later(), &call).await.err().unwrap();
        assert_eq!(refused.code, Code::Overloaded);
        assert!(refused.message().contains("within 20 ms"), "{refused}");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hall = hall(8, 1, 0);
        let (seats, call) = (hall.seats(), call());
        let _running = hall.enter(None, &seats, later(), &call).await.ok().unwrap();
        let refused = hall.enter(None, &seats, later(), &call).await.err().unwrap();
        assert!(refused.message().contains("waiting already"), "{refused}");
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_place_that_comes_free() {
        let hall = Hall::new(&Limits { calls: 1, ..Limits::default() });
        let (seats, call) = (hall.seats(), call());
        let running = hall.enter(None, &seats, later(), &call).await.ok().unwrap();
        let (entered, ()) = tokio::join!(hall.enter(None, &seats, later(), &call), async { drop(running) });
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_full_plugin_takes_no_place_from_its_neighbour() {
        let hall = hall(2, 1, 8);
        let (full, neighbour, call) = (hall.seats(), hall.seats(), call());
        let _running = hall.enter(None, &full, later(), &call).await.ok().unwrap();
        let waiting = hall.enter(None, &full, later(), &call);
        let (_, entered) = tokio::join!(waiting, hall.enter(None, &neighbour, later(), &call));
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_cancelled_call_stops_waiting() {
        let hall = Hall::new(&Limits { calls_per_plugin: 1, ..Limits::default() });
        let (seats, call) = (hall.seats(), call());
        let _running = hall.enter(None, &seats, later(), &call).await.ok().unwrap();
        let (refused, ()) =
            tokio::join!(hall.enter(None, &seats, later(), &call), async { call.cancel.cancel() });
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
        assert_eq!(hall.enter(None, &seats, later(), &call).await.err().unwrap().code, Code::Overloaded);
        let (entered, ()) =
            tokio::join!(hall.enter(None, &seats, later(), &call), async { blocked.0.cancel() });
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_call_waits_for_none_of_another_depth() {
        let hall = hall(1, 1, 0);
        let seats = hall.seats();
        let mut running = Vec::new();
        for depth in 0..=MAX_DEPTH {
            let call = nested(depth);
            running.push(hall.enter(Some(&seats), &seats, later(), &call).await.ok().unwrap());
            let refused = hall.enter(Some(&seats), &seats, later(), &call).await.err().unwrap();
            assert_eq!(refused.code, Code::Overloaded);
        }
        running.remove(2);
        assert!(hall.enter(Some(&seats), &seats, later(), &nested(2)).await.is_ok());
    }

    #[tokio::test]
    async fn sixteen_calls_of_a_plugin_are_on_their_way_and_one_more_costs_only_that_plugin() {
        let hall = hall(64, 64, 0);
        let (flooding, other, callee, call) = (hall.seats(), hall.seats(), hall.seats(), nested(1));
        let mut running = Vec::new();
        for _ in 0..MAX_OUTBOUND {
            running.push(hall.enter(Some(&flooding), &callee, later(), &call).await.ok().unwrap());
        }
        let refused = hall.enter(Some(&flooding), &callee, later(), &call).await.err().unwrap();
        assert!(refused.message().contains("within 20 ms"), "{refused}");
        assert!(hall.enter(Some(&other), &callee, later(), &call).await.is_ok());
    }

    #[test]
    fn what_plugins_call_has_as_many_places_as_agents_and_deeper_calls_have_fewer() {
        let limits = |calls| Limits { calls, ..Limits::default() };
        assert_eq!(Hall::places(&limits(32)), 32 + 32 + 8 + 4 + 2);
        assert_eq!(Hall::places(&limits(1)), 5);
        // With the most calls that can be configured, there is address space for all of them.
        let all = Hall::places(&limits(1_000)) + 64;
        assert!(Engine::new(all).is_ok(), "{all}");
    }
}
