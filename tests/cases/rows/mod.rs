//! The adversarial cases: what is done to hubcap, what has to come of it, and the tests that do it.
//!
//! Invariant: a row is data. Its tests say what they saw by `observed`, under the case of the row.

mod definitions;
mod dependencies;
mod files;
mod guests;
mod lifecycle;
mod limits;
mod metadata;
mod network;
mod operators;
mod outputs;
mod traps;

/// One case.
pub(crate) struct Row {
    /// Its number: a letter for who misbehaves, and two digits.
    pub(crate) case: &'static str,
    /// What is done.
    pub(crate) injected: &'static str,
    /// What has to come of it, as far as hubcap promises it.
    pub(crate) expected: &'static str,
    /// The tests that show it, by their whole names.
    pub(crate) tests: &'static [&'static str],
}

/// All rows, in the order of their cases.
pub(crate) fn rows() -> Vec<&'static Row> {
    let calls = [lifecycle::ROWS, limits::ROWS, traps::ROWS, outputs::ROWS, guests::ROWS];
    let told = [definitions::ROWS, metadata::ROWS];
    let others = [files::ROWS, network::ROWS, operators::ROWS, dependencies::ROWS];
    let parts = calls.into_iter().chain(told).chain(others);
    let mut rows: Vec<&Row> = parts.flatten().collect();
    rows.sort_by_key(|row| row.case);
    rows
}
