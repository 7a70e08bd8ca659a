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
    /// What the plugin had done by others, if it did. None of it is in the numbers above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callees: Option<CalleeCosts>,
}

/// What calls of other plugins cost together, those that these made in turn and those that failed included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalleeCosts {
    /// How many calls.
    pub calls: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Fuel used.
    pub fuel: u64,
    /// The most guest memory that one of them held, in bytes.
    pub peak_memory_bytes: u64,
    /// Wall time inside the sandbox, in microseconds, one after the other.
    pub wall_micros: u64,
    /// Bytes of the results.
    pub result_bytes: u64,
}

impl CalleeCosts {
    /// One more call starts. It counts as failed until it has ended otherwise.
    pub fn start(&mut self) {
        self.calls = self.calls.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
    }

    /// A call that was started has ended, at this cost; nothing where no guest ran.
    pub fn end(&mut self, receipt: Option<&Receipt>, failed: bool) {
        self.failed = self.failed.saturating_sub(u64::from(!failed));
        let Some(receipt) = receipt else { return };
        let own = Self {
            calls: 0,
            failed: 0,
            fuel: receipt.fuel,
            peak_memory_bytes: receipt.peak_memory_bytes,
            wall_micros: receipt.wall_micros,
            result_bytes: receipt.result_bytes,
        };
        *self = self.with(own).with(receipt.callees.unwrap_or_default());
    }

    fn with(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            fuel: self.fuel.saturating_add(other.fuel),
            peak_memory_bytes: self.peak_memory_bytes.max(other.peak_memory_bytes),
            wall_micros: self.wall_micros.saturating_add(other.wall_micros),
            result_bytes: self.result_bytes.saturating_add(other.result_bytes),
        }
    }
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
            callees: match (sum.callees, part.callees) {
                (Some(sum), Some(part)) => Some(sum.with(part)),
                (sum, part) => sum.or(part),
            },
            grants: BTreeSet::from_iter(sum.grants.into_iter().chain(part.grants)).into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CalleeCosts, Receipt};

    #[test]
    fn what_callees_cost_is_summed_with_what_theirs_did_and_with_what_failed() {
        let receipt =
            |fuel, callees| Receipt { fuel, peak_memory_bytes: fuel, callees, ..Receipt::default() };
        let mut inner = CalleeCosts::default();
        inner.start();
        inner.end(Some(&receipt(5, None)), true);
        let mut outer = CalleeCosts::default();
        (0..3).for_each(|_| outer.start());
        outer.end(Some(&receipt(7, Some(inner))), false);
        outer.end(None, true);
        // The third one has not ended.
        let expected =
            CalleeCosts { calls: 4, failed: 3, fuel: 12, peak_memory_bytes: 7, ..CalleeCosts::default() };
        assert_eq!(outer, expected);
        let both = Receipt::sum("t", vec![receipt(1, Some(outer)), receipt(1, None)]).unwrap();
        assert_eq!((both.fuel, both.callees), (2, Some(expected)));
    }
}
