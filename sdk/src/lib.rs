//! What a plugin author depends on.
//!
//! A typed function with a doc comment is a tool, and one line registers it:
//!
//! ```
//! /// Greets somebody by name.
//! #[hubcap_sdk::tool(pure)]
//! fn greet(
//!     /// Who is greeted.
//!     name: String,
//!     /// How often; once where absent.
//!     times: Option<u32>,
//! ) -> String {
//!     let greetings = (0..times.unwrap_or(1)).map(|_| format!("Hello, {name}!"));
//!     greetings.collect::<Vec<_>>().join(" ")
//! }
//!
//! hubcap_sdk::plugin!(tools: [greet]);
//!
//! // It is still a function, so a test calls it.
//! assert_eq!(greet("Ada".into(), Some(2)), "Hello, Ada! Hello, Ada!");
//! ```
//!
//! `hubcap plugin build DIR` compiles the crate for `wasm32-wasip2` and embeds its `plugin.toml`.
//!
//! # The kinds
//! | kind | by function | by trait |
//! | --- | --- | --- |
//! | tools | [`#[tool]`](macro@tool), [`#[tools]`](macro@tools) | [`Tools`] |
//! | validators | [`#[rule]`](macro@rule) | [`Validators`] |
//! | providers | [`#[model]`](macro@model) | [`Providers`] |
//!
//! [`plugin!`] registers functions, and types beside them; it is a layer over the traits and [`export!`],
//! which stay open to whoever needs more.
//!
//! # What a plugin can reach
//! | module | what | granted by |
//! | --- | --- | --- |
//! | [`config`] | the operator's configuration as a type | always there, may be empty |
//! | [`log`] | lines for the operator | always there |
//! | [`progress`] | news for the caller | always there |
//! | [`kv`] | state that outlives a call | `kv`, in bytes |
//! | [`files`] | directories of the operator's choice, through [`std::fs`] | `files.<name>` |
//! | [`random`] | random numbers | always there, 1 MiB in a call |
//! | [`http`] | requests to other hosts | `http`, origin by origin |
//! | [`secrets`] | secrets that the plugin itself has to see | `secrets.<name>` with `reveal = true` |
//! | [`handle`] | several programs or calls at once | what starts them asks the grants |
//!
//! Time needs no module: on `wasm32-wasip2` the standard library has it. [`std::time::Instant`] and
//! [`std::time::SystemTime`] read the clocks, [`std::thread::sleep`] waits. All of it is always there; a
//! sleep counts against the call's deadline, and a plugin that is still asleep then is ended with the code
//! `deadline`. [`std::fs`] works in the directories that are granted ([`files`]). Threads and environment
//! are not there: what the standard library offers for them fails or is empty. A plugin that opens sockets
//! is refused when it is loaded, because it imports what no host offers.
//!
//! Invariant: nothing here keeps state between calls, because every call has an instance of its own.

pub mod bindings;
pub mod config;
mod error;
mod exports;
pub mod files;
mod found;
pub mod handle;
pub mod http;
mod json_text;
pub mod kv;
pub mod log;
#[doc(hidden)]
pub mod macros;
mod output;
pub mod progress;
pub mod random;
pub mod secrets;
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
pub use schemars;
pub use serde_json::json;

#[doc = include_str!("../docs/model.md")]
pub use hubcap_sdk_macros::model;
#[doc = include_str!("../docs/plugin.md")]
pub use hubcap_sdk_macros::plugin;
#[doc = include_str!("../docs/rule.md")]
pub use hubcap_sdk_macros::rule;
#[doc = include_str!("../docs/tool.md")]
pub use hubcap_sdk_macros::tool;
#[doc = include_str!("../docs/tools.md")]
pub use hubcap_sdk_macros::tools;

/// Parses the arguments of a call. The host has checked them against the tool's schema, so this
/// fails only where the type asks for more than the schema does.
///
/// # Errors
/// [`Code::InvalidArguments`] with the path and the reason.
pub fn arguments<'a, T: serde::Deserialize<'a>>(arguments: &'a str) -> Result<T, Error> {
    json_text::read(arguments)
        .map_err(|what| Error::invalid_arguments(format!("the arguments do not fit {what}")))
}

/// Registers a type that implements [`Plugin`] and at least one kind: the layer under [`plugin!`].
///
/// ```
/// use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools, json};
///
/// struct Hello;
///
/// impl Plugin for Hello {}
///
/// impl Tools for Hello {
///     fn list_tools() -> Result<Vec<Tool>, Error> {
///         let schema = json!({ "type": "object", "additionalProperties": false });
///         Ok(vec![Tool::new("greet", "Greets the world.", &schema)])
///     }
///
///     fn call_tool(name: &str, _arguments: &str, _context: Context) -> Result<Output, Error> {
///         match name {
///             "greet" => Ok(Output::text("Hello, world!")),
///             other => Err(Error::unknown_tool(other)),
///         }
///     }
/// }
///
/// hubcap_sdk::export!(Hello: tools);
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
