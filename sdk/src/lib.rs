//! What a plugin author depends on.
//!
//! A plugin is a type that implements [`Plugin`] and at least one kind ([`Tools`], [`Validators`],
//! [`Providers`]), and one line that registers it:
//!
//! ```
//! use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools, json};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {}
//!
//! impl Tools for Hello {
//!     fn list_tools() -> Result<Vec<Tool>, Error> {
//!         let schema = json!({
//!             "type": "object",
//!             "properties": { "name": { "type": "string" } },
//!             "required": ["name"],
//!             "additionalProperties": false,
//!         });
//!         Ok(vec![Tool::new("greet", "Greets somebody by name.", &schema)])
//!     }
//!
//!     fn call_tool(name: &str, arguments: &str, _context: Context) -> Result<Output, Error> {
//!         #[derive(serde::Deserialize)]
//!         struct Greet {
//!             name: String,
//!         }
//!         match name {
//!             "greet" => {
//!                 let greet: Greet = hubcap_sdk::arguments(arguments)?;
//!                 Ok(Output::text(format!("Hello, {}!", greet.name)))
//!             }
//!             other => Err(Error::unknown_tool(other)),
//!         }
//!     }
//! }
//!
//! hubcap_sdk::export!(Hello: tools);
//! ```
//!
//! `hubcap plugin build DIR` compiles the crate for `wasm32-wasip2` and embeds its `plugin.toml`.
//!
//! Invariant: nothing here keeps state between calls, because every call has an instance of its own.

pub mod bindings;
pub mod config;
mod error;
mod exports;
mod found;
pub mod handle;
mod json_text;
pub mod log;
#[doc(hidden)]
pub mod macros;
mod output;
pub mod progress;
pub mod random;
mod tool;

pub use bindings::plugin::exports::hubcap::plugin::lifecycle::Status;
pub use bindings::plugin::hubcap::plugin::provider_types::{
    Completion, Message, Model, Request, Role, StopReason, Usage,
};
pub use bindings::plugin::hubcap::plugin::tool_types::{Annotations, Content, Tool, ToolOutput as Output};
pub use bindings::plugin::hubcap::plugin::types::{Context, Severity, Span};
pub use bindings::plugin::hubcap::plugin::validator_types::{Artifact, Finding, Fix, Options, Report, Rule};
pub use error::{Code, Error};
pub use exports::{Plugin, Providers, Tools, Validators};
pub use found::Found;
pub use hubcap_sdk_macros::{model, plugin, rule, tool, tools};
pub use schemars;
pub use serde_json::json;

/// Parses the arguments of a call. The host has checked them against the tool's schema, so this
/// fails only where the type asks for more than the schema does.
///
/// # Errors
/// [`Code::InvalidArguments`] with the path and the reason.
pub fn arguments<'a, T: serde::Deserialize<'a>>(arguments: &'a str) -> Result<T, Error> {
    json_text::read(arguments)
        .map_err(|what| Error::invalid_arguments(format!("the arguments do not fit {what}")))
}

/// Registers a plugin: its type, then the kinds that it implements.
///
/// ```ignore
/// hubcap_sdk::export!(Detector: tools, validators);
/// ```
///
/// It exports something only for WebAssembly: elsewhere, as in unit tests, it is nothing.
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($kind:ident),+ $(,)?) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::plugin::export_plugin!($plugin with_types_in $crate::bindings::plugin);
        $($crate::__export_kind!($plugin $kind);)+
    };
}

/// One kind of [`export!`]; a name that is no kind gets a message that lists them.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_kind {
    ($plugin:ident tools) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::tools::export_tools!($plugin with_types_in $crate::bindings::tools);
    };
    ($plugin:ident validators) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::validators::export_validators!($plugin with_types_in $crate::bindings::validators);
    };
    ($plugin:ident providers) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::providers::export_providers!($plugin with_types_in $crate::bindings::providers);
    };
    ($plugin:ident $other:ident) => {
        compile_error!(concat!("`", stringify!($other), "` is no kind: use tools, validators or providers"));
    };
}
