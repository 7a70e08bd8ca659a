//! Between the words of the WIT and the hub's own, for calls that start in a guest.
//!
//! Invariant: what a guest sends is bounded before the hub sees it, and what goes back has the codes that the
//! WIT names.

use serde_json::Value;

use crate::bindings::{Error, Severity as WitSeverity, Span, provider_types, tool_types, validator_types};
use crate::error::{Blame, CallError, Code};
use crate::model::{
    Artifact, Completion, Content, Conversation, Finding, Message, PluginId, Report, ResourceBody, Role,
    Severity, StopReason, TextSpan, ToolOutput, ValidationOptions, text,
};
use crate::schema;

/// Bytes that go to a callee, and bytes of a report that comes back, in one call.
pub(super) const MAX_SENT: usize = 1 << 20;
/// Values of the arguments of one call.
const MAX_VALUES: usize = 100_000;
/// What an entry of a list takes besides its text.
const ENTRY: usize = 16;
/// What a finding takes besides its texts.
const FINDING: usize = 64;
/// Characters of what is told of a validator that failed.
const FAILURE: usize = 500;

fn wrong(message: String) -> CallError {
    CallError::new(Code::InvalidArguments, Blame::Caller, message)
}

/// Whether so many bytes may go to a callee.
fn within(what: &str, bytes: usize) -> Result<(), CallError> {
    if bytes <= MAX_SENT {
        return Ok(());
    }
    let message = format!("{what} has {bytes} bytes, more than {MAX_SENT}; send less at once");
    Err(CallError::new(Code::Limit, Blame::Plugin, message))
}

/// The arguments of a tool.
pub(super) fn arguments(json: &str) -> Result<Value, CallError> {
    within("the JSON of the arguments", json.len())?;
    let values = schema::count_values(json);
    if values > MAX_VALUES {
        let message =
            format!("the arguments have {values} values, more than {MAX_VALUES}; send less at once");
        return Err(CallError::new(Code::Limit, Blame::Plugin, message));
    }
    match serde_json::from_str(json) {
        Ok(arguments @ Value::Object(_)) => Ok(arguments),
        Ok(_) => Err(wrong("the arguments are no JSON object".into())),
        Err(error) => Err(wrong(format!("the arguments are no JSON: {error}"))),
    }
}

/// What a validator judges, and what it looks for.
pub(super) fn artifact(
    given: validator_types::Artifact,
    options: validator_types::Options,
) -> Result<(Artifact, ValidationOptions), CallError> {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let rules: usize = options.rules.iter().map(|rule| ENTRY + rule.len()).sum();
    within("what is to be judged", given.text.len() + length(&given.path) + length(&given.language) + rules)?;
    let artifact = Artifact { text: given.text, path: given.path, language: given.language };
    Ok((artifact, ValidationOptions { rules: options.rules, min_confidence: options.min_confidence }))
}

/// A conversation for a provider.
pub(super) fn conversation(
    provider: PluginId,
    given: provider_types::Request,
) -> Result<Conversation, CallError> {
    let texts = given.messages.iter().map(|message| &message.text).chain(&given.limits.stop);
    let texts = texts.chain(&given.model).chain(&given.output_schema);
    within("the conversation", texts.map(|text| ENTRY + text.len()).sum())?;
    Ok(Conversation {
        provider,
        model: given.model,
        messages: given.messages.into_iter().map(message).collect(),
        max_output_tokens: given.limits.max_output_tokens,
        stop: given.limits.stop,
        output_schema: given.output_schema,
    })
}

fn message(given: provider_types::Message) -> Message {
    let role = match given.role {
        provider_types::Role::System => Role::System,
        provider_types::Role::User => Role::User,
        provider_types::Role::Assistant => Role::Assistant,
    };
    Message { role, text: given.text }
}

/// A tool's result.
pub(super) fn output(output: ToolOutput) -> tool_types::ToolOutput {
    tool_types::ToolOutput {
        content: output.content.into_iter().map(content).collect(),
        structured: output.structured.map(|value| value.to_string()),
        meta: Vec::new(),
    }
}

