//! The targets of fuzzing: each is fed bytes and asserts what has to hold for whatever they are.
//!
//! Invariant: a panic is a finding, and nothing else is; the same bytes have the same end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a check that does not hold is a finding, and a target that cannot start finds nothing"
)]

mod address;
mod component;
mod config;
mod definition;
mod detector;
mod generate;
mod manifest;
mod shape;
mod text;
mod transport;

/// One thing that is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of its wrapper in `fuzz_targets` and of its folder in `seeds`.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    Target { name: "address", run: address::run },
    Target { name: "component", run: component::run },
    Target { name: "config", run: config::run },
    Target { name: "definition", run: definition::run },
    Target { name: "detector", run: detector::run },
    Target { name: "manifest", run: manifest::run },
    Target { name: "shape", run: shape::run },
    Target { name: "text", run: text::run },
    Target { name: "transport", run: transport::run },
];

/// Feeds the target of this name.
pub fn feed(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target {name:?}")).run)(data);
}

/// The bytes as text, whatever they are.
fn lossy(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
