//! Whether the log is as it was written: every byte of it, and its end.
//!
//! Invariant: what is wrong is told by file and line, the first thing first; a line that is being written
//! just now is not wrong.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::audit::chain::{Flaw, Line, Link, Scan};
use crate::audit::files::{HEAD, Head, name, numbers};
use crate::audit::log::{Removed, Start};
use crate::audit::read::{Unreadable, open};
use crate::directory::{Directory, NotOwn};

/// How often the log is read anew because a segment was removed while it was read.
const ATTEMPTS: usize = 3;

/// What there is, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Files with records.
    pub segments: u64,
    /// Records that are as they were written.
    pub records: u64,
    /// Records that hubcap could not write, as the ones after them tell.
    pub lost: u64,
    /// Torn lines that hubcap cut off when it started.
    pub repaired: u64,
    /// Number of the last segment that was removed because there were more than are kept.
    pub removed_through: Option<u64>,
    /// Bytes of a last line without an end: it is being written, or was when hubcap was killed.
    pub unfinished: u64,
    /// When the first record was written.
    pub from: Option<String>,
    /// When the last one was.
    pub to: Option<String>,
    /// The last record that is as it was written.
    pub head: Option<Link>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The line, where it is one.
    pub line: Option<u64>,
    /// What it is.
    pub what: String,
}

/// Reads the whole log. `noted` is the hash of a record that was noted elsewhere, which has to be there.
///
/// # Errors
/// When it cannot be read.
pub fn verify(path: &Path, noted: Option<&str>) -> Result<Verdict, Unreadable> {
    let directory = open(path)?;
    for _ in 1..ATTEMPTS {
        if let Some(verdict) = Walk::over(&directory, noted, true)? {
            return Ok(verdict);
        }
    }
    Ok(Walk::over(&directory, noted, false)?.unwrap_or_default())
}

/// On the way through the segments.
struct Walk<'a> {
    noted: Option<&'a str>,
    is_noted_there: bool,
    head: Result<Option<Head>, String>,
    /// What the first record says it follows.
    start: Option<Link>,
    /// The record that the anchor names.
    at_head: Option<Link>,
    /// What the next record has to follow, where that is known.
    link: Option<Link>,
    removed: Option<Removed>,
    verdict: Verdict,
}

impl<'a> Walk<'a> {
    /// Reads everything; nothing where a segment was gone before it could be read, and it may be that it
    /// was removed by hubcap.
    fn over(
        directory: &Directory,
        noted: Option<&'a str>,
        may_vanish: bool,
    ) -> Result<Option<Verdict>, Unreadable> {
        // First: while it is read, the log grows.
        let head = Head::read(directory)?;
        let numbers = numbers(directory)?;
        if numbers.is_empty() && matches!(head, Ok(None)) {
            return Err(Unreadable::None);
        }
        let mut walk = Self {
            noted,
            is_noted_there: false,
            head,
            start: None,
            at_head: None,
            link: (numbers.first() == Some(&1)).then(Link::origin),
            removed: None,
            verdict: Verdict { segments: numbers.len() as u64, ..Verdict::default() },
        };
        let mut before = None;
        for number in &numbers {
            if let Some(missing) = before.map(|before| before + 1).filter(|next| next != number) {
                walk.fault(name(missing).display(), None, "it is missing");
                walk.link = None;
            }
            before = Some(*number);
            match directory.file(&name(*number)) {
                Ok(file) => walk.segment(*number, file, numbers.last() == Some(number))?,
                Err(NotOwn::Failed(error)) if may_vanish && error.kind() == io::ErrorKind::NotFound => {
                    return Ok(None);
                }
                Err(error) => {
                    walk.fault(name(*number).display(), None, error);
                    walk.link = None;
                }
            }
        }
        walk.check_the_begin(numbers.first().copied());
        walk.check_the_end();
        Ok(Some(walk.verdict))
    }

