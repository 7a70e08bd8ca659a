//! `hubcap.lock`: what was accepted of each plugin, so that a change of it is noticed.
//!
//! Invariant: a pin says all that an agent could read of a plugin and all that the plugin asks for, by
//! fingerprint; whoever has a [`Lock`] has one whose texts and fingerprints fit.

mod change;
mod file;
mod store;

pub use change::{Change, changes, summary};
pub use store::{LockFile, Unwritten};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::PluginId;

/// Bytes of text that a pin keeps to show a difference with. What is beyond has its fingerprint only.
const MAX_KEPT: usize = 64 << 10;

/// All pins, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<PluginId, Pin>);

/// What was accepted of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its version.
    pub version: String,
    /// SHA-256 of its file in hexadecimal.
    pub digest: String,
    /// Who signed it, by the operator's name for the key.
    pub publisher: Option<String>,
    /// What it asks for, a line for each thing.
    pub ask: Kept,
    /// What it says of itself.
    pub parts: BTreeMap<Part, Kept>,
}

/// Something that a plugin says of itself and that agents read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The definition of the tool of this name inside the plugin.
    Tool(String),
    /// The rules of its validator.
    Rules,
    /// The models of its provider.
    Models,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(name) => write!(f, "tool {name}"),
            Self::Rules => f.write_str("the set of rules"),
            Self::Models => f.write_str("the set of models"),
        }
    }
}

/// A text by its fingerprint, and the text itself where there is room for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "file::WrittenKept", into = "file::WrittenKept")]
pub struct Kept {
    sha256: String,
    text: Option<String>,
}

/// The same text, whether it was kept or not.
impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Eq for Kept {}

impl Kept {
    fn of(text: String, room: &mut usize) -> Self {
        let sha256 = fingerprint(&text);
        match room.checked_sub(text.len()) {
            Some(left) => {
                *room = left;
                Self { sha256, text: Some(text) }
            }
            None => Self { sha256, text: None },
        }
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn fingerprint(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

impl Pin {
    /// The pin of a plugin. `ask` has a line for each thing that it asks for.
    pub fn new(version: String, digest: String, publisher: Option<String>, ask: BTreeSet<String>) -> Self {
        let (lines, mut room) = (Vec::from_iter(ask), MAX_KEPT);
        let ask = Kept::of(lines.join("\n"), &mut room);
        Self { version, digest, publisher, ask, parts: BTreeMap::new() }
    }

    /// With what it says of itself.
    #[must_use]
    pub fn with_parts(mut self, said: impl IntoIterator<Item = (Part, Value)>) -> Self {
        let mut room = MAX_KEPT;
        let kept = said.into_iter().map(|(part, said)| (part, Kept::of(canonical(said), &mut room)));
        self.parts = kept.collect();
        self
    }

    /// The fingerprint of each thing that it says of itself.
    pub fn fingerprints(&self) -> BTreeMap<Part, String> {
        self.parts.iter().map(|(part, kept)| (part.clone(), kept.sha256.clone())).collect()
    }

    /// The names of its tools, as agents see them.
    pub fn tools<'a>(&'a self, id: &'a PluginId) -> impl Iterator<Item = String> + 'a {
        self.parts.keys().filter_map(move |part| match part {
            Part::Tool(name) => Some(format!("{id}_{name}")),
            Part::Rules | Part::Models => None,
        })
    }
}

/// One text for one value, in whatever order its keys came.
pub(crate) fn canonical(value: Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let by_key: BTreeMap<String, Value> = map.into_iter().collect();
            Value::Object(by_key.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Lock, MAX_KEPT, Part, Pin, PluginId};

    /// A pin of a plugin with one tool.
    pub(super) fn pin(version: &str, definition: Value) -> Pin {
        let digest = super::fingerprint(version);
        Pin::new(version.into(), digest, None, [].into()).with_parts([(Part::Tool("say".into()), definition)])
    }

    pub(super) fn lock(id: &str, pin: Pin) -> Lock {
        Lock([(PluginId::new(id).unwrap(), pin)].into())
    }

    #[test]
    fn a_definition_has_one_fingerprint_in_whatever_order_its_keys_come() {
        let one: Value = serde_json::from_str(r#"{"a":{"x":1,"y":[{"p":1,"q":2}]},"b":2}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":2,"a":{"y":[{"q":2,"p":1}],"x":1}}"#).unwrap();
        assert_eq!(pin("1.0.0", one), pin("1.0.0", other));
        assert_ne!(pin("1.0.0", json!([1, 2])), pin("1.0.0", json!([2, 1])));
    }

    #[test]
    fn texts_are_kept_up_to_a_bound_and_fingerprints_beyond_it() {
        // A text in JSON has two quotes.
        let kept = |bytes: usize| {
            let pin = pin("1.0.0", json!("x".repeat(bytes - 2)));
            pin.parts.values().all(|kept| kept.text.is_some())
        };
        assert!(kept(MAX_KEPT));
        assert!(!kept(MAX_KEPT + 1));
        let long = |last: &str| pin("1.0.0", json!(format!("{}{last}", "x".repeat(MAX_KEPT))));
        assert_ne!(long("a"), long("b"));
    }
}
