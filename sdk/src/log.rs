//! Lines for the operator, under the plugin's name.
//!
//! ```no_run
//! use hubcap_sdk::log;
//!
//! log::info("read 3 of 4 pages");
//! log::warn("page 4 is gone");
//! ```
//!
//! # Denied
//! Nothing has to be granted, and a line never fails and never waits. The host keeps at most 200 lines and
//! 64 KiB of one call, cuts a line at 2 KiB and counts what it drops; what the operator's log level leaves
//! out is not shown. Never log a secret: whoever reads the log sees it.

use crate::bindings::plugin::hubcap::plugin::log::{Level, write};

/// Every step.
pub fn trace(message: &str) {
    write(Level::Trace, message);
}

/// For finding a fault.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What an operator wants to see.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something is odd, and the call goes on.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Something failed.
pub fn error(message: &str) {
    write(Level::Error, message);
}
