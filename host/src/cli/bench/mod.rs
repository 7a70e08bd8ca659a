//! `hubcap bench`: what calls of a tool take, from a client's end of real pipes.
//!
//! Invariant: the server is started as an MCP client starts it, and is the only thing that is measured
//! besides the pipes: our own end does as little as a client can.

mod conversation;
mod kernel;
mod level;
mod load;
mod report;

use std::ffi::OsString;

use clap::{Args, ValueEnum, value_parser};
use tokio_util::sync::CancellationToken;

use crate::cli::call::read_arguments;
use crate::cli::serve::stop_on_signals;
use crate::cli::{Common, Done, Failure, open};
use crate::hub::Admission;

use level::Plan;
use report::Report;

/// Most calls that can be asked for: the time of each is kept.
const MAX_CALLS: u64 = 10_000_000;
/// Most calls in flight: as many as `hubcap serve` works on at once.
const MAX_IN_FLIGHT: u64 = 1_024;

#[derive(Args)]
pub(super) struct Options {
    /// Name of the tool, as the server lists it: <plugin>_<tool> with hubcap
    tool: String,
    /// The arguments: a JSON object, @FILE to read it from a file, or - to read it from stdin
    #[arg(default_value = "{}", value_name = "JSON|@FILE|-")]
    arguments: String,
    /// Calls that are measured, after a tenth as many, at most 1,000, that are not
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = value_parser!(u64).range(1..=MAX_CALLS))]
    calls: u64,
    /// Calls in flight at once; of several, each is measured by itself
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1,8,32",
        value_parser = value_parser!(u64).range(1..=MAX_IN_FLIGHT)
    )]
    concurrency: Vec<u64>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// Another MCP server over stdio, with its arguments, in place of `hubcap serve`
    #[arg(last = true, value_name = "PROGRAM")]
    server: Vec<OsString>,
}

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let arguments = read_arguments(&options.arguments)?;
    let server = if options.server.is_empty() { own(common)? } else { options.server };
    let plan = Plan::new(&options.tool, arguments, options.calls, server);
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    // On a thread of its own: an answer need not be handed from one thread to the next to be seen.
    let measured = tokio::task::spawn_blocking(move || measure(&plan, &options.concurrency, &stop));
    let (report, ended) =
        measured.await.map_err(|error| Failure::Failed(format!("the measurement was lost: {error}")))?;
    report.print(&options.tool, options.json)?;
    ended.and(report.judged())
}

/// One level after the other, until one cannot be measured.
fn measure(plan: &Plan, concurrency: &[u64], stop: &CancellationToken) -> (Report, Done) {
    let mut report = Report::default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return (report, Err(Failure::Failed(format!("cannot start: {error}")))),
    };
    for in_flight in concurrency {
        match runtime.block_on(plan.measure(*in_flight, stop)) {
            Ok(level) => report.levels.push(level),
            Err(failure) => return (report, Err(failure)),
        }
    }
    (report, Ok(()))
}

/// This program as a server, with the options that we have ourselves.
fn own(common: &Common) -> Result<Vec<OsString>, Failure> {
    // What is wrong with them is told before anything is started.
    open(&common.home()?, Admission::Inspecting)?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::Failed(format!("this program cannot be found: {error}")))?;
    let level = common.log.unwrap_or(tracing::Level::ERROR).to_string();
    let mut server: Vec<OsString> = vec![program.into(), "serve".into(), "--log".into(), level.into()];
    let named = [("--home", &common.home), ("--config", &common.config)];
    let named = named.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
    for (option, path) in named.chain(common.plugins.iter().map(|path| ("--plugins", path))) {
        server.push(option.into());
        server.push(path.into());
    }
    if let Some(format) = common.log_format.and_then(|format| format.to_possible_value()) {
        server.push("--log-format".into());
        server.push(format.get_name().into());
    }
    Ok(server)
}
