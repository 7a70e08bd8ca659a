//! The generated bindings, one module per world. Imports and shared types are generated once, in
//! [`plugin`]; the kinds refer to them, so that a value of one kind can go out through another.
#![allow(missing_docs, reason = "generated; the items carry the WIT's own words where it has any")]

/// World `plugin`: every import, the shared types and the export `lifecycle`.
pub mod plugin {
    wit_bindgen::generate!({
        path: "wit",
        world: "hubcap:plugin/plugin",
        pub_export_macro: true,
        export_macro_name: "export_plugin",
        default_bindings_module: "hubcap_sdk::bindings::plugin",
        type_section_suffix: "plugin",
        generate_all,
    });
}

macro_rules! kind {
    ($module:ident, $types:ident, $world:literal, $interface:literal, $export:literal, $bindings:literal) => {
        #[doc = concat!("World `", $world, "`: one export, over the types of [`plugin`](super::plugin).")]
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $bindings,
                type_section_suffix: $export,
                with: {
                    "hubcap:plugin/types@1.0.0": crate::bindings::plugin::hubcap::plugin::types,
                    $interface: crate::bindings::plugin::hubcap::plugin::$types,
                },
            });
        }
    };
}

kind!(
    tools,
    tool_types,
    "hubcap:plugin/tools-kind",
    "hubcap:plugin/tool-types@1.0.0",
    "export_tools",
    "hubcap_sdk::bindings::tools"
);
kind!(
    validators,
    validator_types,
    "hubcap:plugin/validators-kind",
    "hubcap:plugin/validator-types@1.0.0",
    "export_validators",
    "hubcap_sdk::bindings::validators"
);
kind!(
    providers,
    provider_types,
    "hubcap:plugin/providers-kind",
    "hubcap:plugin/provider-types@1.0.0",
    "export_providers",
    "hubcap_sdk::bindings::providers"
);
