//! What a check found, for people and for programs.
//!
//! Invariant: what a guest said is shown in a way that no terminal obeys.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::cli::check::probe::{Checked, End, Subject};
use crate::cli::check::share::{self, Share};
use crate::hub::{FileReport, State};
use crate::model::text;

/// What stands before the lines below a call.
const INDENT: &str = "        ";
/// Bytes of arguments and texts that are shown to people.
const SHOWN: usize = 1_000;
/// What an author can do for a tool that could not be called.
const ADVICE: &str =
    "no arguments could be made that match its own input schema; put `examples` or `default` there";

/// What is known of a plugin.
pub(super) struct Report {
    pub(super) file: FileReport,
    /// The configuration that was made for it.
    pub(super) generated: Option<Map<String, Value>>,
    pub(super) checked: Vec<Checked>,
    /// Whether the user had enough before all was asked.
    pub(super) is_partial: bool,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or(self.kind);
        match &self.case {
            Some(case) => write!(f, "{name} ({case})"),
            None => f.write_str(name),
        }
    }
}

impl Report {
    pub(super) fn new(file: FileReport, generated: Option<Map<String, Value>>) -> Self {
        Self { file, generated, checked: Vec::new(), is_partial: false }
    }

    /// Whether the plugin could be loaded.
    pub(super) fn is_loaded(&self) -> bool {
        self.file.state == State::Ready
    }

    /// Whether everything that there is to ask was asked and answered well enough.
    pub(super) fn is_passed(&self) -> bool {
        self.is_loaded() && !self.is_partial && self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.checked.iter().filter(|checked| matches!(checked.end, End::Failed { .. })).count()
    }

    fn passed(&self) -> usize {
        let passed = |checked: &&Checked| matches!(checked.end, End::Passed | End::Chosen { .. });
        self.checked.iter().filter(passed).count()
    }

    /// The tools that could not be called.
    fn skipped(&self) -> Vec<&str> {
        let called = |name: &str| {
            let of = |checked: &&Checked| {
                checked.subject.kind == "tool" && checked.subject.name.as_deref() == Some(name)
            };
            self.checked.iter().filter(of).any(|checked| checked.end != End::Unmatched)
        };
        let unmatched = self.checked.iter().filter(|checked| checked.end == End::Unmatched);
        let mut tools: Vec<&str> = unmatched.filter_map(|checked| checked.subject.name.as_deref()).collect();
        tools.dedup();
        tools.retain(|name| !called(name));
        tools
    }

    fn identity(&self) -> String {
        let FileReport { id, version, .. } = &self.file;
        format!("{} {}", id.as_deref().unwrap_or("-"), version.as_deref().unwrap_or("-"))
    }

    /// Which plugin it is, for people.
    pub(super) fn head(&self) -> String {
        format!("{}  {}\n{}", self.identity(), self.file.path, self.configuration())
    }

    /// What the plugin was configured with, where that was made up.
    pub(super) fn configuration(&self) -> String {
        match &self.generated {
            Some(made) => format!(
                "configured with {}, made from its [config] because hubcap.toml has nothing for it\n",
                short(&json!(made).to_string())
            ),
            None => String::new(),
        }
    }

    /// The end, for people.
    pub(super) fn foot(&self) -> String {
        let skipped = self.skipped();
        let mut text: String = skipped.iter().map(|tool| format!("skipped {tool}: {ADVICE}\n")).collect();
        let shares: Vec<String> = share::largest(&self.checked).iter().map(share_in_words).collect();
        if !shares.is_empty() {
            text += &format!("the most of each bound: {}\n", shares.join(", "));
        }
        let partial = if self.is_partial { "interrupted, so this is partial: " } else { "" };
        let (passed, failed) = (self.passed(), self.failed());
        text + &format!(
            "{partial}{} of {}: {passed} ok, {failed} failed; {} skipped\n",
            counted(passed + failed, "call"),
            self.identity(),
            counted(skipped.len(), "tool"),
        )
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        let shares =
            share::largest(&self.checked).into_iter().map(|share| (share.bound.to_owned(), json!(share)));
        let asked = self.checked.iter().filter(|checked| checked.end != End::Unmatched);
        let skipped = self.skipped();
        let mut report = json!({
            "plugin": self.file.id,
            "version": self.file.version,
            "file": self.file.path,
            "checks": asked.map(as_json).collect::<Vec<_>>(),
            "skipped": skipped.iter().map(|tool| json!({ "tool": tool, "reason": ADVICE })).collect::<Vec<_>>(),
            "largest": shares.collect::<Map<_, _>>(),
            "passed": self.passed(),
            "failed": self.failed(),
            "partial": self.is_partial,
        });
        if let Some(reason) = &self.file.reason {
            report["refused"] = reason.as_str().into();
        }
        if let Some(generated) = &self.generated {
            report["generatedConfig"] = json!(generated);
        }
        report
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

fn share_in_words(share: &Share) -> String {
    let bound = match share.bound {
        "memoryBytes" => "memory",
        "wallMicros" => "time",
        "resultBytes" => "result",
        bound => bound,
    };
    format!("{bound} {:.2} % by {}", share.percent(), share.by)
}

fn as_json(checked: &Checked) -> Value {
    let Subject { kind, name, case } = &checked.subject;
    let mut entry = json!({ "kind": kind, "ok": !matches!(checked.end, End::Failed { .. }) });
    let told = match &checked.end {
        End::Chosen { code, message } | End::Failed { code, message } => {
            Some(json!({ "code": code, "message": message }))
        }
        End::Passed | End::Unmatched => None,
    };
    let more = [
        ("name", name.as_ref().map(|name| json!(name))),
        ("case", case.as_ref().map(|case| json!(case))),
        ("arguments", checked.arguments.clone()),
        ("error", told),
        ("receipt", checked.receipt.as_ref().map(|receipt| json!(receipt))),
    ];
    for (key, value) in more {
        if let Some(value) = value {
            entry[key] = value;
        }
    }
    entry
}

/// A call for people: a line, and below a failure what was sent.
pub(super) fn lines(checked: &Checked) -> String {
    let subject = &checked.subject;
    match &checked.end {
        End::Passed => format!("ok      {subject}\n"),
        End::Chosen { code, message } => {
            format!("ok      {subject}, which says {code}: {}\n", short(message))
        }
        End::Failed { code, message } => {
            let arguments = checked.arguments.as_ref().map_or_else(String::new, |arguments| {
                format!("{INDENT}arguments: {}\n", short(&arguments.to_string()))
            });
            format!("FAILED  {subject}: {code}: {}\n{arguments}", short(message))
        }
        End::Unmatched => String::new(),
    }
}

/// In a line, and not too much of it.
fn short(shown: &str) -> String {
    let kept = text::truncate(shown, SHOWN);
    let cut = if kept.len() < shown.len() { "…" } else { "" };
    format!("{}{cut}", text::one_line(kept))
}
