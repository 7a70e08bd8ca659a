//! `hubcap serve`: MCP on stdin and stdout.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{Common, Done, Failure, open_audited};
use crate::home::Home;
use crate::hub::{Admission, Loader};
use crate::mcp;

#[derive(Args)]
pub(super) struct Options {
    /// For authors: load plugins again whenever their files change
    #[arg(long)]
    dev: bool,
}

/// How often `--dev` looks at the plugin files.
const DEV_PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let mut home = common.home()?;
    let admission = if options.dev { Admission::Own } else { Admission::Pinning };
    if options.dev {
        without_secrets(&mut home);
    }
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let (hub, loader) = open_audited(&home, admission)?;
    // Clients are answered while plugins load: the first list waits for them.
    let loading = tokio::spawn(load(loader, options.dev));
    let limits =
        mcp::StdioLimits { line_bytes: home.config.limits.line_bytes, ..mcp::StdioLimits::default() };
    let served = mcp::serve(Arc::clone(&hub), limits, stop).await;
    loading.abort();
    hub.audit().close().await;
    served.map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        Failure::Failed(format!("{error}{source}"))
    })
}

/// Secrets are not for code that changes under the hand.
fn without_secrets(home: &mut Home) {
    for (id, plugin) in &mut home.config.by_plugin {
        if !std::mem::take(&mut plugin.grant.secrets).is_empty() {
            tracing::warn!(plugin = %id, "--dev: its secrets are left out");
        }
    }
}

async fn load(loader: Loader, dev: bool) {
    if dev {
        tracing::warn!(
            "--dev: plugins are loaded again whenever their files change, every change is accepted as it comes; not \
             for use with plugins of others"
        );
        loader.watch(DEV_PAUSE).await;
    } else {
        loader.run(None).await;
    }
}

/// A token that the first SIGTERM, SIGINT or SIGHUP cancels; the second ends the process at once. They are
/// waited for on a thread of their own, so that no guest and no fault of the host can hold them up.
pub(super) fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (listening, heard) = std::sync::mpsc::channel();
    let stopping = stop.clone();
    // All of it there: on a thread of another runtime, what fails could not be dropped.
    std::thread::Builder::new().name("signals".into()).spawn(move || match listen(stopping) {
        Ok((runtime, watching)) => {
            let _ = listening.send(Ok(()));
            runtime.block_on(watching);
        }
        Err(error) => _ = listening.send(Err(error)),
    })?;
    heard.recv().unwrap_or_else(|_| Err(std::io::Error::other("their thread has ended")))?;
    Ok(stop)
}

/// What waits for signals, and the runtime that it waits on.
fn listen(stop: CancellationToken) -> std::io::Result<(Runtime, impl Future<Output = ()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let signals = {
        let _entered = runtime.enter();
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal)
    };
    let [terminate, interrupt, hangup] = signals;
    Ok((runtime, watch(terminate?, interrupt?, hangup?, stop)))
}

async fn watch(mut terminate: Signal, mut interrupt: Signal, mut hangup: Signal, stop: CancellationToken) {
    loop {
        // 128 and the signal's number is how shells say that a signal ended a program.
        let code = tokio::select! {
            _ = terminate.recv() => 128 + 15,
            _ = interrupt.recv() => 128 + 2,
            _ = hangup.recv() => 128 + 1,
        };
        if stop.is_cancelled() {
            std::process::exit(code);
        }
        stop.cancel();
    }
}
