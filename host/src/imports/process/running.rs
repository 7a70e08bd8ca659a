//! A program that runs, as a guest holds it.
//!
//! Invariant: nothing here waits but `ready` and `finish`; a handle that is gone has its program ended.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::shared::Shared;
use crate::bindings::Error;
use crate::bindings::process::{Event, Exit, HostRunning};
use crate::imports::Imports;

/// A program that runs or waits for its seat. Dropping it ends the program and all that came of it.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Running(Arc<Shared>);

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

type Told<T> = wasmtime::Result<Result<T, Error>>;

impl HostRunning for Imports {
    async fn subscribe(&mut self, this: Resource<Running>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, this)
    }

    async fn next(&mut self, this: Resource<Running>) -> Told<Option<Event>> {
        Ok(self.table.get(&this)?.0.next().map_err(Error::from))
    }

    async fn write_stdin(&mut self, this: Resource<Running>, bytes: Vec<u8>) -> Told<u32> {
        let taken = self.table.get(&this)?.0.write(&bytes);
        Ok(taken.map(|taken| u32::try_from(taken).unwrap_or(u32::MAX)).map_err(Error::from))
    }

    async fn close_stdin(&mut self, this: Resource<Running>) -> wasmtime::Result<()> {
        self.table.get(&this)?.0.close_input();
        Ok(())
    }

    async fn finish(&mut self, this: Resource<Running>) -> Told<Exit> {
        let running = self.table.delete(this)?;
        Ok(running.0.end().await.map_err(Error::from))
    }

    async fn drop(&mut self, this: Resource<Running>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
