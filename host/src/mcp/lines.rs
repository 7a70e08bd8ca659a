//! Lines out of a stream of bytes, bounded.
//!
//! Invariant: never more than one line at the limit and one chunk are held, whatever is sent.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Room offered to one read: what a pipe holds.
const CHUNK: usize = 64 * 1024;

/// A buffer that grew beyond this for a long line is given back afterwards.
const KEPT: usize = 4 * CHUNK;

/// U+FEFF, which some programs write before anything else.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands between two line ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line that is not empty, without its end and the white space around it.
    Text(&'a [u8]),
    /// A line beyond the limit; it is skipped.
    TooLong,
}

/// Reads lines. [`Self::next`] may be dropped while it waits; nothing is lost then.
pub(super) struct Lines<R> {
    source: R,
    limit: usize,
    buffer: Vec<u8>,
    /// Where the line that is being read begins.
    start: usize,
    /// Up to where no line end was found.
    searched: usize,
    /// Inside a line that was too long, until its end.
    skipping: bool,
    /// Nothing was read yet, so a byte order mark may stand here.
    fresh: bool,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `limit` bytes each.
    pub(super) fn new(source: R, limit: usize) -> Self {
        let buffer = Vec::with_capacity(CHUNK);
        Self { source, limit, buffer, start: 0, searched: 0, skipping: false, fresh: true, ended: false }
    }

    /// The next line that is not empty; `None` at the end. A last line without an end counts.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if let Some(found) = self.take() {
                return Ok(Some(found.map_or(Line::TooLong, |range| Line::Text(&self.buffer[range]))));
            }
            if self.ended {
                return Ok(None);
            }
            self.make_room();
            self.ended = self.source.read_buf(&mut self.buffer).await? == 0;
        }
    }

    /// A line out of what is buffered: where it is, or that it is too long.
    fn take(&mut self) -> Option<Option<Range<usize>>> {
        loop {
            let Some(end) = self.find_end() else { return self.too_long_so_far() };
            let line = self.start..end;
            self.start = (end + 1).min(self.buffer.len());
            self.searched = self.start;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if line.len() > self.limit {
                return Some(None);
            }
            let text = self.trim(line);
            if !text.is_empty() {
                return Some(Some(text));
            }
        }
    }

    /// Where the line that begins at `start` ends, if that is known already.
    fn find_end(&mut self) -> Option<usize> {
        let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        match found {
            Some(at) => Some(self.searched + at),
            None if self.ended && self.start < self.buffer.len() => Some(self.buffer.len()),
            None => {
                self.searched = self.buffer.len();
                None
            }
        }
    }

    /// Gives up a line that is beyond the limit although its end has not come yet.
    fn too_long_so_far(&mut self) -> Option<Option<Range<usize>>> {
        if self.buffer.len() - self.start <= self.limit && !self.skipping {
            return None;
        }
        self.buffer.clear();
        (self.start, self.searched) = (0, 0);
        let seen_before = std::mem::replace(&mut self.skipping, true);
        (!seen_before).then_some(None)
    }

    fn trim(&mut self, line: Range<usize>) -> Range<usize> {
        let Range { mut start, mut end } = line;
        if std::mem::take(&mut self.fresh) && self.buffer[start..end].starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        while start < end && self.buffer[start].is_ascii_whitespace() {
            start += 1;
        }
        while start < end && self.buffer[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        start..end
    }

    /// Drops what was handed out, and sees to it that there is room to read into.
    fn make_room(&mut self) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
        } else if self.start > 0 {
            self.buffer.drain(..self.start);
        }
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.capacity() > KEPT && self.buffer.len() < CHUNK {
            self.buffer.shrink_to(2 * CHUNK);
        }
        let spare = self.buffer.capacity() - self.buffer.len();
        if spare < CHUNK / 2 {
            let most = (self.limit + CHUNK).saturating_sub(self.buffer.len());
            self.buffer.reserve_exact(self.buffer.len().clamp(CHUNK, most.max(CHUNK)));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, duplex};

    use super::{CHUNK, KEPT, Line, Lines};

    /// Gives one byte at a time, so that every place where a read can end is tried.
    struct Drip(Cursor<Vec<u8>>);

    impl AsyncRead for Drip {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let at = self.0.position() as usize;
            if let Some(byte) = self.0.get_ref().get(at).copied() {
                buffer.put_slice(&[byte]);
                self.0.set_position(at as u64 + 1);
            }
            std::task::Poll::Ready(Ok(()))
        }
    }

    async fn all(mut lines: Lines<impl AsyncRead + Unpin>) -> Vec<Option<String>> {
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(match line {
                Line::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
                Line::TooLong => None,
            });
        }
        found
    }

    async fn both_ways(input: &[u8], limit: usize) -> Vec<Option<String>> {
        let at_once = all(Lines::new(input, limit)).await;
        let dripping = all(Lines::new(Drip(Cursor::new(input.to_vec())), limit)).await;
        assert_eq!(at_once, dripping);
        at_once
    }

    fn texts(lines: &[&str]) -> Vec<Option<String>> {
        lines.iter().map(|line| Some((*line).to_owned())).collect()
    }

    #[tokio::test]
    async fn line_ends_white_space_and_a_leading_byte_order_mark_are_no_part_of_a_line() {
        let input = b"\xef\xbb\xbfone\r\n\n  \t\r\n two \nthree";
        assert_eq!(both_ways(input, 100).await, texts(&["one", "two", "three"]));
    }

    #[tokio::test]
    async fn a_byte_order_mark_in_a_later_line_stays() {
        assert_eq!(both_ways(b"a\n\xef\xbb\xbfb\n", 100).await, texts(&["a", "\u{feff}b"]));
    }

    #[tokio::test]
    async fn a_line_at_the_limit_is_taken_and_one_beyond_it_is_skipped() {
        let input = b"12345\n123456\n12\n1234567890123\nend\n1234567";
        let expected = [Some("12345"), None, Some("12"), None, Some("end"), None];
        assert_eq!(both_ways(input, 5).await, expected.map(|line| line.map(str::to_owned)));
    }

    #[tokio::test]
    async fn memory_stays_at_the_limit_during_an_endless_line_and_is_given_back_after_it() {
        let limit = 16 * CHUNK;
        let mut input = vec![b'x'; 100 * CHUNK];
        input.extend_from_slice(b"\nafter\n");
        input.resize(input.len() + 2 * CHUNK, b'\n');
        let mut lines = Lines::new(input.as_slice(), limit);
        assert_eq!(lines.next().await.unwrap(), Some(Line::TooLong));
        assert!(lines.buffer.capacity() <= limit + CHUNK, "{}", lines.buffer.capacity());
        assert_eq!(lines.next().await.unwrap(), Some(Line::Text(b"after")));
        assert_eq!(lines.next().await.unwrap(), None);
        assert!(lines.buffer.capacity() <= KEPT, "{}", lines.buffer.capacity());
    }

    #[tokio::test]
    async fn half_a_line_survives_a_wait_that_is_given_up() {
        let (mut far, near) = duplex(64);
        let mut lines = Lines::new(near, 100);
        far.write_all(b"{\"half\":").await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(20), lines.next()).await;
        assert!(waited.is_err(), "there is no whole line yet");
        far.write_all(b"1}\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), Some(Line::Text(b"{\"half\":1}")));
    }
}
