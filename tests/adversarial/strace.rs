//! What a process asks of the kernel, by `strace`, and faults in the kernel's place.
//!
//! Invariant: a trace is read when the traced process or the tracer has ended, so that nothing of it is
//! missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::tools::need;
use crate::support::server::Server;
use crate::support::{SOON, holds_within};

/// A file that a tracer writes to.
pub(super) struct Trace {
    folder: TempDir,
}

/// A tracer of a process that runs.
pub(super) struct Attached {
    tracer: Child,
    trace: Trace,
}

/// One line of a trace: what was asked, or how it ended.
#[derive(Debug)]
pub(super) struct Step {
    /// The thread.
    pub(super) thread: u32,
    /// `openat(3</home>, "x", …) = 4`.
    pub(super) text: String,
}

impl Trace {
    /// A trace with nothing in it.
    #[track_caller]
    pub(super) fn new() -> Self {
        need(&["strace"]);
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    fn strace(&self, options: &[&str]) -> Command {
        let mut strace = Command::new("strace");
        // Paths beside the numbers of files, and enough of a message to know which one it is.
        strace.args(["-y", "-s", "200", "-o"]).arg(self.path()).args(options);
        strace
    }

    /// A command that is traced from its first step. The process is the command's own.
    pub(super) fn around(&self, command: &Command, options: &[&str]) -> Command {
        let mut traced = self.strace(options);
        traced.arg("-D").arg(command.get_program()).args(command.get_args()).env_clear();
        traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        traced.current_dir(command.get_current_dir().expect("commands of a home have one"));
        traced
    }

    /// Traces a server from now on.
    #[track_caller]
    pub(super) fn attach(self, server: &Server, options: &[&str]) -> Attached {
        let pid = server.pid().as_raw_pid();
        let mut strace = self.strace(options);
        strace.args(["-f", "-p", &pid.to_string()]).stdin(Stdio::null());
        let mut tracer = strace.stderr(Stdio::piped()).spawn().unwrap();
        let attached = holds_within(SOON, || is_traced(pid) || tracer.try_wait().unwrap().is_some());
        if !is_traced(pid) {
            tracer.kill().unwrap();
            let words = tracer.wait_with_output().unwrap().stderr;
            panic!(
                "strace may not trace another process (as where kernel.yama.ptrace_scope is not 0): {}",
                String::from_utf8_lossy(&words)
            );
        }
        assert!(attached);
        Attached { tracer, trace: self }
    }

    /// The steps of a process that has ended or is about to.
    #[track_caller]
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let whole = holds_within(SOON, || {
            steps = parse(&fs::read_to_string(self.path()).unwrap_or_default());
            let first = steps.first().map(|step: &Step| step.thread);
            let over = |step: &Step| Some(step.thread) == first && step.text.starts_with("+++ ");
            steps.iter().any(over)
        });
        assert!(whole, "the process does not end: {:#?}", steps.last());
        steps
    }
}

impl Attached {
    /// Lets the process go on alone, and gives the steps until then.
    #[track_caller]
    pub(super) fn detach(mut self) -> Vec<Step> {
        kill_process(Pid::from_child(&self.tracer), Signal::TERM).unwrap();
        let ended = holds_within(SOON, || self.tracer.try_wait().unwrap().is_some());
        assert!(ended, "strace does not end");
        parse(&fs::read_to_string(self.trace.path()).unwrap())
    }
}

/// Whether every thread of a process is traced.
fn is_traced(pid: i32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let mut each = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    each.all(|status| !status.contains("TracerPid:\t0\n"))
}

fn parse(trace: &str) -> Vec<Step> {
    let step = |line: &str| {
        let (thread, text) = line.split_once(' ')?;
        Some(Step { thread: thread.parse().ok()?, text: text.trim_start().to_owned() })
    };
    trace.lines().filter_map(step).collect()
}

/// What was begun between the request of this id, read whole, and its answer.
#[track_caller]
pub(super) fn between<'a>(steps: &'a [Step], id: &str) -> &'a [Step] {
    let names = |step: &Step| step.text.contains(&format!("\\\"id\\\":\\\"{id}\\\""));
    let is_request = |step: &Step| names(step) && step.text.contains("tools/call");
    let is_answer = |step: &Step| names(step) && step.text.starts_with("write(") && !is_request(step);
    let request = steps.iter().position(is_request).expect("the request was read");
    let answer = steps.iter().position(is_answer).expect("the answer was written");
    &steps[request + 1..answer]
}

/// The path of a file that was opened, whether it was there or not.
pub(super) fn opened(step: &Step) -> Option<String> {
    let (call, rest) = step.text.split_once('(')?;
    let (directory, rest) = rest.split_once("\"").filter(|_| call.starts_with("open"))?;
    let (name, _) = rest.split_once('"')?;
    // `AT_FDCWD</work>, ` or `3</home>, `.
    let directory = directory.split_once('<').map_or("", |(_, it)| it.trim_end_matches([' ', ',', '>']));
    Some(Path::new(directory).join(name).display().to_string())
}

/// What the C library opens, whenever its allocator has to know how much there is.
const ALLOCATOR: [&str; 2] = ["\"/proc/sys/vm/overcommit_memory\"", "\"/sys/devices/system/cpu/online\""];

/// What reaches out of the process: files, sockets, programs. Threads and open files are its own.
pub(super) fn reaching_out(steps: &[Step]) -> Vec<&str> {
    let own = |text: &str| {
        let is_thread = text.starts_with("clone") && text.contains("CLONE_THREAD");
        let ends = text.starts_with("exit(") || text.starts_with("+++ ");
        let looks = text.starts_with("openat(") && ALLOCATOR.iter().any(|path| text.contains(path));
        is_thread || ends || looks || ["<... ", "read(", "write("].iter().any(|start| text.starts_with(start))
    };
    steps.iter().map(|step| step.text.as_str()).filter(|text| !own(text)).collect()
}

/// How many steps failed because they were told to, or killed the process where they were.
pub(super) fn injected(steps: &[Step]) -> usize {
    steps.iter().filter(|step| step.text.contains("(INJECTED)")).count()
}
