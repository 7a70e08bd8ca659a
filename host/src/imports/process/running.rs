//! A program that runs, as a guest holds it.
//!
//! Invariant: nothing here waits but `ready` and `finish`; a handle that is gone has its program ended.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::shared::Shared;
use crate::bindings::Error;
use crate::bindings::process::{self, Event, Exit, HostRunning};
use crate::imports::Imports;

/// A program that runs or waits for its seat. Dropping it ends the program and all that came of it.
pub(super) struct Running(Arc<Shared>);

impl Running {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[async_trait::async_trait]
impl Pollable for Running {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

/// What a guest gets for its entry of the table: a number.
pub(super) fn given(running: Resource<Running>) -> Resource<process::Running> {
    Resource::new_own(running.rep())
}

/// The entry of the table that a guest means.
fn meant(this: &Resource<process::Running>) -> Resource<Running> {
    Resource::new_borrow(this.rep())
}

impl Imports {
    fn running(&self, this: &Resource<process::Running>) -> wasmtime::Result<&Shared> {
        Ok(&self.table.get(&meant(this))?.0)
    }

    fn take_running(&mut self, this: &Resource<process::Running>) -> wasmtime::Result<Running> {
        Ok(self.table.delete(Resource::new_own(this.rep()))?)
    }
}

type Told<T> = wasmtime::Result<Result<T, Error>>;

impl HostRunning for Imports {
    async fn subscribe(
        &mut self,
        this: Resource<process::Running>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, meant(&this))
    }

    async fn next(&mut self, this: Resource<process::Running>) -> Told<Option<Event>> {
        Ok(self.running(&this)?.next().map_err(Error::from))
    }

    async fn write_stdin(&mut self, this: Resource<process::Running>, bytes: Vec<u8>) -> Told<u32> {
        let taken = self.running(&this)?.write(&bytes);
        Ok(taken.map(|taken| u32::try_from(taken).unwrap_or(u32::MAX)).map_err(Error::from))
    }

    async fn close_stdin(&mut self, this: Resource<process::Running>) -> wasmtime::Result<()> {
        self.running(&this)?.close_input();
        Ok(())
    }

    async fn finish(&mut self, this: Resource<process::Running>) -> Told<Exit> {
        let running = self.take_running(&this)?;
        Ok(running.0.end().await.map_err(Error::from))
    }

    async fn drop(&mut self, this: Resource<process::Running>) -> wasmtime::Result<()> {
        self.take_running(&this).map(drop)
    }
}
