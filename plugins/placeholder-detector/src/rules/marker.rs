//! Markers: TODO, FIXME, XXX and HACK, where they stand as one and are not only talked about.
//!
//! Invariant: linear in the line; at most one finding for each line.

use std::ops::Range;

use super::RuleId;
use super::lines::Line;
use super::quoted::{is_quoted, quotations};
use crate::finding::{Confidence, Found, Severity};
use crate::language::Kind;

/// A marker and what to say of it.
struct Marker {
    word: &'static str,
    severity: Severity,
    message: &'static str,
}

const MARKERS: [Marker; 4] = [
    Marker {
        word: "TODO",
        severity: Severity::Warning,
        message: "A TODO marks open work: do it, or move it to the issue tracker and delete the marker.",
    },
    Marker {
        word: "FIXME",
        severity: Severity::Warning,
        message: "A FIXME marks a known fault: mend it, or move it to the issue tracker and delete the marker.",
    },
    Marker {
        word: "XXX",
        severity: Severity::Warning,
        message: "An XXX marks something doubtful: settle it, or say in plain words what a reader has to know.",
    },
    Marker {
        word: "HACK",
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

/// The first marker of a line.
pub(super) fn find(line: &Line<'_>) -> Option<Found> {
    let bytes = line.text.as_bytes();
    let first = leading(line.text);
    let mut quotes = None;
    let mut at = 0;
    while at < bytes.len() {
        let starts = matches!(bytes[at] | 0x20, b't' | b'f' | b'x' | b'h');
        if !starts || (at > 0 && is_word(bytes[at - 1])) {
            at += 1;
            continue;
        }
        if let Some((marker, end)) = marker_at(line.text, at) {
            let quotes = quotes.get_or_insert_with(|| quotations(line.text));
            let confidence = judge(line, at..end, first == at).filter(|_| !is_quoted(quotes, at));
            if let Some(confidence) = confidence {
                return Some(marker.found(line.offset + at..line.offset + end, confidence));
            }
        }
        at += 1;
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
        }
    }
}

fn marker_at(text: &str, at: usize) -> Option<(&'static Marker, usize)> {
    let rest = &text.as_bytes()[at..];
    let marker = MARKERS.iter().find(|marker| {
        let length = marker.word.len();
        let same = rest.get(..length).is_some_and(|word| word.eq_ignore_ascii_case(marker.word.as_bytes()));
        same && !rest.get(length).is_some_and(|byte| is_word(*byte))
    })?;
    Some((marker, at + marker.word.len()))
}

/// Where the text of the line starts, behind what decorates comments and lists.
fn leading(text: &str) -> usize {
    let decoration = |c: char| c.is_whitespace() || "*/!#-;%=~+|><[](){}@.:_\\•".contains(c);
    text.len() - text.trim_start_matches(decoration).len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How sure it is that this is a marker; `None` where it is none.
fn judge(line: &Line<'_>, span: Range<usize>, first: bool) -> Option<Confidence> {
    let tail = tail(line.text, &span)?;
    let word = &line.text[span.clone()];
    let upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
    let tagged = line.text[..span.start].ends_with(['@', '\\']);
    let percent = match (line.kind, first) {
        (Kind::Prose, true) if upper && tail == Tail::Strong => 60,
        (Kind::Prose, _) => return None,
        (_, true) if tagged => 85,
        (_, true) if upper => at_start(line, tail)?,
        (_, true) if tail == Tail::Strong && word != "xxx" => 75,
        (_, false) if upper && tail == Tail::Strong => inside(line, &span)?,
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
