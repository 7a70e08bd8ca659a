//! The words of the hub as plain data: what is called, what comes back, what it costs.
//!
//! Invariant: nothing here knows wasmtime or rmcp, and nothing here does any work.

mod call;
mod id;
mod receipt;
pub mod text;
mod tool;

pub use call::{Call, Progress, ProgressSender};
pub use id::{CallId, PLUGIN_ID_RULE, PluginId, is_tool_name};
pub use receipt::Receipt;
pub use tool::{Annotations, Content, ResourceBody, Tool, ToolOutput};
