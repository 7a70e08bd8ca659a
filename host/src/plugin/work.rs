//! What can be asked of a plugin, as one trait: every kind of call takes the same way.
//!
//! Invariant: a piece of work says what it needs and how it runs; when and whether it runs is the hub's.

use std::fmt;
use std::time::Instant;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, trace_span};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::{self, Context};
use crate::error::CallError;
use crate::model::Budget;
use crate::plugin::{Plugin, convert};
use crate::sandbox::{CallState, CallStore};
use crate::secrets::Secrets;
use crate::telemetry::STAGE;

/// The kinds of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Functions that agents call.
    Tools,
    /// Judges of text.
    Validators,
    /// Completers of conversations.
    Providers,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tools, Self::Validators, Self::Providers];

    /// The kind's name, as in a list of plugins.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Validators => "validators",
            Self::Providers => "providers",
        }
    }

    /// One of the kind, in a sentence.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Tools => "tool",
            Self::Validators => "validator",
            Self::Providers => "provider",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that one plugin can be asked to do.
pub trait Work: Send + Sync + 'static {
    /// What comes back.
    type Output: Send;

    /// What kind of plugin it needs; any, where absent.
    const KIND: Option<Kind>;

    /// The name that the caller gave: a tool's full name, or a plugin's id.
    fn asked_for(&self) -> &str;

    /// Id of the plugin that it is for.
    fn plugin_id(&self) -> &str;

    /// What it is called inside the plugin, in logs and receipts.
    fn name(&self) -> &str;

    /// Whether the plugin offers it.
    fn offered_by(&self, plugin: &Plugin) -> bool;

    /// What it may use.
    fn budget(&self, plugin: &Plugin) -> Budget {
        *plugin.budget()
    }

    /// Checks what the caller sent, before anything runs.
    ///
    /// # Errors
    /// `invalid-arguments`, with what is wrong.
    fn check(&self, plugin: &Plugin) -> Result<(), CallError>;

    /// What the caller sent, for the audit.
    fn sent(&self) -> Value;

    /// About how many bytes that has.
    fn sent_bytes(&self) -> usize;

    /// The arguments, where it is a call of a tool: the operator's rules are about those.
    fn arguments(&self) -> Option<&Value> {
        None
    }

    /// Takes the plugin's secrets out of what it returned.
    fn redact(output: &mut Self::Output, secrets: &Secrets);

    /// Runs in an instance that has been started; also says how many bytes came back.
    fn run(
        &self,
        plugin: &Plugin,
        running: Running<'_>,
    ) -> impl Future<Output = Result<(Self::Output, u64), CallError>> + Send;
}

/// An instance that has been started, and the bounds of the call that it serves.
pub struct Running<'a> {
    pub(super) store: &'a mut CallStore,
    pub(super) instance: &'a Instance,
    pub(super) context: &'a Context,
    pub(super) deadline: Instant,
    pub(super) cancel: &'a CancellationToken,
}

impl Running<'_> {
    /// Calls an export, inside the bounds.
    pub(super) async fn export<T>(
        self,
        step: impl AsyncFnOnce(
            &mut Store<CallState>,
            &Instance,
            &Context,
        ) -> wasmtime::Result<Result<T, bindings::Error>>,
    ) -> Result<T, CallError> {
        let Self { store, instance, context, deadline, cancel } = self;
        let returned = store
            .run("the call", deadline, cancel, async |store| step(store, instance, context).await)
            .instrument(trace_span!(target: STAGE, "export"))
            .await?;
        returned.map_err(convert::guest_error)
    }
}
