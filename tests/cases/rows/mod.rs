//! The adversarial cases: what is done to hubcap, what has to come of it, and the tests that do it.
//!
//! Invariant: a row is data. Its tests say what they saw by `observed`, under the case of the row.

mod calls;
mod clients;
mod definitions;
mod dependencies;
mod faults;
mod files;
mod guests;
mod lifecycle;
mod limits;
mod metadata;
mod network;
mod operators;
mod outputs;
mod programs;
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
    let guests = [lifecycle::ROWS, limits::ROWS, traps::ROWS, outputs::ROWS, guests::ROWS, calls::ROWS];
    let told = [definitions::ROWS, metadata::ROWS];
    let reached = [files::ROWS, network::ROWS, programs::ROWS];
    let others = [clients::ROWS, operators::ROWS, faults::ROWS, dependencies::ROWS];
    let parts = guests.into_iter().chain(told).chain(reached).chain(others);
    let mut rows: Vec<&Row> = parts.flatten().collect();
    rows.sort_by_key(|row| row.case);
    rows
}
