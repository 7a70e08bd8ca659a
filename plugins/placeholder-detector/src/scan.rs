//! One text through all rules.
//!
//! Invariant: no text makes it fail, and the findings come by position, then by rule.

use crate::finding::Found;
use crate::fix;
use crate::language::{Code, Reading, read};
use crate::rules::{
    Comments, Regions, Selection, Surroundings, python_stubs, rust_stubs, script_stubs, script_tests,
};

/// A text to scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The text itself.
    pub(crate) text: &'a str,
    /// Where it is from; nothing is read there.
    pub(crate) path: Option<&'a str>,
    /// Its language, where the caller knows.
    pub(crate) language: Option<&'a str>,
}

/// Folders that hold tests.
const TEST_FOLDERS: [&str; 10] =
    ["tests", "test", "__tests__", "spec", "specs", "testdata", "fixtures", "__mocks__", "mocks", "e2e"];

/// How files end that only declare what others hold.
const DECLARATIONS: [&str; 4] = [".pyi", ".d.ts", ".d.mts", ".d.cts"];

/// Scans texts under the same wishes.
pub(crate) struct Scanner {
    comments: Comments,
    rules: Selection,
    min_confidence: f64,
}

impl Scanner {
    /// Looks for these rules, and leaves out findings below `min_confidence`.
    pub(crate) fn new(rules: Selection, min_confidence: f64) -> Self {
        Self { comments: Comments::new(), rules, min_confidence }
    }

    /// All findings in a text.
    pub(crate) fn scan(&self, source: &Source<'_>) -> Vec<Found> {
        let text = source.text;
        let mut reading = read(source.language, source.path, text);
        let mut regions = regions(&reading.code);
        if is_test_path(source.path) {
            regions.tests.clear();
            regions.tests.push(0..text.len());
        }
        reading.lexed.dots.retain(|dots| !regions.is_template(dots.start));
        let around = Surroundings { text, tests: &regions.tests, rules: self.rules };
        let mut report = self.comments.check(&reading.lexed, &around);
        fix::bare_markers(text, &reading.lexed, &mut report.found);
        report.found.extend(self.stubs(source, &reading, &regions, &report.evidence));
        let mut found = report.found;
        found.retain(|found| found.confidence.as_f64() >= self.min_confidence);
        found.sort_by_key(|found| (found.start, found.rule, found.end));
        found
    }

    /// What the rules for code find.
    fn stubs(
        &self,
        source: &Source<'_>,
        reading: &Reading<'_>,
        regions: &Regions,
        evidence: &[usize],
    ) -> Vec<Found> {
        let whole = is_test_path(source.path) || is_declaration(source.path);
        match &reading.code {
            Code::Rust(code) => rust_stubs(code, regions, evidence, self.rules),
            Code::Python(code) if !whole => python_stubs(code, evidence, self.rules),
            Code::Script(code) if !whole => script_stubs(code, &regions.tests, evidence, self.rules),
            Code::Python(_) | Code::Script(_) | Code::Unread => Vec::new(),
        }
    }
}

fn regions(code: &Code<'_>) -> Regions {
    match code {
        Code::Rust(code) => Regions::of(code),
        Code::Script(code) => Regions::of_tests(script_tests(code)),
        Code::Python(_) | Code::Unread => Regions::default(),
    }
}

/// Whether a path is that of a file with declarations only.
fn is_declaration(path: Option<&str>) -> bool {
    path.map(str::to_ascii_lowercase).is_some_and(|path| DECLARATIONS.iter().any(|end| path.ends_with(end)))
}

/// Whether a path is that of tests, by its folders or its name.
fn is_test_path(path: Option<&str>) -> bool {
    let Some(path) = path else { return false };
    let path = path.replace('\\', "/").to_ascii_lowercase();
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let named = stem == "tests" || stem == "test" || stem == "conftest" || stem.starts_with("test_");
    let ended = ["_test", "_tests", ".test", ".spec", "_spec"].iter().any(|end| stem.ends_with(end));
    named || ended || folders.split('/').any(|folder| TEST_FOLDERS.contains(&folder))
}

#[cfg(test)]
#[path = "tests/scan.rs"]
mod tests;
