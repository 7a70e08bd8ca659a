//! Programs that run: told as they go, or collected.
//!
//! Invariant: what is to be written goes out while output comes in, so that neither waits for the other.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;

use super::{MAX_STDOUT, Output};
use crate::bindings::plugin::hubcap::plugin::process;
use crate::bindings::plugin::wasi::io::poll::Pollable;
use crate::handle::{Handle, Next};
use crate::{Code, Error};

/// Bytes of input that are handed over at once.
const PIECE: usize = 64 << 10;
/// Bytes of standard error that are kept.
const MAX_STDERR: usize = 256 << 10;

/// What a program prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes of standard output, at most 64 KiB.
    Stdout(Vec<u8>),
    /// Bytes of standard error, likewise.
    Stderr(Vec<u8>),
}

/// A program that runs and tells what it prints. Dropping it ends the program and all that it started.
///
/// Its output has no `stdout`, because that was told.
pub struct Running {
    name: String,
    running: process::Running,
    state: RefCell<State>,
}

struct State {
    input: Vec<u8>,
    /// Bytes of it that the host has.
    sent: usize,
    input_end: InputEnd,
    stderr: Tail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InputEnd {
    /// More may be written.
    Open,
    /// When all is sent.
    AfterAll,
    /// The host knows, or the program wants no more.
    Over,
}

impl Running {
    pub(super) fn new(name: String, running: process::Running, input: Vec<u8>, is_open: bool) -> Self {
        let input_end = if is_open { InputEnd::Open } else { InputEnd::AfterAll };
        let this = Self {
            name,
            running,
            state: RefCell::new(State { input, sent: 0, input_end, stderr: Tail::default() }),
        };
        this.send();
        this
    }

    /// Gives it something to read: now, as far as there is room, and the rest while its events are taken.
    ///
    /// # Errors
    /// [`Code::InvalidArguments`] where its input has come to its end.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let state = self.state.get_mut();
        if state.input_end != InputEnd::Open {
            return Err(Error::invalid_arguments(format!("{:?} takes no more input", self.name)));
        }
        state.input.extend_from_slice(bytes);
        self.send();
        Ok(())
    }

    /// Ends its input, once all is written.
    pub fn close_stdin(&mut self) {
        let state = self.state.get_mut();
        if state.input_end == InputEnd::Open {
            state.input_end = InputEnd::AfterAll;
        }
        self.send();
    }

    /// Sends as much input as the host takes now.
    fn send(&self) {
        let mut state = self.state.borrow_mut();
        while state.sent < state.input.len() {
            let end = state.input.len().min(state.sent + PIECE);
            match self.running.write_stdin(&state.input[state.sent..end]) {
                Ok(0) => return,
                Ok(taken) => state.sent += taken as usize,
                // Programs may end before they have read all. How they ended tells.
                Err(_) => {
                    state.input_end = InputEnd::Over;
                    break;
                }
            }
        }
        (state.input, state.sent) = (Vec::new(), 0);
        if state.input_end == InputEnd::AfterAll {
            state.input_end = InputEnd::Over;
            self.running.close_stdin();
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.name).finish()
    }
}

impl Handle for Running {
    type Event = Event;
    type Output = Output;

    fn subscribe(&self) -> Pollable {
        self.running.subscribe()
    }

    fn next(&self) -> Result<Next<Event>, Error> {
        self.send();
        Ok(match self.running.next().map_err(Error::from_host)? {
            None => Next::Nothing,
            Some(process::Event::Stdout(bytes)) => Next::Event(Event::Stdout(bytes)),
            Some(process::Event::Stderr(bytes)) => {
                self.state.borrow_mut().stderr.push(&bytes);
                Next::Event(Event::Stderr(bytes))
            }
            Some(process::Event::Closed) => Next::Over,
        })
    }

    /// Waits for its end. Output that was not taken is lost, and so is input that was not sent.
    fn finish(self) -> Result<Output, Error> {
        let Self { name, running, state } = self;
        let exit = process::Running::finish(running).map_err(Error::from_host)?;
        let process::Exit { code, signal, timed_out } = exit;
        let stderr = state.into_inner().stderr.end();
        Ok(Output { name, code, signal, timed_out, stdout: Vec::new(), stderr })
    }
}

/// A program that runs and whose output is collected. Dropping it ends the program and all that it started.
pub struct Pending {
    running: Running,
    stdout: RefCell<Vec<u8>>,
}

impl Pending {
    pub(super) fn new(running: Running) -> Self {
        Self { running, stdout: RefCell::default() }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pending").field(&self.running.name).finish()
    }
}

impl Handle for Pending {
    type Event = Infallible;
    type Output = Output;

    fn subscribe(&self) -> Pollable {
        self.running.subscribe()
    }

    fn next(&self) -> Result<Next<Infallible>, Error> {
        loop {
            match self.running.next()? {
                Next::Nothing => return Ok(Next::Nothing),
                Next::Over => return Ok(Next::Over),
                Next::Event(Event::Stderr(_)) => {}
                Next::Event(Event::Stdout(bytes)) => {
                    let mut stdout = self.stdout.borrow_mut();
                    if stdout.len() + bytes.len() > MAX_STDOUT {
                        let what = format!("{:?} prints more than {MAX_STDOUT} bytes", self.running.name);
                        return Err(Error::new(Code::Limit, what));
                    }
                    stdout.extend(bytes);
                }
            }
        }
    }

    fn finish(self) -> Result<Output, Error> {
        while self.next()? != Next::Over {
            self.subscribe().block();
        }
        let output = self.running.finish()?;
        Ok(Output { stdout: self.stdout.into_inner(), ..output })
    }
}

/// The end of a stream, within a bound.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        // Not each time, so that a byte is not moved again for each that comes.
        if self.0.len() > 2 * MAX_STDERR {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(MAX_STDERR));
    }

    fn end(mut self) -> Vec<u8> {
        self.cut();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STDERR, Tail};

    #[test]
    fn the_last_256_kib_are_kept() {
        let mut tail = Tail::default();
        for n in 0..100_000_u32 {
            tail.push(&n.to_le_bytes());
            assert!(tail.0.len() <= 2 * MAX_STDERR + 4);
        }
        let kept = tail.end();
        assert_eq!((kept.len(), kept.last_chunk()), (MAX_STDERR, Some(&99_999_u32.to_le_bytes())));
    }
}
