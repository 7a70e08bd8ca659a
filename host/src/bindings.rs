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
                import hubcap:plugin/log@1.0.0;
                import hubcap:plugin/progress@1.0.0;
                import hubcap:plugin/kv@1.0.0;
                import hubcap:plugin/secrets@1.0.0;
                import hubcap:plugin/hub@1.0.0;
                import hubcap:plugin/process@1.0.0;
                export hubcap:plugin/lifecycle@1.0.0;
            }
        ",
        world: "hubcap:host/base",
        imports: {
            "hubcap:plugin/kv@1.0.0": async,
            "hubcap:plugin/process@1.0.0": async | trappable,
            "hubcap:plugin/hub@1.0.0": trappable,
            "hubcap:plugin/hub@1.0.0.callees": async | trappable,
            "hubcap:plugin/hub@1.0.0.[static]pending.finish": async | trappable,
            "hubcap:plugin/hub@1.0.0.[drop]pending": trappable,
        },
        exports: { default: async },
        with: { "wasi:io": wasmtime_wasi::p2::bindings::io },
    });
}

macro_rules! kind {
    ($module:ident, $world:literal, $interface:literal, $types:ident) => {
        #[doc = concat!("World `", $world, "`.")]
        mod $module {
            wasmtime::component::bindgen!({
                path: "wit/plugin",
                world: $world,
                exports: { default: async },
                with: {
                    "hubcap:plugin/types": super::base::hubcap::plugin::types,
                    $interface: super::base::hubcap::plugin::$types,
                },
            });
        }
    };
}

kind!(tools_kind, "hubcap:plugin/tools-kind", "hubcap:plugin/tool-types", tool_types);
kind!(validators_kind, "hubcap:plugin/validators-kind", "hubcap:plugin/validator-types", validator_types);
kind!(providers_kind, "hubcap:plugin/providers-kind", "hubcap:plugin/provider-types", provider_types);

pub(crate) use base::BaseIndices;
pub(crate) use base::hubcap::plugin::types::{Context, Error, Severity, Span};
pub(crate) use base::hubcap::plugin::{hub, kv, log, process, progress, secrets};
pub(crate) use base::hubcap::plugin::{provider_types, tool_types, validator_types};
pub(crate) use providers_kind::ProvidersKindIndices;
pub(crate) use tools_kind::ToolsKindIndices;
pub(crate) use validators_kind::ValidatorsKindIndices;

/// Name of the interface that every plugin exports.
pub(crate) const LIFECYCLE: &str = "hubcap:plugin/lifecycle@1.0.0";

/// The interface of the kind `tools`.
pub(crate) const TOOLS: &str = "hubcap:plugin/tools@1.0.0";
/// The interface of the kind `validators`.
pub(crate) const VALIDATORS: &str = "hubcap:plugin/validators@1.0.0";
/// The interface of the kind `providers`.
pub(crate) const PROVIDERS: &str = "hubcap:plugin/providers@1.0.0";
