//! The audit log: one line for each call, each held to the one before by a hash, on disk before anything
//! happens that somebody had to allow.
//!
//! Invariant: whoever runs a call waits for nothing here but a place in a queue, and a call of which there
//! is no room for a record goes on: what is missing is counted and told in the next record. Whoever decides
//! about a call waits until the decision is on the disk.

mod chain;
mod deed;
mod fault;
mod files;
mod log;
mod open;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod time;
mod verify;
mod writing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::config::{self, Arguments};
use crate::home::Home;

use log::Place;
use record::{Body, Style};
use writing::{Message, Shared, Writer};

pub use chain::Link;
pub use deed::{Deed, DeedKind};
pub use fault::AuditError;
pub use read::{Lines, Unreadable, find, last};
pub use record::{End, Record};
pub use verify::{Fault, Verdict, verify};

/// Records that wait to be written.
const MAX_WAITING: usize = 4_096;
/// Bytes of arguments that wait to be hashed. What comes on top is hashed by the call that has it.
const MAX_WAITING_BYTES: usize = 16 << 20;
/// Bytes of a record, without its place in the chain.
const MAX_RECORD: usize = chain::MAX_LINE - 512;
/// Longest that a decision may take to come to the disk.
const DECISION_WAIT: Duration = Duration::from_secs(10);
/// Longest that the end of a program waits for the disk.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Bytes of a segment.
const SEGMENT: u64 = 16 << 20;

/// The audit log of a hub.
pub struct Audit {
    /// To the thread that writes; nothing where the operator switched it off.
    messages: Option<SyncSender<Message>>,
    shared: Arc<Shared>,
    style: Style,
    waits: Waits,
}

/// How long whoever waits for the disk does so.
#[derive(Clone, Copy)]
struct Waits {
    decision: Duration,
    close: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { decision: DECISION_WAIT, close: CLOSE_WAIT }
    }
}

impl Audit {
    /// None: nothing is written, and decisions count without.
    pub fn off() -> Arc<Self> {
        let style = Style { run: "".into(), arguments: Arguments::Hash };
        Arc::new(Self { messages: None, shared: Arc::default(), style, waits: Waits::default() })
    }

    /// The log of a home, as its configuration wants it. It is opened in a thread of its own: where that
    /// fails the operator is told, and it is tried again with what is to be written.
    pub fn start(home: &Home) -> Arc<Self> {
        let config = &home.config.audit;
        if !config.enabled {
            return Self::off();
        }
        let directory = home.directory.clone().unwrap_or_default();
        let path = home.audit().unwrap_or_default();
        Self::at(
            Place { home: directory, path, segment: SEGMENT, keep: config.keep as u64, run: run().into() },
            config,
        )
    }

    /// The log in a directory.
    fn at(place: Place, config: &config::Audit) -> Arc<Self> {
        let (audit, messages) = Self::queue(&place, config, Waits::default());
        let writer = Writer::new(place, audit.style.clone(), Arc::clone(&audit.shared));
        let thread = std::thread::Builder::new().name("audit".into());
        if let Err(error) = thread.spawn(move || writer.run(&messages)) {
            tracing::error!("calls are not written to the audit log: there is no thread for it: {error}");
        }
        Arc::new(audit)
    }

    /// The side of those who send, and that of the thread.
    fn queue(place: &Place, config: &config::Audit, waits: Waits) -> (Self, Receiver<Message>) {
        let (sender, messages) = sync_channel(MAX_WAITING);
        let style = Style { run: Arc::clone(&place.run), arguments: config.arguments };
        (Self { messages: Some(sender), shared: Arc::default(), style, waits }, messages)
    }

    /// Whether records are written at all.
    pub fn is_on(&self) -> bool {
        self.messages.is_some()
    }

    /// Writes down a call that has ended. `bytes` is about how much it was sent; the record is made when it
    /// is written. Never waits.
    pub fn record(&self, bytes: usize, make: impl FnOnce() -> Record + Send + 'static) {
        let Some(messages) = &self.messages else { return };
        let waiting = self.shared.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let message = if waiting <= MAX_WAITING_BYTES {
            Message::Later(Box::new(make), bytes)
        } else {
            self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
            let style = Style { arguments: Arguments::Hash, ..self.style.clone() };
            Message::Now(Body::of(make(), &style))
        };
        if let Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) =
            messages.try_send(message)
        {
            self.lose(&message);
        }
    }

    fn lose(&self, message: &Message) {
        if let Message::Later(_, bytes) = message {
            self.shared.bytes.fetch_sub(*bytes, Ordering::Relaxed);
        }
        if self.shared.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "records of the audit log are lost, because too many wait for the disk; the next one says how many"
            );
        }
    }

    /// Writes down what was decided about a call, before it happens: when this returns, it is on the disk.
    ///
    /// # Errors
    /// When it is not, or not in time. What was decided about must not happen then.
    pub async fn before(&self, decision: Record) -> Result<(), AuditError> {
        let Some(messages) = &self.messages else { return Ok(()) };
        self.bring(messages, Body::of(decision, &self.style)).await
    }

    /// Writes down what the operator did: when this returns, it is on the disk.
    ///
    /// # Errors
    /// When it is not, or not in time. It is done all the same, and the operator has to be told.
    pub async fn done(&self, deed: &Deed) -> Result<(), AuditError> {
        let Some(messages) = &self.messages else { return Ok(()) };
        self.bring(messages, deed.body(&self.style)).await
    }

    /// Has a record written, and waits until it is on the disk.
    async fn bring(&self, messages: &SyncSender<Message>, body: Body) -> Result<(), AuditError> {
        if body.fields.len() > MAX_RECORD {
            return Err(AuditError::new(format!("the record has more than {MAX_RECORD} bytes")));
        }
        let (reply, answer) = oneshot::channel();
        messages.try_send(Message::Decision(body, reply)).map_err(|refused| match refused {
            TrySendError::Full(_) => AuditError::new("too many records wait to be written"),
            TrySendError::Disconnected(_) => AuditError::new("nobody writes it"),
        })?;
        match timeout(self.waits.decision, answer).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => Err(AuditError::new("nobody writes it")),
            Err(_) => {
                let seconds = self.waits.decision.as_secs();
                Err(AuditError::new(format!("the disk did not take it within {seconds} s")))
            }
        }
    }

    /// Waits until everything is on the disk that was written down so far, within a bound.
    pub async fn close(&self) {
        let Some(messages) = &self.messages else { return };
        let until = Instant::now() + self.waits.close;
        let (reply, answer) = oneshot::channel();
        let mut message = Message::Finish(reply);
        while let Err(TrySendError::Full(back)) = messages.try_send(message) {
            if Instant::now() >= until {
                return tracing::warn!("the audit log is not finished: too many records wait to be written");
            }
            message = back;
            sleep(Duration::from_millis(5)).await;
        }
        if timeout_at(until, answer).await.is_err() {
            tracing::warn!("the audit log is not finished: the disk does not take it");
        }
    }
}

/// A name for this process in the log.
fn run() -> String {
    format!("{:08x}", rand::random::<u32>())
}
