//! `hubcap:plugin/hub`: calls of other plugins.
//!
//! Invariant: a call leaves here only along an edge that was asked for and granted, and takes the way of every
//! call. What runs for a call is counted, and ends with that call.

mod convert;
mod exchange;
mod inbox;
mod running;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::DropGuard;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::bindings::{Error, hub, provider_types, validator_types};
use crate::error::{Blame, CallError, Code};
use crate::imports::Imports;
use crate::model::{Callee, CalleeCosts, CalleeKind, ToolCall, Validation, text};

pub(crate) use exchange::{Edges, Exchange};
pub(crate) use running::Serving;
#[cfg(test)]
pub(crate) use tests::Double;

use hub::Reply;
use inbox::{End, Inbox};
use running::{Line, Running};

/// Calls of one call's, and what may be called.
pub(crate) struct HubCalls {
    edges: Arc<Edges>,
    /// The call that is served; absent while the plugin is loaded.
    serving: Option<Serving>,
    /// There from the first call on.
    running: Option<Running>,
    /// Whether the log has been told that one was denied.
    is_told: bool,
}

/// A call that runs, as the guest holds it: it is cancelled with this value, and its place comes free.
struct Pending {
    inbox: Arc<Inbox>,
    _cancel: DropGuard,
    _place: OwnedSemaphorePermit,
}

#[async_trait::async_trait]
impl Pollable for Pending {
    async fn ready(&mut self) {
        self.inbox.ready().await;
    }
}

impl HubCalls {
    /// Whether one was made.
    pub(crate) fn is_used(&self) -> bool {
        self.running.is_some()
    }

    /// Those of one call.
    pub(crate) fn new(edges: Arc<Edges>, serving: Option<Serving>) -> Self {
        Self { edges, serving, running: None, is_told: false }
    }

    /// Cancels what still runs, and says what all of it cost, if there was anything.
    pub(crate) async fn settle(&mut self) -> Option<CalleeCosts> {
        match self.running.take() {
            Some(running) => Some(running.settle().await),
            None => None,
        }
    }

    /// The callee of this name, if it may be called.
    fn callee(&mut self, kind: CalleeKind, name: &str) -> Result<Callee, CallError> {
        let callee = Callee::new(kind, name).ok_or_else(|| {
            let shown = text::clean_and_cut(name, 100);
            let message = format!("{shown:?} is no {kind}: {}", kind.rule());
            CallError::new(Code::InvalidArguments, Blame::Caller, message)
        })?;
        match self.edges.check(&callee) {
            Ok(()) => Ok(callee),
            Err(why) => Err(self.denied(why)),
        }
    }

    /// The validators that are meant.
    fn validators(&mut self, named: Option<&str>) -> Result<Vec<Callee>, CallError> {
        match named {
            Some(name) => self.callee(CalleeKind::Validator, name).map(|callee| vec![callee]),
            None => self.edges.all(CalleeKind::Validator).map_err(|why| self.denied(why)),
        }
    }

