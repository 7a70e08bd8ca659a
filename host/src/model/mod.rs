//! The words of the hub as plain data: what is called, what comes back, what it costs.
//!
//! Invariant: nothing here knows wasmtime or rmcp, and nothing here does any work.

mod approval;
mod budget;
mod call;
mod callee;
mod completion;
mod health;
mod id;
mod receipt;
pub mod text;
mod tool;
mod validation;

pub use approval::{Answer, Approver, Question};
pub use budget::Budget;
pub use call::{Call, Caller, Calling, Follower, Outlet, Progress, ToolCall};
pub use callee::{Callee, CalleeKind};
pub use completion::{Completion, Conversation, Message, Model, Role, StopReason, Usage};
pub use health::{Health, HealthCheck};
pub use id::{CallId, PLUGIN_ID_RULE, PluginId, is_tool_name};
pub use receipt::{CalleeCosts, Receipt};
pub use tool::{Annotations, Content, ResourceBody, Tool, ToolOutput};
pub use validation::{
    Artifact, Finding, Fix, Report, Rule, Severity, TextSpan, Validation, ValidationOptions,
};
