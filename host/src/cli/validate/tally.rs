//! What a whole run comes to.
//!
//! Invariant: whatever is in the numbers was told before, and the exit code follows from them alone.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::sources::Skip;
use crate::cli::validate::find::Source;
use crate::cli::validate::judge::{Cost, End, Judged, Verdict};
use crate::model::Severity;

/// The sum of a run.
#[derive(Default)]
pub(super) struct Tally {
    /// Files that there are to validate, as far as that was found out.
    pub(super) listed: usize,
    pub(super) files: usize,
    pub(super) bytes: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
    /// Findings that did not fit into reports.
    pub(super) left_out: u64,
    pub(super) skipped: Vec<Skipped>,
    pub(super) failed: Vec<Failed>,
    pub(super) cost: Cost,
    pub(super) took: Duration,
    /// True where the user had enough before everything was validated.
    pub(super) partial: bool,
    /// What the exit code is.
    pub(super) exit_code: u8,
}

/// A file that was left out.
#[derive(Serialize)]
pub(super) struct Skipped {
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
    pub(super) path: String,
    pub(super) reason: Skip,
}

/// A file that cannot be read, or that a validator failed on.
#[derive(Serialize)]
pub(super) struct Failed {
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    pub(super) error: String,
}

impl Failed {
    /// The failure in words.
    pub(super) fn sentence(&self) -> String {
        match (&self.validator, self.code) {
            (Some(validator), Some(code)) => {
                format!("{validator} failed on {}: {code}: {}", self.path, self.error)
            }
            _ => format!("cannot read {}: {}", self.path, self.error),
        }
    }
}

impl Tally {
    /// Takes in a file, and says what failed there.
    pub(super) fn add(&mut self, judged: &Judged) -> &[Failed] {
        let known = self.failed.len();
        let (file, path) = (judged.source.path.clone(), judged.source.shown.clone());
        match &judged.end {
            End::Validated(verdict) => self.add_verdict(&judged.source, verdict),
            End::Skipped(reason) => self.skipped.push(Skipped { file, path, reason: *reason }),
            End::Unreadable(error) => {
                let error = error.clone();
                self.failed.push(Failed { file, path, validator: None, code: None, error });
            }
            End::Interrupted => self.partial = true,
        }
        &self.failed[known..]
    }

    fn add_verdict(&mut self, source: &Source, verdict: &Verdict) {
        self.files += 1;
        self.bytes += verdict.bytes;
        self.cost.add(verdict.cost);
        self.left_out = self.left_out.saturating_add(verdict.left_out);
        for found in &verdict.findings {
            match found.finding.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => self.notes += 1,
            }
        }
        self.failed.extend(verdict.failed.iter().map(|(validator, error)| Failed {
            file: source.path.clone(),
            path: source.shown.clone(),
            validator: Some(validator.to_string()),
            code: Some(error.code.as_str()),
            error: error.message().to_owned(),
        }));
    }

    /// Closes the run: how long it took, whether it got through, and what the exit code is.
    pub(super) fn close(&mut self, took: Duration, cut: bool, fail_on: Severity) {
        self.took = took;
        self.partial |= cut;
        let fails =
            self.partial || !self.failed.is_empty() || self.at_least(fail_on) > 0 || self.left_out > 0;
        self.exit_code = u8::from(fails);
    }

    /// Findings of this severity or a worse one.
    fn at_least(&self, severity: Severity) -> usize {
        let counts = [
            (Severity::Error, self.errors),
            (Severity::Warning, self.warnings),
            (Severity::Note, self.notes),
        ];
        counts.iter().filter(|(of, _)| *of >= severity).map(|(_, count)| count).sum()
    }

    /// Megabytes (10⁶ bytes) of text per second.
    pub(super) fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.took.as_secs_f64().max(1e-6)
    }

    /// The numbers for programs.
    pub(super) fn summary(&self) -> Value {
        json!({
            "files": self.files,
            "bytes": self.bytes,
            "findings": { "error": self.errors, "warning": self.warnings, "note": self.notes },
            "findingsLeftOut": self.left_out,
            "skipped": self.skipped.len(),
            "failed": self.failed.len(),
            "millis": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "megabytesPerSecond": (self.megabytes_per_second() * 1e3).round() / 1e3,
            "calls": self.cost.calls,
            "fuel": self.cost.fuel,
            "peakMemoryBytes": self.cost.peak_memory,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failed, Tally};
    use crate::model::Severity;

    fn exit_code(mut tally: Tally, fail_on: Severity) -> u8 {
        tally.close(Duration::ZERO, false, fail_on);
        tally.exit_code
    }

    #[test]
    fn findings_at_or_above_the_bar_fail_the_run_and_those_below_do_not() {
        let tally = || Tally { warnings: 1, ..Tally::default() };
        assert_eq!(exit_code(tally(), Severity::Error), 0);
        assert_eq!(exit_code(tally(), Severity::Warning), 1);
        assert_eq!(exit_code(tally(), Severity::Note), 1);
        assert_eq!(exit_code(Tally::default(), Severity::Note), 0);
    }

    #[test]
    fn a_failure_and_an_interrupt_fail_the_run() {
        let failed =
            Failed { file: None, path: "a".into(), validator: None, code: None, error: "gone".into() };
        assert_eq!(failed.sentence(), "cannot read a: gone");
        assert_eq!(exit_code(Tally { failed: vec![failed], ..Tally::default() }, Severity::Error), 1);
        let mut cut = Tally::default();
        cut.close(Duration::ZERO, true, Severity::Error);
        assert!(cut.partial && cut.exit_code == 1);
        // Nobody has seen how bad they are.
        assert_eq!(exit_code(Tally { left_out: 1, ..Tally::default() }, Severity::Error), 1);
    }
}
