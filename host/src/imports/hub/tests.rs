//! Calls that a guest makes, with a double in the place of the hub.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::exchange::{Edges, Exchange};
use super::running::{MAX_CALLS, MAX_PENDING, SETTLE_WAIT};
use super::{HubCalls, Pending, Serving};
use crate::error::{Blame, CallError, Code};
use crate::manifest::Manifest;
use crate::model::{
    Call, CallId, Callee, CalleeKind, Caller, Completion, Conversation, PluginId, Receipt, Report, ToolCall,
    ToolOutput, Validation,
};
use crate::outcome::Outcome;
use crate::policy::Grants;

/// Answers tools: `b_quick` at once, `b_obedient` when it is cancelled, `b_stubborn` never.
#[derive(Default)]
pub(crate) struct Double {
    running: AtomicUsize,
}

/// Counts one that runs, for as long as it does.
struct Runs(Arc<Double>);

impl Runs {
    fn new(double: Arc<Double>) -> Self {
        double.running.fetch_add(1, Ordering::SeqCst);
        Self(double)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn refused<T>() -> Outcome<T> {
    Outcome::refused(CallError::new(Code::Unavailable, Blame::Host, "the double has none"))
}

impl Exchange for Double {
    fn tool(self: Arc<Self>, call: Call<ToolCall>) -> BoxFuture<'static, Outcome<ToolOutput>> {
        Box::pin(async move {
            let _runs = Runs::new(self);
            match call.work.tool.as_str() {
                "b_quick" => {}
                "b_obedient" => call.cancel.cancelled().await,
                _ => std::future::pending().await,
            }
            let result = match call.cancel.is_cancelled() {
                true => Err(CallError::new(Code::Cancelled, Blame::Caller, "cancelled")),
                false => Ok(ToolOutput::default()),
            };
            Outcome { result, receipt: Some(Receipt { fuel: 10, ..Receipt::default() }) }
        })
    }

    fn validate(self: Arc<Self>, _call: Call<Validation>) -> BoxFuture<'static, Outcome<Report>> {
        Box::pin(async { refused() })
    }

    fn complete(self: Arc<Self>, _call: Call<Conversation>) -> BoxFuture<'static, Outcome<Completion>> {
        Box::pin(async { refused() })
    }

    fn present(self: Arc<Self>, _callees: BTreeSet<Callee>) -> BoxFuture<'static, Vec<(Callee, String)>> {
        Box::pin(async { Vec::new() })
    }
}

