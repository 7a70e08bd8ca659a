//! What a plugin is asked in a check, and whether its answer will do.
//!
//! Invariant: an error that the plugin chose itself is an answer; a crash, a bound and a broken promise are
//! not.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::cli::check::generate::{self, Case};
use crate::error::{CallError, Code};
use crate::hub::Hub;
use crate::model::{
    Artifact, Budget, Call, Conversation, HealthCheck, Message, Receipt, Role, ToolCall, Validation,
    ValidationOptions,
};
use crate::outcome::Outcome;
use crate::plugin::{Kind, Plugin, Work};

/// Texts for a validator: nothing, and a little of what texts are made of.
const TEXTS: [(&str, &str); 2] = [
    ("empty text", ""),
    (
        "short text",
        "fn main() {\n\tprintln!(\"Grüße, 世界 👩\u{200d}💻\"); // to do\r\n}\n\nlast line without an end",
    ),
];
/// The code of a plugin that says so.
const UNHEALTHY: &str = "unhealthy";
/// What a provider is asked.
const PROMPT: &str = "Say hello.";

/// One thing that a plugin is asked.
pub(super) struct Probe {
    subject: Subject,
    ask: Ask,
}

/// What is asked of whom, as reports name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// `health`, `tool`, `validator` or `provider`.
    pub(super) kind: &'static str,
    /// Name of the tool inside the plugin, or id of the model.
    pub(super) name: Option<String>,
    /// What it is asked.
    pub(super) case: Option<String>,
}

enum Ask {
    Health,
    /// The full name of a tool, and arguments of which the first that match are taken.
    Tool(String, Vec<Map<String, Value>>),
    Text(&'static str),
    Model(String),
}

/// What became of a probe.
pub(super) struct Checked {
    pub(super) subject: Subject,
    /// What was sent.
    pub(super) arguments: Option<Value>,
    pub(super) end: End,
    pub(super) receipt: Option<Receipt>,
    /// What the call could use.
    pub(super) budget: Budget,
}

/// Whether the answer will do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    /// The plugin failed by its own choice, with a code for that: that is its right.
    Chosen {
        code: &'static str,
        message: String,
    },
    Failed {
        code: &'static str,
        message: String,
    },
    /// Nothing was asked: no arguments match the tool's schema.
    Unmatched,
}

/// Everything that a plugin is asked.
pub(super) fn probes(plugin: &Plugin) -> Vec<Probe> {
    let mut probes = vec![Probe { subject: subject("health", None, None), ask: Ask::Health }];
    for tool in &plugin.tools {
        let mut cases = generate::cases(&tool.tool.input_schema);
        if cases.is_empty() {
            cases.push(Case { name: "none".into(), candidates: Vec::new() });
        }
        probes.extend(cases.into_iter().map(|case| Probe {
            subject: subject("tool", Some(&tool.name), Some(&case.name)),
            ask: Ask::Tool(tool.tool.name.clone(), case.candidates),
        }));
    }
    if plugin.kinds().contains(&Kind::Validators) {
        probes.extend(TEXTS.map(|(case, text)| Probe {
            subject: subject("validator", None, Some(case)),
            ask: Ask::Text(text),
        }));
    }
    probes.extend(plugin.models.iter().map(|model| Probe {
        subject: subject("provider", Some(&model.id), Some("one message")),
        ask: Ask::Model(model.id.clone()),
    }));
    probes
}

fn subject(kind: &'static str, name: Option<&str>, case: Option<&str>) -> Subject {
    Subject { kind, name: name.map(str::to_owned), case: case.map(str::to_owned) }
}

/// Asks the plugin.
pub(super) struct Prober {
    pub(super) hub: Arc<Hub>,
    pub(super) plugin: Arc<Plugin>,
    /// Fires when the user has had enough.
    pub(super) stop: CancellationToken,
}

impl Prober {
    /// Asks one thing; nothing where the user had enough before there was an answer.
    pub(super) async fn check(&self, probe: &Probe) -> Option<Checked> {
        let subject = probe.subject.clone();
        match &probe.ask {
            Ask::Health => self.health(subject).await,
            Ask::Tool(tool, candidates) => self.tool(subject, tool, candidates).await,
            Ask::Text(text) => {
                let artifact = Artifact { text: (*text).into(), path: None, language: None };
                let work = Validation {
                    validator: self.plugin.id.clone(),
                    artifact: Arc::new(artifact),
                    options: ValidationOptions::default(),
                };
                Some(self.call(work).await?.checked(subject, Some(json!({ "text": text }))))
            }
            Ask::Model(model) => {
                let work = Conversation {
                    provider: self.plugin.id.clone(),
                    model: Some(model.clone()),
                    messages: vec![Message { role: Role::User, text: PROMPT.into() }],
                    max_output_tokens: None,
                    stop: Vec::new(),
                    output_schema: None,
                };
                let arguments = json!({ "prompt": PROMPT, "model": model });
                Some(self.call(work).await?.checked(subject, Some(arguments)))
            }
        }
    }

