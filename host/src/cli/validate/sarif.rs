//! Findings as SARIF 2.1.0.
//!
//! Invariant: results are written as they come, one on a line; what they point at by index (validators,
//! rules, artifacts) has that index in the same document.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::sources::Skip;
use crate::cli::validate::find::Source;
use crate::cli::validate::form::{Commas, Form};
use crate::cli::validate::judge::{Found, Validator, Verdict};
use crate::cli::validate::place::Region;
use crate::cli::validate::tally::{Failed, Skipped, Tally};
use crate::cli::validate::uri::{self, Uri};
use crate::model::{Fix, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The directory that relative URIs start from: the name that consumers know.
const BASE: &str = "%SRCROOT%";

/// The form for code scanning and editors.
pub(super) struct Sarif {
    validators: Arc<[Validator]>,
    here: PathBuf,
    artifacts: Vec<Value>,
    commas: Commas,
}

impl Sarif {
    pub(super) fn new(validators: Arc<[Validator]>, here: &Path) -> Self {
        Self { validators, here: here.to_owned(), artifacts: Vec::new(), commas: Commas::default() }
    }

    fn location(&self, file: Option<&PathBuf>) -> Value {
        let Some(file) = file else {
            return json!({ "uri": "stdin:", "description": { "text": "Standard input." } });
        };
        match uri::of(file, &self.here) {
            Uri::Relative(uri) => json!({ "uri": uri, "uriBaseId": BASE }),
            Uri::Absolute(uri) => json!({ "uri": uri }),
        }
    }

    fn result(&self, artifact: &Value, found: &Found) -> Value {
        let (finding, validator) = (&found.finding, &self.validators[found.validator]);
        let mut region = region(&found.region);
        region["byteOffset"] = json!(finding.span.start);
        region["byteLength"] = json!(finding.span.end - finding.span.start);
        // The hub lets no finding through whose rule is not listed.
        let rule = validator.rules.iter().position(|rule| rule.id == finding.rule).unwrap_or_default();
        let mut result = json!({
            "ruleId": finding.rule,
            "ruleIndex": rule,
            "rule": {
                "id": finding.rule,
                "index": rule,
                "toolComponent": { "name": validator.id, "index": found.validator },
            },
            "level": finding.severity,
            "message": message(&finding.message),
            "locations": [{ "physicalLocation": { "artifactLocation": artifact, "region": region } }],
            "properties": { "confidence": finding.exact_confidence() },
        });
        if let (Some(fix), Some(place)) = (&finding.fix, &found.fix) {
            result["fixes"] = json!([fixed(artifact, fix, place)]);
        }
        result
    }

    fn invocation(&self, tally: &Tally) -> Value {
        let failed = tally.failed.iter().map(|failed| self.failure(failed));
        let skipped = tally
            .skipped
            .iter()
            .map(|skipped| self.notification("note", &left_out(skipped), skipped.file.as_ref()));
        let interrupted = tally.partial.then(|| {
            let text = format!("Interrupted: {} of {} files were validated.", tally.files, tally.listed);
            json!({ "level": "error", "message": { "text": text } })
        });
        json!({
            "executionSuccessful": !tally.partial && tally.failed.is_empty(),
            "exitCode": tally.exit_code,
            "toolExecutionNotifications": failed.chain(skipped).chain(interrupted).collect::<Vec<_>>(),
            "properties": tally.summary(),
        })
    }

    fn notification(&self, level: &str, text: &str, file: Option<&PathBuf>) -> Value {
        let location = json!({ "physicalLocation": { "artifactLocation": self.location(file) } });
        json!({ "level": level, "message": message(text), "locations": [location] })
    }

    fn failure(&self, failed: &Failed) -> Value {
        let mut notification = self.notification("error", &failed.sentence(), failed.file.as_ref());
        if let Some(validator) = &failed.validator {
            notification["properties"] = json!({ "validator": validator, "code": failed.code });
        }
        notification
    }
}

impl Form for Sarif {
    fn start(&mut self) -> String {
        let extensions: Vec<Value> = self.validators.iter().map(extension).collect();
        let driver = json!({
            "name": "hubcap",
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
        });
        let tool = json!({ "driver": driver, "extensions": extensions });
        let base = json!({ BASE: { "description": { "text": "The directory that hubcap ran in." } } });
        format!(
            "{{\"$schema\": \"{SCHEMA}\",\n\"version\": \"2.1.0\",\n\"runs\": [{{\"tool\": {tool},\n\
             \"columnKind\": \"unicodeCodePoints\",\n\"defaultEncoding\": \"utf-8\",\n\
             \"originalUriBaseIds\": {base},\n\"results\": ["
        )
    }

    fn file(&mut self, source: &Source, verdict: &Verdict) -> String {
        let mut location = self.location(source.path.as_ref());
        let (index, length) = (self.artifacts.len(), verdict.bytes);
        self.artifacts.push(json!({ "location": location, "length": length, "roles": ["analysisTarget"] }));
        location["index"] = json!(index);
        let mut commas = std::mem::take(&mut self.commas);
        let text = commas.join(verdict.findings.iter().map(|found| self.result(&location, found)));
        self.commas = commas;
        text
    }

    fn end(&mut self, tally: &Tally) -> String {
        let artifacts = Commas::default().join(&self.artifacts);
        let invocation = self.invocation(tally);
        format!("\n],\n\"artifacts\": [{artifacts}\n],\n\"invocations\": [{invocation}]}}]}}\n")
    }
}

/// A validator with its rules.
fn extension(validator: &Validator) -> Value {
    let rules: Vec<Value> = validator.rules.iter().map(descriptor).collect();
    json!({ "name": validator.id, "version": validator.version, "rules": rules })
}

fn descriptor(rule: &Rule) -> Value {
    let mut descriptor = json!({ "id": rule.id, "defaultConfiguration": { "level": rule.severity } });
    for (name, text) in [("shortDescription", &rule.title), ("fullDescription", &rule.description)] {
        if !text.is_empty() {
            descriptor[name] = message(text);
        }
    }
    descriptor
}

fn region(region: &Region) -> Value {
    json!({
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    })
}

/// In lines and columns only: that makes it a replacement of text and not of bytes.
fn fixed(artifact: &Value, fix: &Fix, place: &Region) -> Value {
    let replacement =
        json!({ "deletedRegion": region(place), "insertedContent": { "text": fix.replacement } });
    json!({ "artifactChanges": [{ "artifactLocation": artifact, "replacements": [replacement] }] })
}

/// A text of which no part is a link: a plugin's words are not to be clicked on.
fn message(text: &str) -> Value {
    json!({ "text": text.replace("](", "] (") })
}

fn left_out(skipped: &Skipped) -> String {
    let reason = match skipped.reason {
        Skip::Binary => "binary",
        Skip::TooLarge => "too large",
    };
    format!("{} is {reason} and was skipped", skipped.path)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Sarif, message};

    #[test]
    fn no_part_of_a_message_is_a_link() {
        assert_eq!(message("see [here](javascript:x)")["text"], "see [here] (javascript:x)");
    }

    #[test]
    fn a_file_elsewhere_has_an_absolute_uri_and_no_base() {
        let sarif = Sarif::new([].into(), Path::new("/here"));
        let location = sarif.location(Some(&PathBuf::from("/there/a.rs")));
        assert_eq!(location, serde_json::json!({ "uri": "file:///there/a.rs" }));
    }
}
