//! MCP over standard input and output: both eras, 2024-11-05 to 2025-11-25 with `initialize`, and
//! 2026-07-28 without.
//!
//! Invariant: only this module names rmcp, and nothing but MCP is ever written to standard output.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::service::serve_directly_with_ct;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;

mod approval;
mod client;
#[cfg(test)]
mod conversations;
mod convert;
mod flights;
mod handler;
mod json;
mod lines;
mod message;
mod outbox;
mod page;
mod progress;
mod queue;
mod stdio;
mod transport;

pub use client::{Answer, Client};
pub use convert::{result_json, tool_json};

use handler::Handler;
use transport::{StdioTransport, Switches};

/// Bounds of one conversation.
#[derive(Clone, Debug)]
pub struct StdioLimits {
    /// Bytes of one line of input.
    pub line_bytes: usize,
    /// Bytes of output that may wait for the client to read them; beyond that, nothing more is read.
    pub queue_bytes: usize,
    /// Requests that are worked on at once, each of which costs some 20 KiB. A request that holds more than
    /// 64 KiB counts once for each 64 KiB. As many again may wait; what comes on top is told to come back.
    pub in_flight: u32,
    /// How long requests in flight may go on after the end of input.
    pub drain: Duration,
}

impl Default for StdioLimits {
    fn default() -> Self {
        Self {
            line_bytes: 4 * 1024 * 1024,
            queue_bytes: 8 * 1024 * 1024,
            in_flight: 1024,
            drain: Duration::from_secs(10),
        }
    }
}

/// Why a conversation ended otherwise than by its end of input.
#[derive(Debug)]
pub enum ServeError {
    /// Standard input could not be read.
    Input(io::Error),
    /// Standard output could not be written, although its reader is there.
    Output(io::Error),
    /// A fault in hubcap.
    Internal(tokio::task::JoinError),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Input(_) => "standard input could not be read; `hubcap serve` expects an MCP client there",
            Self::Output(_) => {
                "standard output could not be written; `hubcap serve` answers its client there"
            }
            Self::Internal(_) => "a fault inside hubcap ended the conversation; please report it",
        })
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Input(error) | Self::Output(error) => Some(error),
            Self::Internal(error) => Some(error),
        }
    }
}

/// Serves MCP on standard input and output until the end of input or until `stop` fires; what is in
/// flight then has [`StdioLimits::drain`] to finish. A client that stops reading for good ends it too.
///
/// Where standard input is a terminal or a file, a thread of the runtime may still wait for it afterwards:
/// end the runtime with `shutdown_background`, not by dropping it.
pub async fn serve(hub: Arc<Hub>, limits: StdioLimits, stop: CancellationToken) -> Result<(), ServeError> {
    let (reader, writer) = stdio::open();
    serve_on(hub, limits, stop, reader, writer).await
}

/// The same over any pair of streams.
pub async fn serve_on<R, W>(
    hub: Arc<Hub>,
    limits: StdioLimits,
    stop: CancellationToken,
    reader: R,
    writer: W,
) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    run(Handler::new(hub), limits, stop, reader, writer).await
}

async fn run<H, R, W>(
    handler: H,
    limits: StdioLimits,
    stop: CancellationToken,
    reader: R,
    writer: W,
) -> Result<(), ServeError>
where
    H: rmcp::ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let switches = Switches { stop, ..Switches::default() };
    let transport = StdioTransport::new(reader, writer, limits, switches.clone());
    // The transport sees to the order of the beginning, in which rmcp would take a notification before
    // the first request for the end, and one modern request for a promise that all others will be.
    let running = serve_directly_with_ct(handler, transport, None, switches.abort);
    running.waiting().await.map_err(ServeError::Internal)?;
    switches.fault.take().map_or(Ok(()), Err)
}
