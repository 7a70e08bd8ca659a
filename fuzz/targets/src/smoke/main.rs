//! A short fuzzing run that needs no nightly: seeds, mutated blindly but repeatably.
//!
//! Invariant: target, number and round of the generator make an input; the input of a finding is kept as a file.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

mod mutate;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use fuzz_targets::{TARGETS, Target};

use mutate::{Mutator, Random};

/// What takes longer is a finding, too: bounds are there to prevent that. Wide, because machines are slow.
const SLOW: Duration = Duration::from_secs(20);

/// Feeds each target with mutated seeds.
#[derive(Parser)]
struct Options {
    /// Targets; all where none is named.
    targets: Vec<String>,
    /// How long, for each target.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Number that the inputs are made of; the time of day where absent.
    #[arg(long)]
    seed: Option<u64>,
    /// Feeds these files instead: the inputs of findings.
    #[arg(long)]
    input: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(unknown) =
        options.targets.iter().find(|name| TARGETS.iter().all(|known| known.name != **name))
    {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("there is no target {unknown:?}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let panics = Panics::watch();
    let wanted = |target: &&Target| {
        options.targets.is_empty() || options.targets.iter().any(|name| name == target.name)
    };
    for target in TARGETS.iter().filter(wanted) {
        // The first time, a target gets ready, for which it may have to compile something.
        let ended = run(target, &[], &panics).and_then(|()| match options.input.is_empty() {
            true => fuzz(target, &options, &panics),
            false => options.input.iter().try_for_each(|file| feed(target, &read(file), &panics)),
        });
        if let Err(finding) = ended {
            eprintln!("{}: {finding}", target.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Feeds one target for its time, its seeds first as they are.
fn fuzz(target: &Target, options: &Options, panics: &Panics) -> Result<(), String> {
    let seeds = seeds(target.name);
    let number = options.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_nanos()).unwrap_or_default()
    });
    println!("{}: {} seeds, --seed {number}", target.name, seeds.len());
    for (file, seed) in &seeds {
        feed(target, seed, panics).map_err(|finding| format!("{}: {finding}", file.display()))?;
    }
    let mut mutator = Mutator::new(seeds.into_iter().map(|(_, seed)| seed).collect(), Random::new(number));
    let (started, mut executions, mut slowest) = (Instant::now(), 0_u64, Duration::ZERO);
    while started.elapsed() < Duration::from_secs(options.seconds) {
        let input = mutator.next_input();
        let fed = Instant::now();
        feed(target, &input, panics).map_err(|finding| kept(target, &input, &finding))?;
        slowest = slowest.max(fed.elapsed());
        executions += 1;
    }
    println!(
        "{}: {executions} executions in {:.1} s, the slowest {slowest:.1?}",
        target.name,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// One input; says what is wrong with what came of it.
fn feed(target: &Target, input: &[u8], panics: &Panics) -> Result<(), String> {
    let fed = Instant::now();
    run(target, input, panics)?;
    if fed.elapsed() > SLOW { Err(format!("one input took {:?}", fed.elapsed())) } else { Ok(()) }
}

fn run(target: &Target, input: &[u8], panics: &Panics) -> Result<(), String> {
    // Nothing of a target is used after it has panicked.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    match panics.take() {
        Some(panic) => Err(panic),
        None if ended.is_err() => Err("it panicked and said nothing".into()),
        None => Ok(()),
    }
}

/// Keeps the input of a finding, and says where.
fn kept(target: &Target, input: &[u8], finding: &str) -> String {
    let file = root().join(format!("target/fuzz-finding-{}", target.name));
    let kept = match std::fs::write(&file, input) {
        Ok(()) => format!("the input is in {0}; again: smoke {1} --input {0}", file.display(), target.name),
        Err(error) => format!("the input cannot be kept ({error}): {input:?}"),
    };
    format!("{finding}\n{kept}")
}

/// Panics of all threads: a task that panics is no error of whoever waits for others.
#[derive(Clone, Default)]
struct Panics(Arc<Mutex<Option<String>>>);

impl Panics {
    /// Notes every panic from now on, in the place of writing it to stderr.
    fn watch() -> Self {
        let panics = Self::default();
        let noted = panics.clone();
        panic::set_hook(Box::new(move |info| {
            noted.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(info.to_string());
        }));
        panics
    }

    /// The first since the last time.
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The seeds of a target, by name. Without any there is nothing to mutate: that is told as a missing file.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = root().join("fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", directory.display());
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
