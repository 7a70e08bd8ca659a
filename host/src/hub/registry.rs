//! What the hub knows: plugins by id, their tools, and every file with what became of it.
//!
//! Invariant: a snapshot; it never changes once it is published.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use crate::hub::admit::Review;
use crate::hub::bulkhead::Seats;
use crate::lock::Part;
use crate::model::{PluginId, Tool};
use crate::plugin::{Kind, Plugin, Work};

/// A file of a plugin directory and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its name.
    pub file: String,
    /// Where it is.
    pub path: String,
    /// Id of the plugin, where one could be read.
    pub id: Option<String>,
    /// Version, likewise.
    pub version: Option<String>,
    /// What it exports.
    pub kinds: Vec<String>,
    /// What became of it.
    pub state: State,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// What a person should look at before agents read it.
    pub warnings: Vec<String>,
    /// Number of its tools.
    pub tools: usize,
    /// Number of its validator's rules.
    pub rules: usize,
    /// Number of its provider's models.
    pub models: usize,
}

impl FileReport {
    /// Whether this plugin was loaded from it.
    pub(super) fn is_ready_as(&self, id: &PluginId) -> bool {
        self.state == State::Ready && self.id.as_deref() == Some(id.as_str())
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It can be called.
    Ready,
    /// The operator switched it off.
    Disabled,
    /// It cannot be used.
    Refused,
    /// It waits for the operator's approval.
    Quarantined,
}

/// A plugin with its places in the hub.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) plugin: Arc<Plugin>,
    pub(super) seats: Arc<Seats>,
    /// Where it was loaded from, as the report on its file has it.
    pub(super) path: String,
    /// The fingerprint of each thing that it says of itself.
    pub(super) definitions: Arc<BTreeMap<Part, String>>,
}

/// The snapshot.
#[derive(Default)]
pub(super) struct Registry {
    by_id: HashMap<String, Loaded>,
    pub(super) tools: Arc<[Tool]>,
    pub(super) files: Vec<FileReport>,
    /// What became of each plugin at the door, by id; there once all were looked at.
    pub(super) reviews: BTreeMap<String, Arc<Review>>,
}

impl Registry {
    /// A snapshot of these plugins and files.
    pub(super) fn new(plugins: &[Loaded], mut files: Vec<FileReport>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut tools: Vec<Tool> = plugins
            .iter()
            .flat_map(|loaded| loaded.plugin.tools.iter().map(|tool| tool.tool.clone()))
            .collect();
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        let by_id = plugins.iter().map(|loaded| (loaded.plugin.id.to_string(), loaded.clone())).collect();
        Self { by_id, tools: tools.into(), files, reviews: BTreeMap::new() }
    }

    /// With what became of each plugin at the door.
    pub(super) fn with_reviews(mut self, reviews: BTreeMap<String, Arc<Review>>) -> Self {
        for file in
            self.files.iter_mut().filter(|file| matches!(file.state, State::Ready | State::Quarantined))
        {
            let review = file.id.as_ref().and_then(|id| reviews.get(id));
            file.warnings = review.map(|review| review.warnings.clone()).unwrap_or_default();
        }
        Self { reviews, ..self }
    }

    /// The plugin that was loaded from this path.
    pub(super) fn at(&self, path: &str) -> Option<Loaded> {
        self.by_id.values().find(|loaded| loaded.path == path).cloned()
    }

    /// The plugin that offers this work.
    pub(super) fn find<W: Work>(&self, work: &W) -> Option<Loaded> {
        self.by_id.get(work.plugin_id()).filter(|loaded| work.offered_by(&loaded.plugin)).cloned()
    }

    /// The plugin with this id.
    pub(super) fn plugin(&self, id: &str) -> Option<Arc<Plugin>> {
        self.by_id.get(id).map(|loaded| Arc::clone(&loaded.plugin))
    }

    /// The places of the plugin with this id.
    pub(super) fn seats(&self, id: &str) -> Option<Arc<Seats>> {
        self.by_id.get(id).map(|loaded| Arc::clone(&loaded.seats))
    }

    /// The plugins of a kind, by id.
    pub(super) fn plugins(&self, kind: Kind) -> Vec<Arc<Plugin>> {
        let all = self.by_id.values().map(|loaded| &loaded.plugin);
        let mut plugins: Vec<_> = all.filter(|plugin| plugin.kinds().contains(&kind)).cloned().collect();
        plugins.sort_by(|a, b| a.id.cmp(&b.id));
        plugins
    }

    /// What can be asked for of a kind, by name; the plugins themselves where it is of any.
    pub(super) fn names(&self, kind: Option<Kind>) -> Vec<String> {
        match kind {
            Some(Kind::Tools) => self.tools.iter().map(|tool| tool.name.clone()).collect(),
            Some(kind) => self.plugins(kind).iter().map(|plugin| plugin.id.to_string()).collect(),
            None => {
                let mut ids: Vec<String> = self.by_id.keys().cloned().collect();
                ids.sort();
                ids
            }
        }
    }
}
