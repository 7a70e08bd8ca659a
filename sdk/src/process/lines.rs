//! Lines in pieces of a stream.
//!
//! Invariant: no more than one line is held, and that within a bound.

use std::mem;

use crate::{Code, Error};

/// Bytes of a line.
const MAX_LINE: usize = 1 << 20;

/// Puts lines together from pieces that end anywhere.
#[derive(Debug, Default)]
pub struct Lines {
    started: Vec<u8>,
}

impl Lines {
    /// Takes a piece and gives the lines that end in it, without their ends. What is no UTF-8 is replaced.
    ///
    /// # Errors
    /// [`Code::Limit`] where a line has more than 1 MiB, and that of `on_line`.
    pub fn feed(
        &mut self,
        piece: &[u8],
        mut on_line: impl FnMut(&str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.take(&rest[..end])?;
            rest = &rest[end + 1..];
            give(&mem::take(&mut self.started), &mut on_line)?;
        }
        self.take(rest)
    }

    /// Gives the last line, where it has no end.
    ///
    /// # Errors
    /// That of `on_line`.
    pub fn end(&mut self, mut on_line: impl FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
        let last = mem::take(&mut self.started);
        if last.is_empty() { Ok(()) } else { give(&last, &mut on_line) }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), Error> {
        if self.started.len() + part.len() > MAX_LINE {
            return Err(Error::new(Code::Limit, format!("a line has more than {MAX_LINE} bytes")));
        }
        self.started.extend_from_slice(part);
        Ok(())
    }
}

fn give(line: &[u8], on_line: &mut impl FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
    on_line(&String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE};
    use crate::{Code, Error};

    fn lines(pieces: &[&[u8]]) -> Result<Vec<String>, Error> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut keep = |line: &str| {
            found.push(line.to_owned());
            Ok(())
        };
        pieces.iter().try_for_each(|piece| lines.feed(piece, &mut keep))?;
        lines.end(&mut keep)?;
        Ok(found)
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        assert_eq!(lines(&[b"a\nb", b"c\r", b"\n\n", b"\xffd"]).unwrap(), ["a", "bc", "", "\u{fffd}d"]);
        assert!(lines(&[]).unwrap().is_empty() && lines(&[b""]).unwrap().is_empty());
        let mut seen = 0;
        let ended = Lines::default().feed(b"a\nb\nc\n", |_| {
            seen += 1;
            Err(Error::upstream("enough"))
        });
        assert_eq!((seen, ended.unwrap_err().message()), (1, "enough"));
    }

    #[test]
    fn a_line_of_1_mib_is_given_and_a_longer_one_is_a_limit() {
        let full = vec![b'x'; MAX_LINE];
        assert_eq!(lines(&[&full, b"\nb"]).unwrap()[0].len(), MAX_LINE);
        assert_eq!(lines(&[&full, b"x"]).unwrap_err().code(), Code::Limit);
        assert_eq!(lines(&[&full, &full]).unwrap_err().code(), Code::Limit);
    }
}
