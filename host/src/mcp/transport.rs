//! Our transport under rmcp: bounded lines in, one writer out.
//!
//! Invariant: every request that is read gets at most one answer, and exactly one unless the client gave
//! it up; and while the client reads its answers, what it sends is read, so that giving up a request takes
//! effect at once, however much runs and waits. Inside of rmcp requests have keys of ours for ids; the
//! client's ids and progress tokens are put back on the way out.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientNotification,
    ClientRequest, ErrorData, GetExtensions, JsonRpcMessage, NumberOrString, RequestId, ServerJsonRpcMessage,
    ServerNotification, ServerResult,
};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::approval::Questions;
use super::flights::{Flights, Place};
use super::lines::{Line, Lines};
use super::message::{self, Inbound, Refusal, Request};
use super::outbox::Outbox;
use super::queue::Queue;
use super::{ServeError, StdioLimits, convert};
use crate::error::{Blame, CallError, Code};
use crate::model::Outlet;

/// How long what is queued may take to leave after the last answer, at least.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// MCP over a pair of streams.
pub(super) struct StdioTransport<R> {
    inbox: Inbox<R>,
    out: Arc<Outbox>,
    /// What the client is asked.
    questions: Arc<Questions>,
    writer: JoinHandle<()>,
    flights: Flights,
    /// The `initialize` that is being answered: what follows it waits, because its meaning depends on it.
    handshake: Option<i64>,
    /// `initialize` was called, so requests need not name their revision.
    initialized: bool,
    limits: StdioLimits,
    stop: CancellationToken,
    abort: CancellationToken,
    /// Nothing is read any more; what is in flight may go on until then.
    closing: Option<Instant>,
    fault: Fault,
}

/// What ends a transport from outside, and what it tells when it has ended.
#[derive(Clone, Default)]
pub(super) struct Switches {
    /// Fires when no more input is to be read.
    pub(super) stop: CancellationToken,
    /// Fired by the transport when everything that still runs has to end.
    pub(super) abort: CancellationToken,
    /// What went wrong, if the end was not a regular one.
    pub(super) fault: Fault,
}

/// The first thing that went wrong; it explains what follows from it.
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<ServeError>>>);

