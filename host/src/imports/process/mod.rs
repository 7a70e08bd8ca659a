//! `hubcap:plugin/process`: programs that the operator lets a plugin run.
//!
//! Invariant: which program, which arguments around the slots, which variables and which directory were settled
//! when the plugin was loaded; a guest only fills slots. A program ends with the handle that it was started by,
//! and so with the call.

mod drive;
mod open;
mod running;
mod seats;
mod shared;
mod spawn;

use running::Running;
pub use seats::Programs;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;
use wasmtime::component::Resource;

use crate::bindings::process::Options;
use crate::bindings::{Error, process};
use crate::directory;
use crate::error::Code;
use crate::imports::Imports;
use crate::model::{PluginId, text};
use crate::program::{Program, Template, Variable};
use crate::supervisor::{Request, Target};
use drive::{GRACE, Job, drive};
use seats::{MAX_WAITING, Seats};
use shared::{Failed, Shared};
use spawn::Order;

/// Processes that a program may have at once, itself among them.
const MAX_PROCESSES: usize = 256;
/// Bytes of all variables that a guest sets for a program.
const MAX_ENVIRONMENT: usize = 128 << 10;

/// The commands of a plugin.
pub(crate) struct Commands {
    plugin: PluginId,
    /// All that its author asks for.
    asked: Vec<String>,
    commands: Vec<Arc<Command>>,
    programs: Arc<Programs>,
}

/// A command that is granted.
struct Command {
    name: String,
    program: Program,
    template: Template,
    env: BTreeSet<Variable>,
    /// Variables of hubcap's own that pass.
    inherited: Vec<(String, OsString)>,
    /// Where it works: the plugin's name for it, and the directory.
    directory: Option<(String, Arc<File>)>,
    deadline: Duration,
    seats: Seats,
}

/// Programs of one call.
pub(crate) struct Processes {
    commands: Arc<Commands>,
    /// Whether the log has been told that something was denied.
    is_told: bool,
    /// Whether one was started.
    pub(crate) is_used: bool,
}

impl Processes {
    /// The programs of a call of a plugin with these commands.
    pub(crate) fn new(commands: Arc<Commands>) -> Self {
        Self { commands, is_told: false, is_used: false }
    }

    /// Starts a program, or has it wait for its seat.
    async fn start(&mut self, name: &str, options: Options) -> Result<Running, Failed> {
        let Some(command) = self.commands.commands.iter().find(|command| command.name == name) else {
            return Err(self.denied(self.commands.not_granted(name)));
        };
        let command = Arc::clone(command);
        self.is_used = true;
        let prepared = command.prepare(options).await.map_err(|failed| match failed {
            Failed(Code::Denied, why) => self.denied_of(&command, why),
            other => other,
        })?;
        let Some(turn) = command.seats.take() else {
            let why = format!(
                "{MAX_WAITING} programs of {name:?} are waiting already; try again when one has ended"
            );
            return Err(Failed(Code::Overloaded, why));
        };
        let programs = &self.commands.programs;
        let (target, deadline, directory) = prepared;
        let request = Request {
            target,
            given: directory.is_some(),
            own: programs.own_directory().into_os_string(),
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            grace_ms: u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX),
            processes: MAX_PROCESSES,
        };
        let label = format!("{}/{name}", self.commands.plugin);
        let order = Order { launcher: programs.launcher.clone(), label, request, directory };
        let job = Job { turn, programs: Arc::clone(programs), order, command: name.to_owned() };
        let shared = Arc::<Shared>::default();
        tokio::spawn(drive(job, Arc::clone(&shared)).in_current_span());
        Ok(Running::new(shared))
    }

    fn denied(&mut self, why: String) -> Failed {
        self.tell(&why);
        Failed(Code::Denied, why)
    }

    /// The same of a command that is granted; the operator is told of the file, and nobody else.
    fn denied_of(&mut self, command: &Command, why: String) -> Failed {
        self.tell(&format!("{why} ({})", command.program.path.display()));
        Failed(Code::Denied, why)
    }

    /// Once in a call: a guest can try as often as it likes.
    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!("denied: {why}");
        }
    }
}

impl Commands {
    fn not_granted(&self, name: &str) -> String {
        let shown = text::one_line(text::truncate(name, 64)).into_owned();
        let author = match self.asked.iter().any(|asked| asked == name) {
            true => "",
            false => "its author asks for it in [[ask.process]] of plugin.toml, then ",
        };
        format!(
            "the command {shown:?} is not granted; {author}the operator adds `process.{shown} = \"/path/to/the/program\"` under [plugins.{}.grant] in hubcap.toml",
            self.plugin
        )
    }
}

