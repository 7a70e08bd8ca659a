//! What a guest and the task that serves its program hold between them: output that was not taken yet, input
//! that was not passed on yet, and the end.
//!
//! Invariant: bounded; what has no room here stays in the pipes, where the program waits.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BufMut, BytesMut};
use tokio::net::unix::pipe;
use tokio::sync::Notify;

use crate::bindings::process::{Event, Exit};
use crate::error::Code;

/// Bytes of output that a guest has not taken.
const MAX_UNREAD: usize = 4 << 20;
/// Bytes of input that a program has not taken.
const MAX_INPUT: usize = 64 << 10;
/// Bytes of one event.
const MAX_EVENT: usize = 64 << 10;

/// Why there is no end as a program has it.
#[derive(Clone, Debug)]
pub(super) struct Failed(pub(super) Code, pub(super) String);

/// Shared by a guest's handle and its task.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something is there for the guest.
    news: Notify,
    /// Something is there for the task.
    pub(super) work: Notify,
}

#[derive(Default)]
struct State {
    /// Standard output and error.
    unread: [BytesMut; 2],
    /// Which of them comes first next time.
    turn: usize,
    /// Nothing more will be read.
    closed: bool,
    end: Option<Result<Exit, Failed>>,
    input: BytesMut,
    input_end: InputEnd,
    /// The guest had more to write than there was room for.
    wants_room: bool,
    /// Nobody will take what comes.
    discards: bool,
    /// The guest gave up.
    stopped: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InputEnd {
    #[default]
    Open,
    /// The guest has written all.
    Written,
    /// The program takes no more.
    Refused,
}

/// What the task can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chores {
    /// Bytes of output for which there is room.
    pub(super) room: usize,
    /// There is input to pass on.
    pub(super) input: bool,
    /// There will be no more input.
    pub(super) input_over: bool,
    pub(super) stopped: bool,
}

impl State {
    fn is_news(&mut self) -> bool {
        let room = self.input_end != InputEnd::Open || self.input.len() < MAX_INPUT;
        if self.wants_room && room {
            // Once: a guest that is told and writes nothing is not told again.
            self.wants_room = false;
            return true;
        }
        self.closed || self.unread.iter().any(|unread| !unread.is_empty())
    }
}

/// The guest's side.
impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something for the guest.
    pub(super) async fn ready(&self) {
        loop {
            // Before the look, so that nothing that comes in between is missed.
            let news = self.news.notified();
            if self.state().is_news() {
                return;
            }
            news.await;
        }
    }

    /// The next event, if there is one.
    pub(super) fn next(&self) -> Result<Option<Event>, Failed> {
        let mut state = self.state();
        let turn = state.turn;
        let Some(which) = [turn, 1 - turn].into_iter().find(|which| !state.unread[*which].is_empty()) else {
            return match (&state.end, state.closed) {
                (Some(Err(failed)), _) => Err(failed.clone()),
                (_, closed) => Ok(closed.then_some(Event::Closed)),
            };
        };
        state.turn = 1 - which;
        let unread = &mut state.unread[which];
        let bytes = unread.split_to(unread.len().min(MAX_EVENT)).to_vec();
        drop(state);
        self.work.notify_one();
        Ok(Some(if which == 0 { Event::Stdout(bytes) } else { Event::Stderr(bytes) }))
    }

    /// Takes as much input as there is room for, and says how much that was.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Failed> {
        let mut state = self.state();
        match state.input_end {
            InputEnd::Open => {}
            InputEnd::Written => {
                return Err(Failed(Code::InvalidArguments, "standard input was closed before".into()));
            }
            InputEnd::Refused => {
                return Err(Failed(Code::Upstream, "the program takes no more input".into()));
            }
        }
        let room = MAX_INPUT - state.input.len();
        let taken = bytes.len().min(room);
        state.input.put_slice(&bytes[..taken]);
        state.wants_room = taken < bytes.len();
        drop(state);
        self.work.notify_one();
        Ok(taken)
    }

    /// Ends the input.
    pub(super) fn close_input(&self) {
        let mut state = self.state();
        if state.input_end == InputEnd::Open {
            state.input_end = InputEnd::Written;
        }
        drop(state);
        self.work.notify_one();
    }

    /// Waits for the end. Nothing more is kept of the output.
    pub(super) async fn end(&self) -> Result<Exit, Failed> {
        {
            let mut state = self.state();
            state.discards = true;
            state.unread = Default::default();
        }
        self.close_input();
        loop {
            let news = self.news.notified();
            if let Some(end) = &self.state().end {
                return end.clone();
            }
            news.await;
        }
    }

    /// The guest gave up.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.work.notify_one();
    }
}

/// The task's side.
impl Shared {
    pub(super) fn chores(&self) -> Chores {
        let state = self.state();
        let unread: usize = state.unread.iter().map(BytesMut::len).sum();
        Chores {
            room: MAX_UNREAD.saturating_sub(unread),
            input: !state.input.is_empty(),
            input_over: state.input.is_empty() && state.input_end != InputEnd::Open,
            stopped: state.stopped,
        }
    }

    /// Waits until the guest has given up.
    pub(super) async fn stopped(&self) {
        while !self.chores().stopped {
            self.work.notified().await;
        }
    }

