//! What a call may use.

use std::time::Duration;

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Fuel: about one unit per WebAssembly instruction.
    pub fuel: u64,
    /// Wall time.
    pub deadline: Duration,
    /// Guest memory in bytes, all memories together.
    pub memory: usize,
}
