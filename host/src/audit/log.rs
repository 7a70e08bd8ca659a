//! The log on the disk, from the side of the one who writes it.
//!
//! Invariant: a line is written behind the last one of ours or not at all; what somebody else did to the
//! files is never written over, it is told in a new segment.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::chain::{Link, Scan};
use crate::audit::fault::Fault;
use crate::audit::files::{HEAD, Head, Stamp, name, numbers, torn};
use crate::audit::record::Body;
use crate::audit::time::rfc3339;
use crate::directory::Directory;

/// Where the log is, and how much of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The home, which has to be there.
    pub(super) home: PathBuf,
    /// The directory of the log, below it.
    pub(super) path: PathBuf,
    /// Bytes after which a segment is full.
    pub(super) segment: u64,
    /// Bytes of all segments that are kept.
    pub(super) keep: u64,
    /// Names this process in the log.
    pub(super) run: Arc<str>,
}

/// A log that is open.
pub(super) struct Log {
    pub(super) place: Place,
    pub(super) directory: Directory,
    /// Keeps other processes out.
    pub(super) _held: File,
    pub(super) number: u64,
    pub(super) file: File,
    /// What the file was after the last line of ours.
    pub(super) stamp: Stamp,
    pub(super) last: Link,
    pub(super) head: Head,
}

/// What a record tells that is of the log itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) time: String,
    pub(super) run: String,
    pub(super) version: String,
    /// What was found that should not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
    /// What was cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repaired: Option<Repaired>,
    /// Segments that were removed because there were more than are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) removed: Option<Removed>,
}

/// What was cut off the end of a segment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Repaired {
    /// The segment.
    pub(super) file: String,
    /// Where the bytes are now.
    pub(super) kept: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Segments that are not kept any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removed {
    /// The number of the last of them.
    pub(super) through: u64,
    /// The last record in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Link>,
}

impl Start {
    pub(super) fn body(self, run: &str) -> Body {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Body::new("start", &Self { time: rfc3339(SystemTime::now()), run: run.to_owned(), version, ..self })
    }
}

impl Log {
    /// Writes records behind the last one. They are on the disk after [`Self::sync`].
    ///
    /// # Errors
    /// When they cannot be written. None of them is there then, and the log has to be opened anew.
    pub(super) fn append(&mut self, bodies: &[Body], lost: u64) -> Result<(), Fault> {
        if let Some(damage) = self.damage()? {
            tracing::error!("the audit log was changed by somebody else: {damage}; a new segment begins");
            self.mend_anchor()?;
            self.begin(Start { fault: Some(damage), ..Start::default() })?;
        } else if self.stamp.size >= self.place.segment {
            self.begin(Start::default())?;
        }
        self.write(bodies, lost)
    }

    /// The same into the segment that there is.
    pub(super) fn write(&mut self, bodies: &[Body], lost: u64) -> Result<(), Fault> {
        let end = self.stamp.size;
        let written = self.put(bodies, lost).map_err(Fault::Disk);
        if written.is_err() {
            // A part of it would be a torn line. Where this fails too, opening the log repairs it.
            let _ = self.file.set_len(end);
        }
        written.map(|_| ())
    }

    /// Puts lines behind the last one, over whatever is there, and says where they end.
    fn put(&mut self, bodies: &[Body], lost: u64) -> io::Result<u64> {
        let (mut lines, mut last, mut lost) = (String::new(), self.last.clone(), lost);
        for body in bodies {
            let (line, link) = last.line(body, std::mem::take(&mut lost));
            lines.push_str(&line);
            last = link;
        }
        self.file.write_all_at(lines.as_bytes(), self.stamp.size)?;
        let end = self.stamp.size + lines.len() as u64;
        self.stamp = Stamp::of(&self.file)?;
        self.last = last;
        Ok(end)
    }

