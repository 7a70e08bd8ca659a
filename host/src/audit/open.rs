//! Opens the log: finds its end, repairs what a kill or a lost power left of the last line, and leaves
//! everything else that is wrong as it is.
//!
//! Invariant: what is cut off was never acknowledged: it stands behind the anchor and behind all that this
//! process wrote.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::audit::chain::{Flaw, Link, MAX_LINE, Scan};
use crate::audit::fault::Fault;
use crate::audit::files::{HEAD, Head, LOCK, Stamp, name, numbers};
use crate::audit::log::{Log, Place, Start};
use crate::directory::Directory;

/// Where the next record goes.
enum Next {
    /// Behind the last one, in its segment.
    Same { number: u64, bytes: u64, torn: Vec<u8> },
    /// Into a new segment.
    New { number: u64, fault: Option<String> },
}

/// What there is of a log.
struct Found<'a> {
    directory: &'a Directory,
    numbers: Vec<u64>,
    head: Result<Option<Head>, String>,
    /// What this process wrote last.
    known: Option<&'a Link>,
}

impl Log {
    /// Opens the log, or begins it. `known` is what this process wrote last.
    ///
    /// # Errors
    /// Why it cannot be written to.
    pub(super) fn open(place: Place, known: Option<&Link>) -> Result<Self, Fault> {
        if !place.home.is_dir() {
            return Err(Fault::NoHome);
        }
        let parent = place.path.parent().unwrap_or(&place.home);
        Directory::own(parent).map_err(Fault::Directory)?;
        let directory = Directory::own(&place.path).map_err(Fault::Directory)?;
        let held = hold(&directory)?;
        let numbers = numbers(&directory).map_err(Fault::Disk)?;
        let head = Head::read(&directory).map_err(Fault::Disk)?;
        let found = Found { directory: &directory, numbers, head, known };
        let (next, last) = found.next()?;
        let head = found.mended(&next, &last)?;
        let (number, file) = match &next {
            Next::Same { number, .. } => (*number, directory.owned_file(&name(*number))),
            Next::New { number, .. } => (*number, directory.new_file(&name(*number))),
        };
        let file = file.map_err(|error| Fault::File(name(number), error))?;
        let stamp = Stamp::of(&file).map_err(Fault::Disk)?;
        let mut log = Self { place, directory, _held: held, number, file, stamp, last, head };
        log.go_on(next)?;
        Ok(log)
    }

    /// Tells how it was found.
    fn go_on(&mut self, next: Next) -> Result<(), Fault> {
        match next {
            Next::Same { bytes, torn, .. } if !torn.is_empty() => {
                self.stamp.size = bytes;
                self.repair(&torn)
            }
            Next::Same { .. } if self.stamp.size >= self.place.segment => self.begin(Start::default()),
            // Not on the disk yet: calls that come at once have their records soon.
            Next::Same { .. } => self.write(&[Start::default().body(&self.place.run)], 0),
            Next::New { fault, .. } => {
                self.tell(Start { fault, ..Start::default() })?;
                self.directory.sync().map_err(Fault::Disk)
            }
        }
    }
}

/// Keeps other processes from writing.
fn hold(directory: &Directory) -> Result<File, Fault> {
    let lock = Path::new(LOCK);
    let held = directory.owned_file(lock).or_else(|_| directory.own_file(lock));
    let held = held.map_err(|error| Fault::File(LOCK.into(), error))?;
    match flock(&held, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(held),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Fault::InUse),
        Err(error) => Err(Fault::Disk(error.into())),
    }
}

