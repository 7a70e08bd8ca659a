//! What a form of output is: text for the start, for each file, and for the end.
//!
//! Invariant: a form holds no more than it needs for its end, so that memory does not grow with the
//! findings.

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use crate::cli::validate::find::Source;
use crate::cli::validate::human::Human;
use crate::cli::validate::json::Json;
use crate::cli::validate::judge::{Validator, Verdict};
use crate::cli::validate::sarif::Sarif;
use crate::cli::validate::tally::Tally;
use crate::model::PluginId;

/// A form of output.
pub(super) trait Form: Send {
    /// What stands before everything.
    fn start(&mut self) -> String;

    /// What is said of one file.
    fn file(&mut self, source: &Source, verdict: &Verdict) -> String;

    /// What stands at the end.
    fn end(&mut self, tally: &Tally) -> String;
}

/// The forms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Source lines with marks under what was found
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
}

impl Format {
    /// The form itself.
    pub(super) fn form(self, validators: &Arc<[Validator]>, here: &Path, colours: bool) -> Box<dyn Form> {
        let validators = Arc::clone(validators);
        match self {
            Self::Human => Box::new(Human::new(validators, colours)),
            Self::Json => Box::new(Json::new(validators)),
            Self::Sarif => Box::new(Sarif::new(validators, here)),
        }
    }
}

/// Puts a comma and a line end between elements.
#[derive(Default)]
pub(super) struct Commas(bool);

impl Commas {
    /// The elements, each on its own line, after those of before.
    pub(super) fn join<T: serde::Serialize>(&mut self, elements: impl IntoIterator<Item = T>) -> String {
        let mut text = String::new();
        for element in elements {
            text += if std::mem::replace(&mut self.0, true) { ",\n" } else { "\n" };
            // Our own plain data: there is nothing in it that JSON cannot have.
            text += &serde_json::to_string(&element).unwrap_or_default();
        }
        text
    }
}

/// The id of a validator.
pub(super) fn id(validators: &[Validator], index: usize) -> &PluginId {
    &validators[index].id
}
