//! `hubcap serve`: MCP on stdin and stdout.

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{Common, Done, Failure, open};
use crate::mcp;

#[derive(Args)]
pub(super) struct Options {}

pub(super) async fn run(common: &Common, _options: Options) -> Done {
    let home = common.home()?;
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let (hub, loader) = open(&home)?;
    // Clients are answered while plugins load: the first list waits for them.
    let loading = tokio::spawn(async move { loader.run(None).await });
    let limits =
        mcp::StdioLimits { line_bytes: home.config.limits.line_bytes, ..mcp::StdioLimits::default() };
    let served = mcp::serve(hub, limits, stop).await;
    loading.abort();
    served.map_err(|error| Failure::Failed(error.to_string()))
}

/// A token that the first SIGTERM or SIGINT cancels; the second ends the process at once.
fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(watch(terminate, interrupt, stop.clone()));
    Ok(stop)
}

async fn watch(mut terminate: Signal, mut interrupt: Signal, stop: CancellationToken) {
    loop {
        // 128 and the signal's number is how shells say that a signal ended a program.
        let code = tokio::select! {
            _ = terminate.recv() => 128 + 15,
            _ = interrupt.recv() => 128 + 2,
        };
        if stop.is_cancelled() {
            std::process::exit(code);
        }
        stop.cancel();
    }
}
