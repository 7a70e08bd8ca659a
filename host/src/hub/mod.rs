//! The one meeting point: every call of every kind goes through [`Hub::call`].
//!
//! Invariant: on the way of a call nothing compiles, reads a directory or takes a lock that all
//! calls share: the registry is a snapshot that is swapped whole.

mod admit;
mod approval;
mod audited;
mod builtin;
mod bulkhead;
mod chain;
mod exchange;
mod load;
mod reach;
mod readable;
mod reads;
mod registry;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::audit::Audit;
use crate::config::Limits;
use crate::error::{Blame, CallError, Code};
use crate::model::{Call, Tool, ToolCall, ToolOutput, text};
use crate::outcome::Outcome;
use crate::plugin::{Kind, Plugin, Work};
use crate::sandbox::cancelled;

use approval::Policy;
use audited::Unended;
use builtin::Builtins;
use bulkhead::{Hall, Seats};
use readable::Readable;
use registry::{Loaded, Registry};

pub use admit::{Admission, Review};
pub use load::{LoadError, Loader};
pub use readable::Unreadable;
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
    builtins: Builtins,
    readable: Readable,
    audit: Arc<Audit>,
    policy: Policy,
}

impl Hub {
    /// A hub without plugins, which [`Loader`] fills.
    fn new(limits: &Limits, loading_wait: Duration, readable: Readable, audit: Arc<Audit>) -> Self {
        let loaded = watch::Sender::new(false);
        Self {
            registry: ArcSwap::default(),
            loaded,
            hall: Hall::new(limits),
            loading_until: Instant::now() + loading_wait,
            builtins: Builtins::new(!readable.is_empty()),
            readable,
            audit,
            policy: Policy::default(),
        }
    }

