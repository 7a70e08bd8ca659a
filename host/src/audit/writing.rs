//! The thread that writes.
//!
//! Invariant: nobody but this thread waits for the disk, except for whoever has to know that a decision is
//! on it. A record that is not written is counted, and the next one that is says how many there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::audit::chain::Link;
use crate::audit::fault::{AuditError, Fault};
use crate::audit::log::{Log, Place};
use crate::audit::record::{Body, Record, Style};

/// How long more records are waited for once there is one, so that one write takes them all.
const GATHER: Duration = Duration::from_micros(200);
/// Records that one write takes.
const GROUP: usize = 512;
/// Longest that a record is written and not yet brought to the disk, if nobody waits for it.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often a log that cannot be written is tried again, if nobody waits for it.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// What the thread is sent.
pub(super) enum Message {
    /// A record, to be made from what is still to be read: so many bytes.
    Later(Box<dyn FnOnce() -> Record + Send>, usize),
    /// A record that is made already.
    Now(Body),
    /// A record that somebody waits for.
    Decision(Body, oneshot::Sender<Result<(), AuditError>>),
    /// All that came before is to be on the disk.
    Finish(oneshot::Sender<()>),
}

/// What whoever sends and the thread share.
#[derive(Default)]
pub(super) struct Shared {
    /// Records that were lost and are not told of yet.
    pub(super) lost: AtomicU64,
    /// Bytes that wait to be read by the thread.
    pub(super) bytes: AtomicUsize,
}

/// The thread's own.
pub(super) struct Writer {
    pub(super) place: Place,
    pub(super) style: Style,
    pub(super) shared: Arc<Shared>,
    pub(super) log: Option<Log>,
    /// The last record that was written, also while no log is open.
    known: Option<Link>,
    /// When the records that wait for the disk have to be on it.
    sync_at: Option<Instant>,
    /// When a log that could not be opened is tried again.
    try_at: Option<Instant>,
    /// What the operator was told last.
    told: Option<String>,
}

/// What one turn has to do.
#[derive(Default)]
struct Group {
    bodies: Vec<Body>,
    decisions: Vec<oneshot::Sender<Result<(), AuditError>>>,
    finish: Vec<oneshot::Sender<()>>,
}

impl Group {
    fn is_urgent(&self) -> bool {
        !self.decisions.is_empty() || !self.finish.is_empty()
    }
}

impl Writer {
    pub(super) fn new(place: Place, style: Style, shared: Arc<Shared>) -> Self {
        Self { place, style, shared, log: None, known: None, sync_at: None, try_at: None, told: None }
    }

    /// Writes what comes, until nobody is left who could send anything.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        self.open(false);
        loop {
            let wait = self.sync_at.map(|at| at.saturating_duration_since(Instant::now()));
            let first = match wait {
                Some(wait) => messages.recv_timeout(wait),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match first {
                Ok(first) => self.turn(first, messages),
                Err(RecvTimeoutError::Timeout) => self.settle(),
                Err(RecvTimeoutError::Disconnected) => return self.settle(),
            }
        }
    }

    /// Takes what waits and does it.
    fn turn(&mut self, first: Message, messages: &Receiver<Message>) {
        let mut group = Group::default();
        self.take(first, &mut group);
        if !group.is_urgent() {
            std::thread::sleep(GATHER);
        }
        while group.bodies.len() < GROUP
            && let Ok(message) = messages.try_recv()
        {
            self.take(message, &mut group);
        }
        let ended = self.write(&group);
        for waiting in group.decisions {
            // Whoever waited may have given up meanwhile.
            let _ = waiting.send(ended.clone());
        }
        if !group.finish.is_empty() {
            self.settle();
        }
        for waiting in group.finish {
            let _ = waiting.send(());
        }
        if self.sync_at.is_some_and(|at| at <= Instant::now()) {
            self.settle();
        }
    }

