//! Names: of a plugin, and of one call.
//!
//! Invariant: a [`PluginId`] has no `_`, so the first `_` of `<plugin-id>_<tool>` splits it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a plugin id has to be, in words.
pub const PLUGIN_ID_RULE: &str =
    "a lower-case letter, then at most 23 lower-case letters, digits or `-` (and not `hubcap` or `route`)";

/// Ids that the hub keeps for its own tools.
const RESERVED: [&str; 2] = ["hubcap", "route"];

/// A plugin's checked id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PluginId(Arc<str>);

impl PluginId {
    /// The id, if it obeys [`PLUGIN_ID_RULE`].
    pub fn new(id: &str) -> Option<Self> {
        let bytes = id.as_bytes();
        let starts = bytes.first().is_some_and(u8::is_ascii_lowercase);
        let rest = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        (starts && rest && bytes.len() <= 24 && !RESERVED.contains(&id)).then(|| Self(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PluginId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        Self::new(&written)
            .ok_or_else(|| serde::de::Error::custom(format!("{written:?} is no plugin id: {PLUGIN_ID_RULE}")))
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a plugin may use this name for a tool: 1 to 40 of `[a-zA-Z0-9_-]`.
pub fn is_tool_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Names one call in logs and receipts; unique in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId(u64);

impl CallId {
    /// The next id.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{PluginId, is_tool_name};

    #[test]
    fn an_id_of_24_characters_is_taken_and_one_of_25_is_not() {
        assert!(PluginId::new(&"a".repeat(24)).is_some());
        assert!(PluginId::new(&"a".repeat(25)).is_none());
    }

    #[test]
    fn ids_that_could_be_mistaken_are_refused() {
        for id in ["", "-a", "1a", "A", "a_b", "a.b", "a b", "é", "hubcap", "route", "a\n"] {
            assert!(PluginId::new(id).is_none(), "{id:?}");
        }
    }

    #[test]
    fn tool_names_are_ascii_and_at_most_40_long() {
        assert!(is_tool_name(&"x".repeat(40)));
        for name in [String::new(), "x".repeat(41), "a.b".into(), "é".into(), "a b".into()] {
            assert!(!is_tool_name(&name), "{name:?}");
        }
    }
}
