//! How a plugin feels.

use serde::Serialize;

use crate::model::PluginId;

/// One plugin to be asked for its health.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// The plugin.
    pub plugin: PluginId,
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether it can work.
    pub healthy: bool,
    /// What an operator should know; may be empty.
    pub message: String,
}
