//! Making findings and completions.

use std::ops::Range;

use crate::{Completion, Finding, Fix, Severity, Span, StopReason, Usage};

/// What a rule found: a [`Finding`] that does not repeat the rule's id and severity.
#[derive(Clone, Debug)]
pub struct Found {
    span: Span,
    message: String,
    severity: Option<Severity>,
    confidence: f32,
    fix: Option<Fix>,
}

impl Found {
    /// Something at these bytes of the text; the message says what is wrong and what to do.
    pub fn new(bytes: Range<usize>, message: impl Into<String>) -> Self {
        let span = span(bytes);
        Self { span, message: message.into(), severity: None, confidence: 1.0, fix: None }
    }

    /// How sure the rule is, from 0 to 1; 1 unless said.
    #[must_use]
    pub fn confidence(mut self, confidence: f32) -> Self {
        self.confidence = confidence;
        self
    }

    /// How bad it is, where that is not what the rule says.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// A mechanical mend: these bytes are replaced.
    #[must_use]
    pub fn fix(mut self, bytes: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span: span(bytes), replacement: replacement.into() });
        self
    }

    /// The finding of a rule.
    pub(crate) fn into_finding(self, rule: &str, severity: Severity) -> Finding {
        Finding {
            rule: rule.to_owned(),
            severity: self.severity.unwrap_or(severity),
            message: self.message,
            span: self.span,
            confidence: self.confidence,
            fix: self.fix,
            meta: Vec::new(),
        }
    }
}

/// A text in a guest has less than 4 GiB; what lies beyond points at its end.
fn span(bytes: Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: offset(bytes.start), end: offset(bytes.end) }
}

impl Completion {
    /// A whole answer from the model that was asked; add what it took with [`Completion::usage`].
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            model: String::new(),
            stop: StopReason::End,
            usage: Usage { input_tokens: 0, output_tokens: 0, cost_microusd: None },
            meta: Vec::new(),
        }
    }

    /// With the tokens that were read and written.
    #[must_use]
    pub fn usage(mut self, input_tokens: u64, output_tokens: u64) -> Self {
        self.usage.input_tokens = input_tokens;
        self.usage.output_tokens = output_tokens;
        self
    }
}
