//! `cargo test --release --features adversarial --test cases` runs the tests of the adversarial cases and
//! prints a table: what each case injects, what has to come of it, and what the tests saw. With cases after
//! `--`, as in `-- C13 F05`, it is these alone.
//!
//! Invariant: what stands in the table as observed was printed by a test of that row in this very run; a test
//! that failed or did not run, and a row that nobody saw anything of, fail the command.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command: the table is its output")]

mod output;
mod rows;
mod run;
mod table;

use std::collections::BTreeSet;
use std::process::ExitCode;

use rows::Row;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let all = rows::rows();
    if let Some(unknown) = wanted.iter().find(|case| all.iter().all(|row| row.case != **case)) {
        eprintln!("there is no case {unknown:?}");
        return ExitCode::from(2);
    }
    let chosen: Vec<&Row> = all
        .iter()
        .copied()
        .filter(|row| wanted.is_empty() || wanted.iter().any(|case| case == row.case))
        .collect();
    let tests: BTreeSet<&str> = chosen.iter().flat_map(|row| row.tests).copied().collect();
    eprintln!("{} cases, {} tests: cargo builds and runs them", chosen.len(), tests.len());
    match run::run(&tests) {
        Ok(results) => table::report(&all, &chosen, &results),
        Err(error) => {
            eprintln!("the tests cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}
