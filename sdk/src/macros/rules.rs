//! Rules behind `#[rule]`: which run, and what becomes of what they find.

use super::unique;
use crate::{Artifact, Context, Error, Finding, Found, Options, Report, Rule, Severity};

/// One rule.
pub struct RuleEntry {
    /// Its id.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The doc comment.
    pub description: &'static str,
    /// What its findings have unless they say otherwise.
    pub severity: Severity,
    /// Looks at a text.
    pub judge: fn(&Artifact, &Context) -> Result<Vec<Found>, Error>,
}

impl RuleEntry {
    /// Stands where the function was refused, so that this is the only message.
    pub const fn broken() -> Self {
        Self { id: "", title: "", description: "", severity: Severity::Note, judge: |_, _| Ok(Vec::new()) }
    }
}

/// Something that `plugin!(rules: […])` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no rule",
    label = "not made by `#[rule]`",
    note = "put `#[hubcap_sdk::rule]` on the function `{Self}`"
)]
pub trait IsRule {
    /// The rule.
    const RULE: RuleEntry;
}

/// Fails the build where the last id is among the others.
#[track_caller]
pub const fn unique_rules(ids: &[&str]) {
    if let Some((last, others)) = ids.split_last() {
        let fix = "remove it from the list, or give one another id with `#[rule(id = \"…\")]`";
        unique::check("the rule", last, others, fix);
    }
}

/// The definitions of all rules.
pub fn rules(entries: &[RuleEntry]) -> Vec<Rule> {
    let define = |entry: &RuleEntry| Rule {
        id: entry.id.to_owned(),
        title: entry.title.to_owned(),
        description: entry.description.to_owned(),
        severity: entry.severity,
        meta: Vec::new(),
    };
    entries.iter().map(define).collect()
}

/// Runs the rules that are asked for and puts what they find in order.
///
/// # Errors
/// Those of a rule, and one for an id that is none.
pub fn validate(
    entries: &[RuleEntry],
    artifact: &Artifact,
    options: &Options,
    context: &Context,
) -> Result<Report, Error> {
    if let Some(unknown) = options.rules.iter().find(|id| entries.iter().all(|entry| entry.id != **id)) {
        let known: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let message = format!("there is no rule {unknown:?}; the rules are {}", known.join(", "));
        return Err(Error::invalid_arguments(message));
    }
    let mut findings = Vec::new();
    for entry in entries {
        if options.rules.is_empty() || options.rules.iter().any(|id| id == entry.id) {
            let found = (entry.judge)(artifact, context)?.into_iter();
            findings.extend(found.map(|found| found.into_finding(entry.id, entry.severity)));
        }
    }
    findings.retain(|finding: &Finding| finding.confidence >= options.min_confidence);
    findings.sort_by(|a, b| (a.span.start, &a.rule).cmp(&(b.span.start, &b.rule)));
    Ok(Report { findings, meta: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::{RuleEntry, validate};
    use crate::{Artifact, Code, Context, Found, Options, Severity};

    const RULES: &[RuleEntry] = &[
        RuleEntry {
            id: "late",
            title: "",
            description: "",
            severity: Severity::Warning,
            judge: |_, _| Ok(vec![Found::new(5..6, "late"), Found::new(0..1, "unsure").confidence(0.2)]),
        },
        RuleEntry {
            id: "early",
            title: "",
            description: "",
            severity: Severity::Error,
            judge: |_, _| Ok(vec![Found::new(3..4, "early").severity(Severity::Note)]),
        },
    ];

    fn ids(rules: &[&str], min_confidence: f32) -> Result<Vec<(String, Severity)>, crate::Error> {
        let artifact = Artifact { text: "abcdef".into(), path: None, language: None, meta: Vec::new() };
        let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
        let options = Options { rules, min_confidence, meta: Vec::new() };
        let context = Context { call_id: String::new(), deadline_ms: 1, depth: 0, meta: Vec::new() };
        let report = validate(RULES, &artifact, &options, &context)?;
        Ok(report.findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect())
    }

    #[test]
    fn findings_come_by_position_with_their_rule_and_its_severity_unless_they_have_their_own() {
        let all = [("late", Severity::Warning), ("early", Severity::Note), ("late", Severity::Warning)];
        assert_eq!(ids(&[], 0.0).unwrap(), all.map(|(rule, severity)| (rule.to_owned(), severity)));
    }

    #[test]
    fn only_what_is_asked_for_and_sure_enough_is_reported() {
        assert_eq!(ids(&["late"], 0.5).unwrap(), [("late".to_owned(), Severity::Warning)]);
        assert_eq!(ids(&["early"], 1.0).unwrap().len(), 1);
    }

    #[test]
    fn a_rule_that_does_not_exist_is_answered_with_those_that_do() {
        let error = ids(&["latest"], 0.0).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArguments);
        assert_eq!(error.message(), "there is no rule \"latest\"; the rules are late, early");
    }
}
