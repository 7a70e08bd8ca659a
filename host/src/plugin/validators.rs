//! The kind `validators`: a plugin's rules, and one judgement of a text.
//!
//! Invariant: every finding that leaves here is of a known rule and lies in the text, on character
//! boundaries, and was asked for.

use serde_json::{Value, json};
use wasmtime::component::Instance;

use crate::bindings::{self, validator_types};
use crate::error::{Blame, CallError, Code};
use crate::model::{Finding, Fix, Report, Rule, Severity, TextSpan, Validation, ValidationOptions, text};
use crate::plugin::work::{Kind, Running, Work};
use crate::plugin::{Plugin, not_exported};
use crate::sandbox::CallState;
use crate::secrets::Secrets;

/// Rules of one plugin.
const MAX_RULES: usize = 256;
/// Characters of a rule's id.
const MAX_RULE_ID: usize = 64;
/// Bytes of a description and of a message.
const MAX_PROSE: usize = 2 << 10;
/// Findings of one text.
const MAX_FINDINGS: usize = 10_000;
/// Name in a report's `meta`: how many findings did not fit.
const LEFT_OUT: &str = "findings-left-out";

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

    const KIND: Option<Kind> = Some(Kind::Validators);

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

    fn sent(&self) -> Value {
        let (judged, options) = (&self.artifact, &self.options);
        json!({
            "text": judged.text, "path": judged.path, "language": judged.language,
            "rules": options.rules, "min_confidence": options.min_confidence,
        })
    }

    fn sent_bytes(&self) -> usize {
        self.artifact.text.len() + self.options.rules.iter().map(String::len).sum::<usize>()
    }

    fn redact(output: &mut Report, secrets: &Secrets) {
        for finding in &mut output.findings {
            secrets.redact(&mut finding.message);
            finding.fix.iter_mut().for_each(|fix| secrets.redact(&mut fix.replacement));
        }
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
        report(given, &artifact.text, &plugin.rules, &self.options)
    }
}

