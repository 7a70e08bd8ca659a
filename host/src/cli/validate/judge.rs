//! One file before all validators.
//!
//! Invariant: a validator that fails costs the others nothing, and what is known of a file is in the
//! order of its text.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cli::sources::{self, MAX_NAMED, Skip, Unread};
use crate::cli::validate::excerpt::Excerpt;
use crate::cli::validate::find::{Origin, Source};
use crate::cli::validate::place::{Lines, Region};
use crate::error::{CallError, Code};
use crate::hub::Hub;
use crate::model::{Artifact, Call, Finding, PluginId, Receipt, Rule, Validation, ValidationOptions};

/// A validator as results name it.
pub(super) struct Validator {
    pub(super) id: PluginId,
    pub(super) version: String,
    pub(super) rules: Vec<Rule>,
}

/// What it takes to judge a file.
pub(super) struct Judge {
    pub(super) hub: Arc<Hub>,
    /// By id.
    pub(super) validators: Arc<[Validator]>,
    pub(super) min_confidence: f32,
    /// Whether findings come with their source line.
    pub(super) excerpts: bool,
    pub(super) stop: CancellationToken,
    /// How many files are read and judged at once.
    pub(super) places: Semaphore,
}

/// A file and what became of it.
pub(super) struct Judged {
    pub(super) source: Source,
    pub(super) end: End,
}

/// What became of a file.
pub(super) enum End {
    /// Every validator has answered.
    Validated(Verdict),
    Skipped(Skip),
    /// It cannot be read, because of this.
    Unreadable(String),
    /// The user had enough.
    Interrupted,
}

/// What the validators say of a file.
#[derive(Default)]
pub(super) struct Verdict {
    pub(super) bytes: usize,
    /// By span, then validator, then rule.
    pub(super) findings: Vec<Found>,
    /// How many more there are that did not fit into reports.
    pub(super) left_out: u64,
    /// Validators that failed.
    pub(super) failed: Vec<(PluginId, CallError)>,
    pub(super) cost: Cost,
}

/// A finding and where it is.
pub(super) struct Found {
    /// Index of the validator.
    pub(super) validator: usize,
    pub(super) finding: Finding,
    pub(super) region: Region,
    /// Where the fix is, if there is one.
    pub(super) fix: Option<Region>,
    pub(super) excerpt: Option<Excerpt>,
}

/// What calls cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) calls: u64,
    pub(super) fuel: u64,
    /// The most guest memory of one call, in bytes.
    pub(super) peak_memory: u64,
}

impl Cost {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.fuel += other.fuel;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }

    fn of(receipt: &Receipt) -> Self {
        Self { calls: 1, fuel: receipt.fuel, peak_memory: receipt.peak_memory_bytes }
    }
}

impl Judge {
    pub(super) async fn judge(self: Arc<Self>, source: Source) -> Judged {
        // The semaphore is never closed; its place is held until the end.
        let _place = self.places.acquire().await;
        let end = match self.text(&source).await {
            Ok(text) => self.validate(text, source.hint.clone()).await,
            Err(end) => end,
        };
        Judged { source, end }
    }

    async fn text(&self, source: &Source) -> Result<String, End> {
        let source = source.clone();
        let reading = tokio::task::spawn_blocking(move || read(&source));
        let read = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(End::Interrupted),
            read = reading => read.unwrap_or_else(|error| Err(io::Error::other(error).into())),
        };
        read.map_err(|unread| match unread {
            Unread::Skipped(skip) => End::Skipped(skip),
            Unread::Failed(error) => End::Unreadable(error.to_string()),
        })
    }

    async fn validate(&self, text: String, hint: Option<String>) -> End {
        let mut verdict = Verdict { bytes: text.len(), ..Verdict::default() };
        let artifact = Arc::new(Artifact { text, path: hint, language: None });
        let mut found = Vec::new();
        for (index, validator) in self.validators.iter().enumerate() {
            let outcome = self.hub.call(self.call(validator, &artifact)).await;
            verdict.cost.add(outcome.receipt.as_ref().map(Cost::of).unwrap_or_default());
            match outcome.result {
                Ok(report) => {
                    verdict.left_out = verdict.left_out.saturating_add(report.left_out);
                    found.extend(report.findings.into_iter().map(|finding| (index, finding)));
                }
                Err(error) if error.code == Code::Cancelled && self.stop.is_cancelled() => {
                    return End::Interrupted;
                }
                Err(error) => verdict.failed.push((validator.id.clone(), error)),
            }
        }
        verdict.findings = self.locate(found, &artifact.text);
        End::Validated(verdict)
    }

    fn call(&self, validator: &Validator, artifact: &Arc<Artifact>) -> Call<Validation> {
        let options = ValidationOptions { rules: Vec::new(), min_confidence: self.min_confidence };
        let work = Validation { validator: validator.id.clone(), artifact: Arc::clone(artifact), options };
        Call { cancel: self.stop.clone(), ..Call::new(work) }
    }

    fn locate(&self, mut found: Vec<(usize, Finding)>, judged: &str) -> Vec<Found> {
        found.sort_by(|(a, x), (b, y)| (x.span, a, &x.rule).cmp(&(y.span, b, &y.rule)));
        let lines = Lines::new(judged);
        let located = found.into_iter().map(|(validator, finding)| {
            let region = lines.region(finding.span);
            let excerpt = self.excerpts.then(|| Excerpt::new(judged, &lines, finding.span, &region));
            let fix = finding.fix.as_ref().map(|fix| lines.region(fix.span));
            Found { validator, finding, region, fix, excerpt }
        });
        located.collect()
    }
}

fn read(source: &Source) -> Result<String, Unread> {
    match (&source.origin, &source.path) {
        (Origin::File(most), Some(path)) => sources::read(path, *most),
        (Origin::Nowhere(reason), _) => Err(io::Error::other(reason.clone()).into()),
        (Origin::Stdin | Origin::File(_), _) => sources::read_from(io::stdin().lock(), MAX_NAMED),
    }
}