impl Fault {
    fn report(&self, error: ServeError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// What was reported, if anything.
    pub(super) fn take(&self) -> Option<ServeError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<R: AsyncRead + Send + Unpin> StdioTransport<R> {
    /// Reads from `reader` and writes to `writer`, in a task of its own.
    pub(super) fn new<W>(reader: R, writer: W, limits: StdioLimits, switches: Switches) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let Switches { stop, abort, fault } = switches;
        let out = Arc::new(Outbox::new(limits.queue_bytes));
        let questions = Questions::to(&out);
        let writer = tokio::spawn(write(Arc::clone(&out), writer, fault.clone()));
        let inbox = Inbox::new(reader, &limits);
        let flights = Flights::default();
        let (handshake, initialized, closing) = (None, false, None);
        Self {
            inbox,
            out,
            questions,
            writer,
            flights,
            handshake,
            initialized,
            limits,
            stop,
            abort,
            closing,
            fault,
        }
    }

    /// The next thing that happens on the way in.
    async fn event(&mut self) -> Event {
        let blocked = self.is_blocked();
        tokio::select! {
            biased;
            () = self.out.gone() => Event::Gone,
            () = self.stop.cancelled() => Event::End,
            event = self.inbox.next(&self.out), if !blocked => event,
        }
    }

    /// Whether everything waits for the answer to `initialize`.
    fn is_blocked(&self) -> bool {
        self.handshake.is_some_and(|key| self.flights.is_open(key))
    }

    /// What rmcp should hear of it, if anything.
    fn take(&mut self, event: Event) -> Option<ClientJsonRpcMessage> {
        match event {
            Event::Line(Inbound::Request(request)) => self.receive_request(request),
            Event::Line(Inbound::Cancel(id)) => return self.cancel(&id),
            Event::Line(Inbound::Refuse(refusal)) => self.out.push(&refusal),
            Event::Line(Inbound::Answer(id, result)) => self.questions.answer(&id, result),
            Event::Line(Inbound::Ignore) => {}
            Event::Admitted(request, place) => return self.admit(request, place),
            Event::TooLong => self.out.push(&self.too_long()),
            Event::End => self.close_at(Instant::now() + self.limits.drain),
            Event::Gone => self.close_at(Instant::now()),
            Event::Failed(error) => {
                self.close_at(Instant::now() + self.limits.drain);
                self.fault.report(ServeError::Input(error));
            }
        }
        None
    }

    /// Nothing is read any more, answers of the client among it.
    fn close_at(&mut self, until: Instant) {
        self.closing = Some(until);
        self.questions.close();
    }

    /// Answers what can be answered at once, and lets the rest wait for places.
    fn receive_request(&mut self, request: Box<Request>) {
        if self.flights.holds(&request.id) || self.inbox.queue.holds(&request.id) {
            let error = ErrorData::invalid_request("a request with this id is still in flight", None);
            self.out.push(&Refusal::new(Some(request.id), error));
        } else if message::is_plain_ping(&request.body) {
            self.out.push(&ServerJsonRpcMessage::response(ServerResult::empty(()), request.id));
        } else if let Err(request) = self.inbox.queue.join(request) {
            let text = "too many requests are waiting; try again in 1 s";
            let error = CallError::new(Code::Overloaded, Blame::Host, text);
            self.out.push(&convert::turned_away(*request, error));
        }
    }

    fn cancel(&mut self, id: &RequestId) -> Option<ClientJsonRpcMessage> {
        if self.inbox.queue.leave(id).is_some() {
            return None;
        }
        let key = NumberOrString::Number(self.flights.cancel(id)?);
        let params = CancelledNotificationParam::new(Some(key), None);
        let notification = ClientNotification::CancelledNotification(CancelledNotification::new(params));
        Some(JsonRpcMessage::notification(notification))
    }

    fn admit(&mut self, request: Box<Request>, place: OwnedSemaphorePermit) -> Option<ClientJsonRpcMessage> {
        let Request { id, mut body, .. } = *request;
        if let Some(error) = self.objection(&body) {
            self.out.push(&Refusal::new(Some(id), error));
            return None;
        }
        let place = Place::new(place, &self.out);
        body.extensions_mut().insert(Arc::clone(&place));
        body.extensions_mut().insert(Arc::clone(&self.questions));
        let key = self.flights.open(id, place);
        if let Some(token) = message::swap_token(&mut body, key) {
            self.flights.follow(key, token);
        }
        if matches!(body, ClientRequest::InitializeRequest(_)) {
            (self.initialized, self.handshake) = (true, Some(key));
        }
        Some(JsonRpcMessage::request(body, NumberOrString::Number(key)))
    }

    /// What speaks against a request, given those before it.
    fn objection(&self, body: &ClientRequest) -> Option<ErrorData> {
        let depends = matches!(body, ClientRequest::ListToolsRequest(_) | ClientRequest::CallToolRequest(_));
        (depends && !self.initialized && !message::names_revision(body)).then(|| {
            let text = format!(
                "the request does not say which revision of MCP it speaks: send `{}` and the other required \
                 fields in `_meta`, or `initialize` first",
                message::REVISION
            );
            ErrorData::invalid_params(text, None)
        })
    }

    fn too_long(&self) -> Refusal {
        let limit = self.limits.line_bytes;
        tracing::warn!(limit, "a line of input was longer than the limit and was skipped");
        let text = format!("the line is longer than {limit} bytes and was skipped; send less in one message");
        Refusal::new(None, ErrorData::invalid_request(text, None))
    }

    /// The next thing that happens when nothing is read any more: what waits gets its turn, until nothing
    /// is in flight or time is up, which ends what still runs. rmcp drops and renews this wait with every
    /// answer, so it is enough to look once.
    async fn drain(&mut self, until: Instant) -> Option<Event> {
        if self.flights.is_empty() && self.inbox.queue.is_empty() {
            return None;
        }
        let blocked = self.is_blocked();
        tokio::select! {
            biased;
            // A reader that is gone can't wait for anything.
            () = self.out.gone() => {}
            () = sleep_until(until) => {}
            event = self.inbox.admit(&self.out), if !blocked => return Some(event),
        }
        self.abort.cancel();
        while let Some(request) = self.inbox.queue.dismiss() {
            let text = "the conversation ended before this call had its turn; nothing was done";
            let error = CallError::new(Code::Cancelled, Blame::Caller, text);
            self.out.push(&convert::turned_away(*request, error));
        }
        None
    }

    /// The message as the client should see it, if it should see it at all.
    fn address(
        &mut self,
        mut message: ServerJsonRpcMessage,
    ) -> Option<(ServerJsonRpcMessage, Option<Arc<Place>>)> {
        let place = match &mut message {
            JsonRpcMessage::Response(response) => {
                let (id, place) = self.flights.answer(&response.id)?;
                response.id = id;
                Some(place)
            }
            JsonRpcMessage::Error(error) => {
                let (id, place) = self.flights.answer(error.id.as_ref()?)?;
                error.id = Some(id);
                Some(place)
            }
            JsonRpcMessage::Notification(news) => {
                let ServerNotification::ProgressNotification(progress) = &mut news.notification else {
                    return None;
                };
                let token = &mut progress.params.progress_token;
                // Progress is worth nothing to a client that doesn't keep up.
                *token = self.flights.token(token).filter(|_| self.out.has_room())?;
                None
            }
            JsonRpcMessage::Request(_) => return None,
        };
        Some((message, place))
    }
}

impl<R: AsyncRead + Send + Unpin + 'static> Transport<RoleServer> for StdioTransport<R> {
    type Error = Infallible;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        let addressed = self.address(message);
        let out = Arc::clone(&self.out);
        async move {
            if let Some((message, _place)) = addressed {
                out.send(&message).await;
            }
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let event = match self.closing {
                None => self.event().await,
                Some(until) => self.drain(until).await?,
            };
            if let Some(message) = self.take(event) {
                return Some(message);
            }
            // However fast lines come that are answered here, what runs has to go on.
            consume_budget().await;
        }
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        self.out.finish();
        let at_least = Instant::now() + LAST_WORDS;
        let until = self.closing.map_or(at_least, |closing| closing.max(at_least));
        if timeout_at(until, &mut self.writer).await.is_err() {
            tracing::warn!("the client did not read the last answers in time; they are lost");
        }
        Ok(())
    }
}

