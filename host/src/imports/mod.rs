//! What a guest can import, one file per host interface.
//!
//! Invariant: whatever is not added here is not there. The WASI command set is linked because
//! ordinary guests do not load without it, and it is empty: no environment, no arguments, no
//! directories but those that are granted, an exit that ends the call, an output that goes to the log.

mod cli;
mod files;
mod http;
mod hub;
mod kv;
mod log;
mod process;
mod progress;
mod random;
mod secrets;

pub(crate) use cli::GuestExit;
pub(crate) use files::{Directories, Files, TooManyFiles};
pub(crate) use http::{Egress, Http, Network, Target, path as request_path, special as special_address};
#[cfg(test)]
pub(crate) use hub::Double;
pub(crate) use hub::{Edges, Exchange, HubCalls, Serving};
pub(crate) use kv::Access as KvAccess;
pub(crate) use log::GuestLog;
pub use process::Programs;
pub(crate) use process::{Commands, Processes};
pub(crate) use progress::ProgressSink;
pub(crate) use random::{RandomSource, TooMuchRandom};

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi_http::WasiHttp;

use crate::bindings;
use crate::secrets::Secrets;

/// What a plugin's imports may do: settled when it is loaded, lent to each call.
pub(crate) struct Powers {
    /// Secrets that it was granted.
    pub(crate) secrets: Arc<Secrets>,
    /// Its part of the state.
    pub(crate) kv: KvAccess,
    /// Its way to other hosts.
    pub(crate) egress: Arc<Egress>,
    /// Directories that it works in.
    pub(crate) directories: Arc<Directories>,
    /// What it may call.
    pub(crate) edges: Arc<Edges>,
    /// Commands that it runs.
    pub(crate) commands: Arc<Commands>,
}

/// What the imports of one call work on.
pub(crate) struct Imports {
    /// Requests to other hosts. It goes before the table, so that what the table drops cannot pass for
    /// the end of a body.
    pub(crate) http: Http,
    /// Streams, pollables and whatever else the guest holds.
    pub(crate) table: ResourceTable,
    /// Lines for the operator.
    pub(crate) log: GuestLog,
    /// News for the caller.
    pub(crate) progress: ProgressSink,
    /// State that outlives the call.
    pub(crate) kv: KvAccess,
    /// Secrets that the plugin was granted.
    pub(crate) secrets: Arc<Secrets>,
    /// Whether the guest was shown one.
    pub(crate) has_seen_a_secret: bool,
    /// Random bytes, up to a bound.
    pub(crate) random: RandomSource,
    /// The host's clocks.
    pub(crate) clocks: WasiClocksCtx,
    /// The directories that are granted.
    pub(crate) files: Files,
    /// Programs that it may run.
    pub(crate) processes: Processes,
    /// Calls of other plugins.
    pub(crate) hub: HubCalls,
}

impl Imports {
    /// The grants that the call has used, by their keys in `hubcap.toml`.
    pub(crate) fn used(&self) -> Vec<String> {
        let (http, http_secret) = self.http.used();
        let all = [
            ("files", self.files.is_used()),
            ("http", http),
            ("hub", self.hub.is_used()),
            ("kv", self.kv.is_used),
            ("process", self.processes.is_used),
            ("secrets", self.has_seen_a_secret || http_secret),
        ];
        all.into_iter().filter(|(_, is_used)| *is_used).map(|(key, _)| key.to_owned()).collect()
    }
}

/// Something that holds the imports of a call: the data of its store.
pub(crate) trait HasImports: Send + 'static {
    /// The imports.
    fn imports(&mut self) -> &mut Imports;
}

/// Adds every import to a linker.
pub(crate) fn add_to_linker<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_ours(linker)?;
    add_cli(linker)?;
    add_shared(linker)?;
    add_http(linker)
}

/// `wasi:http`, for requests that go out.
fn add_http<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    use wasmtime_wasi_http::p2::bindings as wasi;
    let options = wasi::LinkOptions::default();
    wasi::http::outgoing_handler::add_to_linker::<T, WasiHttp>(linker, http::view)?;
    wasi::http::types::add_to_linker::<T, WasiHttp>(linker, &options.into(), http::view)?;
    http::replace_error_code(linker)
}

fn add_ours<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::log::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    bindings::progress::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    bindings::kv::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    bindings::secrets::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    bindings::hub::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    bindings::process::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)
}

/// `wasi:cli`, without its sockets.
fn add_cli<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasi::cli::environment::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::exit::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::stdin::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::stdout::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::stderr::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::terminal_input::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::terminal_output::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::terminal_stdin::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::terminal_stdout::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::cli::terminal_stderr::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)
}

/// `wasi:io`, `wasi:clocks`, `wasi:filesystem` and `wasi:random`.
fn add_shared<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasi::io::error::add_to_linker::<T, HasSelf<ResourceTable>>(linker, table)?;
    wasi::io::poll::add_to_linker::<T, HasSelf<ResourceTable>>(linker, table)?;
    wasi::io::streams::add_to_linker::<T, HasSelf<ResourceTable>>(linker, table)?;
    wasi::clocks::wall_clock::add_to_linker::<T, WasiClocks>(linker, clocks)?;
    wasi::clocks::monotonic_clock::add_to_linker::<T, WasiClocks>(linker, clocks)?;
    wasi::filesystem::types::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::filesystem::preopens::add_to_linker::<T, HasSelf<Imports>>(linker, T::imports)?;
    wasi::random::random::add_to_linker::<T, HasSelf<RandomSource>>(linker, random)?;
    wasi::random::insecure::add_to_linker::<T, HasSelf<RandomSource>>(linker, random)?;
    wasi::random::insecure_seed::add_to_linker::<T, HasSelf<RandomSource>>(linker, random)
}

fn table<T: HasImports>(state: &mut T) -> &mut ResourceTable {
    &mut state.imports().table
}

fn random<T: HasImports>(state: &mut T) -> &mut RandomSource {
    &mut state.imports().random
}

fn clocks<T: HasImports>(state: &mut T) -> WasiClocksCtxView<'_> {
    let imports = state.imports();
    WasiClocksCtxView { ctx: &mut imports.clocks, table: &mut imports.table }
}
