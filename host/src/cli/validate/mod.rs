//! `hubcap validate`: every loaded validator over files and directories.
//!
//! Invariant: results are told in the order of the paths, whichever file is done first, and no more
//! texts are held than are judged at once.

mod excerpt;
mod find;
mod form;
mod human;
mod json;
mod judge;
mod place;
mod progress;
mod sarif;
mod tally;
mod uri;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use futures::future::ready;
use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cli::serve::stop_on_signals;
use crate::cli::sources::{MAX_NAMED, Skip};
use crate::cli::{Common, Done, Failure, open_audited, say};
use crate::config::Limits;
use crate::hub::{Admission, Hub, State};
use crate::model::{Severity, text};
use crate::plugin::Kind;

use find::{Origin, Source};
use form::{Form, Format};
use judge::{End, Judge, Judged, Validator};
use progress::Progress;
use tally::Tally;

#[derive(Args)]
pub(super) struct Options {
    /// Files and directories, and - for stdin. In directories, .gitignore and other ignore files hold,
    /// hidden and binary files and those over 1 MiB are left out, and links are not followed
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severity())]
    fail_on: Severity,
    /// Id of a validator to run; may be repeated [default: all]
    #[arg(long = "validator", value_name = "ID")]
    validators: Vec<String>,
    /// Leave out findings that are less sure, from 0 to 1
    #[arg(long, value_name = "X", default_value = "0", value_parser = confidence)]
    min_confidence: f32,
}

/// Files that may be done before the one whose turn it is, for each that is judged: a slow file holds
/// the others up only after so many, and their findings are held no longer than that.
const AHEAD: usize = 16;

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let mut home = common.home()?;
    // It reads no files for agents, and need not be able to.
    home.config.validate_dirs.clear();
    let (hub, loader) = open_audited(&home, Admission::Pinning)?;
    tokio::select! {
        () = loader.run(None) => {}
        () = stop.cancelled() => return Err(Failure::Failed("interrupted while plugins were loading".into())),
    }
    let validators: Arc<[Validator]> = choose(&hub, &options.validators).await?.into();
    let here = std::env::current_dir()
        .map_err(|error| Failure::Usage(format!("cannot tell the current directory: {error}")))?;
    let form = options.format.form(&validators, &here, colours());
    let places = places(&home.config.limits);
    let judge = Arc::new(Judge {
        hub: Arc::clone(&hub),
        validators,
        min_confidence: options.min_confidence,
        excerpts: options.format == Format::Human,
        stop: stop.clone(),
        places: Semaphore::new(places),
    });
    let tally = validate(judge, options.paths, form, options.fail_on, places * AHEAD).await;
    hub.audit().close().await;
    let tally = tally?;
    // Everything was said.
    if tally.exit_code == 0 { Ok(()) } else { Err(Failure::Failed(String::new())) }
}

/// Finds the files, has them judged and tells the results.
async fn validate(
    judge: Arc<Judge>,
    paths: Vec<PathBuf>,
    mut form: Box<dyn Form>,
    fail_on: Severity,
    ahead: usize,
) -> Result<Tally, Failure> {
    let (started, stop) = (Instant::now(), judge.stop.clone());
    let sources = list(paths, stop.clone()).await?;
    let mut tally = Tally { listed: sources.len(), ..Tally::default() };
    let found_all = !stop.is_cancelled();
    let progress = Progress::new(tally.listed);
    progress.print(&form.start())?;
    let judging = stream::iter(sources)
        .take_while(|_| ready(!stop.is_cancelled()))
        .map(|source| tokio::spawn(Arc::clone(&judge).judge(source)))
        .buffered(ahead);
    let (mut judging, mut taken) = (pin!(judging), 0);
    while let Some(judged) = judging.next().await {
        let judged = judged.map_err(|error| Failure::Failed(format!("a file was lost: {error}")))?;
        taken += 1;
        tell(&judged, &mut tally, form.as_mut(), &progress)?;
    }
    progress.end();
    tally.close(started.elapsed(), !found_all || taken < tally.listed, fail_on);
    progress.print(&form.end(&tally))?;
    Ok(tally)
}

async fn list(paths: Vec<PathBuf>, stop: CancellationToken) -> Result<Vec<Source>, Failure> {
    let listing = tokio::task::spawn_blocking(move || find::find(&paths, &stop)).await;
    listing.map_err(|error| Failure::Failed(format!("cannot list the files: {error}")))
}

/// Tells what became of a file.
fn tell(judged: &Judged, tally: &mut Tally, form: &mut dyn Form, progress: &Progress) -> Done {
    for failed in tally.add(judged) {
        progress.tell(&failed.sentence());
    }
    let path = &judged.source.shown;
    match &judged.end {
        End::Validated(verdict) => progress.print(&form.file(&judged.source, verdict))?,
        End::Skipped(skip) if was_named(&judged.source) => progress.tell(&skipped(path, *skip)),
        End::Skipped(_) | End::Unreadable(_) | End::Interrupted => {}
    }
    progress.step();
    Ok(())
}

