//! Moves the engine's epoch, so that a guest that computes yields.
//!
//! Invariant: runs on a thread of its own, because a guest that does not yield would hold up any
//! timer of the async runtime; and while no store is open it sleeps.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Ticks without an open store after which the thread goes to sleep. Calls that follow each other
/// closely then never have to wake it.
const IDLE_TICKS: u32 = 100;

/// The thread; it ends with this value.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    open: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// An open store: the epoch moves while one is there.
pub(crate) struct Ticking(Arc<Shared>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticker {
    /// Starts to move the epoch of `engine` once per `tick`.
    pub(super) fn start(engine: &wasmtime::Engine, tick: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, ours) = (engine.clone(), Arc::clone(&shared));
        let thread =
            std::thread::Builder::new().name("epoch".into()).spawn(move || run(&engine, tick, &ours))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Says that a store is open, and wakes the thread if it sleeps.
    pub(super) fn tick(&self) -> Ticking {
        self.shared.open.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        Ticking(Arc::clone(&self.shared))
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

fn run(engine: &wasmtime::Engine, tick: Duration, shared: &Shared) {
    let mut idle = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        std::thread::park_timeout(tick);
        engine.increment_epoch();
        idle = if shared.open.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle >= IDLE_TICKS {
            sleep(shared);
            idle = 0;
        }
    }
}

/// Waits for a store. Whoever opens one looks at `asleep` after counting it, and here it is the other
/// way round: one of the two sees the other.
fn sleep(shared: &Shared) {
    shared.asleep.store(true, Ordering::SeqCst);
    while shared.open.load(Ordering::SeqCst) == 0 && !shared.stop.load(Ordering::SeqCst) {
        std::thread::park();
    }
    shared.asleep.store(false, Ordering::SeqCst);
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked: it does nothing that could.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use super::Ticker;

    fn holds(condition: impl Fn() -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while !condition() && Instant::now() < end {
            std::thread::yield_now();
        }
        condition()
    }

    #[test]
    fn the_thread_sleeps_without_stores_and_an_open_one_wakes_it() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(&engine, Duration::from_micros(10)).unwrap();
        let asleep = || ticker.shared.asleep.load(Ordering::SeqCst);
        assert!(holds(asleep));
        let ticking = ticker.tick();
        assert!(holds(|| !asleep()));
        drop(ticking);
        assert!(holds(asleep));
    }
}
