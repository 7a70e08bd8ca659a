//! One `Hub::call` of an echo guest, a fresh store each time: how long, and where the time goes.
//!
//! `cargo bench` prints the median and the 99th percentile of a call, the same for a hub whose calls are
//! written to the audit log, in turns with the other, and the share of each stage.
//! The stages are the host's own trace spans, timed in a second run, so that timing them costs the
//! first run nothing.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hubcap::audit::{Audit, verify};
use hubcap::config::Config;
use hubcap::home::Home;
use hubcap::hub::{Admission, Hub, Loader};
use hubcap::model::{Call, ToolCall};
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const WARM_UP: usize = 2_000;
const CALLS: usize = 20_000;
/// Turns of the hub with the audit log and the one without.
const TURNS: usize = 20;
/// The stages of a call, in their order.
const STAGES: [&str; 5] = ["store", "instantiate", "init", "export", "drop"];

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let (plugins, state) = (tempfile::tempdir()?, tempfile::tempdir()?);
    std::fs::copy(echo_guest()?, plugins.path().join("echo.wasm"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let hub = runtime.block_on(load(plugins.path(), None))?;
    let audited = runtime.block_on(load(plugins.path(), Some(state.path())))?;

    let (mut plain, mut written) = (Vec::new(), Vec::new());
    runtime.block_on(calls(&hub, WARM_UP))?;
    runtime.block_on(calls(&audited, WARM_UP))?;
    for _ in 0..TURNS {
        plain.extend(runtime.block_on(calls(&hub, CALLS / TURNS))?);
        written.extend(runtime.block_on(calls(&audited, CALLS / TURNS))?);
    }
    runtime.block_on(audited.audit().close());
    let without = print_times("Hub::call of echo, fresh store each", plain);
    let with = print_times("the same, with the audit log", written);
    let log = verify(&state.path().join("state/audit"), None)?;
    println!(
        "  with the audit log, the median is {:.3} of the other; {} of {} records were lost",
        with / without,
        log.lost,
        WARM_UP + CALLS
    );

    let stages = Stages::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(stages.clone()))?;
    let whole: Duration = runtime.block_on(calls(&hub, CALLS))?.iter().sum();
    stages.print(whole);
    Ok(())
}

/// Builds the guest `echo` of the tests.
fn echo_guest() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "build",
            "-p",
            "test-guests",
            "--bin",
            "echo",
            "--target",
            "wasm32-wasip2",
            "--profile",
            "guest",
        ])
        .args(["--target-dir", "target/guests"])
        .status()?;
    if !built.success() {
        return Err(
            "the echo guest does not build; is the target there? (rustup target add wasm32-wasip2)".into()
        );
    }
    Ok(root.join("target/guests/wasm32-wasip2/guest/echo.wasm"))
}

/// A hub with the plugins; its calls are written down where there is a home for that.
async fn load(plugins: &Path, state: Option<&Path>) -> Result<Arc<Hub>, Failure> {
    let mut home = Home { plugin_dirs: vec![plugins.to_owned()], ..Home::nowhere(Config::default()) };
    home.directory = state.map(Path::to_owned);
    let audit = if state.is_some() { Audit::start(&home) } else { Audit::off() };
    let (hub, loader) = Loader::audited(&home, Admission::Own, audit)?;
    loader.run(None).await;
    Ok(hub)
}

/// Prints the median and the 99th percentile, and gives the median in microseconds.
fn print_times(what: &str, mut times: Vec<Duration>) -> f64 {
    times.sort();
    let (p50, p99) = (micros(times[times.len() / 2]), micros(times[times.len() * 99 / 100]));
    println!("{what}: p50 {p50:.1} µs, p99 {p99:.1} µs ({} calls)", times.len());
    p50
}

/// Calls one after the other and says how long each took.
async fn calls(hub: &Arc<Hub>, count: usize) -> Result<Vec<Duration>, Failure> {
    let arguments = Map::from_iter([("text".to_owned(), Value::from("hello"))]);
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let call = Call::new(ToolCall::new("echo_say", arguments.clone()));
        let started = Instant::now();
        let outcome = hub.call_tool(call).await;
        took.push(started.elapsed());
        outcome.result?;
    }
    Ok(took)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Adds up how long each span was open.
#[derive(Clone, Default)]
struct Stages(Arc<Mutex<HashMap<&'static str, Duration>>>);

impl Stages {
    fn print(&self, whole: Duration) {
        let totals = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut rest = whole;
        for stage in STAGES {
            let total = totals.get(stage).copied().unwrap_or_default();
            rest = rest.saturating_sub(total);
            print_share(stage, total, whole);
        }
        print_share("hub", rest, whole);
    }
}

fn print_share(stage: &str, total: Duration, whole: Duration) {
    let each = micros(total) / CALLS as f64;
    println!("  {stage:12} {each:6.1} µs  {:4.1} %", 100.0 * total.as_secs_f64() / whole.as_secs_f64());
}

/// When a span came into being.
struct Opened(Instant);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stages {
    fn on_new_span(&self, _attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Opened(Instant::now()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let opened = span.extensions().get::<Opened>().map(|opened| opened.0.elapsed());
        if let (Some(took), Ok(mut totals)) = (opened, self.0.lock()) {
            *totals.entry(span.name()).or_default() += took;
        }
    }
}