    fn take(&self, message: Message, group: &mut Group) {
        match message {
            Message::Later(make, bytes) => {
                group.bodies.push(Body::of(make(), &self.style));
                self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
            Message::Now(body) => group.bodies.push(body),
            Message::Decision(body, waiting) => {
                group.bodies.push(body);
                group.decisions.push(waiting);
            }
            Message::Finish(waiting) => group.finish.push(waiting),
        }
    }

    /// Writes the records of a group; on the disk too, where somebody waits for one of them.
    fn write(&mut self, group: &Group) -> Result<(), AuditError> {
        if group.bodies.is_empty() {
            return Ok(());
        }
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        let is_awaited = !group.decisions.is_empty();
        let written = self.append(&group.bodies, lost, is_awaited);
        if written.is_err() {
            // Those that were not written, and those before them that could not be told of. Whoever waits
            // for a decision is told.
            let now = (group.bodies.len() - group.decisions.len()) as u64;
            self.shared.lost.fetch_add(lost + now, Ordering::Relaxed);
        } else if lost > 0 {
            tracing::warn!(lost, "records of the audit log were lost before the one that was written now");
        }
        written?;
        self.sync_at.get_or_insert_with(|| Instant::now() + SYNC_EVERY);
        if is_awaited { self.sync() } else { Ok(()) }
    }

    fn append(&mut self, bodies: &[Body], lost: u64, is_awaited: bool) -> Result<(), AuditError> {
        self.open(is_awaited);
        let Some(log) = &mut self.log else { return Err(self.last_told()) };
        match log.append(bodies, lost) {
            Ok(()) => {
                self.known = Some(log.last.clone());
                Ok(())
            }
            // Found only now: it is opened where it has to be, and that tells what is missing.
            Err(Fault::Moved) => {
                self.log = None;
                self.open(true);
                let again = self.log.as_mut().map(|log| log.append(bodies, lost));
                match again {
                    Some(Ok(())) => Ok(()),
                    Some(Err(fault)) => Err(self.failed(&fault)),
                    None => Err(self.last_told()),
                }
            }
            Err(fault) => Err(self.failed(&fault)),
        }
    }

    /// Opens the log where it is not open, now and then or `at_once`.
    fn open(&mut self, at_once: bool) {
        let waits = self.try_at.is_some_and(|at| Instant::now() < at);
        if self.log.is_some() || (waits && !at_once) {
            return;
        }
        match Log::open(self.place.clone(), self.known.as_ref()) {
            Ok(log) => {
                self.known = Some(log.last.clone());
                let path = self.place.path.display().to_string();
                tracing::info!(run = &*self.place.run, path, "calls are written to the audit log");
                self.log = Some(log);
                (self.told, self.try_at) = (None, None);
                self.sync_at = Some(Instant::now() + SYNC_EVERY);
            }
            Err(fault) => _ = self.failed(&fault),
        }
    }

    /// Closes the log and tells why, once.
    fn failed(&mut self, fault: &Fault) -> AuditError {
        self.log = None;
        self.sync_at = None;
        self.try_at = Some(Instant::now() + TRY_EVERY);
        let words = fault.to_string();
        if self.told.as_ref() != Some(&words) {
            let path = self.place.path.display().to_string();
            tracing::warn!(
                path,
                "the audit log cannot be written: {words}. Calls that need approval are refused until it \
                 can; the others go on"
            );
            self.told = Some(words);
        }
        self.last_told()
    }

    fn last_told(&self) -> AuditError {
        AuditError::new(self.told.as_deref().unwrap_or("it is not open"))
    }

    fn sync(&mut self) -> Result<(), AuditError> {
        let Some(log) = &mut self.log else { return Err(self.last_told()) };
        match log.sync() {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.failed(&fault)),
        }
    }

    /// Brings everything to the disk, and the anchor to its end.
    fn settle(&mut self) {
        self.sync_at = None;
        if self.sync().is_ok()
            && let Some(log) = &mut self.log
        {
            log.anchor();
        }
    }
}
