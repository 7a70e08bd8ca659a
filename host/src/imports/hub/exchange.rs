//! The way from an import back into the hub, and what of it a plugin may use.
//!
//! Invariant: the hub is only lent: nothing here keeps it alive.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;

use crate::manifest::{Ask, HubAsk};
use crate::model::{
    Call, Callee, CalleeKind, Completion, Conversation, PluginId, Report, ToolCall, ToolOutput, Validation,
};
use crate::outcome::Outcome;
use crate::policy::{self, Grants};

/// What calls back into the hub: everything goes the way that the calls of agents go.
pub(crate) trait Exchange: Send + Sync {
    /// Calls a tool.
    fn tool(self: Arc<Self>, call: Call<ToolCall>) -> BoxFuture<'static, Outcome<ToolOutput>>;

    /// Has a text judged.
    fn validate(self: Arc<Self>, call: Call<Validation>) -> BoxFuture<'static, Outcome<Report>>;

    /// Has a conversation completed.
    fn complete(self: Arc<Self>, call: Call<Conversation>) -> BoxFuture<'static, Outcome<Completion>>;

    /// Those of the callees that are there, each with what it says of itself.
    fn present(self: Arc<Self>, callees: BTreeSet<Callee>) -> BoxFuture<'static, Vec<(Callee, String)>>;
}

/// What one plugin may call: settled when it is loaded.
pub(crate) struct Edges {
    plugin: PluginId,
    asked: Vec<HubAsk>,
    granted: BTreeSet<Callee>,
    exchange: Weak<dyn Exchange>,
}

impl Edges {
    /// The edges of a plugin.
    pub(crate) fn new(
        plugin: &PluginId,
        ask: Option<&Ask>,
        grants: &Grants,
        exchange: Weak<dyn Exchange>,
    ) -> Arc<Self> {
        let asked = ask.map(|ask| ask.hub.to_vec()).unwrap_or_default();
        Arc::new(Self { plugin: plugin.clone(), asked, granted: grants.hub.clone(), exchange })
    }

    /// The hub, for as long as it is there.
    pub(super) fn exchange(&self) -> Option<Arc<dyn Exchange>> {
        self.exchange.upgrade()
    }

    /// What may be called.
    pub(super) fn granted(&self) -> &BTreeSet<Callee> {
        &self.granted
    }

    /// Whether this may be called; why not, where it may not.
    pub(super) fn check(&self, callee: &Callee) -> Result<(), String> {
        if self.granted.contains(callee) {
            return Ok(());
        }
        let is_asked = self.asked.iter().any(|asked| asked.covers(callee));
        Err(policy::call_denied(self.plugin.as_str(), callee.kind(), Some(callee), is_asked))
    }

    /// All that may be called of a kind; why there is none, where there is none.
    pub(super) fn all(&self, kind: CalleeKind) -> Result<Vec<Callee>, String> {
        let all: Vec<Callee> = self.granted.iter().filter(|callee| callee.kind() == kind).cloned().collect();
        if !all.is_empty() {
            return Ok(all);
        }
        let is_asked = self.asked.iter().any(|asked| asked.kind == kind);
        Err(policy::call_denied(self.plugin.as_str(), kind, None, is_asked))
    }
}
