//! The log from the side of those who read it, also while a hubcap writes to it.
//!
//! Invariant: reading makes nothing and changes nothing. Whether what is read is what was written,
//! [`verify`](crate::audit::verify) says.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::audit::chain::read_line;
use crate::audit::files::{name, numbers};
use crate::directory::{Directory, NotOwn};

/// Why the log cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// There is none.
    None,
    /// Its directory or a file of it is not used.
    NotOwn(NotOwn),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no audit log"),
            Self::NotOwn(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::NotOwn(NotOwn::Failed(error))
    }
}

/// Lines of the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Each a JSON object, the oldest first.
    pub records: Vec<String>,
    /// How many lines on the way were none.
    pub unread: u64,
}

/// Opens the log's directory to be read.
pub(super) fn open(path: &Path) -> Result<Directory, Unreadable> {
    Directory::owned(path).map_err(|error| match error {
        NotOwn::Failed(error) if error.kind() == io::ErrorKind::NotFound => Unreadable::None,
        error => Unreadable::NotOwn(error),
    })
}

/// The last `count` records.
///
/// # Errors
/// When the log cannot be read.
pub fn last(path: &Path, count: usize) -> Result<Lines, Unreadable> {
    let directory = open(path)?;
    let mut found = Lines::default();
    for number in numbers(&directory)?.into_iter().rev() {
        let room = count - found.records.len();
        if room == 0 {
            break;
        }
        let mut newest = VecDeque::new();
        found.unread += each(&directory, number, |line| {
            newest.extend([line.to_owned()]);
            newest.drain(..newest.len().saturating_sub(room));
        })?;
        newest.extend(std::mem::take(&mut found.records));
        found.records = newest.into();
    }
    Ok(found)
}

/// All records of a call: `call-7`, of any run, or `RUN/call-7`, where the first characters of the run are
/// enough.
///
/// # Errors
/// When the log cannot be read.
pub fn find(path: &Path, named: &str) -> Result<Lines, Unreadable> {
    #[derive(Deserialize)]
    struct Names<'a> {
        run: &'a str,
        call: &'a str,
    }
    let (run, call) = named.split_once('/').unwrap_or(("", named));
    let directory = open(path)?;
    let mut found = Lines::default();
    for number in numbers(&directory)? {
        found.unread += each(&directory, number, |line| {
            let is_it = |names: Names<'_>| names.call == call && names.run.starts_with(run);
            if serde_json::from_str(line).is_ok_and(is_it) {
                found.records.push(line.to_owned());
            }
        })?;
    }
    Ok(found)
}

/// Shows each line of a segment, and says how many were no records. One that is being written has no end
/// yet, and is not there.
fn each(directory: &Directory, number: u64, mut see: impl FnMut(&str)) -> Result<u64, Unreadable> {
    let file = match directory.file(&name(number)) {
        Ok(file) => file,
        // Removed since it was listed.
        Err(NotOwn::Failed(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Unreadable::NotOwn(error)),
    };
    let (mut reader, mut bytes, mut unread) = (BufReader::new(file), Vec::new(), 0);
    while read_line(&mut reader, &mut bytes)? {
        let Some(line) = bytes.strip_suffix(b"\n") else { continue };
        match std::str::from_utf8(line) {
            Ok(line) if serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok() => see(line),
            _ => unread += 1,
        }
    }
    Ok(unread)
}