    async fn health(&self, subject: Subject) -> Option<Checked> {
        let answer = self.call(HealthCheck { plugin: self.plugin.id.clone() }).await?;
        let failed = match &answer.result {
            Ok(health) if health.healthy => None,
            Ok(health) => Some(End::Failed { code: UNHEALTHY, message: health.message.clone() }),
            // A plugin that cannot even say how it is does not choose to fail.
            Err(error) => Some(failed(error)),
        };
        let checked = answer.checked(subject, None);
        Some(match failed {
            Some(end) => Checked { end, ..checked },
            None => checked,
        })
    }

    /// Calls a tool with the first arguments that its schema takes.
    async fn tool(&self, subject: Subject, tool: &str, candidates: &[Map<String, Value>]) -> Option<Checked> {
        for arguments in candidates {
            let answer = self.call(ToolCall::new(tool, arguments.clone())).await?;
            if !answer.is_unmatched() {
                return Some(answer.checked(subject, Some(Value::Object(arguments.clone()))));
            }
        }
        let (end, budget) = (End::Unmatched, *self.plugin.budget());
        Some(Checked { subject, arguments: None, end, receipt: None, budget })
    }

    async fn call<W: Work>(&self, work: W) -> Option<Answer<W::Output>> {
        if self.stop.is_cancelled() {
            return None;
        }
        let budget = work.budget(&self.plugin);
        let call = Call { cancel: self.stop.clone(), ..Call::new(work) };
        let Outcome { result, receipt } = self.hub.call(call).await;
        let cancelled = result.as_ref().is_err_and(|error| error.code == Code::Cancelled);
        (!cancelled || !self.stop.is_cancelled()).then_some(Answer { result, receipt, budget })
    }
}

/// What a call brought.
struct Answer<T> {
    result: Result<T, CallError>,
    receipt: Option<Receipt>,
    budget: Budget,
}

impl<T> Answer<T> {
    /// Whether the hub sent the arguments back before any guest ran: they do not match the schema, or are
    /// too many values to find out.
    fn is_unmatched(&self) -> bool {
        let refused = |error: &CallError| matches!(error.code, Code::InvalidArguments | Code::Limit);
        self.receipt.is_none() && self.result.as_ref().is_err_and(refused)
    }

    fn checked(self, subject: Subject, arguments: Option<Value>) -> Checked {
        let Self { result, receipt, budget } = self;
        let end = match &result {
            Ok(_) => End::Passed,
            Err(error) if receipt.is_some() && is_choice(error.code) => {
                End::Chosen { code: error.code.as_str(), message: error.message().to_owned() }
            }
            Err(error) => failed(error),
        };
        Checked { subject, arguments, end, receipt, budget }
    }
}

fn failed(error: &CallError) -> End {
    End::Failed { code: error.code.as_str(), message: error.message().to_owned() }
}

/// Whether it is a code by which a plugin says in good order that it cannot or will not.
fn is_choice(code: Code) -> bool {
    use Code::{Denied, InvalidArguments, RateLimited, Unavailable, Upstream};
    matches!(code, InvalidArguments | Denied | Unavailable | Upstream | RateLimited)
}

#[cfg(test)]
mod tests {
    use super::{Answer, End, subject};
    use crate::error::{Blame, CallError, Code};
    use crate::model::{Budget, Receipt};

    fn answer(code: Code, receipt: Option<Receipt>) -> Answer<()> {
        let budget = Budget { fuel: 1, deadline: std::time::Duration::ZERO, memory: 1 };
        Answer { result: Err(CallError::new(code, Blame::Plugin, "why")), receipt, budget }
    }

    #[test]
    fn an_error_of_the_plugins_own_choice_passes_and_every_other_fails() {
        let chosen = ["invalid-arguments", "denied", "unavailable", "rate-limited", "upstream"];
        for code in Code::ALL {
            let ran = answer(*code, Some(Receipt::default())).checked(subject("tool", None, None), None);
            assert_eq!(
                matches!(ran.end, End::Chosen { code, .. } if chosen.contains(&code)),
                chosen.contains(&code.as_str())
            );
            let refused = answer(*code, None).checked(subject("tool", None, None), None);
            assert_eq!(refused.end, End::Failed { code: code.as_str(), message: "why".into() });
        }
    }

    #[test]
    fn only_what_the_hub_sends_back_does_not_match() {
        assert!(answer(Code::InvalidArguments, None).is_unmatched());
        assert!(answer(Code::Limit, None).is_unmatched());
        assert!(!answer(Code::Overloaded, None).is_unmatched());
        assert!(!answer(Code::InvalidArguments, Some(Receipt::default())).is_unmatched());
    }
}
