//! The placeholder detector: its lexers, parsers and rules, as a validator and as a tool.

use std::ops::Range;

use fuzz_detector::{Detector, call};
use hubcap::model::text::Positions;
use hubcap_sdk::{Artifact, Context, Finding, Options, Output, Report, Span, Validators, json};
use serde_json::Value;

/// The first line is the path, which tells the language; the rest is judged.
pub(crate) fn run(data: &[u8]) {
    let input = crate::lossy(data);
    let (path, text) = input.split_once('\n').unwrap_or(("a.rs", &input));
    let report = validated(path, text);
    for finding in &report.findings {
        sound(text, finding);
    }
    let starts: Vec<u32> = report.findings.iter().map(|finding| finding.span.start).collect();
    assert!(starts.is_sorted());
    mended(path, text, &report);
    scanned(path, text, &report);
}

fn validated(path: &str, text: &str) -> Report {
    let artifact =
        Artifact { text: text.to_owned(), path: Some(path.to_owned()), language: None, meta: Vec::new() };
    let options = Options { rules: Vec::new(), min_confidence: 0.0, meta: Vec::new() };
    let context = Context { call_id: String::new(), deadline_ms: 0, depth: 0, meta: Vec::new() };
    let report = Detector::validate(artifact, options, context);
    report.unwrap_or_else(|error| panic!("a text made it fail: {}", error.message()))
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

fn sound(text: &str, finding: &Finding) {
    let span = range(finding.span);
    let found = text.get(span.clone()).unwrap_or_else(|| panic!("{}: {span:?} is no part", finding.rule));
    assert!(!found.is_empty() && !finding.message.is_empty());
    assert!((0.0..=1.0).contains(&finding.confidence));
    assert!(Detector::rules().unwrap().iter().any(|rule| rule.id == finding.rule));
}

/// Fixes are parts of the text that do not overlap, and what they leave can be judged again.
fn mended(path: &str, text: &str, report: &Report) {
    let fixes: Vec<_> = report.findings.iter().filter_map(|finding| finding.fix.as_ref()).collect();
    let mut left = text.to_owned();
    let mut before = text.len();
    for fix in fixes.iter().rev() {
        let span = range(fix.span);
        assert!(span.end <= before && text.get(span.clone()).is_some(), "{span:?}, then {before}");
        before = span.start;
        left.replace_range(span, &fix.replacement);
    }
    if !fixes.is_empty() {
        validated(path, &left).findings.iter().for_each(|finding| sound(&left, finding));
    }
}

/// The tool says the same, with lines and columns.
fn scanned(path: &str, text: &str, report: &Report) {
    let arguments = json!({ "text": text, "path": path }).to_string();
    let output = call("scan", &arguments, &|_, _, _| {});
    let Output { structured, .. } = output.unwrap_or_else(|error| panic!("{}", error.message()));
    let answer: Value = serde_json::from_str(&structured.unwrap()).unwrap();
    let listed = answer["findings"].as_array().unwrap();
    let truncated = answer["summary"]["truncated"].as_bool().unwrap();
    assert!(truncated || listed.len() == report.findings.len());
    let mut positions = Positions::of(text);
    for (listed, finding) in listed.iter().zip(&report.findings) {
        let (line, column) = positions.at(finding.span.start as usize);
        let place = json!({ "start": finding.span.start, "end": finding.span.end });
        assert_eq!((&listed["line"], &listed["column"]), (&line.into(), &column.into()), "{listed}");
        assert_eq!((&listed["span"], &listed["rule"]), (&place, &finding.rule.as_str().into()));
        assert!(listed["excerpt"].as_str().unwrap().chars().count() <= 202, "{listed}");
    }
}