impl Found<'_> {
    /// Where the next record goes, and what it follows.
    fn next(&self) -> Result<(Next, Link), Fault> {
        let Some(newest) = self.numbers.last().copied() else {
            let fault = self.missing(&Link::origin());
            return Ok((Next::New { number: self.new_number(), fault }, self.behind(Link::origin())));
        };
        // One that was only just made has no record yet; then the one before it is the last.
        let (mut number, mut scan, mut at_head) = (newest, Scan::default(), None);
        for other in self.numbers.iter().rev() {
            (number, (scan, at_head)) = (*other, self.scan(*other)?);
            if scan.records > 0 || scan.wrong.is_some() {
                break;
            }
        }
        let last = scan.end.clone().unwrap_or_else(|| self.before(number));
        let torn = self.torn(&scan, &last).filter(|_| number == newest);
        let wrong = scan.wrong.as_ref().filter(|_| torn.is_none());
        let fault = wrong
            .map(|wrong| format!("{}:{}: {}", name(number).display(), scan.wrong_line(), wrong.flaw))
            .or_else(|| self.missing(&last))
            .or_else(|| self.other_than_anchored(at_head.as_ref()));
        if fault.is_some() {
            return Ok((Next::New { number: self.new_number(), fault }, self.behind(last)));
        }
        let bytes = if number == newest { scan.bytes } else { 0 };
        Ok((Next::Same { number: newest, bytes, torn: torn.unwrap_or_default() }, last))
    }

    /// The anchor, as it has to be before the next record. Where there can be none, each new segment would be
    /// followed by another one because of it.
    fn mended(&self, next: &Next, last: &Link) -> Result<Head, Fault> {
        let head = match (next, &self.head) {
            (Next::New { number, fault: Some(fault) }, _) => {
                tracing::error!(
                    "the audit log is not as it was written: {fault}; a new segment begins, and `hubcap audit \
                     verify` tells more"
                );
                Head { link: last.clone(), segment: number.saturating_sub(1) }
            }
            (_, Ok(Some(head))) => return Ok(head.clone()),
            _ => Head::origin(),
        };
        head.write(self.directory).map_err(|error| Fault::File(HEAD.into(), error))?;
        Ok(head)
    }

    /// Reads a segment; also gives the record that the anchor names, where it is in there.
    fn scan(&self, number: u64) -> Result<(Scan, Option<Link>), Fault> {
        let anchored = self.head.as_ref().ok().and_then(Option::as_ref).map(|head| head.link.seq);
        let mut at_head = None;
        let file = name(number);
        let reading = self.directory.file(&file).map_err(|error| Fault::File(file, error))?;
        let scan = Scan::of(reading, None, |line, _| {
            if Some(line.seq) == anchored {
                at_head = Some(line.link());
            }
        });
        Ok((scan.map_err(Fault::Disk)?, at_head))
    }

    /// What the first record of a segment follows.
    fn before(&self, number: u64) -> Link {
        let before = self.numbers.iter().rev().find(|other| **other < number);
        let end = before.and_then(|before| self.scan(*before).ok()?.0.end);
        end.unwrap_or_else(|| self.behind(Link::origin()))
    }

    /// The last line, where it is what is left of one that was being written.
    fn torn(&self, scan: &Scan, last: &Link) -> Option<Vec<u8>> {
        let wrong = scan.wrong.as_ref()?;
        let is_torn = wrong.is_last && wrong.flaw != Flaw::Gap && wrong.bytes.len() < MAX_LINE;
        (is_torn && self.missing(last).is_none()).then(|| wrong.bytes.clone())
    }

    /// What says that there was more than this last record, if anything does.
    fn missing(&self, last: &Link) -> Option<String> {
        let head = match &self.head {
            Err(why) => return Some(format!("{HEAD}: {why}")),
            Ok(None) if !self.numbers.is_empty() => return Some(format!("{HEAD}: it is missing")),
            Ok(head) => head.as_ref(),
        };
        let ends = match last.seq {
            0 => "there is no record".to_owned(),
            seq => format!("the log ends with record {seq}"),
        };
        if let Some(head) = head.filter(|head| head.link.seq > last.seq) {
            return Some(format!("{HEAD}: it names record {}, and {ends}", head.link.seq));
        }
        let known = self.known.filter(|known| known.seq > last.seq)?;
        Some(format!("record {} was written, and {ends}", known.seq))
    }

    /// Whether the anchor names another record than the log has.
    fn other_than_anchored(&self, at_head: Option<&Link>) -> Option<String> {
        let head = self.head.as_ref().ok()?.as_ref()?;
        let at_head = at_head.filter(|link| **link != head.link)?;
        Some(format!("{HEAD}: it names another record {} than the log has", at_head.seq))
    }

    /// Behind a record, and behind every number that was given.
    fn behind(&self, last: Link) -> Link {
        let head = self.head.as_ref().ok().and_then(Option::as_ref).map(|head| head.link.seq);
        let given = [head, self.known.map(|known| known.seq)];
        let seq = given.into_iter().flatten().fold(last.seq, u64::max);
        Link { seq, ..last }
    }

    fn new_number(&self) -> u64 {
        let head = self.head.as_ref().ok().and_then(Option::as_ref).map_or(0, |head| head.segment);
        self.numbers.last().copied().unwrap_or(0).max(head).saturating_add(1)
    }
}