    fn denied(&mut self, why: String) -> CallError {
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!("denied: {why}");
        }
        CallError::new(Code::Denied, Blame::Policy, why)
    }

    /// Starts work that makes so many calls.
    fn start<F>(&mut self, calls: usize, work: impl FnOnce(Line) -> F) -> Result<Pending, CallError>
    where
        F: Future<Output = End> + Send + 'static,
    {
        let unavailable = |why| CallError::new(Code::Unavailable, Blame::Host, why);
        let Some(serving) = &self.serving else {
            return Err(unavailable("a plugin calls nobody while it is loaded"));
        };
        let exchange = self.edges.exchange().ok_or_else(|| unavailable("hubcap is shutting down"))?;
        self.running.get_or_insert_with(|| Running::new(serving)).start(exchange, calls, work)
    }

    fn start_tool(&mut self, name: &str, arguments: &str) -> Result<Pending, CallError> {
        let callee = self.callee(CalleeKind::Tool, name)?;
        let arguments = convert::arguments(arguments)?;
        let work = ToolCall { tool: callee.name().to_owned(), arguments };
        self.start(1, |line| async move {
            let outcome = line.exchange().tool(line.call(work)).await;
            line.paid(outcome).map(|output| Reply::Tool(convert::output(output)))
        })
    }

    fn start_validate(
        &mut self,
        named: Option<&str>,
        artifact: validator_types::Artifact,
        options: validator_types::Options,
    ) -> Result<Pending, CallError> {
        let validators = self.validators(named)?;
        let (artifact, options) = convert::artifact(artifact, options)?;
        let artifact = Arc::new(artifact);
        self.start(validators.len(), |line| async move {
            let judged = validators.iter().map(async |validator| {
                let validator = validator.plugin().clone();
                let (artifact, options) = (Arc::clone(&artifact), options.clone());
                let work = Validation { validator: validator.clone(), artifact, options };
                let outcome = line.exchange().validate(line.call(work)).await;
                (validator, line.paid(outcome))
            });
            convert::report(join_all(judged).await).map(Reply::Report)
        })
    }

    fn start_complete(
        &mut self,
        provider: &str,
        request: provider_types::Request,
    ) -> Result<Pending, CallError> {
        let callee = self.callee(CalleeKind::Provider, provider)?;
        let work = convert::conversation(callee.plugin().clone(), request)?;
        self.start(1, |line| async move {
            let outcome = line.exchange().complete(line.call(work)).await;
            line.paid(outcome).map(|completion| Reply::Completion(convert::completion(completion)))
        })
    }
}

/// What an import answers: the outer error ends the call of the guest.
type Told<T> = wasmtime::Result<Result<T, Error>>;

impl Imports {
    fn hold(&mut self, started: Result<Pending, CallError>) -> Told<Resource<hub::Pending>> {
        match started {
            // The generated type only names the resource; what is in the table is ours.
            Ok(pending) => Ok(Ok(Resource::new_own(self.table.push(pending)?.rep()))),
            Err(error) => Ok(Err(convert::failure(&error))),
        }
    }
}

fn ours(pending: &Resource<hub::Pending>) -> Resource<Pending> {
    if pending.owned() { Resource::new_own(pending.rep()) } else { Resource::new_borrow(pending.rep()) }
}

impl hub::Host for Imports {
    async fn callees(&mut self) -> Told<Vec<hub::Callee>> {
        let granted = self.hub.edges.granted();
        let present = match self.hub.edges.exchange() {
            Some(exchange) if !granted.is_empty() => exchange.present(granted.clone()).await,
            _ => Vec::new(),
        };
        let callee = |(callee, description): (Callee, String)| hub::Callee {
            kind: callee.kind().as_str().to_owned(),
            name: callee.name().to_owned(),
            description,
        };
        Ok(Ok(present.into_iter().map(callee).collect()))
    }

    fn start_tool(&mut self, name: String, arguments: String) -> Told<Resource<hub::Pending>> {
        let started = self.hub.start_tool(&name, &arguments);
        self.hold(started)
    }

    fn start_validate(
        &mut self,
        validator: Option<String>,
        artifact: validator_types::Artifact,
        options: validator_types::Options,
    ) -> Told<Resource<hub::Pending>> {
        let started = self.hub.start_validate(validator.as_deref(), artifact, options);
        self.hold(started)
    }

    fn start_complete(
        &mut self,
        provider: String,
        request: provider_types::Request,
    ) -> Told<Resource<hub::Pending>> {
        let started = self.hub.start_complete(&provider, request);
        self.hold(started)
    }
}

impl hub::HostPending for Imports {
    fn subscribe(&mut self, this: Resource<hub::Pending>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, ours(&this))
    }

    fn next(&mut self, this: Resource<hub::Pending>) -> Told<Option<hub::Event>> {
        Ok(Ok(self.table.get(&ours(&this))?.inbox.next()))
    }

    async fn finish(&mut self, this: Resource<hub::Pending>) -> Told<Reply> {
        let pending = self.table.delete(ours(&this))?;
        Ok(pending.inbox.end().await.map_err(|error| convert::failure(&error)))
    }

    fn drop(&mut self, this: Resource<hub::Pending>) -> wasmtime::Result<()> {
        self.table.delete(ours(&this))?;
        Ok(())
    }
}