    /// Keeps what reading brings, within the room that there is.
    pub(super) fn read(
        &self,
        which: usize,
        room: usize,
        read: impl FnOnce(&mut Vec<u8>) -> io::Result<usize>,
    ) -> Read {
        let mut piece = Vec::with_capacity(room.min(MAX_EVENT));
        match read(&mut piece) {
            Ok(0) => Read::End,
            Ok(_) => {
                let mut state = self.state();
                if !state.discards {
                    state.unread[which].extend_from_slice(&piece);
                }
                drop(state);
                self.news.notify_waiters();
                Read::Some
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Read::Nothing
            }
            Err(_) => Read::End,
        }
    }

    /// Passes on what the program takes. False where it takes no more.
    pub(super) fn pass_on(&self, to: &pipe::Sender) -> bool {
        let mut state = self.state();
        let taken = match to.try_write(&state.input) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(_) => {
                state.input = BytesMut::new();
                state.input_end = InputEnd::Refused;
                drop(state);
                self.news.notify_waiters();
                return false;
            }
        };
        state.input.advance(taken);
        drop(state);
        self.news.notify_waiters();
        true
    }

    /// Nothing more will be read.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.news.notify_waiters();
    }

    /// Says how it ended.
    pub(super) fn finish(&self, end: Result<Exit, Failed>) {
        let mut state = self.state();
        // Where it failed there is no output to wait for.
        state.closed |= end.is_err();
        state.input_end = InputEnd::Refused;
        state.end = Some(end);
        drop(state);
        self.news.notify_waiters();
    }
}

/// What reading brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Some,
    /// Nothing is there yet.
    Nothing,
    End,
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use futures::FutureExt;

    use super::{Code, Event, Exit, Failed, MAX_EVENT, MAX_INPUT, MAX_UNREAD, Read, Shared};

    const EXIT: Exit = Exit { code: Some(0), signal: None, timed_out: false };

    /// As if a pipe had so many bytes.
    fn print(shared: &Shared, which: usize, bytes: usize) -> Read {
        shared.read(which, MAX_UNREAD, |piece| {
            piece.resize(bytes, b'x');
            Ok(bytes)
        })
    }

    fn taken(shared: &Shared) -> Option<(bool, usize)> {
        shared.next().unwrap().map(|event| match event {
            Event::Stdout(bytes) => (true, bytes.len()),
            Event::Stderr(bytes) => (false, bytes.len()),
            Event::Closed => panic!("not yet"),
        })
    }

    #[test]
    fn events_have_64_kib_and_come_from_both_streams_in_turn() {
        let shared = Shared::default();
        assert_eq!(taken(&shared), None);
        for which in [0, 0, 1, 1] {
            print(&shared, which, MAX_EVENT - 1);
        }
        let events: Vec<_> = std::iter::from_fn(|| taken(&shared)).collect();
        let (full, rest) = (MAX_EVENT, MAX_EVENT - 2);
        assert_eq!(events, [(true, full), (false, full), (true, rest), (false, rest)]);
        assert_eq!(shared.read(0, 9, |_| Ok(0)), Read::End);
        assert_eq!(shared.read(0, 9, |_| Err(io::ErrorKind::WouldBlock.into())), Read::Nothing);
    }

    #[test]
    fn four_mib_of_output_are_kept_and_then_there_is_no_room() {
        let shared = Shared::default();
        while shared.chores().room > 0 {
            print(&shared, shared.chores().room % 2, shared.chores().room.min(MAX_EVENT - 1));
        }
        let kept: usize = std::iter::from_fn(|| taken(&shared)).map(|(_, bytes)| bytes).sum();
        assert_eq!((kept, shared.chores().room), (MAX_UNREAD, MAX_UNREAD));
    }

    #[test]
    fn sixty_four_kib_of_input_wait_and_who_wanted_more_is_told_of_room_once() {
        let shared = Shared::default();
        assert_eq!(shared.write(&vec![b'x'; MAX_INPUT - 1]).unwrap(), MAX_INPUT - 1);
        assert!(shared.ready().now_or_never().is_none(), "nobody wants room");
        assert_eq!(shared.write(b"xy").unwrap(), 1);
        assert_eq!(shared.write(b"y").unwrap(), 0);
        assert!(shared.ready().now_or_never().is_none(), "there is none");
        shared.finish(Ok(EXIT));
        assert!(shared.ready().now_or_never().is_some());
        assert!(shared.ready().now_or_never().is_none(), "once");
        assert_eq!(shared.write(b"z").unwrap_err().0, Code::Upstream);
        let closed = Shared::default();
        closed.close_input();
        assert_eq!(closed.write(b"z").unwrap_err().0, Code::InvalidArguments);
        assert!(closed.chores().input_over);
    }

    #[tokio::test]
    async fn output_comes_before_the_end_and_an_end_that_is_none_after_it() {
        let shared = Arc::new(Shared::default());
        print(&shared, 0, 1);
        shared.finish(Err(Failed(Code::Denied, "no".into())));
        assert_eq!(taken(&shared), Some((true, 1)));
        assert_eq!(shared.next().unwrap_err().1, "no");
        let shared = Arc::new(Shared::default());
        let ending = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.end().await.map(|exit| exit.code) }
        });
        while !shared.chores().input_over {
            tokio::task::yield_now().await;
        }
        print(&shared, 0, 1);
        assert_eq!(taken(&shared), None, "nobody wants it");
        shared.close();
        assert!(matches!(shared.next().unwrap(), Some(Event::Closed)));
        shared.finish(Ok(EXIT));
        assert_eq!(ending.await.unwrap().unwrap(), Some(0));
    }
}
