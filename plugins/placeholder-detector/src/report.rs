//! What `scan` answers: data for programs, and a short text for readers.
//!
//! Invariant: the answer fits into a result. What does not fit is counted, and the summary says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::finding::Found;
use crate::scan::Source;
use crate::text::{Positions, excerpt};

/// Most findings in one answer.
pub(crate) const FINDINGS_MAX: usize = 1_000;

/// Room for the findings, in bytes. A result has at most 1 MiB in all, with the text beside the data.
const FINDINGS_BYTES: usize = 768 * 1024;

/// What a finding needs beside its excerpt and its path, at most, in bytes.
const FINDING_BYTES: usize = 512;

/// Most lines of the text.
const TEXT_LINES: usize = 50;

/// The answer of `scan`.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    findings: Vec<Finding<'a>>,
    summary: Summary,
    #[serde(skip)]
    room: usize,
}

/// A finding as it is answered.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    rule: &'static str,
    severity: &'static str,
    confidence: f64,
    span: Span,
    line: usize,
    column: usize,
    message: &'static str,
    excerpt: String,
}

/// Byte offsets, half-open.
#[derive(Debug, Serialize)]
struct Span {
    start: usize,
    end: usize,
}

/// Numbers over all texts.
#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    lines: usize,
    findings: usize,
    by_rule: BTreeMap<&'static str, usize>,
    truncated: bool,
}

impl<'a> Report<'a> {
    /// An answer without anything yet.
    pub(crate) fn new() -> Self {
        Self { findings: Vec::new(), summary: Summary::default(), room: FINDINGS_BYTES }
    }

    /// Takes a text and what was found in it, in order.
    pub(crate) fn add(&mut self, source: &Source<'a>, found: &[Found]) {
        self.summary.files += 1;
        self.summary.lines += source.text.lines().count();
        self.summary.findings += found.len();
        let mut positions = Positions::new(source.text);
        for one in found {
            let rule = one.rule.rule().name;
            *self.summary.by_rule.entry(rule).or_default() += 1;
            if self.findings.len() < FINDINGS_MAX && !self.summary.truncated {
                self.push(source, one, positions.at(one.start));
            } else {
                self.summary.truncated = true;
            }
        }
    }

    fn push(&mut self, source: &Source<'a>, found: &Found, (line, column): (usize, usize)) {
        let excerpt = excerpt(source.text, found.start);
        // Twice, because JSON escapes quotes and backslashes.
        let size = 2 * (excerpt.len() + source.path.map_or(0, str::len)) + FINDING_BYTES;
        let Some(room) = self.room.checked_sub(size) else {
            self.summary.truncated = true;
            return;
        };
        self.room = room;
        self.findings.push(Finding {
            path: source.path,
            rule: found.rule.rule().name,
            severity: found.severity.as_str(),
            confidence: found.confidence.as_f64(),
            span: Span { start: found.start, end: found.end },
            line,
            column,
            message: found.message,
            excerpt,
        });
    }

    /// The text for readers: one line that sums up, then one for each finding.
    pub(crate) fn to_text(&self) -> String {
        let Summary { files, lines, findings, truncated, .. } = &self.summary;
        let mut text = format!(
            "{} in {} ({})",
            count(*findings, "finding"),
            count(*files, "file"),
            count(*lines, "line")
        );
        for finding in self.findings.iter().take(TEXT_LINES) {
            let Finding { path, line, column, severity, rule, message, .. } = finding;
            let path = path.unwrap_or("text");
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{path}:{line}:{column} {severity} {rule} {message}");
        }
        let more = findings.saturating_sub(TEXT_LINES);
        if more > 0 {
            let _ = write!(text, "\nand {more} more");
        }
        if *truncated {
            let _ =
                write!(text, "; only the first {} are in the data: scan fewer files", self.findings.len());
        }
        text
    }
}

fn count(number: usize, name: &str) -> String {
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}
