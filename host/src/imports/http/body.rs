//! Bodies, counted while they pass.
//!
//! Invariant: a request that was cut off on our side never looks complete to the server, and a connection is
//! used again only after both bodies came to their end.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::failure;
use super::pool::{Connection, Key, Pool};

/// Bytes of a request's body, and of an answer's.
pub(super) const MAX_BODY: u64 = 8 << 20;

/// How far a request's body has come, for those who wait for its answer.
pub(super) struct Progress {
    complete: AtomicBool,
    last: Mutex<Instant>,
}

impl Progress {
    fn new(complete: bool) -> Self {
        Self { complete: AtomicBool::new(complete), last: Mutex::new(Instant::now()) }
    }

    /// Whether the server has, or gets, the whole body.
    pub(super) fn complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// When the body last moved.
    pub(super) fn last(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// The body of a request on its way to the server.
pub(super) struct Upload {
    inner: WasiBody,
    sent: u64,
    declared: Option<u64>,
    call_over: Arc<AtomicBool>,
    progress: Arc<Progress>,
}

impl Upload {
    /// `call_over` tells that the guest is gone: its body then ends as if it were complete.
    pub(super) fn new(inner: WasiBody, declared: Option<u64>, call_over: Arc<AtomicBool>) -> Self {
        let progress = Arc::new(Progress::new(inner.is_end_stream()));
        Self { inner, sent: 0, declared, call_over, progress }
    }

    /// No body at all.
    pub(super) fn empty() -> Self {
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Self::new(nothing, None, Arc::default())
    }

    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Nothing is left to send: the request can be sent again.
    pub(super) fn is_empty(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn pass(&mut self, bytes: Bytes) -> Result<Frame<Bytes>, Error> {
        self.sent += bytes.len() as u64;
        if self.sent > MAX_BODY {
            return Err(Error::HttpRequestBodySize(Some(MAX_BODY)));
        }
        self.progress.moved();
        if self.declared.is_some_and(|declared| self.sent >= declared) {
            self.progress.complete.store(true, Ordering::Release);
        }
        Ok(Frame::data(bytes))
    }

    fn end(&self) -> Option<Result<Frame<Bytes>, Error>> {
        if self.call_over.load(Ordering::Acquire) {
            return Some(Err(Error::ConnectionTerminated));
        }
        self.progress.moved();
        self.progress.complete.store(true, Ordering::Release);
        None
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                None => return Poll::Ready(self.end()),
                Some(frame) => frame?,
            };
            // Trailers are not for HTTP/1.1, and an empty piece would say nothing.
            if let Ok(bytes) = frame.into_data()
                && !bytes.is_empty()
            {
                return Poll::Ready(Some(self.pass(bytes)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What a request holds until its answer's body has ended.
pub(super) struct Held {
    pub(super) connection: Connection,
    pub(super) key: Key,
    pub(super) pool: Arc<Pool>,
    pub(super) upload: Arc<Progress>,
    pub(super) places: [OwnedSemaphorePermit; 2],
}

impl Held {
    fn release(self) {
        if self.upload.complete() {
            self.pool.put(self.key, self.connection);
        }
        drop(self.places);
    }
}

/// The body of an answer on its way to the guest.
pub(super) struct Download {
    inner: Incoming,
    received: u64,
    idle: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    held: Option<Held>,
}

impl Download {
    pub(super) fn new(inner: Incoming, idle: Duration, held: Held) -> Self {
        let mut body = Self { inner, received: 0, idle, sleep: None, held: Some(held) };
        if body.inner.is_end_stream() {
            body.ended();
        }
        body
    }

    fn ended(&mut self) {
        if let Some(held) = self.held.take() {
            held.release();
        }
    }

    /// Closes the connection: what is left on it belongs to nobody.
    fn failed(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.held = None;
        Poll::Ready(Some(Err(error)))
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.sleep = None;
        self.received += frame.data_ref().map_or(0, Bytes::len) as u64;
        if self.received > MAX_BODY {
            return self.failed(Error::HttpResponseBodySize(Some(MAX_BODY)));
        }
        if frame.is_trailers() || self.inner.is_end_stream() {
            self.ended();
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => self.passed(frame),
            Poll::Ready(Some(Err(error))) => self.failed(failure::of_body(&error)),
            Poll::Ready(None) => {
                self.ended();
                Poll::Ready(None)
            }
            // The clock runs while the guest waits, not while it does something else.
            Poll::Pending => {
                let idle = self.idle;
                let clock = self.sleep.get_or_insert_with(|| Box::pin(sleep(idle)));
                ready!(clock.as_mut().poll(context));
                self.failed(Error::ConnectionReadTimeout)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
