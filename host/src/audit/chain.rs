//! Lines, and how each holds on to the one before it.
//!
//! Invariant: the hash of a line covers every byte of it but its own, the hash of the line before among
//! them. So a line that was changed does not fit itself, and one that was removed, added or moved does not
//! fit its neighbours.

use std::fmt;
use std::io::{self, BufRead, Read};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::record::Body;

/// Bytes of a line: longer ones are none of ours.
pub(super) const MAX_LINE: usize = 256 << 10;

/// A place in the chain: the number of a record, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The record's number, from 1.
    pub seq: u64,
    /// Its hash in hexadecimal.
    pub hash: String,
}

impl Link {
    /// What the first record of all follows.
    pub(super) fn origin() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }

    /// The line of the record after this one, and its place.
    pub(super) fn line(&self, body: &Body, lost: u64) -> (String, Self) {
        let seq = self.seq.saturating_add(1);
        let lost = if lost > 0 { format!("\"lost\":{lost},") } else { String::new() };
        let (kind, fields, prev) = (body.kind, &body.fields, &self.hash);
        let mut line = format!("{{\"seq\":{seq},\"kind\":\"{kind}\",{lost}{fields},\"prev\":\"{prev}\"");
        let hash = HEXLOWER.encode(&Sha256::digest(line.as_bytes()));
        line.push_str(&end(&hash));
        (line, Self { seq, hash })
    }
}

/// What stands behind all that a hash covers.
fn end(hash: &str) -> String {
    format!(",\"hash\":\"{hash}\"}}\n")
}

/// What is read of any line.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    pub(super) kind: &'a str,
    pub(super) time: &'a str,
    /// Records before it that were lost, and are known to be.
    #[serde(default)]
    pub(super) lost: u64,
    /// What was found that should not be: the record begins a segment, and follows what was there last.
    #[serde(default)]
    pub(super) fault: Option<String>,
    prev: &'a str,
    hash: &'a str,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It has no end.
    Incomplete,
    /// It is something else.
    NoRecord,
    /// Its hash is not that of its text.
    Changed,
    /// It is a record, and not the next one.
    Gap,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "the line is not complete",
            Self::NoRecord => "this is no record",
            Self::Changed => "the record is not as it was written",
            Self::Gap => "the record does not follow the one before: something was removed, added or moved",
        })
    }
}

impl<'a> Line<'a> {
    /// Reads a line with its end, which has to fit itself.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Flaw> {
        if !bytes.ends_with(b"\n") {
            return Err(Flaw::Incomplete);
        }
        let line: Self = serde_json::from_slice(bytes).map_err(|_| Flaw::NoRecord)?;
        let covered = bytes.len().saturating_sub(end(line.hash).len());
        let hash = HEXLOWER.encode(&Sha256::digest(&bytes[..covered]));
        if bytes[covered..] == *end(&hash).as_bytes() { Ok(line) } else { Err(Flaw::Changed) }
    }

    pub(super) fn link(&self) -> Link {
        Link { seq: self.seq, hash: self.hash.to_owned() }
    }

    /// The place that it says it follows.
    pub(super) fn before(&self) -> Link {
        Link { seq: self.seq.saturating_sub(1), hash: self.prev.to_owned() }
    }

    /// Whether it is the one after this place.
    pub(super) fn follows(&self, link: &Link) -> bool {
        link.seq.checked_add(1) == Some(self.seq) && self.prev == link.hash
    }
}

/// What reading a segment came to.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The last record before anything that is wrong.
    pub(super) end: Option<Link>,
    /// Bytes up to there.
    pub(super) bytes: u64,
    /// Records up to there.
    pub(super) records: u64,
    /// What is wrong with the line after that.
    pub(super) wrong: Option<Wrong>,
}

/// A line that is not as it should be.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) flaw: Flaw,
    /// Its bytes, as far as a line can have them.
    pub(super) bytes: Vec<u8>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
}

impl Scan {
    /// Reads lines up to the first that is wrong, or to the end. The first has to follow `from`, where there
    /// is such a place, unless it says itself that something was wrong there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn of(
        file: impl Read,
        from: Option<&Link>,
        mut see: impl FnMut(&Line<'_>, &[u8]),
    ) -> io::Result<Self> {
        let (mut reader, mut scan) = (io::BufReader::new(file), Self::default());
        scan.end = from.cloned();
        let mut bytes = Vec::new();
        while read_line(&mut reader, &mut bytes)? {
            let line = Line::read(&bytes).and_then(|line| match &scan.end {
                Some(link) if line.follows(link) => Ok(line),
                Some(_) if scan.records > 0 || line.fault.is_none() => Err(Flaw::Gap),
                _ => Ok(line),
            });
            match line {
                Ok(line) => {
                    see(&line, &bytes);
                    scan.end = Some(line.link());
                    scan.bytes += bytes.len() as u64;
                    scan.records += 1;
                }
                Err(flaw) => {
                    let is_last = reader.fill_buf()?.is_empty();
                    scan.wrong = Some(Wrong { flaw, bytes, is_last });
                    break;
                }
            }
        }
        Ok(scan)
    }

    /// The number of the line that is wrong.
    pub(super) fn wrong_line(&self) -> u64 {
        self.records + 1
    }
}

/// Reads the next line with its end, or as much as a line can have; says whether there was anything.
pub(super) fn read_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    Ok(reader.take(MAX_LINE as u64).read_until(b'\n', bytes)? > 0)
}
