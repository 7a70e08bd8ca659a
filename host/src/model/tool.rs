//! A tool's definition and what it returns.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A tool as agents see it: checked and cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Full name, `<plugin-id>_<tool>`.
    pub name: String,
    /// A short name for people.
    pub title: Option<String>,
    /// What it does, for the model.
    pub description: String,
    /// Schema of the arguments.
    pub input_schema: Arc<Map<String, Value>>,
    /// Schema of the structured result.
    pub output_schema: Option<Arc<Map<String, Value>>>,
    /// What the plugin says of its effects: hints, never policy.
    pub annotations: Annotations,
}

/// Hints on a tool's effects; `None` where the plugin says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only: Option<bool>,
    /// May delete or overwrite.
    pub destructive: Option<bool>,
    /// Twice has the effect of once.
    pub idempotent: Option<bool>,
    /// Reaches beyond the plugin.
    pub open_world: Option<bool>,
}

/// What a tool returned: cleaned, capped, and checked against the output schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOutput {
    /// Blocks, in order.
    pub content: Vec<Content>,
    /// The result as data.
    pub structured: Option<Value>,
}

/// One block of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text for the model.
    Text(String),
    /// A picture: bytes and media type.
    Image(Vec<u8>, String),
    /// A sound: bytes and media type.
    Audio(Vec<u8>, String),
    /// A link.
    Link {
        /// Where to.
        uri: String,
        /// A name for people.
        name: String,
        /// Media type, where known.
        media_type: Option<String>,
    },
    /// A resource, whole.
    Embedded {
        /// Where it is from.
        uri: String,
        /// Media type, where known.
        media_type: Option<String>,
        /// What it holds.
        body: ResourceBody,
    },
}

/// The content of an embedded resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}
