//! What one call cost.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What one call cost. Goes out as `_meta["hubcap/receipt"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The call's id, as in the log.
    pub call_id: String,
    /// Id of the plugin.
    pub plugin: String,
    /// Name of the tool inside the plugin.
    pub tool: String,
    /// Fuel used: about one unit per WebAssembly instruction.
    pub fuel: u64,
    /// Most guest memory held at once, in bytes, over all memories.
    pub peak_memory_bytes: u64,
    /// Wall time inside the sandbox, in microseconds.
    pub wall_micros: u64,
    /// Lines that the plugin logged and that were kept.
    pub log_lines: u64,
    /// Lines that went beyond the bounds and were dropped.
    pub log_lines_dropped: u64,
    /// Bytes of the result.
    pub result_bytes: u64,
    /// The grants that it used, by their keys in `hubcap.toml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
}

impl Receipt {
    /// What several calls cost together, side by side: the work is summed, the wall time is the longest.
    pub fn sum(tool: &str, parts: Vec<Self>) -> Option<Self> {
        parts.into_iter().reduce(|sum, part| Self {
            call_id: sum.call_id,
            plugin: sum.plugin + "," + &part.plugin,
            tool: tool.to_owned(),
            fuel: sum.fuel + part.fuel,
            peak_memory_bytes: sum.peak_memory_bytes + part.peak_memory_bytes,
            wall_micros: sum.wall_micros.max(part.wall_micros),
            log_lines: sum.log_lines + part.log_lines,
            log_lines_dropped: sum.log_lines_dropped + part.log_lines_dropped,
            result_bytes: sum.result_bytes + part.result_bytes,
            grants: BTreeSet::from_iter(sum.grants.into_iter().chain(part.grants)).into_iter().collect(),
        })
    }
}
