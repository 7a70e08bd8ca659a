//! The command line: what can be asked, and what the exit code says.
//!
//! Invariant: results go to stdout and everything else to stderr; the exit code is decided here and
//! nowhere else: 0 done, 1 the call or check failed, 2 usage or configuration.

mod approve;
mod audit;
mod batches;
mod bench;
mod build;
mod call;
mod cargo;
mod cases;
mod check;
mod child;
mod deed;
mod demo;
mod grant;
mod inspect;
mod list;
mod new;
mod one;
mod room;
mod serve;
mod sources;
mod state;
mod terminal;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::audit::Audit;
use crate::home::{Home, Named};
use crate::hub::{Admission, Hub, Loader};
use crate::telemetry;

/// Threads for work that blocks: reading files, compiling. Bounded, so that a slow disk costs no more.
const BLOCKING_THREADS: usize = 64;

/// How long a thread that blocked waits for more of it. Programs and files bring such work in bursts, and a
/// server that rests should look like one.
const BLOCKING_KEEP_ALIVE: Duration = Duration::from_millis(500);

/// Turns of tasks between two looks at timers and pipes. A turn of a guest that computes takes a whole
/// epoch tick.
const EVENT_INTERVAL: u32 = 4;

/// A plugin host for AI agents: every integration is a WebAssembly component, and every call is bounded.
#[derive(Parser)]
#[command(
    name = "hubcap",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 the call or check failed, 2 usage or configuration.\n\n\
        Examples:\n  \
        hubcap serve --plugins ./plugins               serve MCP on stdin and stdout\n  \
        hubcap tools                                   what agents would see\n  \
        hubcap call placeholder-detector_scan '{\"text\": \"// TODO\"}'\n  \
        hubcap validate src                            what the loaded validators find\n  \
        hubcap plugin new my-plugin                    a crate to start from\n  \
        hubcap plugin build my-plugin --out plugins    from a crate to a plugin\n  \
        hubcap plugin test my-plugin                   what the cases of its author say\n  \
        hubcap plugin check plugins/my-plugin.wasm     whether it keeps its promises"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args)]
struct Common {
    /// Directory with hubcap.toml and plugins/ [default: the nearest .hubcap/ from here upward, else the user's data directory]
    #[arg(long, global = true, env = "HUBCAP_HOME", value_name = "DIR", value_parser = path())]
    home: Option<PathBuf>,
    /// Configuration file [default: hubcap.toml in the home]
    #[arg(long, global = true, env = "HUBCAP_CONFIG", value_name = "FILE", value_parser = path())]
    config: Option<PathBuf>,
    /// Plugin directory or file, in place of the configured ones; may be repeated [env: HUBCAP_PLUGINS, several with `:` between]
    #[arg(long, global = true, value_name = "PATH")]
    plugins: Vec<PathBuf>,
    /// How log lines on stderr look [default: human on a terminal, json elsewhere]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<telemetry::Format>,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, global = true, env = "HUBCAP_LOG", value_name = "LEVEL")]
    log: Option<tracing::Level>,
}

/// A path that may be empty: as a variable, that is none.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

#[derive(Subcommand)]
enum Command {
    /// Serve the plugins' tools to an MCP client on stdin and stdout
    ///
    /// Ends when stdin ends, or on SIGTERM or SIGINT: running calls get 10 s to finish. A second
    /// signal ends it at once.
    Serve(serve::Options),
    /// Call one tool, through the same hub as agents do
    Call(call::Options),
    /// List the tools that agents would see
    Tools(list::Options),
    /// Have files judged by the loaded validators
    ///
    /// Exit code 1 means findings at or above --fail-on, or a file or validator that failed. An
    /// interrupt ends it with what is known so far; a second one ends it at once.
    Validate(validate::Options),
    /// Look at plugins, start new ones, or build them
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Look at what plugins keep between calls, copy it or remove it
    ///
    /// Works while no server uses it.
    #[command(subcommand)]
    State(state::StateCommand),
    /// Read the log of calls, or check that it is as it was written
    ///
    /// Works while a server writes to it.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Measure calls of a tool: how long they take, how many a second, and what they cost
    ///
    /// Each number of calls in flight has a server of its own, started as an MCP client starts it. What
    /// follows `--` is measured in place of `hubcap serve`.
    ///
    /// Exit code 1 means that a call failed, or the server.
    Bench(bench::Options),
    /// Show hubcap at work: build the bundled plugins, serve them, scan real sources
    Demo(demo::Options),
}

