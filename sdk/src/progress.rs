//! News of a running call for the one who waits for it.
//!
//! ```no_run
//! use hubcap_sdk::progress;
//!
//! let pages = ["one", "two"];
//! for (index, page) in pages.iter().enumerate() {
//!     progress::report(index as f64, Some(pages.len() as f64), Some(page));
//! }
//! progress::partial("the first words of an answer");
//! ```
//!
//! # Denied
//! Nothing has to be granted. Without anyone who asked for news, and where it comes faster than the caller
//! takes it, it goes nowhere, and the call goes on.

pub use crate::bindings::plugin::hubcap::plugin::progress::partial;

use crate::bindings::plugin::hubcap::plugin::progress;

/// Says how far the call is, of how much where that is known, and in words where that helps.
/// `done` has to grow from one report to the next.
pub fn report(done: f64, total: Option<f64>, message: Option<&str>) {
    progress::report(done, total, message);
}