/// Whether somebody expects to hear of it.
fn was_named(source: &Source) -> bool {
    matches!(source.origin, Origin::Stdin | Origin::File(MAX_NAMED))
}

fn skipped(path: &str, skip: Skip) -> String {
    match skip {
        Skip::Binary => format!("{path} is skipped: it has a NUL, or is not UTF-8"),
        Skip::TooLarge => format!("{path} is skipped: it has more than {} MiB", MAX_NAMED >> 20),
    }
}

/// The validators that were named, or all, by id.
async fn choose(hub: &Hub, named: &[String]) -> Result<Vec<Validator>, Failure> {
    let mut loaded = hub.plugins(Kind::Validators).await;
    let ids: Vec<String> = loaded.iter().map(|plugin| plugin.id.to_string()).collect();
    if let Some(unknown) = named.iter().find(|id| !ids.contains(id)) {
        return Err(Failure::Usage(unknown_validator(unknown, &ids)));
    }
    if named.is_empty() {
        tell_refused(hub).await;
    }
    if ids.is_empty() {
        return Err(Failure::Usage("no validator is loaded: `hubcap plugin list` says why".into()));
    }
    loaded.retain(|plugin| named.is_empty() || named.iter().any(|id| id == plugin.id.as_str()));
    let validators = loaded.iter().map(|plugin| Validator {
        id: plugin.id.clone(),
        version: plugin.about.version.clone(),
        rules: plugin.rules.clone(),
    });
    Ok(validators.collect())
}

/// A plugin that could not be loaded may have been a validator: its silence must not look like praise.
async fn tell_refused(hub: &Hub) {
    for file in hub.files().await.into_iter().filter(|file| file.state == State::Refused) {
        say(&format!("hubcap: {} takes no part: {}", file.file, file.reason.unwrap_or_default()));
    }
}

fn unknown_validator(unknown: &str, ids: &[String]) -> String {
    let shown = text::one_line(text::truncate(unknown, 100));
    match text::nearest(unknown, ids.iter().map(String::as_str)) {
        Some(nearest) => format!("there is no validator \"{shown}\"; did you mean \"{nearest}\"?"),
        None if ids.is_empty() => {
            format!(
                "there is no validator \"{shown}\", because none is loaded: `hubcap plugin list` says why"
            )
        }
        None => format!("there is no validator \"{shown}\"; there are {}", ids.join(", ")),
    }
}

/// How many files are judged at once: what keeps the cores busy, and never so many that the hub would
/// have to let one wait.
fn places(limits: &Limits) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * cores).min(limits.calls).min(limits.calls_per_plugin).max(1)
}

/// Whether stdout takes colours.
fn colours() -> bool {
    wants_colours(std::io::stdout().is_terminal(), std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

/// See <https://no-color.org>: what is set and not empty counts.
fn wants_colours(terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> bool {
    terminal && no_color.is_none_or(|set| set.is_empty()) && term.is_none_or(|term| term != "dumb")
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    PossibleValuesParser::new(all.map(Severity::as_str))
        .map(move |word| all.into_iter().find(|one| one.as_str() == word).unwrap_or(Severity::Error))
}

fn confidence(written: &str) -> Result<f32, String> {
    match written.parse() {
        Ok(confidence) if (0.0..=1.0).contains(&confidence) => Ok(confidence),
        _ => Err("it is a number from 0 to 1, such as 0.8".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{confidence, places, unknown_validator, wants_colours};
    use crate::config::Limits;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        assert!(wants_colours(true, None, Some("xterm".into())));
        assert!(wants_colours(true, Some("".into()), None));
        assert!(!wants_colours(false, None, None));
        assert!(!wants_colours(true, Some("1".into()), None));
        assert!(!wants_colours(true, None, Some("dumb".into())));
    }

    #[test]
    fn never_more_files_are_judged_at_once_than_the_hub_runs() {
        let limits = Limits { calls: 2, calls_per_plugin: 1, ..Limits::default() };
        assert_eq!(places(&limits), 1);
        assert!((1..=8).contains(&places(&Limits::default())));
    }

    #[test]
    fn a_confidence_is_from_0_to_1() {
        assert_eq!([confidence("0"), confidence("0.5"), confidence("1")], [Ok(0.0), Ok(0.5), Ok(1.0)]);
        for wrong in ["1.01", "-0.1", "NaN", "sure"] {
            assert!(confidence(wrong).unwrap_err().contains("from 0 to 1"), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_validator_is_answered_with_the_nearest_or_all() {
        let ids = ["judge".to_owned(), "detector".to_owned()];
        assert!(unknown_validator("juge", &ids).ends_with("did you mean \"judge\"?"));
        assert!(unknown_validator("zzz", &ids).ends_with("there are judge, detector"));
        assert!(unknown_validator("zzz", &[]).contains("plugin list"));
    }
}
