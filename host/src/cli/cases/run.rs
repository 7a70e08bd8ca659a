//! One case after the other through the hub.
//!
//! Invariant: each has a call of its own, takes the way that every call takes, and ends in one result.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cli::cases::compare::{self, Came, Seen};
use crate::cli::cases::file::{Ask, Case};
use crate::error::Code;
use crate::hub::Hub;
use crate::model::{
    Artifact, Call, Completion, Content, Conversation, Message, PluginId, Receipt, Report, Role, ToolCall,
    ToolOutput, Validation, ValidationOptions, text,
};
use crate::outcome::Outcome;
use crate::plugin::Work;

/// What it takes to run a case.
pub(super) struct Runner {
    pub(super) hub: Arc<Hub>,
    pub(super) plugin: PluginId,
    /// Fires when the user has had enough.
    pub(super) stop: CancellationToken,
}

/// What became of a case.
pub(super) struct Ended {
    pub(super) name: String,
    /// What was expected and what came, where that differs.
    pub(super) difference: Option<String>,
    /// What it cost; absent where no guest ran.
    pub(super) receipt: Option<Receipt>,
}

impl Runner {
    /// Runs a case; nothing where the user had enough before it was done.
    pub(super) async fn run(&self, case: &Case) -> Option<Ended> {
        if self.stop.is_cancelled() {
            return None;
        }
        let Outcome { result, receipt } = self.ask(&case.ask).await;
        if result.as_ref().is_err_and(|error| error.code == Code::Cancelled) && self.stop.is_cancelled() {
            return None;
        }
        let difference = compare::difference(&case.want, &result);
        Some(Ended { name: case.name.clone(), difference, receipt })
    }

    async fn ask(&self, ask: &Ask) -> Outcome<Came> {
        match ask {
            Ask::Call { tool, arguments } => {
                let work = ToolCall::new(format!("{}_{tool}", self.plugin), arguments.clone());
                self.call(work, of_output).await
            }
            Ask::Validate { text, path, language } => {
                let artifact =
                    Artifact { text: text.clone(), path: path.clone(), language: language.clone() };
                let work = Validation {
                    validator: self.plugin.clone(),
                    artifact: Arc::new(artifact),
                    options: ValidationOptions::default(),
                };
                self.call(work, |report| of_report(report, text)).await
            }
            Ask::Complete { prompt, model } => {
                let message = Message { role: Role::User, text: prompt.clone() };
                let work = Conversation {
                    provider: self.plugin.clone(),
                    model: model.clone(),
                    messages: vec![message],
                    max_output_tokens: None,
                    stop: Vec::new(),
                    output_schema: None,
                };
                self.call(work, of_completion).await
            }
        }
    }

    async fn call<W: Work>(&self, work: W, came: impl FnOnce(W::Output) -> Came) -> Outcome<Came> {
        let call = Call { cancel: self.stop.clone(), ..Call::new(work) };
        let Outcome { result, receipt } = self.hub.call(call).await;
        Outcome { result: result.map(came), receipt }
    }
}

fn of_output(output: ToolOutput) -> Came {
    let texts = output.content.iter().filter_map(|block| match block {
        Content::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    Came { text, structured: output.structured, ..Came::default() }
}

fn of_report(report: Report, judged: &str) -> Came {
    let mut positions = text::Positions::of(judged);
    let findings = report.findings.into_iter().map(|finding| {
        let (line, column) = positions.at(finding.span.start);
        Seen { rule: finding.rule, line, column, severity: finding.severity, message: finding.message }
    });
    Came { findings: findings.collect(), left_out: report.left_out, ..Came::default() }
}

fn of_completion(completion: Completion) -> Came {
    Came { text: completion.text, ..Came::default() }
}
