//! Whether a call may run: by the operator's rules, and where they say so by the word of a person.
//!
//! Invariant: this comes before a place is taken and before any store exists. A yes is good for one call of
//! one definition, with one set of arguments, by one caller; whatever else comes back is a no.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::{Action, Config};
use crate::error::{Blame, CallError, Code};
use crate::hub::Hub;
use crate::hub::admit::definition;
use crate::hub::audited::About;
use crate::hub::registry::Loaded;
use crate::lock::{canonical, fingerprint};
use crate::model::{Answer, Approver, Call, Question, Tool};
use crate::plugin::Work;
use crate::policy::{Asked, Rules, Ruling, words};
use crate::sandbox::cancelled;
use crate::secrets::Secrets;

/// What the operator wants of calls.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) rules: Rules,
    wait: Duration,
}

impl Policy {
    pub(super) fn of(config: &Config) -> Self {
        Self { rules: Rules::of(config), wait: config.approval.wait }
    }
}

/// A call, as far as the rules are about it.
pub(super) struct Subject<'a> {
    /// The plugin's id.
    pub(super) plugin: &'a str,
    /// SHA-256 of its file, if it is not the hub itself.
    pub(super) file: Option<&'a str>,
    pub(super) tool: &'a Tool,
    pub(super) arguments: &'a Value,
    /// What must not be shown.
    pub(super) secrets: Option<&'a Secrets>,
}

impl<'a> Subject<'a> {
    /// The tool that is called, if one is: rules are about tools.
    fn of<W: Work>(loaded: &'a Loaded, work: &'a W) -> Option<Self> {
        let plugin = &loaded.plugin;
        Some(Self {
            plugin: plugin.id.as_str(),
            file: Some(&plugin.about.digest),
            tool: &plugin.tool(work.name())?.tool,
            arguments: work.arguments()?,
            secrets: Some(plugin.secrets()),
        })
    }

    fn question(&self, caller: String, wait: Duration) -> Question {
        let sent = canonical(self.arguments.clone());
        let mut shown = self.arguments.clone();
        self.secrets.inspect(|secrets| secrets.redact_json(&mut shown));
        let text = words(&Asked {
            plugin: self.plugin,
            file: self.file,
            tool: &self.tool.name,
            caller: &caller,
            bytes: sent.len(),
            arguments: &shown,
        });
        Question {
            tool: self.tool.name.clone(),
            file: self.file.unwrap_or_default().to_owned(),
            definition: fingerprint(&canonical(definition(self.tool))),
            arguments: fingerprint(&sent),
            caller,
            text,
            wait,
        }
    }
}

impl Hub {
    /// Whether calls of a tool are denied, whatever is sent.
    ///
    /// # Errors
    /// `denied`, with the rule that says so.
    pub(super) fn refuse(&self, tool: &str) -> Result<(), CallError> {
        let Ruling { action, rule } = self.policy.rules.decide(tool);
        match (action, rule) {
            (Action::Deny, Some(rule)) => Err(denied(tool, rule)),
            _ => Ok(()),
        }
    }

    /// Asks whether a plugin's call may run, where a person is to be asked.
    ///
    /// # Errors
    /// `approval`, with why not and what to do; `cancelled` where the caller gave up.
    pub(super) async fn permit<W: Work>(&self, loaded: &Loaded, call: &Call<W>) -> Result<(), CallError> {
        let Some(subject) = Subject::of(loaded, &call.work) else { return Ok(()) };
        // Files may have changed while a person thought: what they saw has to be what runs.
        let is_same = || {
            let now = self.registry.load().find(&call.work);
            let now = now.as_ref().and_then(|now| Subject::of(now, &call.work));
            now.is_some_and(|now| (now.file, now.tool) == (subject.file, subject.tool))
        };
        self.ask(&subject, call, Some(loaded), is_same).await
    }