fn content(content: Content) -> tool_types::Content {
    use tool_types::{Blob, Content as Block, EmbeddedResource, ResourceBody as Body, ResourceLink};
    match content {
        Content::Text(text) => Block::Text(text),
        Content::Image(data, media_type) => Block::Image(Blob { data, media_type }),
        Content::Audio(data, media_type) => Block::Audio(Blob { data, media_type }),
        Content::Link { uri, name, media_type } => Block::Link(ResourceLink { uri, name, media_type }),
        Content::Embedded { uri, media_type, body } => {
            let body = match body {
                ResourceBody::Text(text) => Body::Text(text),
                ResourceBody::Bytes(bytes) => Body::Bytes(bytes),
            };
            Block::Embedded(EmbeddedResource { uri, media_type, body })
        }
    }
}

/// A completion.
pub(super) fn completion(completion: Completion) -> provider_types::Completion {
    let usage = completion.usage;
    provider_types::Completion {
        text: completion.text,
        model: completion.model,
        stop: match completion.stop {
            StopReason::End => provider_types::StopReason::End,
            StopReason::Length => provider_types::StopReason::Length,
            StopReason::StopSequence => provider_types::StopReason::StopSequence,
            StopReason::Refusal => provider_types::StopReason::Refusal,
        },
        usage: provider_types::Usage {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cost_microusd: usage.cost_microusd,
        },
        meta: Vec::new(),
    }
}

/// What all validators found, by position. `validator` in the `meta` of a finding says whose it is, `failed` in
/// that of the report which of them failed, and why. Only where all failed is that the end of it.
pub(super) fn report(
    ended: Vec<(PluginId, Result<Report, CallError>)>,
) -> Result<validator_types::Report, CallError> {
    let (mut findings, mut meta, mut left_out, mut answered, mut last) =
        (Vec::new(), Vec::new(), 0_u64, 0, None);
    for (validator, end) in ended {
        match end {
            Ok(report) => {
                answered += 1;
                left_out = left_out.saturating_add(report.left_out);
                findings.extend(report.findings.into_iter().map(|found| finding(&validator, found)));
            }
            Err(error) => {
                let told = text::clean_and_cut(&format!("{validator}: {error}"), FAILURE);
                meta.push(("failed".to_owned(), told));
                last = Some(error);
            }
        }
    }
    if let (0, Some(error)) = (answered, last) {
        return Err(error);
    }
    within("the report", findings.iter().map(size).sum())?;
    findings.sort_by(|a, b| (a.span.start, &a.rule).cmp(&(b.span.start, &b.rule)));
    if left_out > 0 {
        meta.push(("findings-left-out".to_owned(), left_out.to_string()));
    }
    Ok(validator_types::Report { findings, meta })
}

fn size(finding: &validator_types::Finding) -> usize {
    let fix = finding.fix.as_ref().map_or(0, |fix| fix.replacement.len());
    FINDING + finding.rule.len() + finding.message.len() + fix
}

fn finding(validator: &PluginId, found: Finding) -> validator_types::Finding {
    validator_types::Finding {
        rule: found.rule,
        severity: match found.severity {
            Severity::Note => WitSeverity::Note,
            Severity::Warning => WitSeverity::Warning,
            Severity::Error => WitSeverity::Error,
        },
        message: found.message,
        span: span(found.span),
        confidence: found.confidence,
        fix: found.fix.map(|fix| validator_types::Fix { span: span(fix.span), replacement: fix.replacement }),
        meta: vec![("validator".to_owned(), validator.to_string())],
    }
}

/// Offsets of a text that has at most [`MAX_SENT`] bytes.
fn span(span: TextSpan) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: offset(span.start), end: offset(span.end) }
}

