//! The one meeting point: every call of every kind goes through [`Hub::call`].
//!
//! Invariant: on the way of a call nothing compiles, reads a directory or takes a lock that all
//! calls share: the registry is a snapshot that is swapped whole.

mod builtin;
mod bulkhead;
mod load;
mod registry;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tracing::Instrument;

use crate::config::Limits;
use crate::error::{Blame, CallError, Code};
use crate::model::{Call, Tool, text};
use crate::outcome::Outcome;
use crate::plugin::{Kind, Plugin, Work};

use builtin::Builtins;
use bulkhead::Hall;
use registry::{Loaded, Registry};

pub use load::{LoadError, Loader};
pub use registry::{FileReport, State};

/// Longest that a list or a call waits for plugins that are still loading. Clients give a server
/// about 30 s to answer its first list.
const LOADING_WAIT: Duration = Duration::from_secs(20);

/// The hub.
pub struct Hub {
    registry: ArcSwap<Registry>,
    /// True once every file has been looked at.
    loaded: watch::Sender<bool>,
    hall: Hall,
    loading_wait: Duration,
    builtins: Builtins,
}

impl Hub {
    /// A hub without plugins, which [`Loader`] fills.
    fn new(limits: &Limits, loading_wait: Duration) -> Self {
        let loaded = watch::Sender::new(false);
        Self {
            registry: ArcSwap::default(),
            loaded,
            hall: Hall::new(limits),
            loading_wait,
            builtins: Builtins::default(),
        }
    }

    /// Does one piece of work. Always one outcome, no later than the plugin's deadline.
    pub async fn call<W: Work>(&self, call: Call<W>) -> Outcome<W::Output> {
        let arrived = Instant::now();
        let loaded = match self.find(&call.work).await {
            Ok(loaded) => loaded,
            Err(error) => return Outcome::refused(error),
        };
        // At the level of errors, so that no log level drops the ids from the lines inside.
        let span = tracing::error_span!(
            "call",
            call_id = %call.id,
            plugin = %loaded.plugin.id,
            tool = %call.work.name(),
        );
        async {
            let outcome = self.run(&loaded, &call, arrived).await;
            report(&outcome, arrived);
            outcome
        }
        .instrument(span)
        .await
    }

    async fn run<W: Work>(&self, loaded: &Loaded, call: &Call<W>, arrived: Instant) -> Outcome<W::Output> {
        if let Err(error) = call.work.check(&loaded.plugin) {
            return Outcome::refused(error);
        }
        let deadline = arrived + loaded.plugin.budget().deadline;
        match self.hall.enter(&loaded.seats, deadline, call).await {
            Ok(_place) => loaded.plugin.call(call, deadline).await,
            Err(error) => Outcome::refused(error),
        }
    }

    /// All tools, the hub's own among them, by name. Waits until every file has been looked at, within a bound.
    pub async fn tools(&self) -> Arc<[Tool]> {
        self.wait_until_loaded().await;
        let registry = self.registry.load();
        let own = self.builtins.offered(&registry);
        if own.is_empty() {
            return Arc::clone(&registry.tools);
        }
        let mut tools: Vec<Tool> = registry.tools.iter().chain(own).cloned().collect();
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        tools.into()
    }

    /// Every file of the plugin directories and what became of it, by name. Waits as [`Self::tools`] does.
    pub async fn files(&self) -> Vec<FileReport> {
        self.wait_until_loaded().await;
        self.registry.load().files.clone()
    }

    /// The plugins of a kind, by id.
    pub async fn plugins(&self, kind: Kind) -> Vec<Arc<Plugin>> {
        self.wait_until_loaded().await;
        self.registry.load().plugins(kind)
    }

    async fn find<W: Work>(&self, work: &W) -> Result<Loaded, CallError> {
        if let Some(loaded) = self.registry.load().find(work) {
            return Ok(loaded);
        }
        self.wait_until_loaded().await;
        let registry = self.registry.load();
        registry.find(work).ok_or_else(|| unknown(work, &registry))
    }

    async fn wait_until_loaded(&self) {
        let mut loaded = self.loaded.subscribe();
        let done = async { loaded.wait_for(|loaded| *loaded).await.is_ok() };
        if !tokio::time::timeout(self.loading_wait, done).await.unwrap_or(false) {
            tracing::warn!(
                "plugins are still loading after {} s; going on with those that are ready",
                self.loading_wait.as_secs()
            );
        }
    }
}

fn unknown<W: Work>(work: &W, registry: &Registry) -> CallError {
    let (kind, name) = (W::KIND.singular(), work.asked_for());
    let shown = text::one_line(text::truncate(name, 100)).into_owned();
    let names = registry.names(W::KIND);
    let offer = match text::nearest(name, names.iter().map(String::as_str)) {
        Some(nearest) => format!("; did you mean {nearest:?}?"),
        None if names.is_empty() => format!("; no plugin with a {kind} is loaded"),
        None => format!("; there are {}", text::truncate(&names.join(", "), 1_000)),
    };
    CallError::new(Code::UnknownTool, Blame::Caller, format!("there is no {kind} {shown:?}{offer}"))
}

/// One line per call: ids stand on the span, never arguments or results.
fn report<T>(outcome: &Outcome<T>, arrived: Instant) {
    let micros = u64::try_from(arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
    let fuel = outcome.receipt.as_ref().map_or(0, |receipt| receipt.fuel);
    match &outcome.result {
        Ok(_) => tracing::debug!(micros, fuel, "done"),
        Err(error) => tracing::warn!(
            micros,
            fuel,
            code = error.code.as_str(),
            blame = error.blame.as_str(),
            source =
                std::error::Error::source(error).map(|source| text::clean_and_cut(&source.to_string(), 500)),
            "failed: {}",
            log_text(error),
        ),
    }
}

/// What of an error the log may have: what a caller sent or a guest wrote is not part of it.
fn log_text(error: &CallError) -> &str {
    match error.blame {
        Blame::Caller if error.code == Code::InvalidArguments => "the arguments do not match",
        _ => error.message(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Hub;
    use crate::config::Limits;
    use crate::error::Code;
    use crate::model::{Call, ToolCall};

    #[tokio::test]
    async fn a_list_waits_for_loading_and_no_longer_than_its_bound() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10));
        assert!(hub.tools().await.is_empty());

        let hub = Hub::new(&Limits::default(), Duration::from_secs(3_600));
        let ((), tools) = tokio::join!(async { _ = hub.loaded.send_replace(true) }, hub.tools());
        assert!(tools.is_empty());
    }

    #[tokio::test]
    async fn a_call_of_a_tool_that_is_not_there_ends_when_loading_does() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10));
        let outcome = hub.call(Call::new(ToolCall::new("none_such", serde_json::Map::new()))).await;
        assert_eq!(outcome.result.unwrap_err().code, Code::UnknownTool);
    }
}
