//! The end of a call: what came back, or why nothing did, and what it cost.
//!
//! Invariant: every call has exactly one.

use crate::error::CallError;
use crate::model::{Receipt, ToolOutput};

/// How a call ended.
#[derive(Debug)]
pub struct Outcome {
    /// What came back.
    pub result: Result<ToolOutput, CallError>,
    /// What it cost; absent where no guest ran.
    pub receipt: Option<Receipt>,
}

impl Outcome {
    /// An end before any guest ran.
    pub fn refused(error: CallError) -> Self {
        Self { result: Err(error), receipt: None }
    }
}
