//! `hubcap_validate`: what the loaded validators find in a text, or in a file that the operator lets the
//! hub read.
//!
//! Invariant: a validator that fails costs the others nothing, and a file outside of the operator's
//! directories is never opened.

use std::sync::Arc;

use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::error::{Blame, CallError, Code};
use crate::hub::Hub;
use crate::hub::builtin::{Builtin, VALIDATE, builtin, wrong};
use crate::hub::readable::Text;
use crate::model::{
    Artifact, Call, Finding, PluginId, Receipt, Report, ToolCall, ToolOutput, Validation, ValidationOptions,
    text,
};
use crate::outcome::Outcome;
use crate::plugin::{Kind, within_result_limit};

/// The tool. Where it `reads`, a path alone is enough.
pub(super) fn tool(reads: bool) -> Builtin {
    let (path, required) = match reads {
        true => (
            "The file that is read and judged. Where `text` is there too, only a name that tells the language.",
            json!([]),
        ),
        false => {
            ("Where it is from or goes to: tells the language. Nothing is read from there.", json!(["text"]))
        }
    };
    let input = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What is judged, such as a source file." },
            "path": { "type": "string", "description": path },
            "language": { "type": "string", "description": "Its language in lower case, where the path does not tell." },
            "validators": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 64, "uniqueItems": true, "description": "Ids of validators; all where absent." },
            "min_confidence": { "type": "number", "minimum": 0, "maximum": 1, "description": "Findings that are less sure are left out." },
        },
        "required": required,
        "additionalProperties": false,
    });
    let what = if reads { "text or a file" } else { "text" };
    let description = format!(
        "Has a {what} judged by the loaded validators, such as code that you wrote, before it lands. \
         Returns findings with rule, severity, line, column and what to do."
    );
    builtin(Kind::Validators, VALIDATE, "Validate", &description, input)
}

/// Its arguments.
#[derive(Deserialize)]
pub(super) struct Validate {
    text: Option<String>,
    path: Option<String>,
    language: Option<String>,
    validators: Option<Vec<String>>,
    #[serde(default)]
    min_confidence: f32,
}

impl Hub {
    pub(super) async fn validate_all(&self, call: &Call<ToolCall>, asked: Validate) -> Outcome<ToolOutput> {
        let ids = match self.validators(asked.validators.as_deref()).await {
            Ok(ids) => ids,
            Err(error) => return Outcome::refused(error),
        };
        let options = ValidationOptions { rules: Vec::new(), min_confidence: asked.min_confidence };
        let artifact = match self.artifact(asked, &call.cancel).await {
            Ok(artifact) => Arc::new(artifact),
            Err(error) => return Outcome::refused(error),
        };
        let outcomes = join_all(ids.iter().map(|id| {
            let work = Validation {
                validator: id.clone(),
                artifact: Arc::clone(&artifact),
                options: options.clone(),
            };
            self.call(call.with(work))
        }))
        .await;
        together(&artifact.text, ids.into_iter().zip(outcomes))
    }

    /// What is judged: the text that was sent, else the file that was named.
    async fn artifact(&self, asked: Validate, cancel: &CancellationToken) -> Result<Artifact, CallError> {
        let Validate { text, path, language, .. } = asked;
        let path = match (text, path) {
            (Some(text), path) => return Ok(Artifact { text, path, language }),
            (None, Some(path)) => path,
            (None, None) => {
                return Err(wrong("there is nothing to judge: give `text`, or the `path` of a file".into()));
            }
        };
        let Text { path, text } = self.readable.text(path, cancel).await?;
        Ok(Artifact { text, path: Some(path), language })
    }

    /// The validators that were asked for, or all.
    async fn validators(&self, asked: Option<&[String]>) -> Result<Vec<PluginId>, CallError> {
        let loaded = self.plugins(Kind::Validators).await;
        if loaded.is_empty() {
            // Nothing found by nobody would look like praise.
            return Err(CallError::new(
                Code::Unavailable,
                Blame::Host,
                "no validator is loaded: nothing was judged",
            ));
        }
        let Some(asked) = asked else {
            return Ok(loaded.iter().map(|plugin| plugin.id.clone()).collect());
        };
        asked
            .iter()
            .map(|id| PluginId::new(id).ok_or_else(|| wrong(format!("{id:?} is no plugin id"))))
            .collect()
    }
}

/// The findings of all validators in one result. One that failed is named and costs the others nothing;
/// only where all failed does the call.
fn together(judged: &str, ended: impl Iterator<Item = (PluginId, Outcome<Report>)>) -> Outcome<ToolOutput> {
    let (mut findings, mut failed, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut last, mut answered, mut left_out) = (None, 0, 0_u64);
    for (id, outcome) in ended {
        receipts.extend(outcome.receipt);
        match outcome.result {
            Ok(report) => {
                answered += 1;
                left_out = left_out.saturating_add(report.left_out);
                let mut positions = text::Positions::of(judged);
                findings.extend(report.findings.iter().map(|finding| shown(&id, finding, &mut positions)));
            }
            Err(error) => {
                failed.push(json!({ "validator": id, "error": error.to_string() }));
                last = Some(error);
            }
        }
    }
    let receipt = Receipt::sum(VALIDATE, receipts);
    match last {
        Some(error) if answered == 0 => Outcome { result: Err(error), receipt },
        _ => {
            let structured = json!({
                "findings": findings, "findings_left_out": left_out,
                "validators": answered, "failed": failed,
            });
            // Each report is bounded; all of them together are one result.
            let bytes = within_result_limit(structured.to_string().len());
            let receipt =
                receipt.map(|receipt| Receipt { result_bytes: *bytes.as_ref().unwrap_or(&0), ..receipt });
            let output = ToolOutput { content: Vec::new(), structured: Some(structured) };
            Outcome { result: bytes.map(|_| output), receipt }
        }
    }
}

fn shown(validator: &PluginId, finding: &Finding, positions: &mut text::Positions<'_>) -> Value {
    let (line, column) = positions.at(finding.span.start);
    json!({
        "validator": validator, "rule": finding.rule, "severity": finding.severity,
        "line": line, "column": column, "message": finding.message,
        "span": finding.span, "confidence": finding.exact_confidence(), "fix": finding.fix,
    })
}