/// A failure as the calling guest sees it. Codes that the WIT does not name become the nearest that it does,
/// with the code itself in front of the text: to the caller, a callee that breaks is a service that failed.
pub(super) fn failure(error: &CallError) -> Error {
    let code = match error.code {
        Code::Fuel | Code::Memory => Code::Limit,
        Code::Trap | Code::InvalidOutput => Code::Upstream,
        Code::Internal if error.blame == Blame::Plugin => Code::Upstream,
        Code::Quarantined => Code::Unavailable,
        Code::Approval => Code::Denied,
        code => code,
    };
    let message = if code == error.code { error.message().to_owned() } else { error.to_string() };
    Error { code: code.as_str().to_owned(), message, meta: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::{
        ENTRY, MAX_SENT, MAX_VALUES, arguments, artifact, conversation, failure, provider_types, report,
    };
    use crate::bindings::validator_types;
    use crate::error::{Blame, CallError, Code};
    use crate::model::{Finding, PluginId, Report, Severity, TextSpan};

    fn id(id: &str) -> PluginId {
        PluginId::new(id).unwrap()
    }

    #[test]
    fn a_callee_is_sent_one_mib_and_not_one_byte_more() {
        let json = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(arguments(&json(MAX_SENT)).is_ok());
        assert_eq!(arguments(&json(MAX_SENT + 1)).unwrap_err().code, Code::Limit);
        let judged = |bytes: usize| {
            let text = "x".repeat(bytes);
            let given = validator_types::Artifact { text, path: None, language: None, meta: Vec::new() };
            let options =
                validator_types::Options { rules: Vec::new(), min_confidence: 0.0, meta: Vec::new() };
            artifact(given, options).map(|_| ())
        };
        assert!(judged(MAX_SENT).is_ok());
        assert_eq!(judged(MAX_SENT + 1).unwrap_err().code, Code::Limit);
        let asked = |bytes: usize| {
            let text = "x".repeat(bytes);
            let given = provider_types::Request {
                model: None,
                messages: vec![provider_types::Message { role: provider_types::Role::User, text }],
                limits: provider_types::Limits { max_output_tokens: None, stop: Vec::new() },
                output_schema: None,
                meta: Vec::new(),
            };
            conversation(id("p"), given).map(|_| ())
        };
        assert!(asked(MAX_SENT - ENTRY).is_ok());
        assert_eq!(asked(MAX_SENT - ENTRY + 1).unwrap_err().code, Code::Limit);
    }

    #[test]
    fn arguments_are_an_object_of_up_to_100000_values() {
        let list = |n: usize| format!("{{\"a\":[{}]}}", vec!["1"; n - 2].join(","));
        assert!(arguments(&list(MAX_VALUES)).is_ok());
        assert_eq!(arguments(&list(MAX_VALUES + 1)).unwrap_err().code, Code::Limit);
        for wrong in ["[]", "1", "{", "", "{} {}"] {
            assert_eq!(arguments(wrong).unwrap_err().code, Code::InvalidArguments, "{wrong:?}");
        }
    }

    #[test]
    fn findings_of_all_validators_are_together_and_those_that_failed_are_named() {
        let found = |start| Finding {
            rule: "r".into(),
            severity: Severity::Note,
            message: "m".into(),
            span: TextSpan { start, end: start },
            confidence: 1.0,
            fix: None,
        };
        let trap = || CallError::new(Code::Trap, Blame::Plugin, "crashed");
        let ended = vec![
            (id("b"), Ok(Report { findings: vec![found(5)], left_out: 2 })),
            (id("broken"), Err(trap())),
            (id("a"), Ok(Report { findings: vec![found(1)], left_out: 0 })),
        ];
        let all = report(ended).unwrap();
        let whose: Vec<&str> = all.findings.iter().map(|finding| finding.meta[0].1.as_str()).collect();
        assert_eq!(whose, ["a", "b"]);
        let meta = [("failed", "broken: trap: crashed"), ("findings-left-out", "2")];
        assert_eq!(all.meta, meta.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(report(vec![(id("broken"), Err(trap()))]).unwrap_err().code, Code::Trap);
    }

    #[test]
    fn a_guest_gets_the_codes_that_the_wit_names_and_the_words_of_the_others() {
        let told = |code, blame| {
            let error = failure(&CallError::new(code, blame, "words"));
            (error.code, error.message)
        };
        let same = |code: &str| (code.to_owned(), "words".to_owned());
        assert_eq!(told(Code::Denied, Blame::Policy), same("denied"));
        assert_eq!(told(Code::Internal, Blame::Host), same("internal"));
        let other = |code: &str, words: &str| (code.to_owned(), words.to_owned());
        assert_eq!(told(Code::Internal, Blame::Plugin), other("upstream", "internal: words"));
        assert_eq!(told(Code::Trap, Blame::Plugin), other("upstream", "trap: words"));
        assert_eq!(told(Code::Fuel, Blame::Plugin), other("limit", "fuel: words"));
        let wit = include_str!("../../../../wit/plugin/types.wit");
        for code in Code::ALL {
            let (code, _) = told(*code, Blame::Plugin);
            assert!(wit.contains(&format!("`{code}`")), "{code}");
        }
    }
}
