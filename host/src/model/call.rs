//! One call, and news of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{Approver, CallId};

/// A call, as it reaches the hub: a [`ToolCall`], a [`Validation`](crate::model::Validation) or a
/// [`Conversation`](crate::model::Conversation), and what is common to all.
#[derive(Debug)]
pub struct Call<W> {
    /// Names it in logs and the receipt.
    pub id: CallId,
    /// What is to be done.
    pub work: W,
    /// Fires when the caller gives up: the work stops then.
    pub cancel: CancellationToken,
    /// Where news of the call goes, if anybody asked for it.
    pub progress: Option<ProgressSender>,
    /// Where its answer goes, if that can be blocked.
    pub outlet: Option<Arc<dyn Outlet>>,
    /// Who can be asked whether it may run. Where nobody can, what has to be asked does not run.
    pub approver: Option<Arc<dyn Approver>>,
}

impl<W> Call<W> {
    /// A call that nobody follows and that only its deadline ends.
    pub fn new(work: W) -> Self {
        Self {
            id: CallId::next(),
            work,
            cancel: CancellationToken::new(),
            progress: None,
            outlet: None,
            approver: None,
        }
    }

    /// The same call with other work.
    pub fn with<V>(&self, work: V) -> Call<V> {
        Call {
            id: self.id,
            work,
            cancel: self.cancel.clone(),
            progress: self.progress.clone(),
            outlet: self.outlet.clone(),
            approver: self.approver.clone(),
        }
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

/// Sends news of a call. It never waits: what the follower does not take in time is dropped.
pub type ProgressSender = mpsc::Sender<Progress>;

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
