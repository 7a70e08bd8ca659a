//! The rules for comments, applied to each line.
//!
//! Invariant: at most one finding of each rule for each line; what is quoted is not looked at.

use std::ops::Range;

use super::lines::{Line, gather};
use super::pattern::{Match, Patterns, Standing};
use super::phrases::{CLASSES, PHRASES, Phrase};
use super::quoted::{is_quoted, quotations};
use super::regions::covers;
use super::words::{Vocabulary, Words};
use super::{RuleId, Selection, marker};
use crate::finding::{Confidence, Found, Severity};
use crate::language::{Kind, Lexed};

/// Below this a phrase is as likely sound, and is not reported.
const PHRASE_MIN: Confidence = Confidence(50);

const ELIDED: &str = "This stands where code was left out: put the code in its place. If nothing is missing, delete \
                      the comment.";
const PLACEHOLDER: &str = "This says that the code is not the real one: write the real code. If it is real already, \
                           reword the comment.";

/// What a comment stands in.
pub(crate) struct Surroundings<'a> {
    /// The text.
    pub(crate) text: &'a str,
    /// Parts of it that are tests, in order.
    pub(crate) tests: &'a [Range<usize>],
    /// Which rules are wanted.
    pub(crate) rules: Selection,
}

impl Surroundings<'_> {
    fn in_test(&self, offset: usize) -> bool {
        covers(self.tests, offset)
    }
}

/// What the comments say.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The findings of the rules that are wanted, in no order.
    pub(crate) found: Vec<Found>,
    /// Where a comment says that code is missing, whichever rules are wanted. In order.
    pub(crate) evidence: Vec<usize>,
}

impl Report {
    fn add(&mut self, found: Found, rules: Selection) {
        self.evidence.push(found.start);
        if rules.has(found.rule) {
            self.found.push(found);
        }
    }
}

/// The rules for comments, ready for many texts.
pub(crate) struct Comments {
    vocabulary: Vocabulary,
    patterns: Patterns,
}

impl Comments {
    /// Prepares the phrases.
    pub(crate) fn new() -> Self {
        let mut vocabulary = Vocabulary::new(marker::words());
        let written = PHRASES.iter().map(|phrase| (phrase.pattern, phrase.needs));
        let patterns = Patterns::new(written, CLASSES, &mut vocabulary);
        Self { vocabulary, patterns }
    }

    /// Looks at all comments of a text.
    pub(crate) fn check(&self, lexed: &Lexed, around: &Surroundings<'_>) -> Report {
        let mut report = Report::default();
        let mut words = Words::default();
        let gathered = gather(around.text, lexed);
        for line in &gathered.lines {
            words.read(line.text, &self.vocabulary, words_that_matter(line));
            if words.any_known {
                self.line(line, &words, around, &mut report);
            }
        }
        for span in gathered.dots {
            report.add(elided(span, 80), around.rules);
        }
        for span in &lexed.dots {
            report.add(elided(span.clone(), 90), around.rules);
        }
        report.evidence.sort_unstable();
        report
    }

    fn line(&self, line: &Line<'_>, words: &Words, around: &Surroundings<'_>, report: &mut Report) {
        let marker = marker::find(line, words);
        if let Some(found) = marker {
            report.add(found, around.rules);
        }
        let marked = marker.is_some_and(|found| around.rules.has(found.rule));
        self.phrases(line, words, marked, around, report);
    }

    /// The phrase of a line. One that only says the same as the line's marker is left out.
    fn phrases(
        &self,
        line: &Line<'_>,
        words: &Words,
        marked: bool,
        around: &Surroundings<'_>,
        report: &mut Report,
    ) {
        let Some(first) = self.phrase(line, words, around, |_| true) else {
            return;
        };
        report.evidence.push(first.start);
        let wanted = |rule| around.rules.has(rule) && !(marked && rule == RuleId::PlaceholderComment);
        let chosen = if wanted(first.rule) { Some(first) } else { self.phrase(line, words, around, wanted) };
        report.found.extend(chosen);
    }

    /// The first phrase of a line that counts there.
    fn phrase(
        &self,
        line: &Line<'_>,
        words: &Words,
        around: &Surroundings<'_>,
        wanted: impl Fn(RuleId) -> bool,
    ) -> Option<Found> {
        let tested = around.in_test(line.offset);
        let counts = |number: usize| {
            let phrase = &PHRASES[number];
            wanted(phrase.rule) && !(tested && phrase.double)
        };
        let hit = self.patterns.find(words, (line.opens, line.closes), counts)?;
        let phrase = &PHRASES[hit.pattern];
        let place = words.place(&hit.words);
        let confidence = confidence(line, phrase, &hit)?;
        if is_quoted(&quotations(line.text), place.start) {
            return None;
        }
        let (severity, message) = match phrase.rule {
            RuleId::ElidedCode => (Severity::Error, ELIDED),
            _ => (Severity::Warning, PLACEHOLDER),
        };
        let (start, end) = (line.offset + place.start, line.offset + place.end);
        Some(Found { rule: phrase.rule, start, end, severity, confidence, message, fix: None })
    }
}

/// In running text only the start of a line matters, unless dots or brackets set the line apart.
fn words_that_matter(line: &Line<'_>) -> usize {
    let text = line.text.trim();
    let apart = text.starts_with(['(', '[', '<', '{', '.', '…']) || text.ends_with(['.', '…']);
    if line.kind == Kind::Prose && !apart { 1 } else { usize::MAX }
}

fn elided(span: Range<usize>, percent: u8) -> Found {
    Found {
        rule: RuleId::ElidedCode,
        start: span.start,
        end: span.end,
        severity: Severity::Error,
        confidence: Confidence(percent),
        message: ELIDED,
        fix: None,
    }
}

/// How sure a phrase is in this line; `None` where it does not count there.
fn confidence(line: &Line<'_>, phrase: &Phrase, hit: &Match) -> Option<Confidence> {
    let base = match hit.standing {
        Standing::Dots | Standing::Whole => Confidence(phrase.confidence),
        Standing::Start => Confidence(phrase.confidence).less(5),
        Standing::Inside => Confidence(phrase.confidence).less(10),
    };
    let elision = phrase.rule == RuleId::ElidedCode;
    let bracketed = || line.text.trim_start().starts_with(['(', '[', '<', '{']);
    let points = match line.kind {
        Kind::Line | Kind::Block => 0,
        // Documentation describes what others leave out.
        Kind::Doc if elision && hit.standing < Standing::Whole => return None,
        Kind::Doc => 10,
        Kind::Guess => 15,
        Kind::Prose if elision && hit.standing == Standing::Dots => 20,
        Kind::Prose if elision && hit.standing == Standing::Whole && bracketed() => 20,
        Kind::Prose => return None,
    };
    Some(base.less(points)).filter(|confidence| *confidence >= PHRASE_MIN)
}

#[cfg(test)]
#[path = "../tests/phrases.rs"]
mod tests;
