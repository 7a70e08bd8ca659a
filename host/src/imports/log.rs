//! `hubcap:plugin/log`, and a guest's standard output and error: lines for the operator.
//!
//! Invariant: what one call keeps is bounded in lines and bytes; beyond that it is only counted. A
//! line can neither look like one of the host's nor reach the host's stdout.

use std::sync::{Arc, Mutex, PoisonError};

use crate::bindings::log::{Host, Level};
use crate::imports::Imports;
use crate::model::text;
use crate::secrets::Secrets;

/// Lines of one call.
const MAX_LINES: u64 = 200;
/// Bytes of all lines of one call.
const MAX_BYTES: usize = 64 << 10;
/// Bytes of one line.
const MAX_LINE: usize = 2 << 10;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The log of one call. Clones share it: the guest's output streams hold one each.
#[derive(Clone, Default)]
pub(crate) struct GuestLog(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    secrets: Arc<Secrets>,
    kept: u64,
    dropped: u64,
    bytes: usize,
    stdout: Partial,
    stderr: Partial,
}

/// A line that has not ended yet.
#[derive(Default)]
struct Partial {
    line: Vec<u8>,
    cut: bool,
}

impl GuestLog {
    /// The log of a plugin with these secrets, which no line of it shows.
    pub(crate) fn new(secrets: Arc<Secrets>) -> Self {
        Self(Arc::new(Mutex::new(Lines { secrets, ..Lines::default() })))
    }

    fn with<R>(&self, act: impl FnOnce(&mut Lines) -> R) -> R {
        // Nothing in here can leave the lines half-changed.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes bytes that the guest wrote to one of its streams.
    pub(crate) fn bytes(&self, stream: Stream, bytes: &[u8]) {
        self.with(|lines| lines.write(stream, bytes));
    }

    /// Ends what is open and says how many lines were kept and how many dropped.
    pub(crate) fn finish(&self) -> (u64, u64) {
        self.with(|lines| {
            lines.end_line(Stream::Stdout, false);
            lines.end_line(Stream::Stderr, false);
            (lines.kept, lines.dropped)
        })
    }
}

impl Lines {
    fn partial(&mut self, stream: Stream) -> &mut Partial {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let (text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let partial = self.partial(stream);
            let room = MAX_LINE - partial.line.len();
            partial.cut |= text.len() > room;
            partial.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line(stream, true);
            }
        }
    }

    fn end_line(&mut self, stream: Stream, even_empty: bool) {
        let Partial { line, cut } = std::mem::take(self.partial(stream));
        if line.is_empty() && !even_empty {
            return;
        }
        let level = if stream == Stream::Stderr { Level::Warn } else { Level::Info };
        self.keep(level, &String::from_utf8_lossy(&line), cut);
    }

    /// Keeps a line, if there is room.
    fn keep(&mut self, level: Level, line: &str, cut: bool) {
        let line = &*self.secrets.redacted(line);
        let shown = text::truncate(line, MAX_LINE);
        if self.kept >= MAX_LINES || self.bytes + shown.len() > MAX_BYTES {
            self.dropped += 1;
            return;
        }
        self.kept += 1;
        self.bytes += shown.len();
        let mark = if cut || shown.len() < line.len() { " [cut]" } else { "" };
        emit(level, &text::one_line(shown), mark);
    }
}

/// Hands one line to the host's log. Call, plugin and tool stand on the span around it.
fn emit(level: Level, line: &str, mark: &str) {
    match level {
        Level::Trace => tracing::trace!(target: "hubcap::guest", "{line}{mark}"),
        Level::Debug => tracing::debug!(target: "hubcap::guest", "{line}{mark}"),
        Level::Info => tracing::info!(target: "hubcap::guest", "{line}{mark}"),
        Level::Warn => tracing::warn!(target: "hubcap::guest", "{line}{mark}"),
        Level::Error => tracing::error!(target: "hubcap::guest", "{line}{mark}"),
    }
}

impl Host for Imports {
    fn write(&mut self, level: Level, message: String) {
        self.log.with(|lines| lines.keep(level, &message, false));
    }
}

#[cfg(test)]
mod tests {
    use super::{GuestLog, Level, MAX_LINE, MAX_LINES, Stream};

    #[test]
    fn lines_are_counted_and_an_open_one_ends_with_the_call() {
        let log = GuestLog::default();
        log.bytes(Stream::Stdout, b"one\n\ntwo");
        log.bytes(Stream::Stdout, b" goes on");
        log.bytes(Stream::Stderr, b"");
        assert_eq!(log.finish(), (3, 0));
    }

    #[test]
    fn the_200th_line_is_kept_and_the_201st_dropped() {
        let log = GuestLog::default();
        for _ in 0..MAX_LINES {
            log.with(|lines| lines.keep(Level::Info, "x", false));
        }
        assert_eq!(log.finish(), (200, 0));
        log.bytes(Stream::Stdout, b"x\n");
        assert_eq!(log.finish(), (200, 1));
    }

    #[test]
    fn sixty_four_kib_are_kept_and_the_rest_dropped() {
        let log = GuestLog::default();
        let line = "x".repeat(MAX_LINE);
        for _ in 0..32 {
            log.with(|lines| lines.keep(Level::Info, &line, false));
        }
        assert_eq!(log.finish(), (32, 0));
        log.with(|lines| lines.keep(Level::Info, "x", false));
        assert_eq!(log.finish(), (32, 1));
    }

    #[test]
    fn a_line_without_end_is_cut_and_never_held_whole() {
        let log = GuestLog::default();
        for _ in 0..1_000 {
            log.bytes(Stream::Stdout, &[b'x'; 4_096]);
        }
        log.with(|lines| assert_eq!(lines.stdout.line.len(), MAX_LINE));
        assert_eq!(log.finish(), (1, 0));
    }
}