fn id(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

/// The calls of a call of the plugin `a`, which may call three tools of `b`.
fn calls(double: &Arc<Double>, serving: Option<Serving>) -> HubCalls {
    let ask = "id = \"a\"\nversion = \"1.0.0\"\n[[ask.hub]]\ntool = \"*\"\n";
    let ask = Manifest::parse("plugin.toml", ask).unwrap().ask;
    let tools = ["b_quick", "b_obedient", "b_stubborn"];
    let hub = tools.map(|name| Callee::new(CalleeKind::Tool, name).unwrap()).into();
    let exchange: Weak<Double> = Arc::downgrade(double);
    let edges = Edges::new(&id("a"), Some(&ask), &Grants { hub, ..Grants::default() }, exchange);
    HubCalls::new(edges, serving)
}

fn serving() -> Serving {
    Serving {
        plugin: id("a"),
        call: CallId::next(),
        deadline: Instant::now() + Duration::from_secs(60),
        cancel: CancellationToken::new(),
        caller: Caller::Agent,
    }
}

fn code(started: Result<Pending, CallError>) -> Option<Code> {
    started.err().map(|error| error.code)
}

#[tokio::test]
async fn sixteen_calls_of_a_call_are_pending_and_one_more_is_overloaded() {
    let double = Arc::default();
    let mut calls = calls(&double, Some(serving()));
    let mut pending: Vec<Pending> =
        (0..MAX_PENDING).map(|_| calls.start_tool("b_obedient", "{}").unwrap()).collect();
    assert_eq!(code(calls.start_tool("b_quick", "{}")), Some(Code::Overloaded));
    // What has ended and was not taken holds its place, too.
    drop(pending.pop());
    let quick = calls.start_tool("b_quick", "{}").unwrap();
    quick.inbox.ready().await;
    assert_eq!(code(calls.start_tool("b_quick", "{}")), Some(Code::Overloaded));
    drop(quick);
    assert_eq!(code(calls.start_tool("b_quick", "{}")), None);
}

#[tokio::test]
async fn a_call_makes_256_calls_and_not_one_more() {
    let double = Arc::default();
    let mut calls = calls(&double, Some(serving()));
    for _ in 0..MAX_CALLS {
        let pending = calls.start_tool("b_quick", "{}").unwrap();
        assert!(pending.inbox.end().await.is_ok());
    }
    assert_eq!(code(calls.start_tool("b_quick", "{}")), Some(Code::Limit));
    let costs = calls.settle().await.unwrap();
    assert_eq!((costs.calls, costs.failed, costs.fuel), (256, 0, 2_560));
}

#[tokio::test]
async fn the_end_of_a_call_ends_what_it_called_and_counts_it() {
    let double: Arc<Double> = Arc::default();
    let mut calls = calls(&double, Some(serving()));
    assert!(calls.settle().await.is_none());
    let _held = calls.start_tool("b_obedient", "{}").unwrap();
    drop(calls.start_tool("b_obedient", "{}").unwrap());
    let costs = calls.settle().await.unwrap();
    assert_eq!((costs.calls, costs.failed, costs.fuel), (2, 2, 20));
    assert_eq!(double.running.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_callee_that_does_not_end_when_it_is_cancelled_is_cut_off() {
    let double: Arc<Double> = Arc::default();
    let mut calls = calls(&double, Some(serving()));
    let held = calls.start_tool("b_stubborn", "{}").unwrap();
    let started = Instant::now();
    let costs = calls.settle().await.unwrap();
    assert!(started.elapsed() >= SETTLE_WAIT, "{:?}", started.elapsed());
    assert_eq!((costs.calls, costs.failed), (1, 1));
    assert!(held.inbox.end().await.is_err());
    assert_eq!(double.running.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn whoever_gives_up_the_call_gives_up_what_it_called() {
    let double: Arc<Double> = Arc::default();
    let serving = serving();
    let cancel = serving.cancel.clone();
    let mut calls = calls(&double, Some(serving));
    let pending = calls.start_tool("b_obedient", "{}").unwrap();
    cancel.cancel();
    assert_eq!(pending.inbox.end().await.unwrap_err().code, Code::Cancelled);
    drop(calls);
}

#[tokio::test]
async fn nobody_is_called_without_an_edge_or_while_a_plugin_is_loaded_or_after_the_end() {
    let double: Arc<Double> = Arc::default();
    let mut loading = calls(&double, None);
    assert_eq!(code(loading.start_tool("b_quick", "{}")), Some(Code::Unavailable));
    let mut calls = calls(&double, Some(serving()));
    for name in ["b_other", "c_quick", "no-such_tool"] {
        let error = calls.start_tool(name, "{}").err().unwrap();
        assert_eq!((error.code, error.blame), (Code::Denied, Blame::Policy));
        assert_eq!(
            error.message(),
            format!(
                "to call the tool {name:?} is not granted; the operator adds `hub.tools = [\"{name}\"]` under [plugins.a.grant] in hubcap.toml"
            )
        );
    }
    for name in ["hubcap_validate", "b", "", "b_\u{202e}"] {
        assert_eq!(code(calls.start_tool(name, "{}")), Some(Code::InvalidArguments), "{name:?}");
    }
    drop(double);
    assert_eq!(code(calls.start_tool("b_quick", "{}")), Some(Code::Unavailable));
}
