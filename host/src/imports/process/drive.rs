//! The task that serves one program: waits for its seat, starts it, passes its input and output on, and stays
//! until nothing is left of it.
//!
//! Invariant: the seat is held exactly as long as something of the program may be running; whatever a
//! supervisor does or does not do, there is an end.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};

use super::seats::{Programs, Turn};
use super::shared::{Chores, Failed, Read, Shared};
use super::spawn::{Order, Started, start};
use crate::bindings::process::Exit;
use crate::error::Code;
use crate::supervisor::{Ended, Failure, Report, STOP, end_session};

/// How long a program has to end by itself, once it is asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// Longest that a supervisor may take beyond that.
const SUPERVISOR_WAIT: Duration = Duration::from_secs(2);

/// A program to serve.
pub(super) struct Job {
    pub(super) turn: Turn,
    pub(super) programs: Arc<Programs>,
    pub(super) order: Order,
    /// The command, for people.
    pub(super) command: String,
}

/// Serves it to its end.
pub(super) async fn drive(job: Job, shared: Arc<Shared>) {
    let Job { turn, programs, order, command } = job;
    let seat = tokio::select! {
        seat = turn.come(&programs) => seat,
        () = shared.stopped() => return,
    };
    let Ok(seat) = seat else {
        return shared.finish(Err(Failed(Code::Unavailable, "hubcap is shutting down".into())));
    };
    let latest = Duration::from_millis(order.request.deadline_ms) + GRACE + SUPERVISOR_WAIT;
    let begun = Instant::now();
    let own = order.request.own.clone();
    let mut running = match start(order).await {
        Ok(started) => Running::new(started, Instant::now() + latest),
        Err(error) => {
            tracing::warn!("{command:?} could not be started: {error}");
            return shared.finish(Err(not_started(&command, &error.to_string())));
        }
    };
    let report = running.serve(&shared).await;
    running.bury(report.is_none().then_some(own)).await;
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(target: "hubcap::process", command, ms, ?report, "a program has ended");
    // Nothing is left of the program: another one may run.
    drop(seat);
    running.drain(&shared).await;
    shared.finish(end(report, &command));
}

/// The end as the guest gets it.
fn end(report: Option<Report>, command: &str) -> Result<Exit, Failed> {
    match report {
        Some(Report::Ended(Ended { too_many: true, .. })) => Err(Failed(
            Code::Limit,
            format!("{command:?} had more than {} processes at once and was ended", super::MAX_PROCESSES),
        )),
        Some(Report::Ended(Ended { code, signal, timed_out, .. })) => Ok(Exit { code, signal, timed_out }),
        Some(Report::Failed(Failure::Changed)) => Err(super::changed(command)),
        Some(Report::Failed(Failure::System(why))) => {
            tracing::warn!("{command:?} could not be started: {why}");
            Err(not_started(command, &why))
        }
        None => {
            Err(Failed(Code::Internal, format!("{command:?} was ended from outside, with its supervisor")))
        }
    }
}

fn not_started(command: &str, why: &str) -> Failed {
    Failed(Code::Unavailable, format!("{command:?} could not be started: {why}"))
}

/// A program that runs, seen from here.
struct Running {
    started: Started,
    /// What its supervisor has said.
    told: Vec<u8>,
    /// When the supervisor is given up.
    latest: Instant,
    stopping: bool,
}

/// What came.
enum Came {
    Work,
    Output(usize),
    Room,
    /// Nothing more, where it is none.
    Told(io::Result<usize>),
    Late,
}

impl Running {
    fn new(started: Started, latest: Instant) -> Self {
        Self { started, told: Vec::new(), latest, stopping: false }
    }

