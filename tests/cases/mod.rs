//! The table of the adversarial cases, as far as the sources show whether it is whole. `main.rs` beside this
//! file is the command that runs its tests and prints it.
//!
//! Invariant: a row that names what is not there, and a test in a namespace that no row names, fail the build.

mod rows;

use std::fs;

use crate::support::guests::root;
use crate::support::sources::{file_of, rust_files};
use rows::{Row, rows};

/// Characters of a cell.
const LONGEST: usize = 160;

/// The files that the tests of a row are in, without the spaces by which lines are broken.
fn files(row: &Row) -> Vec<String> {
    let file = |test: &&str| {
        let file = file_of(test).unwrap_or_else(|| panic!("{}: there is no test {test}", row.case));
        fs::read_to_string(file).unwrap().replace(char::is_whitespace, "")
    };
    row.tests.iter().map(file).collect()
}

#[test]
fn each_case_has_one_row_of_tests_that_are_there_and_say_what_they_saw_of_it() {
    let rows = rows();
    assert!(rows.len() > 40, "{}", rows.len());
    for (row, next) in rows.iter().zip(&rows[1..]) {
        assert!(row.case < next.case, "{} has two rows", row.case);
    }
    for row in rows {
        let said = format!("observed(\"{}\"", row.case);
        assert!(files(row).iter().any(|file| file.contains(&said)), "no test of {} has {said}", row.case);
        for cell in [row.injected, row.expected] {
            let is_plain = !cell.is_empty() && !cell.contains(['|', '\n']);
            assert!(is_plain && cell.chars().count() <= LONGEST, "{}: {cell}", row.case);
        }
    }
}

#[test]
fn the_command_is_named_to_people_and_run_by_the_check() {
    let command = "cargo test --release --features adversarial --test cases";
    for file in ["README.md", ".ci/run", "tests/cases/main.rs"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(command), "{file} does not have `{command}`");
    }
}

#[test]
fn every_test_in_a_namespace_belongs_to_a_case() {
    let rows = rows();
    let folder = root().join("tests/adversarial");
    let mut found = 0;
    for file in rust_files(&folder) {
        let module = file.file_stem().unwrap().to_str().unwrap();
        let source = fs::read_to_string(&file).unwrap();
        for name in source.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next()) {
            let test = format!("adversarial::{module}::{name}");
            assert!(rows.iter().any(|row| row.tests.contains(&test.as_str())), "no row names {test}");
            found += 1;
        }
    }
    assert!(found > 0, "no test in {}", folder.display());
}
