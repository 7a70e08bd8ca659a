//! The table, and whatever is wrong with it.
//!
//! Invariant: a cell of the table is one line without a bar of its own.

use std::collections::BTreeSet;
use std::process::ExitCode;

use crate::output::Results;
use crate::rows::Row;

/// Characters of an observation.
const LONGEST: usize = 120;

/// Prints the rows that were chosen out of all, and fails where something is wrong.
pub(crate) fn report(all: &[&Row], chosen: &[&Row], results: &Results) -> ExitCode {
    let tests: BTreeSet<&str> = chosen.iter().flat_map(|row| row.tests).copied().collect();
    let failed: Vec<&str> = tests.iter().copied().filter(|test| results.end(test) != Some("ok")).collect();
    for test in &failed {
        eprintln!("\n---- {test}: {} ----\n{}", end(results, test), results.output(test));
    }
    println!("| case | injected | expected | observed | tests |\n| --- | --- | --- | --- | --- |");
    chosen.iter().for_each(|row| println!("{}", line(row, results)));
    println!("\n{} cases, {} tests, {} failed", chosen.len(), tests.len(), failed.len());
    let faults = faults(all, chosen, results);
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if failed.is_empty() && faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn end<'a>(results: &'a Results, test: &str) -> &'a str {
    results.end(test).unwrap_or("did not run")
}

fn line(row: &Row, results: &Results) -> String {
    let mut observed: Vec<String> =
        seen(row, results).into_iter().map(|saw| saw.replace('|', "\\|")).collect();
    let failed = row.tests.iter().filter(|test| results.end(test) != Some("ok"));
    observed.extend(failed.map(|test| format!("**{test}: {}**", end(results, test))));
    let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
    let cells = [row.case, row.injected, row.expected, &observed.join("; "), &tests.join(" ")];
    format!("| {} |", cells.join(" | "))
}

/// What was seen of a row, in the order of its tests.
fn seen<'a>(row: &Row, results: &'a Results) -> Vec<&'a str> {
    let of = |test: &'static str| {
        results.observations().filter(move |(by, case, _)| *by == test && *case == row.case)
    };
    row.tests.iter().flat_map(|test| of(test)).map(|(_, _, saw)| saw).collect()
}

fn faults(all: &[&Row], chosen: &[&Row], results: &Results) -> Vec<String> {
    let silent = chosen.iter().filter(|row| seen(row, results).is_empty());
    let mut faults: Vec<String> =
        silent.map(|row| format!("{}: no test of it said what it saw", row.case)).collect();
    for (test, case, saw) in results.observations() {
        if !all.iter().any(|row| row.case == case && row.tests.contains(&test)) {
            faults.push(format!("{test} says what it saw of {case}, whose row does not name it"));
        }
        if saw.chars().count() > LONGEST {
            faults.push(format!("{test} says more than {LONGEST} characters of {case}: {saw}"));
        }
    }
    faults
}
