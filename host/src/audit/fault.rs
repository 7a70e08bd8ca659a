//! Why the log cannot be written, in words for the operator and for a caller.
//!
//! Invariant: a caller is told no path of the machine.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::directory::NotOwn;
use crate::error::{Blame, CallError, Code};

/// What is in the way of writing.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no home, or it is not there.
    NoHome,
    /// Another process writes to it.
    InUse,
    /// A directory is not used.
    Directory(NotOwn),
    /// A file of it is not used.
    File(PathBuf, NotOwn),
    /// The machine does not let it be read or written.
    Disk(io::Error),
    /// Its directory is not where it was.
    Moved,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHome => f.write_str("there is no home to keep it in; make it, or name one with --home"),
            Self::InUse => f.write_str(
                "another hubcap on the same home writes to it; end that one, or give this one a home of its own",
            ),
            Self::Directory(error) => write!(f, "its directory: {error}"),
            Self::File(file, error) => write!(f, "{}: {error}", file.display()),
            Self::Disk(error) => error.fmt(f),
            Self::Moved => f.write_str("its directory was moved away"),
        }
    }
}

/// A decision was not written down, so that what it is about must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditError(String);

impl AuditError {
    pub(super) fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log cannot be written: {}", self.0)
    }
}

impl std::error::Error for AuditError {}

impl From<AuditError> for CallError {
    fn from(error: AuditError) -> Self {
        let message = format!("a person said yes, and that cannot be written down, so nothing ran: {error}");
        Self::new(Code::Approval, Blame::Host, message)
    }
}
