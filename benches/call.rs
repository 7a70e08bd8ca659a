//! One `Hub::call` of an echo guest, a fresh store each time: how long, and where the time goes.
//!
//! `cargo bench` prints the median and the 99th percentile of a call, and the share of each stage.
//! The stages are the host's own trace spans, timed in a second run, so that timing them costs the
//! first run nothing.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
/// The stages of a call, in their order.
const STAGES: [&str; 5] = ["store", "instantiate", "init", "export", "drop"];

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let plugins = tempfile::tempdir()?;
    std::fs::copy(echo_guest()?, plugins.path().join("echo.wasm"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let hub = runtime.block_on(load(plugins.path()))?;

    runtime.block_on(calls(&hub, WARM_UP))?;
    let mut plain = runtime.block_on(calls(&hub, CALLS))?;
    plain.sort();
    let (p50, p99) = (plain[CALLS / 2], plain[CALLS * 99 / 100]);
    println!(
        "Hub::call of echo, fresh store each: p50 {:.1} µs, p99 {:.1} µs ({CALLS} calls)",
        micros(p50),
        micros(p99)
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

async fn load(plugins: &Path) -> Result<Arc<Hub>, Failure> {
    let home = Home { plugin_dirs: vec![plugins.to_owned()], ..Home::nowhere(Config::default()) };
    let (hub, loader) = Loader::new(&home, Admission::Own)?;
    loader.run(None).await;
    Ok(hub)
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
