//! What the hub knows: tools by name, and every file with what became of it.
//!
//! Invariant: a snapshot; it never changes once it is published.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::hub::bulkhead::Seats;
use crate::model::Tool;
use crate::plugin::{LoadedTool, Plugin};

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
    /// Number of its tools.
    pub tools: usize,
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
}

/// A plugin with its places in the hub.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) plugin: Arc<Plugin>,
    pub(super) seats: Arc<Seats>,
    /// Where it was loaded from, as the report on its file has it.
    pub(super) path: String,
}

/// One tool, found.
pub(super) struct Entry {
    pub(super) plugin: Arc<Plugin>,
    pub(super) seats: Arc<Seats>,
    index: usize,
}

impl Entry {
    pub(super) fn tool(&self) -> &LoadedTool {
        &self.plugin.tools[self.index]
    }
}

/// The snapshot.
#[derive(Default)]
pub(super) struct Registry {
    plugins: Vec<Loaded>,
    by_name: HashMap<String, (Loaded, usize)>,
    pub(super) tools: Arc<[Tool]>,
    pub(super) files: Vec<FileReport>,
}

impl Registry {
    /// A snapshot of these plugins and files.
    pub(super) fn new(plugins: &[Loaded], mut files: Vec<FileReport>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut tools: Vec<Tool> = Vec::new();
        let mut by_name = HashMap::new();
        for loaded in plugins {
            for (index, tool) in loaded.plugin.tools.iter().enumerate() {
                tools.push(tool.tool.clone());
                by_name.insert(tool.tool.name.clone(), (loaded.clone(), index));
            }
        }
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        Self { plugins: plugins.to_vec(), by_name, tools: tools.into(), files }
    }

    /// The plugin that was loaded from this path.
    pub(super) fn at(&self, path: &str) -> Option<Loaded> {
        self.plugins.iter().find(|loaded| loaded.path == path).cloned()
    }

    /// The tool of this full name.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        let (loaded, index) = self.by_name.get(name)?;
        Some(Entry { plugin: Arc::clone(&loaded.plugin), seats: Arc::clone(&loaded.seats), index: *index })
    }
}
