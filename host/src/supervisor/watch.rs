//! The supervisor itself.
//!
//! Invariant: one thread, which always hears hubcap; it says that a program has ended when the kernel says that
//! there is no process left that came of it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, setrlimit, setsid, wait,
};

use super::descendants;
use super::private::Private;
use super::protocol::{Ended, Failure, Launch, Report, Request, STOP, receive, send};
use super::{LAUNCH, command, this_program};

/// How often the processes of a program are counted, and those that have ended taken off the kernel's list.
const TICK: Duration = Duration::from_millis(100);
/// How often it is looked whether what has to end has ended.
const ENDING_TICK: Duration = Duration::from_millis(5);

/// Watches over one program, from its start to the end of everything that came of it.
pub(super) fn run(label: &str) -> io::Result<()> {
    settle()?;
    let hub = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (request, descriptors) = receive::<Request>(&hub)?;
    let grace = Duration::from_millis(request.grace_ms);
    let deadline = Instant::now() + Duration::from_millis(request.deadline_ms);
    let processes = request.processes;
    let program = match start(request, descriptors, label) {
        Ok(program) => program,
        Err(error) => return report(&hub, &Report::Failed(Failure::System(error.to_string()))),
    };
    let mut watch = Watch { hub, program, status: None, deadline, processes };
    let over = watch.until_over();
    watch.end_all(if matches!(over, Over::HubGone | Over::TooMany) { Duration::ZERO } else { grace });
    let Watch { hub, program, status, .. } = watch;
    let told = told(&program.launching, status, &over);
    drop(program);
    report(&hub, &told)
}

/// What protects hubcap from the program, and the program's descendants from being forgotten.
fn settle() -> io::Result<()> {
    // A session without a terminal. It fails only where this is the leader of one already.
    let _ = setsid();
    // Whatever else hubcap was started with is not for programs.
    close_fds::set_fds_cloexec(3, &[]);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    {
        // Lists of processes would show a part of the path by which it was started.
        rustix::thread::set_name(c"hubcap-program")?;
        rustix::thread::set_no_new_privs(true)?;
        rustix::process::set_child_subreaper(Some(getpid()))?;
        // Where a program has stopped its supervisor, the end of hubcap wakes it up; so does that of the thread
        // that started it, which costs nothing.
        rustix::process::set_parent_process_death_signal(Some(Signal::CONT))?;
    }
    Ok(())
}

/// A program that was started.
struct Program {
    pid: Pid,
    /// Ends when the program runs; tells before why it does not.
    launching: UnixStream,
    /// Where it works, unless it was given another place.
    _private: Private,
}

fn start(request: Request, descriptors: Vec<OwnedFd>, label: &str) -> io::Result<Program> {
    let mut descriptors = descriptors.into_iter();
    let mut next = || descriptors.next().ok_or_else(|| io::Error::other("a descriptor is missing"));
    let (stdin, stdout, stderr) = (next()?, next()?, next()?);
    let not_made = |error| io::Error::other(format!("a directory of its own cannot be made: {error}"));
    let private = Private::new(PathBuf::from(request.own)).map_err(not_made)?;
    if request.given {
        rustix::process::fchdir(next()?)?;
    } else {
        std::env::set_current_dir(private.make("work")?)?;
    }
    let links = private.make("links")?.into_os_string();
    let (ours, theirs) = UnixStream::pair()?;
    let mut launch = command(&this_program(), LAUNCH, label);
    launch.stdin(OwnedFd::from(theirs)).stdout(stdout).stderr(stderr).process_group(0);
    let child = launch.spawn()?;
    // Its ends of the pipes are closed here, so that their other ends see when the program closes them.
    drop(launch);
    let parent = getpid().as_raw_pid();
    send(&ours, &Launch { target: request.target, parent, links }, &[stdin.as_fd()])?;
    Ok(Program { pid: Pid::from_child(&child), launching: ours, _private: private })
}

