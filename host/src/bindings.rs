//! The WIT as Rust: one module per world, over one set of types.
//!
//! Invariant: no other file names a generated item by its WIT path, so that a second version of the
//! package can stand beside this one and be adapted here.

/// What every plugin exports and what the hub always offers it.
mod base {
    wasmtime::component::bindgen!({
        path: "wit/plugin",
        inline: "
            package hubcap:host;
            world base {
                import hubcap:plugin/log@0.1.0;
                import hubcap:plugin/progress@0.1.0;
                export hubcap:plugin/lifecycle@0.1.0;
            }
        ",
        world: "hubcap:host/base",
        exports: { default: async },
    });
}

/// The kind `tools`.
mod tools_kind {
    wasmtime::component::bindgen!({
        path: "wit/plugin",
        world: "hubcap:plugin/tools-kind",
        exports: { default: async },
        with: { "hubcap:plugin/types": super::base::hubcap::plugin::types },
    });
}

pub(crate) use base::BaseIndices;
pub(crate) use base::hubcap::plugin::types::{Context, Error};
pub(crate) use base::hubcap::plugin::{log, progress};
pub(crate) use tools_kind::hubcap::plugin::tool_types;
pub(crate) use tools_kind::{ToolsKind, ToolsKindIndices};

/// Name of the interface that every plugin exports.
pub(crate) const LIFECYCLE: &str = "hubcap:plugin/lifecycle@0.1.0";

/// The kinds and the interface that each exports.
pub(crate) const KINDS: [(&str, &str); 3] = [
    ("tools", "hubcap:plugin/tools@0.1.0"),
    ("validators", "hubcap:plugin/validators@0.1.0"),
    ("providers", "hubcap:plugin/providers@0.1.0"),
];
