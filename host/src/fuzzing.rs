//! What the targets in `fuzz/` reach of the host that nobody else needs.
//!
//! Invariant: each function is the host's own, unchanged, and none is part of the library's interface.

use std::net::IpAddr;

use http::Uri;
use serde_json::Value;

use crate::bindings::tool_types;
use crate::error::CallError;
use crate::imports::{self, Target, request_path};
use crate::model::PluginId;
use crate::origin::Origin;
use crate::plugin::{LoadedTool, define};

/// Where a request goes and what it asks for there, as the host reads it from a guest's URI.
pub struct Request {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The value of the header `host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// Reads a guest's URI; nothing where it is refused.
pub fn request(uri: &str) -> Option<Request> {
    let uri: Uri = uri.parse().ok()?;
    let target = Target::of(&uri)?;
    let path = request_path(&uri)?.as_str().to_owned();
    Some(Request { origin: target.origin(), authority: target.authority(), path })
}

/// What keeps an address from being one of the internet; nothing where it is one.
pub fn special_address(address: IpAddr) -> Option<&'static str> {
    imports::special_address(address)
}

/// A tool as a plugin defines it, not looked at yet.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Its name inside the plugin.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// JSON text of the schema of its arguments.
    pub input_schema: String,
    /// JSON text of the schema of its result.
    pub output_schema: Option<String>,
}

/// Checks the tools of a plugin as they are checked when it is loaded.
///
/// # Errors
/// Why the plugin is refused.
pub fn tools(plugin: &PluginId, given: Vec<Definition>) -> Result<Vec<LoadedTool>, String> {
    let annotations =
        || tool_types::Annotations { read_only: None, destructive: None, idempotent: None, open_world: None };
    let tool = |given: Definition| tool_types::Tool {
        name: given.name,
        title: given.title,
        description: given.description,
        input_schema: given.input_schema,
        output_schema: given.output_schema,
        annotations: annotations(),
        meta: Vec::new(),
    };
    define::tools(plugin, given.into_iter().map(tool).collect())
}

/// Checks the arguments of a call as the hub does.
///
/// # Errors
/// What is wrong with them.
pub fn check_arguments(tool: &LoadedTool, arguments: &Value) -> Result<(), CallError> {
    tool.input.check_arguments(arguments)
}
