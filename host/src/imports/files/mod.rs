//! `wasi:filesystem`: the directories that a plugin is granted, and nothing above or beside them.
//!
//! Paths are resolved by wasmtime's own implementation, below a handle and without magic links. What is
//! added here: which directories there are, that nothing but files is opened, how much a call may hold
//! open, and the quota of what is written.
//!
//! Invariant: a call opens no directory of the host by its path; a guest without a grant has none.

mod descriptors;
mod open;
mod streams;
mod usage;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::{FsError, FsResult};

use crate::imports::Imports;
use usage::Usage;

/// Files, directories and streams of files that one call may hold open. The host has some hundred file
/// descriptors for all calls together.
const MAX_OPEN: usize = 64;
/// Names that one call may hold in listings of directories that it has not read to their end.
const MAX_LISTED: u64 = 100_000;

/// The directories of a plugin.
#[derive(Default)]
pub(crate) struct Directories(Vec<Arc<Granted>>);

impl Directories {
    /// The directory that a plugin has under this name.
    pub(crate) fn handle(&self, name: &str) -> Option<Arc<File>> {
        let of_name = |granted: &&Arc<Granted>| granted.guest_path.strip_prefix('/') == Some(name);
        self.0.iter().find(of_name).map(|granted| Arc::clone(&granted.directory.dir))
    }
}

struct Granted {
    guest_path: String,
    directory: Dir,
    /// How full it is, where it may be written to.
    usage: Option<Arc<Usage>>,
}

/// The guest wanted more than a bound.
#[derive(Debug)]
pub(crate) enum TooManyFiles {
    Open,
    Listed,
}

impl fmt::Display for TooManyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => write!(f, "holds more than {MAX_OPEN} files open"),
            Self::Listed => write!(f, "lists more than {MAX_LISTED} files at once"),
        }
    }
}

impl std::error::Error for TooManyFiles {}

impl From<TooManyFiles> for FsError {
    fn from(too_many: TooManyFiles) -> Self {
        Self::trap(wasmtime::Error::new(too_many))
    }
}

/// A place among what a call holds open; it is free again when this is dropped.
struct Place(#[expect(dead_code, reason = "it is counted")] Arc<()>);

/// The files of one call.
pub(crate) struct Files {
    directories: Arc<Directories>,
    /// wasmtime's own state. It has no directories: they are ours.
    context: WasiFilesystemCtx,
    /// What the guest holds, by its place in the table: of which directory each is.
    held: HashMap<u32, Held>,
    /// Names in each listing, by its place in the table.
    listed: HashMap<u32, u64>,
    places: Arc<()>,
    is_touched: bool,
}

struct Held {
    of: Arc<Granted>,
    _place: Option<Place>,
}

impl Files {
    /// The files of a call that works in these directories.
    pub(crate) fn new(directories: Arc<Directories>) -> Self {
        Self {
            directories,
            context: WasiFilesystemCtx::default(),
            held: HashMap::new(),
            listed: HashMap::new(),
            places: Arc::new(()),
            is_touched: false,
        }
    }

    /// Whether the call has opened or looked at anything in a directory.
    pub(super) fn is_used(&self) -> bool {
        self.is_touched && !self.directories.0.is_empty()
    }

    fn place(&self) -> Result<Place, TooManyFiles> {
        // One is the counter's own.
        let open = Arc::strong_count(&self.places) - 1;
        if open < MAX_OPEN { Ok(Place(Arc::clone(&self.places))) } else { Err(TooManyFiles::Open) }
    }

    /// The directory that a descriptor is of.
    fn granted(&self, descriptor: &Resource<Descriptor>) -> FsResult<Arc<Granted>> {
        let held = self.held.get(&descriptor.rep());
        // Only what the guest was given by us can come back.
        held.map(|held| Arc::clone(&held.of))
            .ok_or_else(|| FsError::trap(wasmtime::Error::msg("a descriptor of no directory")))
    }

    fn usage(&self, descriptor: &Resource<Descriptor>) -> FsResult<Option<Arc<Usage>>> {
        Ok(self.granted(descriptor)?.usage.clone())
    }

    fn listed(&self) -> u64 {
        self.listed.values().sum()
    }
}

impl Imports {
    /// wasmtime's own implementation, on our state.
    fn wasi(&mut self) -> WasiFilesystemCtxView<'_> {
        self.files.is_touched = true;
        self.untouched()
    }

    /// The same for what is no use of a directory: to let go of it.
    fn untouched(&mut self) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView { ctx: &mut self.files.context, table: &mut self.table }
    }
}

impl preopens::Host for Imports {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let directories = Arc::clone(&self.files.directories);
        let mut given = Vec::with_capacity(directories.0.len());
        for granted in &directories.0 {
            let descriptor = self.table.push(Descriptor::Dir(granted.directory.clone()))?;
            self.files.held.insert(descriptor.rep(), Held { of: Arc::clone(granted), _place: None });
            given.push((descriptor, granted.guest_path.clone()));
        }
        Ok(given)
    }
}
