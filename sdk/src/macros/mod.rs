//! What the macros expand to. Not for hands: it changes without notice.
//!
//! Invariant: a schema is built when tools are listed, never when one is called.

mod arguments;
mod lifecycle;
mod models;
mod returned;
mod rules;
mod schema;
mod tools;
mod unique;

pub use arguments::{All, Argument, Arguments, read};
pub use lifecycle::{Settings, configuration};
pub use models::{IsModel, ModelEntry, complete, models, unique_models};
pub use returned::{AnyError, AnyResult, AnySchema, AnySuccess, AnyType, ReturnType, Returned};
pub use rules::{IsRule, RuleEntry, rules, unique_rules, validate};
pub use schema::define;
pub use serde;
pub use tools::{ToolEntry, ToolSet, call_tool, list_tools, unique_tools};
