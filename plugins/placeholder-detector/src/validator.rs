//! The kind `validators`: the same rules and the same scan as the tools have, for one text.
//!
//! Invariant: a report fits into a result. What does not fit is counted in its `meta`.

use hubcap_sdk::{Artifact, Error, Finding, Fix, Options, Report, Rule, Span};

use crate::arguments::{confidence, select};
use crate::finding::{Deletion, Found, Severity};
use crate::report::FINDINGS_MAX;
use crate::rules::RULES;
use crate::scan::{Scanner, Source};

/// Name in a report's `meta`: how many findings did not fit.
const LEFT_OUT: &str = "findings-left-out";

/// Least difference between two confidences: what is smaller is noise of a number in 32 bits.
const STEPS: f64 = 10_000.0;

/// The rules.
pub(crate) fn rules() -> Vec<Rule> {
    let rule = |rule: &crate::rules::Rule| Rule {
        id: rule.name.to_owned(),
        title: rule.title.to_owned(),
        description: rule.description.to_owned(),
        severity: severity(rule.severity),
        meta: Vec::new(),
    };
    RULES.iter().map(rule).collect()
}

/// Judges one text.
///
/// # Errors
/// `invalid-arguments`, for an option that means nothing.
pub(crate) fn validate(artifact: &Artifact, options: &Options) -> Result<Report, Error> {
    let least = confidence((f64::from(options.min_confidence) * STEPS).round() / STEPS)?;
    let scanner = Scanner::new(select(&options.rules)?, least);
    let source = Source {
        text: &artifact.text,
        path: artifact.path.as_deref(),
        language: artifact.language.as_deref(),
    };
    let found = scanner.scan(&source);
    let left_out = found.len().saturating_sub(FINDINGS_MAX);
    let counted = (left_out > 0).then(|| (LEFT_OUT.to_owned(), left_out.to_string()));
    Ok(Report {
        findings: found.iter().take(FINDINGS_MAX).map(finding).collect(),
        meta: counted.into_iter().collect(),
    })
}

fn finding(found: &Found) -> Finding {
    Finding {
        rule: found.rule.rule().name.to_owned(),
        severity: severity(found.severity),
        message: found.message.to_owned(),
        span: span(found.start, found.end),
        confidence: found.confidence.as_f64() as f32,
        fix: found.fix.map(fix),
        meta: Vec::new(),
    }
}

fn fix(deletion: Deletion) -> Fix {
    Fix { span: span(deletion.start, deletion.end), replacement: String::new() }
}

/// A guest's memory is counted in 32 bits, so an offset in a text fits.
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

fn severity(severity: Severity) -> hubcap_sdk::Severity {
    match severity {
        Severity::Note => hubcap_sdk::Severity::Note,
        Severity::Warning => hubcap_sdk::Severity::Warning,
        Severity::Error => hubcap_sdk::Severity::Error,
    }
}

#[cfg(test)]
#[path = "tests/validator.rs"]
mod tests;
