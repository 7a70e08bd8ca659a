//! What the test harness prints: how each test ended, and what it said.
//!
//! Invariant: a line belongs to the test whose block it is in.

use std::collections::BTreeMap;

/// What came of the tests.
#[derive(Default)]
pub(crate) struct Results {
    tests: BTreeMap<String, Told>,
    /// The test whose output is being read.
    block: Option<String>,
}

#[derive(Default)]
struct Told {
    end: String,
    output: Vec<String>,
}

impl Results {
    /// Takes the next line.
    pub(crate) fn take(&mut self, line: &str) {
        if let Some((test, end)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
            self.tests.entry(test.to_owned()).or_default().end = end.to_owned();
        } else if let Some(test) =
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.block = Some(test.to_owned());
        } else if matches!(line, "successes:" | "failures:") {
            self.block = None;
        } else if let Some(told) = self.block.as_ref().and_then(|test| self.tests.get_mut(test)) {
            told.output.push(line.to_owned());
        }
    }

    /// How a test ended, in the harness's own word; nothing where it did not.
    pub(crate) fn end(&self, test: &str) -> Option<&str> {
        self.tests.get(test).map(|told| told.end.as_str())
    }

    /// All that a test printed.
    pub(crate) fn output(&self, test: &str) -> String {
        self.tests.get(test).map_or_else(String::new, |told| told.output.join("\n"))
    }

    /// What tests saw: the test, the case, and the words.
    pub(crate) fn observations(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.tests.iter().flat_map(|(test, told)| {
            told.output
                .iter()
                .filter_map(|line| observation(line))
                .map(|(case, saw)| (test.as_str(), case, saw))
        })
    }
}

/// The case and the words of a line like `C13: 32 addresses denied`. A line like `P04: …` is about a promise.
fn observation(line: &str) -> Option<(&str, &str)> {
    let (case, saw) = line.split_once(": ")?;
    let mut letters = case.chars();
    let is_case = letters.next().is_some_and(|letter| letter.is_ascii_uppercase() && letter != 'P')
        && case.len() == 3
        && letters.all(|digit| digit.is_ascii_digit());
    is_case.then_some((case, saw))
}
