//! How a call ended inside the sandbox: one error with code and blame, from whatever wasmtime says.
//!
//! Invariant: the text names the bound or the kind of crash; a guest's backtrace never leaves here.

use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap};
use wasmtime_wasi_http::FieldMapError;

use crate::error::{Blame, CallError, Code};
use crate::imports::{GuestExit, TooManyFiles, TooMuchRandom};
use crate::model::Budget;
use crate::sandbox::limiter::Refused;
use crate::sandbox::{CallState, HOST_CALL_BYTES, MAX_HANDLES};

/// Texts of errors that wasmtime 48.0.8 keeps to itself: it gives no type to ask for. Tests that
/// violate each bound notice when a new version says it in other words.
const HOST_CALL_FUEL: &str = "fuel allocated for hostcalls has been exhausted";
const HANDLES: &str = "store handle limit exceeded";
const COUNTS: &str = "resource limit exceeded";
const TABLE_MINIMUM: &str = "exceeds table limits";

/// The error of a call whose guest ended with `error`.
pub(super) fn classify(error: Error, state: &CallState, budget: &Budget, raise: Raise) -> CallError {
    let (code, message) = describe(&error, state, budget, raise);
    CallError::new(code, Blame::Plugin, message).with_source(error.into_boxed_dyn_error())
}

fn describe(error: &Error, state: &CallState, budget: &Budget, raise: Raise) -> (Code, String) {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        return (
            Code::Fuel,
            format!("the plugin used up its {} units of fuel{}", budget.fuel, raise.advice("fuel")),
        );
    }
    if let Some(limit) = reached_limit(error) {
        return (Code::Limit, limit);
    }
    match state.limiter.refused() {
        Some(Refused::Memory) => {
            return (
                Code::Memory,
                format!(
                    "the plugin needs more than its {} bytes of memory; the operator can raise `memory` in its budget",
                    budget.memory
                ),
            );
        }
        Some(Refused::Tables) => return (Code::Limit, "the plugin's tables are too large".into()),
        None => {}
    }
    if let Some(exit) = error.downcast_ref::<GuestExit>() {
        return (Code::Trap, format!("{exit}; a plugin has to return in place of exiting"));
    }
    match trap {
        Some(trap) => (Code::Trap, format!("the plugin crashed: {}", short(&trap.to_string()))),
        None => (
            Code::Trap,
            format!("the plugin broke the rules of a component: {}", short(&error.root_cause().to_string())),
        ),
    }
}

/// Bounds that have no trap of their own.
fn reached_limit(error: &Error) -> Option<String> {
    if let Some(too_much) = error.downcast_ref::<TooMuchRandom>() {
        return Some(format!("the plugin asked for {too_much}"));
    }
    if let Some(too_many) = error.downcast_ref::<TooManyFiles>() {
        return Some(format!("the plugin {too_many}"));
    }
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return Some(format!("the plugin holds more than {MAX_HANDLES} streams, pollables and the like"));
    }
    if error.downcast_ref::<FieldMapError>().is_some() {
        return Some("the headers of a request of the plugin are too large".to_owned());
    }
    let text = error.root_cause().to_string();
    if text.contains(HOST_CALL_FUEL) {
        return Some(format!("the plugin passed more than {HOST_CALL_BYTES} bytes at once"));
    }
    if text.contains(HANDLES) {
        return Some(format!("the plugin holds more than {MAX_HANDLES} handles"));
    }
    (text.contains(COUNTS) || text.contains(TABLE_MINIMUM))
        .then(|| format!("the plugin is too large: {}", short(&text)))
}

/// wasmtime's first line, without its prefix.
fn short(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("wasm trap: ")
}

/// Whether the operator can raise the bounds of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raise {
    /// They are the plugin's budget.
    Budget,
    /// They are the host's own, as while a plugin is loaded.
    Nobody,
}

impl Raise {
    fn advice(self, bound: &str) -> String {
        match self {
            Self::Budget => format!("; the operator can raise `{bound}` in its budget"),
            Self::Nobody => String::new(),
        }
    }
}

/// The wall clock ran out.
pub(super) fn too_late(what: &str, after: Duration, raise: Raise) -> CallError {
    let message = format!("{what} took longer than {} ms{}", after.as_millis(), raise.advice("deadline"));
    CallError::new(Code::Deadline, Blame::Plugin, message)
}

/// The caller gave up, or nobody is there any more to take the answer.
pub(crate) fn cancelled() -> CallError {
    let message = "the call was cancelled: by its caller, or because hubcap is shutting down";
    CallError::new(Code::Cancelled, Blame::Caller, message)
}
