//! Markers: TODO, FIXME, XXX and HACK, where they stand as one and are not only talked about.
//!
//! Invariant: linear in the line; at most one finding for each line.

use std::ops::Range;

use super::RuleId;
use super::lines::Line;
use super::quoted::{is_quoted, quotations};
use super::words::Words;
use crate::finding::{Confidence, Found, Severity};
use crate::language::Kind;

/// A marker, in lower case, and what to say of it.
struct Marker {
    word: &'static str,
    severity: Severity,
    message: &'static str,
}

const MARKERS: [Marker; 4] = [
    Marker {
        word: "todo",
        severity: Severity::Warning,
        message: "A TODO marks open work: do it, or move it to the issue tracker and delete the marker.",
    },
    Marker {
        word: "fixme",
        severity: Severity::Warning,
        message: "A FIXME marks a known fault: mend it, or move it to the issue tracker and delete the marker.",
    },
    Marker {
        word: "xxx",
        severity: Severity::Warning,
        message: "An XXX marks something doubtful: settle it, or say in plain words what a reader has to know.",
    },
    Marker {
        word: "hack",
        severity: Severity::Note,
        message: "A HACK marks a makeshift: replace it, or say why it has to stay.",
    },
];

/// Longest name in `TODO(name)`, in bytes.
const NAME_MAX: usize = 80;

/// Words after a bare marker that make it a mention: "TODO comments are found".
const MENTIONS: [&str; 21] = [
    "and", "or", "is", "are", "as", "was", "in", "comment", "comments", "marker", "markers", "item", "items",
    "list", "lists", "tag", "tags", "note", "notes", "app", "apps",
];

/// What stands behind a marker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// `:` or `(name)`.
    Strong,
    /// A dash, or the end of the line.
    Clear,
    /// More words.
    Bare,
}

/// The words of the markers. A vocabulary that starts with them lets [`find`] know them by number.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    MARKERS.iter().map(|marker| marker.word)
}

/// The first marker of a line, whose words are given.
pub(super) fn find(line: &Line<'_>, words: &Words) -> Option<Found> {
    let mut seen = None;
    for word in &words.list {
        let marker = usize::from(word.id).checked_sub(1).and_then(|index| MARKERS.get(index));
        let Some(marker) = marker else { continue };
        let (first, quotes) = seen.get_or_insert_with(|| (leading(line.text), quotations(line.text)));
        let place = &word.place;
        let confidence = judge(line, place, *first == place.start);
        if let Some(confidence) = confidence.filter(|_| !is_quoted(quotes, place.start)) {
            return Some(marker.found(line.offset + place.start..line.offset + place.end, confidence));
        }
    }
    None
}

impl Marker {
    fn found(&self, span: Range<usize>, confidence: Confidence) -> Found {
        Found {
            rule: RuleId::MarkerComment,
            start: span.start,
            end: span.end,
            severity: self.severity,
            confidence,
            message: self.message,
            fix: None,
        }
    }
}

/// Where the text of the line starts, behind what decorates comments and lists.
fn leading(text: &str) -> usize {
    let decoration = |c: char| c.is_whitespace() || "*/!#-;%=~+|><[](){}@.:_\\•".contains(c);
    text.len() - text.trim_start_matches(decoration).len()
}

/// How sure it is that this is a marker; `None` where it is none.
fn judge(line: &Line<'_>, span: &Range<usize>, first: bool) -> Option<Confidence> {
    let tail = tail(line.text, span)?;
    let word = &line.text[span.clone()];
    let upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
    let tagged = line.text[..span.start].ends_with(['@', '\\']);
    let percent = match (line.kind, first) {
        (Kind::Prose, true) if upper && tail == Tail::Strong => 60,
        (Kind::Prose, _) => return None,
        (_, true) if tagged => 85,
        (_, true) if upper => at_start(line, tail)?,
        (_, true) if tail == Tail::Strong && word != "xxx" => 75,
        (_, false) if upper && tail == Tail::Strong => inside(line, span)?,
        _ => return None,
    };
    let points = if line.kind == Kind::Guess { 15 } else { 0 };
    Some(Confidence(percent).less(points))
}

fn at_start(line: &Line<'_>, tail: Tail) -> Option<u8> {
    let doc = line.kind == Kind::Doc;
    match tail {
        Tail::Strong if doc => Some(85),
        Tail::Strong => Some(95),
        // Inside a paragraph a bare word is as likely the middle of a sentence.
        _ if doc && !line.opens => None,
        Tail::Clear => Some(if doc { 75 } else { 90 }),
        Tail::Bare if doc => Some(60),
        Tail::Bare => Some(if line.opens { 80 } else { 65 }),
    }
}

/// A marker behind other words. In documentation only behind the end of a sentence.
fn inside(line: &Line<'_>, span: &Range<usize>) -> Option<u8> {
    let before = &line.text[..span.start];
    let apart = before.ends_with(|c: char| c.is_whitespace() || "([*—–@".contains(c));
    let sentence = before.trim_end().ends_with(['.', ';', '!', '?', ')', '-', '—', '–']);
    match (apart, line.kind) {
        (true, Kind::Doc) => sentence.then_some(60),
        (true, _) => Some(70),
        (false, _) => None,
    }
}

fn tail(text: &str, span: &Range<usize>) -> Option<Tail> {
    let after = &text[span.end..];
    if after.starts_with(':') && !after.starts_with("::") {
        return Some(Tail::Strong);
    }
    if let Some(close) = after.strip_prefix('(').map(|_| ')').or(after.strip_prefix('[').map(|_| ']')) {
        return named(after, close).then_some(Tail::Strong);
    }
    let words = after.trim_start_matches([']', ')', '}', '!', '?']);
    let rest = words.trim_start();
    let dots = rest.starts_with("...") || rest.starts_with('…');
    if dots || rest.trim_end_matches(['*', '/', '-', '>', ' ']).is_empty() {
        return Some(Tail::Clear);
    }
    if let Some(dashed) = rest.strip_prefix(['-', '—', '–']) {
        let dash = rest.len() < words.len() || dashed.starts_with(['-', ' ', '>']);
        return dash.then_some(Tail::Clear);
    }
    let spaced = rest.len() < words.len() || words.len() < after.len();
    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let mention = MENTIONS.iter().any(|mention| word.eq_ignore_ascii_case(mention));
    (spaced && !word.is_empty() && !mention).then_some(Tail::Bare)
}

/// Whether `(…)` closes soon.
fn named(after: &str, close: char) -> bool {
    let end = after.bytes().take(NAME_MAX).position(|byte| byte == close as u8);
    end.is_some_and(|end| end > 1)
}

#[cfg(test)]
#[path = "../tests/marker.rs"]
mod tests;