    /// Brings what was written to the disk.
    ///
    /// # Errors
    /// When the disk does not take it. What is there is not known then.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        self.file.sync_data().map_err(Fault::Disk)
    }

    /// Moves the anchor to the last record, which has to be on the disk. A log without an anchor of now is
    /// as good as before.
    pub(super) fn anchor(&mut self) {
        let head = Head { link: self.last.clone(), segment: self.number };
        if head == self.head {
            return;
        }
        match head.write(&self.directory) {
            Ok(()) => self.head = head,
            Err(error) => tracing::debug!("the anchor of the audit log was not written: {error}"),
        }
    }

    /// Puts an anchor in the place of one that is wrong. Where that cannot be done, each new segment would be
    /// followed by another one because of it.
    pub(super) fn mend_anchor(&mut self) -> Result<(), Fault> {
        let head = Head { link: self.last.clone(), segment: self.number };
        head.write(&self.directory).map_err(|error| Fault::File(HEAD.into(), error))?;
        self.head = head;
        Ok(())
    }

    /// What somebody else did to the log since the last record.
    fn damage(&mut self) -> Result<Option<String>, Fault> {
        if !self.directory.is_at(&self.place.path) {
            return Err(Fault::Moved);
        }
        match Head::read(&self.directory).map_err(Fault::Disk)? {
            Ok(Some(head)) if head == self.head => {}
            Ok(Some(_)) => return Ok(Some(format!("{HEAD}: it was changed while hubcap ran"))),
            Ok(None) => return Ok(Some(format!("{HEAD}: it was removed while hubcap ran"))),
            Err(why) => return Ok(Some(format!("{HEAD}: {why}"))),
        }
        let file = name(self.number);
        let now = Stamp::of(&self.file).map_err(Fault::Disk)?;
        let by_name = self.directory.inode(&file).map_err(Fault::Disk)?;
        let differs = self.stamp.differs(&now, by_name).map(str::to_owned);
        let damage = match differs {
            None if self.stamp.is_touched(&now) => self.rewritten()?,
            differs => differs.map(|what| format!("{}: {what}", file.display())),
        };
        if damage.is_none() {
            self.stamp = now;
        }
        Ok(damage)
    }

    /// What is wrong in the segment, if anything.
    fn rewritten(&self) -> Result<Option<String>, Fault> {
        let file = name(self.number);
        let reading = self.directory.file(&file).map_err(|error| Fault::File(file.clone(), error))?;
        let scan = Scan::of(reading, None, |_, _| {}).map_err(Fault::Disk)?;
        let at = format!("{}:{}", file.display(), scan.wrong_line());
        Ok(match scan.wrong {
            Some(wrong) => Some(format!("{at}: {}", wrong.flaw)),
            None if scan.end.as_ref() != Some(&self.last) => {
                Some(format!("{}: the last record is not the one that was written", file.display()))
            }
            None => None,
        })
    }

    /// Begins a new segment, whose first record tells what there is to be told.
    pub(super) fn begin(&mut self, start: Start) -> Result<(), Fault> {
        // Whatever it says, what was acknowledged was brought there before.
        let _ = self.file.sync_data();
        let there = numbers(&self.directory).map_err(Fault::Disk)?;
        let number = there.iter().copied().max().unwrap_or(0).max(self.number).saturating_add(1);
        let removed = self.surplus(&there)?;
        let file = name(number);
        self.file = self.directory.new_file(&file).map_err(|error| Fault::File(file, error))?;
        self.stamp = Stamp::of(&self.file).map_err(Fault::Disk)?;
        self.number = number;
        self.tell(Start { removed: removed.clone(), ..start })?;
        self.directory.sync().map_err(Fault::Disk)?;
        if let Some(removed) = removed {
            self.remove(&there, removed.through);
        }
        Ok(())
    }

    /// Writes a record of the log itself, which is on the disk when this returns.
    pub(super) fn tell(&mut self, start: Start) -> Result<(), Fault> {
        self.write(&[start.body(&self.place.run)], 0)?;
        self.sync()?;
        self.anchor();
        Ok(())
    }

    /// The segments that are too many when one more begins, the oldest first.
    fn surplus(&self, there: &[u64]) -> Result<Option<Removed>, Fault> {
        let size = |number: &u64| self.directory.stamp(&name(*number)).map_or(0, |(size, _)| size);
        let mut kept: u64 = there.iter().map(size).sum();
        let mut through = None;
        for number in there {
            if kept <= self.place.keep.saturating_sub(self.place.segment) {
                break;
            }
            kept -= size(number);
            through = Some(*number);
        }
        through.map(|through| Ok(Removed { through, end: self.end_of(through)? })).transpose()
    }

    /// The last record of a segment, where nothing is wrong with it.
    pub(super) fn end_of(&self, number: u64) -> Result<Option<Link>, Fault> {
        let Ok(file) = self.directory.file(&name(number)) else { return Ok(None) };
        let scan = Scan::of(file, None, |_, _| {}).map_err(Fault::Disk)?;
        Ok(scan.end.filter(|_| scan.wrong.is_none()))
    }

    fn remove(&self, there: &[u64], through: u64) {
        for number in there.iter().filter(|number| **number <= through) {
            let _ = self.directory.remove(&torn(*number));
            if let Err(error) = self.directory.remove(&name(*number)) {
                tracing::warn!("the audit log: {} is not removed: {error}", name(*number).display());
            }
        }
    }

    /// Cuts off what was torn, which is kept beside the segment, and tells of it in its place.
    pub(super) fn repair(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (file, kept) = (name(self.number), torn(self.number));
        let beside = self.directory.own_file(&kept).map_err(|error| Fault::File(kept.clone(), error))?;
        let end = Stamp::of(&beside).map_err(Fault::Disk)?.size;
        beside.write_all_at(bytes, end).and_then(|()| beside.sync_data()).map_err(Fault::Disk)?;
        let repaired = Repaired {
            file: file.display().to_string(),
            kept: kept.display().to_string(),
            bytes: bytes.len() as u64,
            sha256: HEXLOWER.encode(&Sha256::digest(bytes)),
        };
        tracing::warn!(
            "the audit log: the last {} bytes of {} were a torn record; they are in {} now",
            repaired.bytes,
            repaired.file,
            repaired.kept,
        );
        // Over what was torn, so that nothing is cut off without a word of it.
        let start = Start { repaired: Some(repaired), ..Start::default() };
        let end = self.put(&[start.body(&self.place.run)], 0).map_err(Fault::Disk)?;
        self.file.set_len(end).map_err(Fault::Disk)?;
        self.stamp = Stamp::of(&self.file).map_err(Fault::Disk)?;
        self.sync()?;
        self.anchor();
        Ok(())
    }
}
