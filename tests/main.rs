//! The integration tests: the real binary over real pipes, and guests that do what no guest should.
//!
//! Invariant: one test binary, so that the guests are built once and all tests share one link; no test
//! sleeps to be in time, each waits for a condition with a deadline.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a test says while it runs")]

#[cfg(feature = "adversarial")]
mod adversarial;
mod approval;
mod approval_rules;
mod audit;
mod audit_grants;
mod audit_kills;
mod audit_operator;
mod authors;
mod bench;
mod cancelled;
mod capabilities;
mod cases;
mod cli;
mod client_calls;
mod client_ends;
mod client_faults;
mod client_floods;
mod client_lines;
mod client_reloads;
mod completeness;
mod consensus;
mod environment;
mod examples;
mod files;
mod files_bounds;
mod files_names;
mod files_special;
mod grants;
mod guest_limits;
mod guest_metadata;
mod guest_modules;
mod guest_output;
mod guest_traps;
mod guides;
mod guides_tables;
mod handles;
mod http;
mod http_ends;
mod http_redirects;
mod hub_bounds;
mod hub_calls;
mod inspect;
mod kills;
mod kinds;
mod limits;
mod mcp;
mod operator_clocks;
mod operator_faults;
mod operator_limits;
mod operator_places;
mod operator_surroundings;
mod plugin_check;
mod plugin_test;
mod process;
mod process_ends;
mod process_grants;
mod process_recursion;
mod process_streams;
mod promises;
mod providers;
mod replaced;
mod scaffold;
mod secrets;
mod shutdown;
mod signals;
mod state;
mod state_damage;
mod support;
mod trust;
mod trust_lints;
mod trust_signatures;
mod validate;
mod validate_forms;