    /// The same for any tool; `is_same` says whether the tool still is what it was.
    pub(super) async fn ask<W: Work>(
        &self,
        subject: &Subject<'_>,
        call: &Call<W>,
        by: Option<&Loaded>,
        is_same: impl Fn() -> bool,
    ) -> Result<(), CallError> {
        if self.policy.rules.decide(&subject.tool.name).action != Action::Ask {
            return Ok(());
        }
        let caller = call.approver.as_ref().map_or_else(|| "a plugin or a check".into(), |one| one.caller());
        let question = subject.question(caller, self.policy.wait);
        let mut answer = match &call.approver {
            Some(approver) => put(call, approver.as_ref(), &question).await?,
            None => Answer::Nobody("nobody is there to be asked".into()),
        };
        if answer == Answer::Approved && !is_same() {
            answer = Answer::Void("the plugin changed or went away while a person was asked".into());
        }
        settle(&question, &answer)?;
        self.write_down_yes(call, by.cloned(), &question).await
    }

    /// Writes down that a person said yes. Where that cannot be, nothing happens.
    async fn write_down_yes<W: Work>(
        &self,
        call: &Call<W>,
        by: Option<Loaded>,
        question: &Question,
    ) -> Result<(), CallError> {
        let Question { definition, arguments, caller, .. } = question;
        let mut record = About::of(call, by).record(&call.work, None);
        record.approval = Some(json!({
            "answer": "approved", "by": caller, "definition": definition, "arguments": arguments,
        }));
        Ok(self.audit.before(record).await?)
    }
}

/// Puts the question, within its time and as long as the caller waits.
async fn put<W>(call: &Call<W>, approver: &dyn Approver, question: &Question) -> Result<Answer, CallError> {
    tokio::select! {
        biased;
        () = call.cancel.cancelled() => Err(cancelled()),
        answer = approver.ask(question) => Ok(answer),
        () = tokio::time::sleep(question.wait) => Ok(Answer::TimedOut),
    }
}

/// What comes of a question. Whoever was to be asked and however it ended, it passes here with all that was
/// decided on, before anything of the call runs; only a question whose caller gave up does not.
fn settle(question: &Question, answer: &Answer) -> Result<(), CallError> {
    let Question { tool, file, definition, arguments, caller, .. } = question;
    tracing::info!(%tool, %file, %definition, %arguments, %caller, ?answer, "a person was to be asked");
    match answer {
        Answer::Approved => Ok(()),
        no => Err(CallError::new(Code::Approval, Blame::Policy, told(no, question.wait))),
    }
}

/// What the caller is told who did not get a yes.
fn told(answer: &Answer, wait: Duration) -> String {
    let (what, next) = match answer {
        Answer::Approved | Answer::Asked => ("a person is being asked", "The next call brings the answer"),
        Answer::Declined => {
            ("a person was asked and declined", "Do not repeat it; ask the user what to do instead")
        }
        Answer::Dismissed => (
            "the question whether this call may run was put away without an answer",
            "Do not repeat it before the user says so",
        ),
        Answer::TimedOut => {
            let ms = wait.as_millis();
            return format!(
                "nobody answered within {ms} ms whether this call may run; nothing ran. Call again when the user is there"
            );
        }
        Answer::Nobody(why) => {
            return format!(
                "a person has to be asked before this call runs, and {why}; nothing ran. Do not repeat it; tell the user, \
                 who can make the call by `hubcap call`, or have the operator change [[policy]] in hubcap.toml"
            );
        }
        Answer::Void(why) => {
            return format!(
                "the approval does not count: {why}; nothing ran. Call again without it, and a person is asked anew"
            );
        }
    };
    format!("{what}; nothing ran. {next}")
}

fn denied(tool: &str, rule: usize) -> CallError {
    let message = format!(
        "the operator's policy denies {tool}: rule {rule} of [[policy]] in hubcap.toml; do not repeat the call, \
         tell the user"
    );
    CallError::new(Code::Denied, Blame::Policy, message)
}
