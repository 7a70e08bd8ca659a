//! What goes wrong with the database, in words for the operator and for a caller.
//!
//! Invariant: no text has a path of the machine: a guest may see it.

use std::fmt;
use std::io;

use crate::error::{Blame, CallError, Code};

/// The database cannot be used, or not to the end of what was begun.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another process has it open.
    InUse,
    /// It is not what the host wrote: why.
    Damaged(String),
    /// The machine does not let it be read or written: why.
    Failed(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("another hubcap has it open; end that one, or give this one a home of its own")
            }
            Self::Damaged(why) => write!(
                f,
                "its file is damaged or not one of hubcap's ({why}); the operator has to move it away"
            ),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        use redb::Error as E;
        match error {
            E::DatabaseAlreadyOpen => Self::InUse,
            E::Corrupted(why) => Self::Damaged(why),
            E::Io(error) if is_of_the_content(error.kind()) => Self::Damaged(error.to_string()),
            E::Io(error) => Self::Failed(error.to_string()),
            E::UpgradeRequired(_)
            | E::TableTypeMismatch { .. }
            | E::TableIsMultimap(_)
            | E::TypeDefinitionChanged { .. } => Self::Damaged(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

fn is_of_the_content(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

macro_rules! from_each {
    ($($error:ident),+) => {
        $(impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        })+
    };
}

from_each!(CommitError, DatabaseError, StorageError, TableError, TransactionError);

/// Why a piece of work on a namespace did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// It asked for what cannot be, and changed nothing.
    Refused(CallError),
    /// The database failed, and with it whatever shares the transaction.
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// The database was not available.
#[derive(Clone, Debug)]
pub(super) struct Down(String);

impl Down {
    pub(super) fn new(why: &str) -> Self {
        Self(format!("the state of plugins is not available: {why}"))
    }

    /// The work was dropped before its turn.
    pub(super) fn ending() -> Self {
        Self::new("hubcap is shutting down")
    }
}

impl From<Down> for CallError {
    fn from(down: Down) -> Self {
        Self::new(Code::Unavailable, Blame::Host, down.0)
    }
}