    fn fault(&mut self, file: impl ToString, line: Option<u64>, what: impl ToString) {
        let fault = Fault { file: file.to_string(), line, what: what.to_string() };
        self.verdict.faults.push(fault);
    }

    fn segment(&mut self, number: u64, file: impl io::Read, is_newest: bool) -> Result<(), Unreadable> {
        let (link, mut line_number) = (self.link.clone(), 0);
        let scan = Scan::of(file, link.as_ref(), |line, bytes| {
            line_number += 1;
            self.line(number, line_number, line, bytes);
        })?;
        self.verdict.records += scan.records;
        if let Some(end) = scan.end.clone().filter(|end| end.seq > 0) {
            self.verdict.head = Some(end);
        }
        let line = scan.wrong_line();
        match scan.wrong {
            None => self.link = scan.end,
            Some(wrong) if wrong.flaw == Flaw::Incomplete && wrong.is_last && is_newest => {
                self.verdict.unfinished = wrong.bytes.len() as u64;
                self.link = scan.end;
            }
            Some(wrong) => {
                self.fault(name(number).display(), Some(line), wrong.flaw);
                self.link = None;
            }
        }
        Ok(())
    }

    fn line(&mut self, number: u64, line_number: u64, line: &Line<'_>, bytes: &[u8]) {
        let link = line.link();
        self.start.get_or_insert_with(|| line.before());
        self.verdict.from.get_or_insert_with(|| line.time.to_owned());
        self.verdict.to = Some(line.time.to_owned());
        self.verdict.lost += line.lost;
        self.is_noted_there |= self.noted == Some(link.hash.as_str());
        if matches!(&self.head, Ok(Some(head)) if head.link.seq == link.seq) {
            self.at_head = Some(link);
        }
        if line.kind != "start" {
            return;
        }
        let start: Start = serde_json::from_slice(bytes).unwrap_or_default();
        self.verdict.repaired += u64::from(start.repaired.is_some());
        self.removed = start.removed.or(self.removed.take());
        if let Some(fault) = start.fault {
            let what = format!("hubcap found, and went on in this file: {fault}");
            self.fault(name(number).display(), Some(line_number), what);
        }
    }

    /// Whether what is missing before the first segment was removed by hubcap.
    fn check_the_begin(&mut self, first: Option<u64>) {
        self.verdict.removed_through = self.removed.as_ref().map(|removed| removed.through);
        let Some(before) = first.filter(|first| *first > 1).map(|first| first - 1) else { return };
        let is_removed = self.removed.as_ref().is_some_and(|removed| {
            let fits = removed.end.is_none() || self.start.is_none() || removed.end == self.start;
            removed.through > before || (removed.through == before && fits)
        });
        if !is_removed {
            let what = "it is missing, and no record says that it was removed".to_owned();
            let fault = Fault { file: name(before).display().to_string(), line: None, what };
            self.verdict.faults.insert(0, fault);
        }
    }

    /// Whether the log has everything that the anchor and the noted hash say it has.
    fn check_the_end(&mut self) {
        let end = self.verdict.head.as_ref().map_or(0, |head| head.seq);
        match self.head.clone() {
            Err(why) => self.fault(HEAD, None, why),
            Ok(None) => self.fault(HEAD, None, "it is missing"),
            Ok(Some(head)) if head.link.seq > end => {
                let what = format!("it names record {}, and the log ends with {end}", head.link.seq);
                self.fault(HEAD, None, what);
            }
            Ok(Some(head)) if self.at_head.as_ref().is_some_and(|link| *link != head.link) => {
                let what = format!("it names another record {} than the log has", head.link.seq);
                self.fault(HEAD, None, what);
            }
            Ok(Some(_)) => {}
        }
        if self.noted.is_some() && !self.is_noted_there {
            self.fault("--head", None, "no record has this hash: the log was cut before it, or rewritten");
        }
    }
}
