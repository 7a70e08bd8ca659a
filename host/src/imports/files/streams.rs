//! Streams of files: those that write count what they add, and each holds its place among the open ones.
//!
//! Invariant: no stream of a directory with a quota writes by any other way than [`Usage`].

use std::fs::File;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{DynInputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use crate::imports::files::Place;
use crate::imports::files::usage::{At, Failed, Usage};

/// Bytes that one write may carry.
const WRITE_PERMIT: usize = 64 << 10;

/// A stream that reads, with its place.
pub(super) struct Reading {
    pub(super) stream: DynInputStream,
    pub(super) _place: Place,
}

#[async_trait::async_trait]
impl Pollable for Reading {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for Reading {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.stream.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.stream.blocking_read(size).await
    }

    fn skip(&mut self, bytes: usize) -> StreamResult<usize> {
        self.stream.skip(bytes)
    }

    async fn blocking_skip(&mut self, bytes: usize) -> StreamResult<usize> {
        self.stream.blocking_skip(bytes).await
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

/// A stream that writes, one piece at a time.
pub(super) struct Writing {
    file: Arc<File>,
    usage: Arc<Usage>,
    at: At,
    state: State,
    _place: Place,
}

enum State {
    Ready,
    Busy(AbortOnDropJoinHandle<Result<u64, Failed>>),
    Failed(Failed),
    Closed,
}

impl Writing {
    pub(super) fn new(file: Arc<File>, usage: Arc<Usage>, at: At, place: Place) -> Self {
        Self { file, usage, at, state: State::Ready, _place: place }
    }

    fn begin(&mut self, bytes: Bytes) {
        let (file, usage, at) = (Arc::clone(&self.file), Arc::clone(&self.usage), self.at);
        self.state = State::Busy(spawn(async move { usage.write(file, bytes, at).await }));
    }

    /// Nothing is under way and nothing has gone wrong; what has is told once.
    fn check(&mut self) -> StreamResult<bool> {
        match mem::replace(&mut self.state, State::Closed) {
            State::Closed => Err(StreamError::Closed),
            State::Failed(failed) => Err(StreamError::LastOperationFailed(failed.into())),
            state => {
                self.state = state;
                Ok(matches!(self.state, State::Ready))
            }
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Writing {
    async fn ready(&mut self) {
        if let State::Busy(task) = &mut self.state {
            self.state = match task.await {
                Ok(written) => {
                    if let At::Offset(offset) = &mut self.at {
                        *offset += written;
                    }
                    State::Ready
                }
                Err(failed) => State::Failed(failed),
            };
        }
    }
}

#[async_trait::async_trait]
impl OutputStream for Writing {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.check()? {
            return Err(StreamError::trap("a write before the one before it has ended"));
        }
        self.begin(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.check()? { WRITE_PERMIT } else { 0 })
    }

    async fn cancel(&mut self) {
        if let State::Busy(task) = mem::replace(&mut self.state, State::Closed) {
            task.cancel().await;
        }
    }
}
