//! One call, and news of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{Approver, CallId, PluginId};

/// A call, as it reaches the hub: a [`ToolCall`], a [`Validation`](crate::model::Validation) or a
/// [`Conversation`](crate::model::Conversation), and what is common to all.
#[derive(Debug)]
pub struct Call<W> {
    /// Names it in logs and the receipt.
    pub id: CallId,
    /// Whose it is.
    pub caller: Caller,
    /// What is to be done.
    pub work: W,
    /// Fires when the caller gives up: the work stops then.
    pub cancel: CancellationToken,
    /// Where news of the call goes, if anybody asked for it.
    pub progress: Option<Arc<dyn Follower>>,
    /// Where its answer goes, if that can be blocked.
    pub outlet: Option<Arc<dyn Outlet>>,
    /// Who can be asked whether it may run. Where nobody can, what has to be asked does not run.
    pub approver: Option<Arc<dyn Approver>>,
}

impl<W> Call<W> {
    /// A call from the command line that nobody follows and that only its deadline ends.
    pub fn new(work: W) -> Self {
        Self {
            id: CallId::next(),
            caller: Caller::CommandLine,
            work,
            cancel: CancellationToken::new(),
            progress: None,
            outlet: None,
            approver: None,
        }
    }

    /// How many plugins stand between an agent or a person and this call.
    pub fn depth(&self) -> usize {
        self.caller.chain().count()
    }

    /// The same call with other work.
    pub fn with<V>(&self, work: V) -> Call<V> {
        Call {
            id: self.id,
            work,
            cancel: self.cancel.clone(),
            progress: self.progress.clone(),
            outlet: self.outlet.clone(),
            caller: self.caller.clone(),
            approver: self.approver.clone(),
        }
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A client of the server.
    Agent,
    /// A person, or a program of theirs.
    CommandLine,
    /// A plugin, in a call of its own.
    Plugin(Arc<Calling>),
}

/// A plugin that calls another one.
#[derive(Debug)]
pub struct Calling {
    /// The plugin.
    pub plugin: PluginId,
    /// The call that it serves meanwhile.
    pub call: CallId,
    /// When that call ends: nothing that it calls goes on longer.
    pub deadline: Instant,
    /// Whose call that is.
    pub caller: Caller,
}

impl Caller {
    /// The word for whoever stands at the beginning.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::CommandLine => "command line",
            Self::Plugin(calling) => calling.caller.as_str(),
        }
    }

    /// The plugin that calls, if one does.
    pub fn plugin(&self) -> Option<&Arc<Calling>> {
        match self {
            Self::Plugin(calling) => Some(calling),
            Self::Agent | Self::CommandLine => None,
        }
    }

    /// The plugin that calls, the one that called it, and so on up to the one that an agent or a person called.
    pub fn chain(&self) -> impl Iterator<Item = &PluginId> {
        std::iter::successors(self.plugin(), |calling| calling.caller.plugin()).map(|calling| &calling.plugin)
    }
}

/// A call of one tool.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// Full name of the tool, `<plugin-id>_<tool>`.
    pub tool: String,
    /// The arguments: an object, not checked yet.
    pub arguments: Value,
}

impl ToolCall {
    /// A call of `tool` with these arguments.
    pub fn new(tool: impl Into<String>, arguments: Map<String, Value>) -> Self {
        Self { tool: tool.into(), arguments: Value::Object(arguments) }
    }
}

/// Where answers go. No call starts while answers wait for a caller who does not take them: what they
/// hold would add up without a bound.
pub trait Outlet: fmt::Debug + Send + Sync {
    /// Whether answers leave as they come.
    fn is_calm(&self) -> bool;

    /// Waits until they do.
    fn calm(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Whoever hears news of a call.
pub trait Follower: fmt::Debug + Send + Sync {
    /// Hears it. Never waits: what is not taken in time is dropped.
    fn hear(&self, news: Progress);
}

impl Follower for mpsc::Sender<Progress> {
    fn hear(&self, news: Progress) {
        // Full means that the reader is slow, closed that it is gone: both are no fault of the call's.
        let _ = self.try_send(news);
    }
}

/// News of a running call.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// How far it is.
    Report {
        /// Grows from report to report.
        done: f64,
        /// In the unit of `done`.
        total: Option<f64>,
        /// In words.
        message: Option<String>,
    },
    /// A piece of a result that is still coming into being.
    Partial(String),
}
