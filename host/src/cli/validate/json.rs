//! Findings as one JSON document.
//!
//! Invariant: findings are written as they come, one on a line.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use crate::cli::validate::find::Source;
use crate::cli::validate::form::{Commas, Form, id};
use crate::cli::validate::judge::{Found, Validator, Verdict};
use crate::cli::validate::place::Region;
use crate::cli::validate::tally::Tally;
use crate::model::{Fix, PluginId, Severity, TextSpan};

/// The form for programs.
pub(super) struct Json {
    validators: Arc<[Validator]>,
    commas: Commas,
}

/// A finding as it is written.
#[derive(Serialize)]
struct Written<'a> {
    path: &'a str,
    #[serde(flatten)]
    region: Region,
    span: TextSpan,
    validator: &'a PluginId,
    rule: &'a str,
    severity: Severity,
    confidence: f32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a Fix>,
}

impl Json {
    pub(super) fn new(validators: Arc<[Validator]>) -> Self {
        Self { validators, commas: Commas::default() }
    }
}

impl Form for Json {
    fn start(&mut self) -> String {
        let validators: Vec<_> =
            self.validators.iter().map(|one| json!({ "id": one.id, "version": one.version })).collect();
        format!("{{\"validators\": {},\n\"findings\": [", json!(validators))
    }

    fn file(&mut self, source: &Source, verdict: &Verdict) -> String {
        let Self { validators, commas } = self;
        commas.join(verdict.findings.iter().map(|found| written(&source.shown, found, validators)))
    }

    fn end(&mut self, tally: &Tally) -> String {
        let skipped = Commas::default().join(&tally.skipped);
        let failed = Commas::default().join(&tally.failed);
        let (partial, summary) = (tally.partial, tally.summary());
        format!(
            "\n],\n\"skipped\": [{skipped}\n],\n\"failed\": [{failed}\n],\n\"partial\": {partial},\n\"summary\": {summary}}}\n"
        )
    }
}

fn written<'a>(path: &'a str, found: &'a Found, validators: &'a [Validator]) -> Written<'a> {
    let finding = &found.finding;
    Written {
        path,
        region: found.region,
        span: finding.span,
        validator: id(validators, found.validator),
        rule: &finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        fix: finding.fix.as_ref(),
    }
}
