//! The one meeting point: every call of every kind goes through [`Hub::call`].
//!
//! Invariant: on the way of a call nothing compiles, reads a directory or takes a lock that all
//! calls share: the registry is a snapshot that is swapped whole.

mod bulkhead;
mod load;
mod registry;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::config::Limits;
use crate::error::{Blame, CallError, Code};
use crate::model::{Call, Tool, text};
use crate::outcome::Outcome;

use bulkhead::Hall;
use registry::{Entry, Registry};

pub use load::{LoadError, Loader};
pub use registry::{FileReport, State};

/// Longest that a list or a call waits for plugins that are still loading. Clients give a server
/// about 30 s to answer its first list.
const LOADING_WAIT: Duration = Duration::from_secs(20);

/// The hub.
pub struct Hub {
    registry: ArcSwap<Registry>,
    /// True once every file has been looked at; it tells of every plugin that becomes ready before.
    loaded: watch::Sender<bool>,
    hall: Hall,
    /// Until when a list or a call waits for loading.
    loading_until: Instant,
}

impl Hub {
    /// A hub without plugins, which [`Loader`] fills.
    fn new(limits: &Limits, loading_wait: Duration) -> Self {
        let loaded = watch::Sender::new(false);
        Self {
            registry: ArcSwap::default(),
            loaded,
            hall: Hall::new(limits),
            loading_until: Instant::now() + loading_wait,
        }
    }

    /// Calls a tool. Always one outcome, no later than the tool's deadline.
    pub async fn call(&self, mut call: Call) -> Outcome {
        let arrived = Instant::now();
        let entry = match self.find(&call.tool).await {
            Ok(entry) => entry,
            Err(error) => return Outcome::refused(error),
        };
        // At the level of errors, so that no log level drops the ids from the lines inside.
        let span = tracing::error_span!(
            "call",
            call_id = %call.id,
            plugin = %entry.plugin.id,
            tool = %entry.tool().name,
        );
        async {
            let arguments = std::mem::take(&mut call.arguments);
            let outcome = self.run(&entry, arguments, &call, arrived).await;
            report(&outcome, arrived);
            outcome
        }
        .instrument(span)
        .await
    }

    async fn run(
        &self,
        entry: &Entry,
        arguments: Map<String, Value>,
        call: &Call,
        arrived: Instant,
    ) -> Outcome {
        let tool = entry.tool();
        let arguments = Value::Object(arguments);
        if let Err(error) = tool.check_arguments(&arguments) {
            return Outcome::refused(error);
        }
        let deadline = arrived + entry.plugin.budget().deadline;
        let _place = match self.hall.enter(&entry.seats, deadline, call).await {
            Ok(place) => place,
            Err(error) => return Outcome::refused(error),
        };
        entry.plugin.call(tool, &arguments, call, deadline).await
    }

    /// All tools, by name. Waits until every file has been looked at, within a bound.
    pub async fn tools(&self) -> Arc<[Tool]> {
        self.wait_until_loaded().await;
        Arc::clone(&self.registry.load().tools)
    }

    /// Every file of the plugin directories and what became of it, by name. Waits as [`Self::tools`] does.
    pub async fn files(&self) -> Vec<FileReport> {
        self.wait_until_loaded().await;
        self.registry.load().files.clone()
    }

    /// Finds a tool; while plugins are loading, it may be the next that is ready.
    async fn find(&self, name: &str) -> Result<Entry, CallError> {
        if let Some(entry) = self.registry.load().find(name) {
            return Ok(entry);
        }
        let mut loaded = self.loaded.subscribe();
        loop {
            let all = *loaded.borrow_and_update();
            let registry = self.registry.load();
            if let Some(entry) = registry.find(name) {
                return Ok(entry);
            }
            let waiting = timeout_at(self.loading_until.into(), loaded.changed());
            if all || !matches!(waiting.await, Ok(Ok(()))) {
                return Err(self.not_found(name, &registry));
            }
        }
    }

    /// Why there is no such tool, as far as that can be told.
    fn not_found(&self, name: &str, registry: &Registry) -> CallError {
        let shown = text::one_line(text::truncate(name, 100)).into_owned();
        let plugin = name.split_once('_').map_or("", |(plugin, _)| plugin);
        let file = registry.files.iter().find(|file| file.id.as_deref() == Some(plugin));
        match file.filter(|file| file.state != State::Ready) {
            Some(FileReport { file, reason: Some(reason), .. }) => {
                let message = format!("the plugin {plugin:?} cannot be called: {file}: {reason}");
                CallError::new(Code::Unavailable, Blame::Plugin, message)
            }
            _ if !*self.loaded.borrow() => {
                let message =
                    format!("{shown:?} is not there yet: plugins are still loading; try again in a moment");
                CallError::new(Code::Unavailable, Blame::Host, message)
            }
            _ => {
                let names = registry.tools.iter().map(|tool| tool.name.as_str());
                let offer = text::nearest(name, names).map_or_else(
                    || "; list the tools for the names that there are".into(),
                    |nearest| format!("; did you mean {nearest:?}?"),
                );
                CallError::new(Code::UnknownTool, Blame::Caller, format!("there is no tool {shown:?}{offer}"))
            }
        }
    }

    async fn wait_until_loaded(&self) {
        let mut loaded = self.loaded.subscribe();
        let done = async { loaded.wait_for(|loaded| *loaded).await.is_ok() };
        if !timeout_at(self.loading_until.into(), done).await.unwrap_or(false) {
            tracing::warn!("plugins are still loading; going on with those that are ready");
        }
    }
}

/// One line per call: ids stand on the span, never arguments or results.
fn report(outcome: &Outcome, arrived: Instant) {
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
            error.log_text(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Hub;
    use crate::config::Limits;
    use crate::error::Code;
    use crate::model::Call;

    #[tokio::test]
    async fn a_list_waits_for_loading_and_no_longer_than_its_bound() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10));
        assert!(hub.tools().await.is_empty());

        let hub = Hub::new(&Limits::default(), Duration::from_secs(3_600));
        let ((), tools) = tokio::join!(async { _ = hub.loaded.send_replace(true) }, hub.tools());
        assert!(tools.is_empty());
    }

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_unavailable_while_loading_and_unknown_after_it() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10));
        let call = || Call::new("none_such", serde_json::Map::new());
        assert_eq!(hub.call(call()).await.result.unwrap_err().code, Code::Unavailable);
        _ = hub.loaded.send_replace(true);
        assert_eq!(hub.call(call()).await.result.unwrap_err().code, Code::UnknownTool);
    }
}
