//! The end of a call: what came back, or why nothing did, and what it cost.
//!
//! Invariant: every call has exactly one.

use crate::error::CallError;
use crate::model::Receipt;

/// How a call ended.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What came back.
    pub result: Result<T, CallError>,
    /// What it cost; absent where no guest ran.
    pub receipt: Option<Receipt>,
}

impl<T> Outcome<T> {
    /// An end before any guest ran.
    pub fn refused(error: CallError) -> Self {
        Self { result: Err(error), receipt: None }
    }
}
