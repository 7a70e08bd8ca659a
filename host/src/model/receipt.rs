//! What one call cost.

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
}