    /// Passes on what there is to pass on until the supervisor has had its last word; nothing, where it had none.
    async fn serve(&mut self, shared: &Shared) -> Option<Report> {
        loop {
            let chores = shared.chores();
            if chores.stopped && !self.stopping {
                self.stop();
            }
            if chores.input_over {
                self.started.stdin = None;
            }
            match self.come(shared, chores).await {
                Came::Work => {}
                Came::Output(which) => self.read(shared, which, chores.room),
                Came::Room => {
                    if self.started.stdin.as_ref().is_some_and(|stdin| !shared.pass_on(stdin)) {
                        self.started.stdin = None;
                    }
                }
                Came::Told(Ok(more)) if more > 0 => {}
                Came::Told(_) => return serde_json::from_slice(&self.told).ok(),
                // It hangs or was stopped. Its end is that of the program, too.
                Came::Late => return None,
            }
        }
    }

    async fn come(&mut self, shared: &Shared, chores: Chores) -> Came {
        let Started { control, stdin, output: [stdout, stderr], .. } = &mut self.started;
        tokio::select! {
            told = control.read_buf(&mut self.told) => Came::Told(told),
            () = readable(stdout), if chores.room > 0 => Came::Output(0),
            () = readable(stderr), if chores.room > 0 => Came::Output(1),
            () = writable(stdin), if chores.input => Came::Room,
            () = shared.work.notified() => Came::Work,
            () = sleep_until(self.latest) => Came::Late,
        }
    }

    fn read(&mut self, shared: &Shared, which: usize, room: usize) {
        let pipe = &mut self.started.output[which];
        let read = |from: &pipe::Receiver| shared.read(which, room, |piece| from.try_read_buf(piece));
        if pipe.as_ref().map(read) == Some(Read::End) {
            *pipe = None;
        }
        if self.started.output.iter().all(Option::is_none) {
            shared.close();
        }
    }

    /// Asks the supervisor for the end, and closes the program's pipes.
    fn stop(&mut self) {
        self.stopping = true;
        self.started.stdin = None;
        self.started.output = [None, None];
        self.latest = self.latest.min(Instant::now() + GRACE + SUPERVISOR_WAIT);
        // Where it cannot hear it, it has ended, or does not listen and will be given up.
        let _ = rustix::io::write(&self.started.control, &[STOP]);
        if let Some(pid) = self.pid() {
            // A program may have stopped it.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
        }
    }

    fn pid(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.started.child.id()?).ok()?)
    }

    /// Waits for the end of the supervisor itself. One that had no last word is ended here, and what it would have
    /// done at its end is done here: `left` is the program's own directory.
    async fn bury(&mut self, left: Option<OsString>) {
        let id = self.started.child.id();
        if left.is_some() {
            // It may have ended already.
            let _ = self.started.child.start_kill();
        }
        let _ = self.started.child.wait().await;
        if let (Some(id), Some(own)) = (id, left) {
            let cleaning = tokio::task::spawn_blocking(move || {
                end_session(id);
                // It need not have been made.
                let _ = std::fs::remove_dir_all(own);
            });
            let _ = cleaning.await;
        }
    }

    /// Reads what is left in the pipes, as far as the guest takes it. Whoever else still has their other ends is
    /// not waited for.
    async fn drain(&mut self, shared: &Shared) {
        for (which, pipe) in self.started.output.iter_mut().enumerate() {
            let Some(from) = pipe.take() else { continue };
            loop {
                let chores = shared.chores();
                if chores.stopped {
                    return;
                }
                if chores.room == 0 {
                    shared.work.notified().await;
                    continue;
                }
                // The system is asked, and not what the runtime knows: that may be behind.
                let asked = |piece: &mut Vec<u8>| {
                    rustix::io::read(&from, rustix::buffer::spare_capacity(piece)).map_err(io::Error::from)
                };
                if shared.read(which, chores.room, asked) != Read::Some {
                    break;
                }
            }
        }
        shared.close();
    }
}

async fn readable(pipe: &Option<pipe::Receiver>) {
    match pipe {
        // An error shows when it is read.
        Some(pipe) => drop(pipe.readable().await),
        None => std::future::pending().await,
    }
}

async fn writable(pipe: &Option<pipe::Sender>) {
    match pipe {
        Some(pipe) => drop(pipe.writable().await),
        None => std::future::pending().await,
    }
}
