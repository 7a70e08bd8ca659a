//! The state from the side of those who use it.

mod faults;
mod namespace;

use std::path::Path;
use std::sync::Arc;

use super::{Namespace, State};
use crate::error::CallError;
use crate::model::PluginId;

const MIB: u64 = 1 << 20;

fn state(directory: &Path) -> Arc<State> {
    State::new(Some(directory.join("state")))
}

fn space(state: &Arc<State>, plugin: &str, quota: u64) -> Namespace {
    Namespace::new(Arc::clone(state), PluginId::new(plugin).unwrap(), quota)
}

/// The code of a refusal.
fn code<T>(result: Result<T, CallError>) -> &'static str {
    result.err().map_or("(none)", |error| error.code.as_str())
}

/// Ends a host: whoever wrote for it may still be letting go of the state.
async fn end(state: Arc<State>) {
    while Arc::strong_count(&state) > 1 {
        tokio::task::yield_now().await;
    }
}

async fn text(space: &Namespace, key: &str) -> Option<String> {
    let value = space.get(key.into()).await.unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}
