//! The one wasmtime engine: how guests are compiled, and where their memory comes from.
//!
//! Invariant: fuel, epochs and the pool are always on; a proposal that plugins do not need is off.

mod ticker;

use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Config, Enabled, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::config::MAX_MEMORY;
use ticker::Ticker;
pub(crate) use ticker::Ticking;

/// How often a running guest yields to others. A message passes about five tasks from stdin to stdout, and
/// before each of them every guest that computes may have one tick: at 2 ms, eight of them on two cores
/// cost a neighbour some 40 ms.
pub const EPOCH_TICK: Duration = Duration::from_millis(2);

/// Core instances, memories and tables of one component. A Rust component has 2 to 5 instances, one
/// memory and one table; the rest is room for composed ones.
pub const MAX_CORE_INSTANCES: u32 = 32;
/// See [`MAX_CORE_INSTANCES`].
pub const MAX_MEMORIES: u32 = 8;
/// See [`MAX_CORE_INSTANCES`].
pub const MAX_TABLES: u32 = 8;
/// Elements of all tables of one call together. Compiled languages need some thousands.
pub const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Bytes of a memory, table or stack that stay mapped between calls: the next call finds them
/// zeroed in place of faulting them in. Covers the whole memory of an ordinary Rust guest.
const KEEP_RESIDENT: usize = 2 << 20;
const KEEP_RESIDENT_STACK: usize = 32 << 10;

/// The engine, with the thread that moves its epoch.
pub struct Engine {
    engine: wasmtime::Engine,
    ticker: Ticker,
}

impl Engine {
    /// An engine whose pool holds `calls` running calls.
    ///
    /// # Errors
    /// When the machine cannot reserve the address space of the pool or start a thread.
    pub fn new(calls: usize) -> Result<Self, String> {
        let calls = u32::try_from(calls).map_err(|_| format!("{calls} calls at once are too many"))?;
        let engine = wasmtime::Engine::new(&settings(calls)).map_err(|error| {
            format!("cannot reserve address space for {calls} calls at once ({error:#}); lower `calls` in [limits] or lift `ulimit -v`")
        })?;
        let ticker =
            Ticker::start(&engine, EPOCH_TICK).map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Self { engine, ticker })
    }

    /// Compiles a component's bytes. Takes a moment: never on the way of a call.
    ///
    /// # Errors
    /// wasmtime's own, where the bytes are no valid component.
    pub fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        // `from_binary`, never `new`: that would take the text format too.
        Component::from_binary(&self.engine, bytes)
    }

    /// Keeps the epoch moving for as long as the value lives: without one, guests that compute never yield.
    pub(crate) fn tick(&self) -> Ticking {
        self.ticker.tick()
    }

    /// wasmtime's engine itself.
    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }
}

fn settings(calls: u32) -> Config {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true);
    config.max_wasm_stack(512 << 10).async_stack_size(2 << 20).async_stack_zeroing(true);
    // Almost every host panic that wasmtime reported in its last year sat behind one of these.
    config.wasm_gc(false).wasm_exceptions(false).wasm_function_references(false);
    config.wasm_threads(false).shared_memory(false);
    config.wasm_memory64(false).wasm_tail_call(false).wasm_multi_memory(false);
    config.wasm_relaxed_simd(false);
    config.concurrency_support(false);
    // One file compiles on one core: a file made to compile for minutes then holds up no other.
    config.parallel_compilation(false);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable).wasm_backtrace_max_frames(None);
    config.allocation_strategy(pool(calls));
    config
}

fn pool(calls: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls).total_stacks(calls);
    pool.max_core_instances_per_component(MAX_CORE_INSTANCES)
        .total_core_instances(calls * MAX_CORE_INSTANCES);
    pool.max_memories_per_component(MAX_MEMORIES).total_memories(calls * MAX_MEMORIES);
    pool.max_tables_per_component(MAX_TABLES).total_tables(calls * MAX_TABLES);
    pool.max_memory_size(MAX_MEMORY).table_elements(MAX_TABLE_ELEMENTS);
    pool.linear_memory_keep_resident(KEEP_RESIDENT).table_keep_resident(KEEP_RESIDENT);
    pool.async_stack_keep_resident(KEEP_RESIDENT_STACK);
    // Linux 6.7 and later tell which pages a guest touched, so that only those are zeroed.
    pool.pagemap_scan(Enabled::Auto);
    pool
}