impl<R> Drop for StdioTransport<R> {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(out: Arc<Outbox>, sink: impl AsyncWrite + Unpin, fault: Fault) {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    match out.write_to(sink).await {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {
            tracing::info!("the client has closed its end; everything that runs for it ends");
        }
        Err(error) => fault.report(ServeError::Output(error)),
    }
}

/// What can happen on the way in.
enum Event {
    Line(Inbound),
    /// There are places for the request that waited longest.
    Admitted(Box<Request>, OwnedSemaphorePermit),
    TooLong,
    End,
    Failed(io::Error),
    /// The client does not read any more.
    Gone,
}

/// The way in.
struct Inbox<R> {
    lines: Lines<R>,
    queue: Queue,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    fn new(reader: R, limits: &StdioLimits) -> Self {
        Self { lines: Lines::new(reader, limits.line_bytes), queue: Queue::new(limits.in_flight) }
    }

    /// The next event. May be dropped while it waits; nothing is lost then.
    async fn next(&mut self, out: &Outbox) -> Event {
        out.calm().await;
        tokio::select! {
            biased;
            (request, place) = self.queue.turn() => Event::Admitted(request, place),
            line = self.lines.next() => match line {
                Ok(Some(Line::Text(text))) => Event::Line(message::read(text)),
                Ok(Some(Line::TooLong)) => Event::TooLong,
                Ok(None) => Event::End,
                Err(error) => Event::Failed(error),
            },
        }
    }

    /// The next event without reading: never, while nobody waits. May be dropped like [`Self::next`].
    async fn admit(&mut self, out: &Outbox) -> Event {
        out.calm().await;
        let (request, place) = self.queue.turn().await;
        Event::Admitted(request, place)
    }
}
