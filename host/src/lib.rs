//! hubcap: a plugin host for AI agents. Every integration is a WebAssembly component, every call goes
//! through one hub, inside a budget.
//!
//! The modules, from the bottom up; a module uses only those above it in this list.

#[cfg(test)]
mod observed;

pub mod model;

pub mod error;

pub mod outcome;

pub mod directory;
pub mod origin;
pub mod program;
mod schema;
pub mod toml_file;
pub mod units;

pub mod manifest;
pub mod supervisor;
pub mod telemetry;
pub mod trust;

pub mod lock;

pub mod config;
pub mod home;

pub mod policy;

pub mod secrets;

pub mod engine;

mod bindings;

pub mod audit;
pub mod state;

mod imports;

pub mod sandbox;

pub mod plugin;

pub mod hub;

pub mod mcp;

pub mod cli;

#[doc(hidden)]
pub mod fuzzing;