    /// The same under the operator's rules for calls.
    fn under(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Where its calls are written down.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Calls a tool by its full name: a plugin's, or one of the hub's own.
    pub async fn call_tool(&self, call: Call<ToolCall>) -> Outcome<ToolOutput> {
        if builtin::is_own(&call.work.tool) { self.call_own(call).await } else { self.call(call).await }
    }

    /// Does one piece of work. Always one outcome, no later than the plugin's deadline; while a
    /// person is asked, that does not come nearer.
    pub async fn call<W: Work>(&self, call: Call<W>) -> Outcome<W::Output> {
        let arrived = Instant::now();
        let mut unended = Unended::new(&self.audit, &call);
        let outcome = match self.looked_up(&call).await {
            Ok(loaded) => self.traced(unended.by(loaded), &call, arrived).await,
            Err(error) => Outcome::refused(error),
        };
        let by = unended.end();
        self.write_down(call, by, &outcome);
        outcome
    }

    /// Who does it, if the call may go there.
    async fn looked_up<W: Work>(&self, call: &Call<W>) -> Result<Loaded, CallError> {
        chain::check(call)?;
        self.find(call).await.map_err(|error| chain::not_there(call, error))
    }

    /// Runs it in the one span of the call.
    async fn traced<W: Work>(&self, loaded: Loaded, call: &Call<W>, arrived: Instant) -> Outcome<W::Output> {
        // At the level of errors, so that no log level drops the ids from the lines inside.
        let span = tracing::error_span!(
            "call",
            call_id = %call.id,
            plugin = %loaded.plugin.id,
            tool = %call.work.name(),
            caller = tracing::field::Empty,
            parent = tracing::field::Empty,
        );
        if let Some(caller) = call.caller.plugin() {
            span.record("caller", tracing::field::display(&caller.plugin));
            span.record("parent", tracing::field::display(caller.call));
        }
        async {
            let outcome = self.run(&loaded, call, arrived).await;
            report(&outcome, arrived);
            outcome
        }
        .instrument(span)
        .await
    }

    async fn run<W: Work>(&self, loaded: &Loaded, call: &Call<W>, arrived: Instant) -> Outcome<W::Output> {
        let denied = if W::KIND == Some(Kind::Tools) { self.refuse(call.work.asked_for()) } else { Ok(()) };
        if let Err(error) = denied.and_then(|()| call.work.check(&loaded.plugin)) {
            return Outcome::refused(error);
        }
        let asked = Instant::now();
        if let Err(error) = self.permit(loaded, call).await {
            return Outcome::refused(error);
        }
        // The call's clock stands still while a person is asked.
        let arrived = arrived + asked.elapsed();
        let own = arrived + call.work.budget(&loaded.plugin).deadline;
        let deadline = call.caller.plugin().map_or(own, |caller| own.min(caller.deadline));
        let from = match self.seats_of_caller(call) {
            Ok(from) => from,
            Err(error) => return Outcome::refused(error),
        };
        match self.hall.enter(from.as_deref(), &loaded.seats, deadline, call).await {
            Ok(_place) => loaded.plugin.call(call, deadline).await,
            Err(error) => Outcome::refused(error),
        }
    }

    /// The seats of the plugin that calls, if one does. One that is not served any more calls nobody.
    fn seats_of_caller<W>(&self, call: &Call<W>) -> Result<Option<Arc<Seats>>, CallError> {
        let Some(caller) = call.caller.plugin() else { return Ok(None) };
        let seats = self.registry.load().seats(caller.plugin.as_str());
        seats.map(Some).ok_or_else(|| {
            let message = format!("the plugin {:?} is not served any more", caller.plugin.as_str());
            CallError::new(Code::Unavailable, Blame::Host, message)
        })
    }

    /// All tools that are not denied, the hub's own among them, by name. Waits until every file has been
    /// looked at, within a bound.
    pub async fn tools(&self) -> Arc<[Tool]> {
        self.wait_until_loaded().await;
        let registry = self.registry.load();
        let own = self.builtins.offered(&registry);
        let rules = &self.policy.rules;
        if own.is_empty() && !rules.can_deny() {
            return Arc::clone(&registry.tools);
        }
        let mut tools: Vec<Tool> =
            registry.tools.iter().chain(own).filter(|tool| !rules.deny(&tool.name)).cloned().collect();
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

    /// The plugin with this id, if it is ready.
    pub async fn plugin(&self, id: &str) -> Option<Arc<Plugin>> {
        self.wait_until_loaded().await;
        self.registry.load().plugin(id)
    }

    /// What became of the plugin with this id at the door, if it could be loaded.
    pub async fn review(&self, id: &str) -> Option<Arc<Review>> {
        self.wait_until_loaded().await;
        self.registry.load().reviews.get(id).cloned()
    }

    /// Finds who offers it; while plugins are loading, it may be the next that is ready.
    async fn find<W: Work>(&self, call: &Call<W>) -> Result<Loaded, CallError> {
        let work = &call.work;
        if let Some(found) = self.registry.load().find(work) {
            return Ok(found);
        }
        let mut loaded = self.loaded.subscribe();
        loop {
            let all = *loaded.borrow_and_update();
            let registry = self.registry.load_full();
            if let Some(found) = registry.find(work) {
                return Ok(found);
            }
            let changed = !all
                && tokio::select! {
                    biased;
                    () = call.cancel.cancelled() => return Err(cancelled()),
                    changed = timeout_at(self.loading_until.into(), loaded.changed()) => matches!(changed, Ok(Ok(()))),
                };
            if !changed {
                return Err(self.not_found(work, &registry));
            }
        }
    }

    /// Why nobody offers it, as far as that can be told.
    fn not_found<W: Work>(&self, work: &W, registry: &Registry) -> CallError {
        let (kind, name) = (W::KIND.map_or("plugin", Kind::singular), work.asked_for());
        let shown = text::one_line(text::truncate(name, 100)).into_owned();
        let file = registry.files.iter().find(|file| file.id.as_deref() == Some(work.plugin_id()));
        match file.filter(|file| file.state != State::Ready) {
            Some(FileReport { id: Some(id), state: State::Quarantined, reason: Some(reason), .. }) => {
                let message =
                    format!("the plugin {id:?} is withheld until the operator accepts it: {reason}");
                CallError::new(Code::Quarantined, Blame::Policy, message)
            }
            Some(FileReport { id: Some(id), file, reason: Some(reason), .. }) => {
                let message = format!("the plugin {id:?} cannot be called: {file}: {reason}");
                CallError::new(Code::Unavailable, Blame::Plugin, message)
            }
            _ if !*self.loaded.borrow() => {
                let message =
                    format!("{shown:?} is not there yet: plugins are still loading; try again in a moment");
                CallError::new(Code::Unavailable, Blame::Host, message)
            }
            _ => {
                let mut names = registry.names(W::KIND);
                if W::KIND == Some(Kind::Tools) {
                    names.retain(|name| !self.policy.rules.deny(name));
                }
                let offer = match text::nearest(name, names.iter().map(String::as_str)) {
                    Some(nearest) => format!("; did you mean {nearest:?}?"),
                    None if names.is_empty() && W::KIND.is_none() => "; no plugin is loaded".into(),
                    None if names.is_empty() => format!("; no plugin with a {kind} is loaded"),
                    None => format!("; there are {}", text::truncate(&names.join(", "), 1_000)),
                };
                CallError::new(
                    Code::UnknownTool,
                    Blame::Caller,
                    format!("there is no {kind} {shown:?}{offer}"),
                )
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
            error.log_text(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Audit, Hub, Readable};
    use crate::config::Limits;
    use crate::error::Code;
    use crate::model::{Call, ToolCall};

    #[tokio::test]
    async fn a_list_waits_for_loading_and_no_longer_than_its_bound() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10), Readable::default(), Audit::off());
        assert!(hub.tools().await.is_empty());

        let hub = Hub::new(&Limits::default(), Duration::from_secs(3_600), Readable::default(), Audit::off());
        let ((), tools) = tokio::join!(async { _ = hub.loaded.send_replace(true) }, hub.tools());
        assert!(tools.is_empty());
    }

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_unavailable_while_loading_and_unknown_after_it() {
        let hub = Hub::new(&Limits::default(), Duration::from_millis(10), Readable::default(), Audit::off());
        let call = || Call::new(ToolCall::new("none_such", serde_json::Map::new()));
        assert_eq!(hub.call(call()).await.result.unwrap_err().code, Code::Unavailable);
        _ = hub.loaded.send_replace(true);
        assert_eq!(hub.call(call()).await.result.unwrap_err().code, Code::UnknownTool);
    }
}
