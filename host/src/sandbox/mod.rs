//! One call's store: its state, its limits, its clock.
//!
//! Invariant: a store serves one call and is dropped whatever its end; everything in it is bounded.

mod end;
mod limiter;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime_wasi::clocks::WasiClocksCtx;

use crate::engine::{Engine, Ticking};
use crate::error::CallError;
use crate::imports::{
    Edges, Egress, Exchange, Files, GuestLog, HasImports, Http, HubCalls, Imports, Network, Powers,
    Processes, ProgressSink, RandomSource, Serving,
};
use crate::manifest::Ask;
use crate::model::{Budget, CalleeCosts, Follower, PluginId, Receipt};
use crate::policy::Grants;
use crate::secrets::Secrets;
use crate::state::State;

use end::Raise;
pub(crate) use end::cancelled;
use limiter::Limiter;

pub use crate::imports::Programs;

/// Bytes that may cross from the guest to the host in one host call or result.
const HOST_CALL_BYTES: usize = 8 << 20;
/// Handles that a guest may hold, and entries of the table behind them.
const MAX_HANDLES: usize = 4_096;

/// The data of a call's store.
pub(crate) struct CallState {
    limiter: Limiter,
    imports: Imports,
}

impl HasImports for CallState {
    fn imports(&mut self) -> &mut Imports {
        &mut self.imports
    }
}

/// Where guests run: the engine and everything that a guest can import.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<CallState>,
    state: Arc<State>,
    network: Arc<Network>,
    programs: Arc<Programs>,
    exchange: Weak<dyn Exchange>,
}

impl Sandbox {
    /// A sandbox on an engine, with the state and the seats for programs that plugins may be granted a part of,
    /// and the hub that they call each other through.
    ///
    /// # Errors
    /// When two imports have the same name: a fault of the host.
    pub(crate) fn new(
        engine: Engine,
        state: Arc<State>,
        programs: Arc<Programs>,
        exchange: Weak<dyn Exchange>,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine.wasmtime());
        crate::imports::add_to_linker(&mut linker)?;
        Ok(Self { engine, linker, state, network: Network::of_the_machine(), programs, exchange })
    }

    /// The engine, to compile with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What plugins keep between calls.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// What the programs of all plugins share.
    pub(crate) fn programs(&self) -> &Arc<Programs> {
        &self.programs
    }

    /// Binds a component's imports, so that no call has to.
    ///
    /// # Errors
    /// wasmtime's own: it names the import that is missing or has another shape.
    pub(crate) fn prepare(&self, component: &Component) -> wasmtime::Result<InstancePre<CallState>> {
        self.linker.instantiate_pre(component)
    }

    /// The way out of a plugin, which all its calls share.
    pub(crate) fn egress(&self, plugin: &PluginId, grants: &Grants, secrets: &Arc<Secrets>) -> Arc<Egress> {
        let (network, secrets) = (Arc::clone(&self.network), Arc::clone(secrets));
        Egress::new(plugin.as_str(), grants.http.clone(), secrets, network)
    }

    /// What a plugin may call, which all its calls share.
    pub(crate) fn edges(&self, plugin: &PluginId, ask: Option<&Ask>, grants: &Grants) -> Arc<Edges> {
        Edges::new(plugin, ask, grants, Weak::clone(&self.exchange))
    }

    /// Opens a store for one call, or for loading a plugin, where nothing is served.
    pub(crate) fn open(
        &self,
        budget: &Budget,
        follower: Option<Arc<dyn Follower>>,
        powers: &Powers,
        serving: Option<Serving>,
    ) -> CallStore {
        let Powers { secrets, kv, egress, directories, commands, edges } = powers;
        let imports = Imports {
            http: Http::new(Arc::clone(egress)),
            table: bounded_table(),
            log: GuestLog::new(Arc::clone(secrets)),
            progress: ProgressSink::new(follower, Arc::clone(secrets)),
            secrets: Arc::clone(secrets),
            has_seen_a_secret: false,
            kv: kv.clone(),
            random: RandomSource::new(),
            clocks: WasiClocksCtx::default(),
            files: Files::new(Arc::clone(directories)),
            hub: HubCalls::new(Arc::clone(edges), serving),
            processes: Processes::new(Arc::clone(commands)),
        };
        let state = CallState { limiter: Limiter::new(budget.memory), imports };
        let mut store = Store::new(self.engine.wasmtime(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        store.set_max_component_handles(MAX_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        // The engine always has fuel on, the only reason for which this could fail.
        let fuelled = store.set_fuel(budget.fuel);
        debug_assert!(fuelled.is_ok(), "fuel is on");
        CallStore {
            store,
            budget: *budget,
            opened: Instant::now(),
            raise: Raise::Budget,
            _ticking: self.engine.tick(),
        }
    }
}

fn bounded_table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    table
}

/// A store that serves one call.
pub(crate) struct CallStore {
    pub(crate) store: Store<CallState>,
    budget: Budget,
    opened: Instant,
    raise: Raise,
    _ticking: Ticking,
}

impl CallStore {
    /// With bounds that are the host's own.
    pub(crate) fn of_the_host(mut self) -> Self {
        self.raise = Raise::Nobody;
        self
    }

    /// Runs a step of the call until it ends by itself, `deadline` comes or the caller gives up. What
    /// was cut off must not be resumed: the caller drops the store.
    pub(crate) async fn run<T>(
        &mut self,
        what: &str,
        deadline: Instant,
        cancel: &CancellationToken,
        step: impl AsyncFnOnce(&mut Store<CallState>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let end = {
            let step = pin!(step(&mut self.store));
            bounded(step, deadline, cancel).await
        };
        match end {
            End::Itself(Ok(value)) => Ok(value),
            End::Itself(Err(error)) => Err(end::classify(error, self.store.data(), &self.budget, self.raise)),
            End::Deadline => {
                let after = deadline.saturating_duration_since(self.opened);
                // A step can have a bound of its own below the budget's.
                let raise =
                    if after < self.budget.deadline.mul_f64(0.9) { Raise::Nobody } else { self.raise };
                Err(end::too_late(what, after, raise))
            }
            End::Cancelled => Err(cancelled()),
        }
    }

    /// Ends what the guest has had others do, and says what that cost, if there was anything.
    pub(crate) async fn settle(&mut self) -> Option<CalleeCosts> {
        self.store.data_mut().imports.hub.settle().await
    }

    /// What the call itself has cost so far. Ends the guest's log.
    pub(crate) fn receipt(&self) -> Receipt {
        let state = self.store.data();
        let (log_lines, log_lines_dropped) = state.imports.log.finish();
        Receipt {
            fuel: self.budget.fuel.saturating_sub(self.store.get_fuel().unwrap_or(0)),
            peak_memory_bytes: state.limiter.peak_memory() as u64,
            wall_micros: u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX),
            log_lines,
            log_lines_dropped,
            grants: state.imports.used(),
            ..Receipt::default()
        }
    }
}

enum End<T> {
    Itself(T),
    Deadline,
    Cancelled,
}

/// The work comes first: a call that never waits then never touches the timer.
async fn bounded<T>(work: impl Future<Output = T>, deadline: Instant, cancel: &CancellationToken) -> End<T> {
    tokio::select! {
        biased;
        result = work => End::Itself(result),
        () = cancel.cancelled() => End::Cancelled,
        () = tokio::time::sleep_until(deadline.into()) => End::Deadline,
    }
}
