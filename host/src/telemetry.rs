//! Logs: to stderr, for people on a terminal and as JSON elsewhere.
//!
//! Invariant: logging never waits for whoever reads stderr, and fields are ids, codes and numbers,
//! never arguments or results.

use std::io::IsTerminal;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Lines that wait for a slow stderr; more are dropped and counted.
const BUFFERED_LINES: usize = 8_192;

/// Target of the trace spans around the parts of a call.
pub const STAGE: &str = "hubcap::stage";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// What fits where stderr goes.
    pub fn for_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Human } else { Self::Json }
    }
}

/// Starts logging for the process. Lines are written out when the guard is dropped.
///
/// # Errors
/// When a subscriber was installed before.
pub fn start(format: Format, level: tracing::Level) -> Result<WorkerGuard, TryInitError> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(BUFFERED_LINES)
        .lossy(true)
        .finish(std::io::stderr());
    install(format, level, writer)?;
    Ok(guard)
}

fn install(format: Format, level: tracing::Level, writer: NonBlocking) -> Result<(), TryInitError> {
    // Libraries only where they fail: their notes, warnings too, repeat what callers sent and were answered.
    // The stages of a call are for benchmarks: as the innermost spans they would hide the call's own.
    let filter = EnvFilter::new(format!("error,hubcap={level},{STAGE}=off"));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Human => {
            registry.with(layer.with_target(false).with_ansi(std::io::stderr().is_terminal())).try_init()
        }
        Format::Json => registry.with(layer.json().flatten_event(true).with_span_list(false)).try_init(),
    }
}