/// What a program is started with: itself, how long it may run, and where.
type Prepared = (Target, Duration, Option<File>);

impl Command {
    async fn prepare(self: &Arc<Self>, options: Options) -> Result<Prepared, Failed> {
        let Options { slots, env, working_directory, deadline_ms } = options;
        let invalid = |why| Failed(Code::InvalidArguments, format!("{:?}: {why}", self.name));
        let filled = slots.into_iter().map(|slot| (slot.name, slot.values)).collect();
        let arguments = self.template.fill(filled).map_err(invalid)?;
        let environment = self.environment(env)?;
        let asked = deadline_ms.map_or(self.deadline, Duration::from_millis);
        let command = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            if !command.program.is_there() {
                return Err(changed(&command.name));
            }
            command.place(working_directory.as_deref())
        });
        let looking_crashed = |_| Failed(Code::Internal, "looking at the program crashed".into());
        let directory = looked.await.map_err(looking_crashed)??;
        let target = Target {
            name: self.program.named.clone().into_os_string(),
            path: self.program.path.clone().into_os_string(),
            identity: self.program.identity,
            arguments,
            environment,
        };
        Ok((target, asked.min(self.deadline), directory))
    }

    /// All of a program's environment: what passes, and over it what the guest sets.
    fn environment(&self, given: Vec<(String, String)>) -> Result<Vec<(String, OsString)>, Failed> {
        let invalid = |why: String| Failed(Code::InvalidArguments, format!("{:?}: {why}", self.name));
        let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MAX_ENVIRONMENT {
            return Err(invalid(format!("the variables have {bytes} bytes, more than {MAX_ENVIRONMENT}")));
        }
        let mut names = BTreeSet::new();
        for (name, value) in &given {
            let Some(variable) = self.env.iter().find(|variable| variable.as_str() == name) else {
                let shown = text::one_line(text::truncate(name, 64)).into_owned();
                let why = format!(
                    "to set {shown:?} for the command {:?} is not granted; what is, stands in `env` of [[ask.process]] and of the grant",
                    self.name
                );
                return Err(Failed(Code::Denied, why));
            };
            variable.check(value).map_err(invalid)?;
            if !names.insert(name.as_str()) {
                return Err(invalid(format!("{name} is set twice")));
            }
        }
        let passes = self.inherited.iter().filter(|(name, _)| !names.contains(name.as_str())).cloned();
        let mut environment: Vec<_> = passes.collect();
        environment.extend(given.into_iter().map(|(name, value)| (name, value.into())));
        Ok(environment)
    }

    /// Where a program works: below the directory that is granted for it, or in one of its own.
    fn place(&self, path: Option<&str>) -> Result<Option<File>, Failed> {
        let Some((name, directory)) = &self.directory else {
            return match path {
                None => Ok(None),
                Some(_) => {
                    let why = format!(
                        "the command {:?} has no directory to work in; the operator names one with `directory`",
                        self.name
                    );
                    Err(Failed(Code::Denied, why))
                }
            };
        };
        let path = path.unwrap_or(".");
        // As the guest sees it, or from there.
        let inside = match path.strip_prefix('/') {
            None => Some(path),
            Some(absolute) => {
                absolute.strip_prefix(name.as_str()).and_then(|rest| match rest.strip_prefix('/') {
                    Some(rest) => Some(rest),
                    None => rest.is_empty().then_some("."),
                })
            }
        };
        let inside = inside.map(|inside| if inside.is_empty() { "." } else { inside });
        let opened = inside.and_then(|inside| directory::below(directory, Path::new(inside)).ok());
        opened.map(Some).ok_or_else(|| {
            let why = format!("{:?}: there is no such directory in {name:?} to work in", self.name);
            Failed(Code::InvalidArguments, why)
        })
    }
}

/// The error of a program whose file is another one.
fn changed(command: &str) -> Failed {
    let why = format!(
        "the program of {command:?} is another file than when the plugin was loaded, was changed, or is gone; the operator starts hubcap again to have it taken as it is now"
    );
    Failed(Code::Denied, why)
}

impl From<Failed> for Error {
    fn from(Failed(code, message): Failed) -> Self {
        Self { code: code.as_str().to_owned(), message, meta: Vec::new() }
    }
}

impl process::Host for Imports {
    async fn start(
        &mut self,
        command: String,
        options: Options,
    ) -> wasmtime::Result<Result<Resource<process::Running>, Error>> {
        match self.processes.start(&command, options).await {
            Ok(running) => Ok(Ok(running::given(self.table.push(running)?))),
            Err(failed) => Ok(Err(failed.into())),
        }
    }
}
