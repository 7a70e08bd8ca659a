//! One call, and news of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::CallId;

/// A call of one tool, as it reaches the hub.
#[derive(Debug)]
pub struct Call {
    /// Names it in logs and the receipt.
    pub id: CallId,
    /// Full name of the tool, `<plugin-id>_<tool>`.
    pub tool: String,
    /// The arguments, not checked yet.
    pub arguments: Map<String, Value>,
    /// Fires when the caller gives up: the work stops then.
    pub cancel: CancellationToken,
    /// Where news of the call goes, if anybody asked for it.
    pub progress: Option<ProgressSender>,
    /// Where its answer goes, if that can be blocked.
    pub outlet: Option<Arc<dyn Outlet>>,
}

/// Where answers go. No call starts while answers wait for a caller who does not take them: what they
/// hold would add up without a bound.
pub trait Outlet: fmt::Debug + Send + Sync {
    /// Whether answers leave as they come.
    fn is_calm(&self) -> bool;

    /// Waits until they do.
    fn calm(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl Call {
    /// A call that nobody follows and that only its deadline ends.
    pub fn new(tool: impl Into<String>, arguments: Map<String, Value>) -> Self {
        Self {
            id: CallId::next(),
            tool: tool.into(),
            arguments,
            cancel: CancellationToken::new(),
            progress: None,
            outlet: None,
        }
    }
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