/// Checks and cleans a report on `judged`, and leaves out what was not asked for.
fn report(
    given: validator_types::Report,
    judged: &str,
    rules: &[Rule],
    asked: &ValidationOptions,
) -> Result<(Report, u64), CallError> {
    if given.findings.len() > MAX_FINDINGS {
        let message = format!(
            "{} findings in one text, more than {MAX_FINDINGS}; ask for fewer rules",
            given.findings.len()
        );
        return Err(CallError::new(Code::Limit, Blame::Plugin, message));
    }
    let left_out = given.meta.iter().find(|(name, _)| name == LEFT_OUT);
    let left_out = left_out.and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
    let findings = given.findings.into_iter().map(|found| finding(found, judged, rules));
    let mut findings: Vec<Finding> = findings.collect::<Result<_, _>>()?;
    findings.retain(|finding| {
        let rule = asked.rules.is_empty() || asked.rules.contains(&finding.rule);
        rule && finding.confidence >= asked.min_confidence
    });
    findings.sort_by(|a, b| (a.span, &a.rule).cmp(&(b.span, &b.rule)));
    let bytes = findings
        .iter()
        .map(|finding| finding.message.len() + finding.fix.as_ref().map_or(0, |fix| fix.replacement.len()));
    let bytes: usize = bytes.sum();
    Ok((Report { findings, left_out }, bytes as u64))
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

#[cfg(test)]
mod tests {
    use super::{MAX_FINDINGS, MAX_PROSE, MAX_RULE_ID, MAX_RULES, define, report};
    use crate::bindings::{self, validator_types};
    use crate::error::{CallError, Code};
    use crate::model::{Finding, Rule, Severity, ValidationOptions};

    fn rule(id: impl Into<String>) -> validator_types::Rule {
        validator_types::Rule {
            id: id.into(),
            title: "Title".into(),
            description: "Description.".into(),
            severity: bindings::Severity::Warning,
            meta: Vec::new(),
        }
    }

    fn rules() -> Vec<Rule> {
        define(vec![rule("bad"), rule("odd")]).unwrap()
    }

    fn found(rule: &str, start: u64, end: u64) -> validator_types::Finding {
        let span = bindings::Span { start: start.try_into().unwrap(), end: end.try_into().unwrap() };
        validator_types::Finding {
            rule: rule.into(),
            severity: bindings::Severity::Error,
            message: "Bad.".into(),
            span,
            confidence: 1.0,
            fix: None,
            meta: Vec::new(),
        }
    }

    fn checked(
        findings: Vec<validator_types::Finding>,
        options: &ValidationOptions,
    ) -> Result<Vec<Finding>, CallError> {
        let given = validator_types::Report { findings, meta: Vec::new() };
        report(given, "añb", &rules(), options).map(|(report, _)| report.findings)
    }

    fn refused(finding: validator_types::Finding) -> String {
        let error = checked(vec![finding], &ValidationOptions::default()).unwrap_err();
        assert_eq!(error.code, Code::InvalidOutput);
        error.message().to_owned()
    }

    #[test]
    fn a_plugin_has_256_rules_and_not_one_more() {
        let many = |n: usize| define((0..n).map(|i| rule(format!("r{i}"))).collect());
        assert_eq!(many(MAX_RULES).unwrap().len(), MAX_RULES);
        assert!(many(MAX_RULES + 1).unwrap_err().contains("257 rules"));
    }

    #[test]
    fn a_rule_id_has_64_characters_of_its_alphabet_and_not_one_more() {
        assert!(define(vec![rule("a".repeat(MAX_RULE_ID))]).is_ok());
        for wrong in ["a".repeat(MAX_RULE_ID + 1), String::new(), "Bad".into(), "a b".into(), "é".into()] {
            assert!(define(vec![rule(wrong)]).unwrap_err().contains("1 to 64"));
        }
    }

    #[test]
    fn a_rule_is_described_in_2_kib_and_not_one_byte_more() {
        let of = |n| validator_types::Rule { description: "x".repeat(n), ..rule("bad") };
        assert!(define(vec![of(MAX_PROSE)]).is_ok());
        assert!(define(vec![of(MAX_PROSE + 1)]).unwrap_err().contains("more than 2048 bytes"));
    }

    #[test]
    fn a_message_of_2_kib_is_kept_and_a_longer_one_is_cut() {
        let message = |n| {
            let finding = validator_types::Finding { message: "x".repeat(n), ..found("bad", 0, 1) };
            checked(vec![finding], &ValidationOptions::default()).unwrap().remove(0).message
        };
        assert_eq!(message(MAX_PROSE), "x".repeat(MAX_PROSE));
        let cut = message(MAX_PROSE + 1);
        assert!(cut.len() == MAX_PROSE && cut.ends_with(" [cut]"));
    }

    #[test]
    fn a_text_has_10000_findings_and_not_one_more() {
        let many = |n| checked(vec![found("bad", 0, 1); n], &ValidationOptions::default());
        assert_eq!(many(MAX_FINDINGS).unwrap().len(), MAX_FINDINGS);
        let error = many(MAX_FINDINGS + 1).unwrap_err();
        assert_eq!(error.code, Code::Limit);
        assert!(error.message().contains("10001 findings"), "{error}");
    }

    #[test]
    fn rules_are_sorted_and_two_of_one_id_are_refused() {
        let ids = |given| define(given).unwrap().into_iter().map(|rule| rule.id).collect::<Vec<_>>();
        assert_eq!(ids(vec![rule("odd"), rule("bad")]), ["bad", "odd"]);
        assert!(define(vec![rule("bad"), rule("bad")]).unwrap_err().contains("\"bad\""));
    }

    #[test]
    fn findings_are_in_the_order_of_the_text() {
        let given = vec![found("odd", 3, 4), found("odd", 0, 1), found("bad", 0, 1)];
        let findings = checked(given, &ValidationOptions::default()).unwrap();
        let order: Vec<_> = findings.iter().map(|one| (one.span.start, one.rule.as_str())).collect();
        assert_eq!(order, [(0, "bad"), (0, "odd"), (3, "odd")]);
        assert_eq!(findings[0].severity, Severity::Error);
    }

    #[test]
    fn a_span_that_is_no_part_of_the_text_is_refused() {
        assert!(checked(vec![found("bad", 0, 4), found("bad", 4, 4)], &ValidationOptions::default()).is_ok());
        for (start, end) in [(0, 5), (3, 1), (2, 3), (9, 9), (1, 2)] {
            assert!(refused(found("bad", start, end)).contains(&format!("{start}..{end}")));
        }
        let span = found("bad", 0, 9).span;
        let fix = Some(validator_types::Fix { span, replacement: String::new() });
        assert!(refused(validator_types::Finding { fix, ..found("bad", 0, 1) }).contains("0..9"));
    }

    #[test]
    fn a_rule_that_is_not_listed_and_a_confidence_that_is_none_are_refused() {
        assert!(refused(found("strange", 0, 1)).contains("\"strange\""));
        for confidence in [-0.1, 1.1, f32::NAN] {
            assert!(
                refused(validator_types::Finding { confidence, ..found("bad", 0, 1) }).contains("0 to 1")
            );
        }
    }

    #[test]
    fn findings_that_did_not_fit_are_counted() {
        let left_out = |count: &str| {
            let meta = vec![("other".into(), "7".into()), ("findings-left-out".into(), count.into())];
            let given = validator_types::Report { findings: Vec::new(), meta };
            report(given, "", &rules(), &ValidationOptions::default()).unwrap().0.left_out
        };
        assert_eq!((left_out("500"), left_out("many"), left_out("-1")), (500, 0, 0));
    }

    #[test]
    fn what_was_not_asked_for_is_left_out() {
        let unsure = validator_types::Finding { confidence: 0.5, ..found("bad", 0, 1) };
        let given = || vec![unsure.clone(), found("bad", 0, 1), found("odd", 0, 1)];
        let kept = |options: ValidationOptions| checked(given(), &options).unwrap().len();
        assert_eq!(kept(ValidationOptions { min_confidence: 0.5, ..ValidationOptions::default() }), 3);
        assert_eq!(kept(ValidationOptions { min_confidence: 0.6, ..ValidationOptions::default() }), 2);
        assert_eq!(kept(ValidationOptions { rules: vec!["odd".into()], min_confidence: 0.0 }), 1);
    }
}
