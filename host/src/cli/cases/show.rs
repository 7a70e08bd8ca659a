//! What became of the cases, for people and for programs.

use serde_json::{Value, json};

use crate::cli::cases::run::Ended;
use crate::model::{PluginId, text};

/// What stands before the lines below a case.
const INDENT: &str = "        ";

/// What is known when the run is over.
pub(super) struct Summary<'a> {
    pub(super) plugin: &'a PluginId,
    pub(super) version: &'a str,
    pub(super) ended: &'a [Ended],
    /// Cases that there are.
    pub(super) cases: usize,
}

impl Summary<'_> {
    /// Cases that brought something else than they had to.
    pub(super) fn failed(&self) -> usize {
        self.ended.iter().filter(|ended| ended.difference.is_some()).count()
    }

    /// Whether the user had enough before all was done.
    pub(super) fn is_partial(&self) -> bool {
        self.ended.len() < self.cases
    }

    /// A line for people.
    pub(super) fn line(&self) -> String {
        let partial = match self.is_partial() {
            true => format!("interrupted, so this is partial: {} of ", self.ended.len()),
            false => String::new(),
        };
        let failed = self.failed();
        let receipts = || self.ended.iter().filter_map(|ended| ended.receipt.as_ref());
        let fuel: u64 = receipts().map(|receipt| receipt.fuel).sum();
        let micros: u64 = receipts().map(|receipt| receipt.wall_micros).sum();
        format!(
            "{partial}{} case{} of {} {}: {} ok, {failed} failed; took {:.2} ms, fuel {fuel}\n",
            self.cases,
            if self.cases == 1 { "" } else { "s" },
            self.plugin,
            self.version,
            self.ended.len() - failed,
            micros as f64 / 1e3,
        )
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        let failed = self.failed();
        json!({
            "plugin": self.plugin,
            "cases": self.ended.iter().map(case).collect::<Vec<_>>(),
            "passed": self.ended.len() - failed,
            "failed": failed,
            "partial": self.is_partial(),
        })
    }
}

fn case(ended: &Ended) -> Value {
    let mut case = json!({ "name": ended.name, "ok": ended.difference.is_none() });
    if let Some(difference) = &ended.difference {
        case["reason"] = difference.as_str().into();
    }
    if let Some(receipt) = &ended.receipt {
        case["receipt"] = json!(receipt);
    }
    case
}

/// A case for people: a line, and what was expected and what came below it.
pub(super) fn lines(ended: &Ended) -> String {
    let name = text::one_line(&ended.name);
    match &ended.difference {
        None => format!("ok      {name}\n"),
        Some(difference) => {
            format!("FAILED  {name}\n{INDENT}{}\n", difference.replace('\n', &format!("\n{INDENT}")))
        }
    }
}