#[derive(Subcommand)]
enum PluginCommand {
    /// List every file in the plugin directories, with its state and why
    List(list::Options),
    /// Make the crate of a new plugin: a tool, a validator or a provider that works
    New(new::Options),
    /// Show what one plugin is: identity, tools with their schemas, what it imports and takes
    Inspect(inspect::Options),
    /// Show what changed in a plugin, or what a new one is, and accept it
    ///
    /// What is accepted is written to hubcap.lock in the home. Hubs that run take it at their next start.
    Approve(approve::Options),
    /// Show what a plugin asks for and write what you allow into hubcap.toml
    Grant(grant::Options),
    /// Build plugins from their crates: compile, embed plugin.toml, check in the sandbox
    Build(build::Options),
    /// Build a plugin and run the cases that its author wrote, in the sandbox
    ///
    /// They are in cases.toml or cases.json beside its Cargo.toml. A [[case]] has a `name`; one of
    /// `call` (a tool, with `arguments`), `validate` (a text, with `path` and `language`) and `complete`
    /// (a prompt, with `model`); and what has to come back: `text`, `structured`, `findings`, or `error`
    /// with a part of its `message`. [config] is what the plugin is configured with.
    ///
    /// Exit code 1 means that a case failed, 2 that there is no case file or that it is wrong.
    Test(cases::Options),
    /// Check that a plugin keeps its promises: call everything it offers, with arguments made from its schemas
    ///
    /// A success passes, and so does an error that the plugin chose itself. A crash, a bound that was
    /// reached and a result that is not what was promised fail.
    Check(check::Options),
}

/// How a command ended, where it did not simply succeed.
enum Failure {
    /// The call or check failed: exit code 1.
    Failed(String),
    /// Wrong usage or configuration: exit code 2.
    Usage(String),
}

type Done = Result<(), Failure>;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if let Err(error) = room::to_start(cores) {
        return tell(&format!("cannot start: {error}"), 1);
    }
    let level = cli.common.log.unwrap_or_else(|| cli.command.default_level());
    let format = cli.common.log_format.unwrap_or_else(telemetry::Format::for_stderr);
    // Without a log the work can still be done; nobody could be told anyway.
    let logging = telemetry::start(format, level).ok();
    let code = match run(cli, cores) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => tell(&message, 1),
        Err(Failure::Usage(message)) => tell(&message, 2),
    };
    drop(logging);
    code
}

/// Says why, unless everything was said already.
fn tell(message: &str, code: u8) -> ExitCode {
    if !message.is_empty() {
        say(&format!("hubcap: {message}"));
    }
    ExitCode::from(code)
}

fn run(cli: Cli, cores: usize) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Said here, because a variable of the environment that says it wrongly would be a panic.
        .worker_threads(cores)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        // Timers and pipes are looked at after every few guests' turns, not after the default 61.
        .event_interval(EVENT_INTERVAL)
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start threads: {error}")))?;
    // While one thread is there, work that blocks waits where the system gives no more; where there is none,
    // handing it over is a panic.
    let (_until, ended) = std::sync::mpsc::channel::<()>();
    drop(runtime.spawn_blocking(move || ended.recv()));
    let done = runtime.block_on(cli.command.run(cli.common));
    // Whatever still blocks, such as a read of a terminal, must not hold up the end.
    runtime.shutdown_background();
    done
}

