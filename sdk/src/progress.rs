//! News of a running call for the one who waits for it; without anyone who asked it goes nowhere.

pub use crate::bindings::plugin::hubcap::plugin::progress::partial;

use crate::bindings::plugin::hubcap::plugin::progress;

/// Says how far the call is, of how much where that is known, and in words where that helps.
/// `done` has to grow from one report to the next.
pub fn report(done: f64, total: Option<f64>, message: Option<&str>) {
    progress::report(done, total, message);
}
