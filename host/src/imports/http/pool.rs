//! Connections, and those that wait for their next request.
//!
//! Invariant: a connection serves one plugin under one grant. Dropping it closes its socket, so whoever
//! holds it decides how long it lives; the idle ones are bounded in number and time.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::io::TokioIo;

use super::body::Upload;
use super::target::Target;
use super::{MAX_HEADERS, failure};

/// Idle connections of one plugin.
pub(super) const MAX_IDLE: usize = 8;
/// How long a connection may take to be ready again after an answer; it has nothing left to do.
const READY_WAIT: Duration = Duration::from_millis(500);

/// A connection that speaks HTTP/1.1.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Upload>,
    _driver: AbortOnDropJoinHandle<()>,
}

impl Connection {
    /// Starts HTTP/1.1 on a stream.
    pub(super) async fn start<S>(stream: S) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEADERS).max_header_size(MAX_HEADERS);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| failure::of_exchange(&error))?;
        let driver = spawn(async move {
            if let Err(error) = connection.await {
                // Whoever waits for an answer hears it too.
                tracing::debug!(target: "hubcap::http", %error, "a connection ended");
            }
        });
        Ok(Self { sender, _driver: driver })
    }
}

/// Under which grant a connection was made, and to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) grant: usize,
    pub(super) target: Target,
}

struct Idle {
    number: u64,
    key: Key,
    connection: Connection,
    _reaper: AbortOnDropJoinHandle<()>,
}

/// The idle connections of one plugin.
pub(super) struct Pool {
    keep: Duration,
    idle: Mutex<(u64, Vec<Idle>)>,
}

impl Pool {
    pub(super) fn new(keep: Duration) -> Self {
        Self { keep, idle: Mutex::default() }
    }

    fn with<R>(&self, act: impl FnOnce(&mut u64, &mut Vec<Idle>) -> R) -> R {
        // Nothing in here can leave the list half-changed.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, list) = &mut *idle;
        act(last, list)
    }

    /// Keeps a connection for the next request. The one that has waited longest makes room.
    pub(super) fn put(self: &Arc<Self>, key: Key, connection: Connection) {
        let (pool, keep) = (Arc::downgrade(self), self.keep);
        let out = self.with(|last, idle| {
            *last += 1;
            let number = *last;
            let reaper = spawn(async move {
                sleep(keep).await;
                drop(Weak::upgrade(&pool).and_then(|pool| pool.remove(number)));
            });
            let full = idle.len() >= MAX_IDLE;
            let out = full.then(|| idle.remove(0));
            idle.push(Idle { number, key, connection, _reaper: reaper });
            out
        });
        drop(out);
    }

    fn remove(&self, number: u64) -> Option<Idle> {
        self.with(|_, idle| {
            let at = idle.iter().position(|idle| idle.number == number)?;
            Some(idle.remove(at))
        })
    }

    /// A connection that is still good, the one that was used last.
    pub(super) async fn take(&self, key: &Key) -> Option<Connection> {
        loop {
            let found = self.with(|_, idle| {
                let at = idle.iter().rposition(|idle| idle.key == *key)?;
                Some(idle.remove(at))
            });
            let mut connection = found?.connection;
            if let Ok(Ok(())) = timeout(READY_WAIT, connection.sender.ready()).await {
                return Some(connection);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.with(|_, idle| idle.len())
    }
}
