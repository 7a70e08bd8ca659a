//! The kind `validators`: a plugin's rules, and one judgement of a text.
//!
//! Invariant: every finding that leaves here is of a known rule and lies in the text, on character
//! boundaries.

use wasmtime::component::Instance;

use crate::bindings::{self, validator_types};
use crate::error::{Blame, CallError, Code};
use crate::model::{Finding, Fix, Report, Rule, Severity, TextSpan, Validation, text};
use crate::plugin::work::{Kind, Running, Work};
use crate::plugin::{Plugin, not_exported};
use crate::sandbox::CallState;

/// Rules of one plugin.
const MAX_RULES: usize = 256;
/// Characters of a rule's id.
const MAX_RULE_ID: usize = 64;
/// Bytes of a description and of a message.
const MAX_PROSE: usize = 2 << 10;
/// Findings of one text.
const MAX_FINDINGS: usize = 10_000;

impl Plugin {
    /// Asks the plugin for its rules.
    pub(super) async fn list_rules(
        &self,
        store: &mut wasmtime::Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<validator_types::Rule>, bindings::Error>> {
        let indices = self.exports.validators.as_ref().ok_or_else(not_exported)?;
        indices.load(&mut *store, instance)?.hubcap_plugin_validators().call_rules(store).await
    }
}

/// Checks a plugin's rules.
///
/// # Errors
/// The first thing that is wrong, with the rule's id.
pub(super) fn define(given: Vec<validator_types::Rule>) -> Result<Vec<Rule>, String> {
    if given.len() > MAX_RULES {
        return Err(format!("has {} rules, more than {MAX_RULES}", given.len()));
    }
    let mut rules: Vec<Rule> = given.into_iter().map(rule).collect::<Result<_, _>>()?;
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    match rules.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(pair) => Err(format!("has two rules of one id: {:?}", pair[0].id)),
        None => Ok(rules),
    }
}

fn rule(given: validator_types::Rule) -> Result<Rule, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if given.id.is_empty() || given.id.len() > MAX_RULE_ID || !given.id.bytes().all(allowed) {
        let shown = text::truncate(&given.id, 100).escape_default();
        return Err(format!("rule id \"{shown}\" is not 1 to {MAX_RULE_ID} of [a-z0-9-]"));
    }
    let description = text::clean_owned(given.description);
    if description.len() > MAX_PROSE {
        return Err(format!("rule {:?}: its description has more than {MAX_PROSE} bytes", given.id));
    }
    let title = text::one_line(&text::clean(&given.title)).into_owned();
    Ok(Rule { id: given.id, title, description, severity: severity(given.severity) })
}

fn severity(given: bindings::Severity) -> Severity {
    match given {
        bindings::Severity::Note => Severity::Note,
        bindings::Severity::Warning => Severity::Warning,
        bindings::Severity::Error => Severity::Error,
    }
}

impl Work for Validation {
    type Output = Report;

    const KIND: Kind = Kind::Validators;

    fn asked_for(&self) -> &str {
        self.validator.as_str()
    }

    fn plugin_id(&self) -> &str {
        self.validator.as_str()
    }

    fn name(&self) -> &str {
        "validate"
    }

    fn offered_by(&self, plugin: &Plugin) -> bool {
        plugin.exports.validators.is_some()
    }

    fn check(&self, plugin: &Plugin) -> Result<(), CallError> {
        let known = |rule: &String| plugin.rules.iter().any(|known| known.id == *rule);
        let Some(unknown) = self.options.rules.iter().find(|rule| !known(rule)) else {
            return Ok(());
        };
        let nearest = text::nearest(unknown, plugin.rules.iter().map(|rule| rule.id.as_str()));
        let offer = nearest.map(|rule| format!("; did you mean {rule:?}?")).unwrap_or_default();
        let message = format!("{} has no rule {:?}{offer}", plugin.id, text::truncate(unknown, 100));
        Err(CallError::new(Code::InvalidArguments, Blame::Caller, message))
    }

    async fn run(&self, plugin: &Plugin, running: Running<'_>) -> Result<(Report, u64), CallError> {
        let artifact = validator_types::Artifact {
            text: self.artifact.text.clone(),
            path: self.artifact.path.clone(),
            language: self.artifact.language.clone(),
            meta: Vec::new(),
        };
        let options = validator_types::Options {
            rules: self.options.rules.clone(),
            min_confidence: self.options.min_confidence,
            meta: Vec::new(),
        };
        let given = running
            .export(async |store, instance, context| {
                let indices = plugin.exports.validators.as_ref().ok_or_else(not_exported)?;
                let export = indices.load(&mut *store, instance)?;
                export.hubcap_plugin_validators().call_validate(store, &artifact, &options, context).await
            })
            .await?;
        report(given, &artifact.text, &plugin.rules)
    }
}

/// Checks and cleans a report on `judged`.
fn report(given: validator_types::Report, judged: &str, rules: &[Rule]) -> Result<(Report, u64), CallError> {
    if given.findings.len() > MAX_FINDINGS {
        let message = format!(
            "{} findings in one text, more than {MAX_FINDINGS}; ask for fewer rules",
            given.findings.len()
        );
        return Err(CallError::new(Code::Limit, Blame::Plugin, message));
    }
    let findings = given.findings.into_iter().map(|found| finding(found, judged, rules));
    let mut findings: Vec<Finding> = findings.collect::<Result<_, _>>()?;
    findings.sort_by(|a, b| (a.span, &a.rule).cmp(&(b.span, &b.rule)));
    let bytes = findings
        .iter()
        .map(|finding| finding.message.len() + finding.fix.as_ref().map_or(0, |fix| fix.replacement.len()));
    let bytes: usize = bytes.sum();
    Ok((Report { findings }, bytes as u64))
}

fn finding(given: validator_types::Finding, judged: &str, rules: &[Rule]) -> Result<Finding, CallError> {
    if rules.binary_search_by(|rule| rule.id.cmp(&given.rule)).is_err() {
        let shown = text::truncate(&given.rule, 100).escape_default();
        return Err(invalid(format!("a finding of the rule \"{shown}\", which the plugin does not list")));
    }
    if !(0.0..=1.0).contains(&given.confidence) {
        return Err(invalid(format!(
            "{}: a confidence of {} is not from 0 to 1",
            given.rule, given.confidence
        )));
    }
    let fix = given.fix.map(|fix| {
        Ok::<_, CallError>(Fix { span: span(fix.span, judged, &given.rule)?, replacement: fix.replacement })
    });
    Ok(Finding {
        span: span(given.span, judged, &given.rule)?,
        severity: severity(given.severity),
        message: text::clean_and_cut(&given.message, MAX_PROSE),
        confidence: given.confidence,
        fix: fix.transpose()?,
        rule: given.rule,
    })
}

fn span(given: bindings::Span, judged: &str, rule: &str) -> Result<TextSpan, CallError> {
    let (start, end) = (given.start as usize, given.end as usize);
    if judged.get(start..end).is_none() {
        return Err(invalid(format!("{rule}: the span {start}..{end} is no part of the text")));
    }
    Ok(TextSpan { start, end })
}

fn invalid(what: String) -> CallError {
    CallError::new(Code::InvalidOutput, Blame::Plugin, format!("the report is not valid: {what}"))
}