/// Why a program is over.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    /// It ended.
    Itself,
    /// Its deadline came.
    Deadline,
    /// It has too many processes.
    TooMany,
    /// hubcap wants it to end.
    Stopped,
    /// hubcap is gone.
    HubGone,
}

struct Watch {
    hub: UnixStream,
    program: Program,
    /// How the program ended.
    status: Option<WaitStatus>,
    deadline: Instant,
    processes: usize,
}

impl Watch {
    /// Waits until there is a reason to end.
    fn until_over(&mut self) -> Over {
        let ended = when_ended(self.program.pid);
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let heard = self.listen(ended.as_ref(), left.min(TICK));
            self.reap();
            if self.status.is_some() {
                return Over::Itself;
            }
            if let Some(over) = heard {
                return over;
            }
            if left.is_zero() {
                return Over::Deadline;
            }
            if descendants::all().len() > self.processes {
                return Over::TooMany;
            }
        }
    }

    /// Waits for hubcap to say something, or for another descriptor, or for a while.
    fn listen(&mut self, other: Option<&OwnedFd>, time: Duration) -> Option<Over> {
        let mut polled = vec![PollFd::new(&self.hub, PollFlags::IN)];
        polled.extend(other.map(|other| PollFd::new(other, PollFlags::IN)));
        let time = Timespec::try_from(time).ok();
        if poll(&mut polled, time.as_ref()).is_err() || polled.first()?.revents().is_empty() {
            return None;
        }
        let mut byte = [0];
        match (&self.hub).read(&mut byte) {
            Ok(0) => Some(Over::HubGone),
            Ok(_) if byte == [STOP] => Some(Over::Stopped),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(_) => Some(Over::HubGone),
        }
    }

    /// Takes those that have ended off the kernel's list. False where nobody is left: whoever came of the
    /// program and lost its parent is a child of this process.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.program.pid => self.status = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Ends everything that came of the program: politely, and after the grace with no question.
    fn end_all(&mut self, grace: Duration) {
        let until = Instant::now() + grace;
        if !self.reap() {
            return self.end_group();
        }
        if !grace.is_zero() {
            self.signal(Signal::TERM);
            // Whoever is stopped hears it only then.
            self.signal(Signal::CONT);
        }
        while Instant::now() < until {
            if self.listen(None, ENDING_TICK) == Some(Over::HubGone) {
                break;
            }
            if !self.reap() {
                return self.end_group();
            }
        }
        loop {
            self.signal(Signal::KILL);
            if !self.reap() {
                return self.end_group();
            }
            std::thread::sleep(ENDING_TICK);
        }
    }

    fn signal(&self, signal: Signal) {
        // An id that was waited for may be somebody else's.
        let program = self.status.is_none().then_some(self.program.pid);
        descendants::signal_all(signal, program);
    }

    /// Where no kernel hands over the children of those that ended: what is left of the program's group.
    fn end_group(&self) {
        #[cfg(not(target_os = "linux"))]
        let _ = rustix::process::kill_process_group(self.program.pid, Signal::KILL);
    }
}

/// Something that can be waited for, which is there when a process has ended.
#[cfg(target_os = "linux")]
fn when_ended(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn when_ended(_pid: Pid) -> Option<OwnedFd> {
    None
}

/// What hubcap is told. Nobody holds the other end of `launching` any more.
fn told(mut launching: &UnixStream, status: Option<WaitStatus>, over: &Over) -> Report {
    let mut failure = Vec::new();
    if launching.read_to_end(&mut failure).is_ok()
        && let Ok(failure) = serde_json::from_slice::<Failure>(&failure)
    {
        return Report::Failed(failure);
    }
    Report::Ended(Ended {
        code: status.and_then(WaitStatus::exit_status),
        signal: status.and_then(WaitStatus::terminating_signal),
        timed_out: *over == Over::Deadline,
        too_many: *over == Over::TooMany,
    })
}

fn report(mut hub: &UnixStream, report: &Report) -> io::Result<()> {
    hub.write_all(&serde_json::to_vec(report)?)
}
