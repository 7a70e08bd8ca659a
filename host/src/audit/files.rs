//! The files of the log: segments, the anchor of its end, and what was cut off.
//!
//! Invariant: the anchor never names a record that is not on the disk.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audit::chain::Link;
use crate::directory::{Directory, NotOwn};

/// Whoever writes holds it.
pub(super) const LOCK: &str = "lock";
/// Name of the anchor.
pub(super) const HEAD: &str = "head";
/// What becomes the anchor.
const DRAFT: &str = "head.draft";
/// Bytes of the anchor.
pub(super) const MAX_HEAD: u64 = 1 << 10;

/// The name of a segment.
pub(super) fn name(number: u64) -> PathBuf {
    format!("{number:06}.jsonl").into()
}

/// Where that is kept which was cut off a segment.
pub(super) fn torn(number: u64) -> PathBuf {
    format!("{number:06}.torn").into()
}

/// The numbers of the segments, in order.
pub(super) fn numbers(directory: &Directory) -> io::Result<Vec<u64>> {
    let number = |name: &str| {
        let digits = name.strip_suffix(".jsonl")?;
        let number = digits.parse().ok()?;
        // No other spelling of it.
        (self::name(number).as_os_str() == name).then_some(number)
    };
    let names = directory.names()?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name.to_str()?)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The end of the log, as far as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The last record.
    #[serde(flatten)]
    pub(super) link: Link,
    /// The segment that it is in.
    pub(super) segment: u64,
}

impl Head {
    /// Of a log without a record.
    pub(super) fn origin() -> Self {
        Self { link: Link::origin(), segment: 0 }
    }

    /// Reads the anchor; nothing where there is none, and in words what there is instead.
    ///
    /// # Errors
    /// When it cannot be read, which says nothing of it.
    pub(super) fn read(directory: &Directory) -> io::Result<Result<Option<Self>, String>> {
        let file = match directory.file(Path::new(HEAD)) {
            Ok(file) => file,
            Err(NotOwn::Failed(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(NotOwn::Failed(error)) => return Err(error),
            Err(other) => return Ok(Err(other.to_string())),
        };
        let mut bytes = Vec::new();
        file.take(MAX_HEAD).read_to_end(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes).map(Some).map_err(|_| "it is no anchor of hubcap's".into()))
    }

    /// Puts it in the place of the one before, whole or not at all.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) fn write(&self, directory: &Directory) -> Result<(), NotOwn> {
        let draft = Path::new(DRAFT);
        // Of a host that was ended in the middle. Nobody else writes it: the lock is ours.
        let _ = directory.remove(draft);
        let mut file = directory.new_file(draft)?;
        let json = serde_json::to_string(self).unwrap_or_default();
        let written = file.write_all(format!("{json}\n").as_bytes()).and_then(|()| file.sync_data());
        let placed = written.and_then(|()| directory.rename(draft, Path::new(HEAD)));
        placed.and_then(|()| directory.sync()).map_err(NotOwn::Failed)
    }
}

/// By what a change of a file shows itself that was not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    links: u64,
    inode: (u64, u64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata: Metadata = file.metadata()?;
        Ok(Self {
            size: metadata.len(),
            links: metadata.nlink(),
            inode: (metadata.dev(), metadata.ino()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// What became of the file since, as far as that shows without reading it.
    pub(super) fn differs(&self, now: &Self, by_name: Option<(u64, u64)>) -> Option<&'static str> {
        match () {
            () if now.links == 0 => Some("it was deleted while hubcap wrote to it"),
            () if by_name != Some(self.inode) => Some("it was moved or replaced while hubcap wrote to it"),
            () if now.size < self.size => Some("it was cut while hubcap wrote to it"),
            () if now.size > self.size => Some("something was added while hubcap wrote to it"),
            () => None,
        }
    }

    /// Whether somebody did something to the file since.
    pub(super) fn is_touched(&self, now: &Self) -> bool {
        self.changed != now.changed
    }
}
