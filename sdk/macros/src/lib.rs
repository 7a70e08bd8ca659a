//! The macros of `hubcap-sdk`, which re-exports and explains them. Depend on that crate, not on this one.
//!
//! Invariant: a macro either expands to code that compiles, or says at the place of the mistake what
//! to change; after a mistake the item itself stays, so that one mistake gives one message.

mod doc;
mod keys;
mod model;
mod name;
mod plugin;
mod returned;
mod rule;
mod signature;
mod tool;
mod tool_set;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a tool of a function: see `hubcap_sdk::tool`.
#[proc_macro_attribute]
pub fn tool(keys: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(keys.into(), parse_macro_input!(item)).into()
}

/// Makes tools of the marked functions of a type: see `hubcap_sdk::tools`.
#[proc_macro_attribute]
pub fn tools(keys: TokenStream, item: TokenStream) -> TokenStream {
    tool_set::expand(keys.into(), parse_macro_input!(item)).into()
}

/// Makes a rule of a validator of a function: see `hubcap_sdk::rule`.
#[proc_macro_attribute]
pub fn rule(keys: TokenStream, item: TokenStream) -> TokenStream {
    rule::expand(keys.into(), parse_macro_input!(item)).into()
}

/// Makes a model of a provider of a function: see `hubcap_sdk::model`.
#[proc_macro_attribute]
pub fn model(keys: TokenStream, item: TokenStream) -> TokenStream {
    model::expand(keys.into(), parse_macro_input!(item)).into()
}

/// Registers a plugin: see `hubcap_sdk::plugin`.
#[proc_macro]
pub fn plugin(registration: TokenStream) -> TokenStream {
    plugin::expand(parse_macro_input!(registration)).into()
}