impl Command {
    /// A server tells what it does; a list what is odd; the others say by themselves what went wrong.
    fn default_level(&self) -> tracing::Level {
        match self {
            Self::Serve(_) => tracing::Level::INFO,
            Self::Bench(_)
            | Self::Call(_)
            | Self::Demo(_)
            | Self::Validate(_)
            | Self::State(_)
            | Self::Audit(_) => tracing::Level::ERROR,
            Self::Plugin(
                PluginCommand::Approve(_)
                | PluginCommand::Check(_)
                | PluginCommand::Grant(_)
                | PluginCommand::Test(_),
            ) => tracing::Level::ERROR,
            Self::Tools(_) | Self::Plugin(_) => tracing::Level::WARN,
        }
    }

    async fn run(self, common: Common) -> Done {
        match self {
            Self::Serve(options) => serve::run(&common, options).await,
            Self::Call(options) => call::run(&common, options).await,
            Self::Validate(options) => validate::run(&common, options).await,
            Self::Tools(options) => list::tools(&common, options).await,
            Self::Plugin(PluginCommand::List(options)) => list::plugins(&common, options).await,
            Self::Plugin(PluginCommand::New(options)) => new::run(&options),
            Self::Plugin(PluginCommand::Inspect(options)) => inspect::run(&common, options).await,
            Self::Plugin(PluginCommand::Approve(options)) => approve::run(&common, options).await,
            Self::Plugin(PluginCommand::Grant(options)) => grant::run(&common, &options).await,
            Self::Plugin(PluginCommand::Build(options)) => build::run(options).await,
            Self::Plugin(PluginCommand::Check(options)) => check::run(&common, options).await,
            Self::Plugin(PluginCommand::Test(options)) => cases::run(options).await,
            Self::State(command) => state::run(&common, command).await,
            Self::Audit(command) => audit::run(&common, command),
            Self::Bench(options) => bench::run(&common, options).await,
            Self::Demo(options) => demo::run(options).await,
        }
    }
}

impl Common {
    /// The places and the configuration.
    fn home(&self) -> Result<Home, Failure> {
        // A variable that is set to nothing is not set.
        let given = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let mut plugins = self.plugins.clone();
        if plugins.is_empty() {
            // Not by clap, which would split the option, too: its paths may have a `:`.
            let variable = std::env::var_os("HUBCAP_PLUGINS").unwrap_or_default();
            plugins = std::env::split_paths(&variable).collect();
        }
        plugins.retain(|path| !path.as_os_str().is_empty());
        let named = Named { home: given(&self.home), config: given(&self.config), plugins };
        Home::find(&named).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// A hub with all its plugins loaded, or only with one and what that may call.
    async fn hub(&self, only: Option<&str>, admission: Admission) -> Result<Arc<Hub>, Failure> {
        let (hub, loader) = open_for_agents(&self.home()?, admission)?;
        loader.run(only).await;
        Ok(hub)
    }
}

/// An empty hub and what fills it. It reads no files for agents, and need not be able to.
fn open(home: &Home, admission: Admission) -> Result<(Arc<Hub>, Loader), Failure> {
    let mut home = home.clone();
    home.config.validate_dirs.clear();
    open_for_agents(&home, admission)
}

/// The same with what it reads for agents.
fn open_for_agents(home: &Home, admission: Admission) -> Result<(Arc<Hub>, Loader), Failure> {
    Loader::new(home, admission).map_err(|error| Failure::Usage(error.to_string()))
}

/// A hub like those, every call of which is written down.
fn open_audited(home: &Home, admission: Admission) -> Result<(Arc<Hub>, Loader), Failure> {
    let audit = Audit::start(home);
    Loader::audited(home, admission, audit).map_err(|error| Failure::Usage(error.to_string()))
}

/// A line for people, to stderr. Where that cannot be written there is nobody to tell.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes to stdout. A reader that is gone, as after `| head`, is no failure.
fn print(text: &str) -> Done {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// A value as a line of JSON.
fn print_json<T: serde::Serialize>(value: &T) -> Done {
    let json = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print(&format!("{json}\n"))
}
