//! What a validator judges and what it finds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::PluginId;

/// One text to be judged by one validator.
#[derive(Clone, Debug)]
pub struct Validation {
    /// The validator.
    pub validator: PluginId,
    /// What is judged.
    pub artifact: Arc<Artifact>,
    /// What to look for.
    pub options: ValidationOptions,
}

/// What is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// The text.
    pub text: String,
    /// Where it is from: a hint.
    pub path: Option<String>,
    /// Its language, in lower case.
    pub language: Option<String>,
}

/// What to look for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValidationOptions {
    /// Rule ids; empty means all.
    pub rules: Vec<String>,
    /// Findings below are left out, 0 to 1.
    pub min_confidence: f32,
}

/// How bad a finding is: the levels of SARIF 2.1.0, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be looked at.
    Warning,
    /// Should not land.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that a validator looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Unique in the plugin.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What it finds, why that matters, and what does not fire.
    pub description: String,
    /// What its findings have unless they say otherwise.
    pub severity: Severity,
}

/// A part of a text in UTF-8 byte offsets, on character boundaries; `end` is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TextSpan {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset of the byte after the last one.
    pub end: usize,
}

/// A mechanical mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What is replaced.
    pub span: TextSpan,
    /// By what.
    pub replacement: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to do.
    pub message: String,
    /// Exactly where.
    pub span: TextSpan,
    /// How sure the validator is, 0 to 1.
    pub confidence: f32,
    /// How to mend it, where that is mechanical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Finding {
    /// The confidence with the digits that it was given: 0.9, and not 0.8999999761581421.
    pub fn exact_confidence(&self) -> f64 {
        (f64::from(self.confidence) * 1e6).round() / 1e6
    }
}

/// What was found, by position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By start of the span, then by rule.
    pub findings: Vec<Finding>,
    /// How many more there are that did not fit.
    pub left_out: u64,
}

#[cfg(test)]
mod tests {
    use super::{Finding, Severity, TextSpan};

    #[test]
    fn a_confidence_has_the_digits_that_it_was_given() {
        let finding = Finding {
            rule: "a".into(),
            severity: Severity::Note,
            message: String::new(),
            span: TextSpan { start: 0, end: 0 },
            confidence: 0.9,
            fix: None,
        };
        assert_eq!(finding.exact_confidence().to_string(), "0.9");
    }
}
