//! Patterns of words: `rest of DET? CODE?` and the like, matched on the words of a line.
//!
//! Invariant: linear in the line, because a pattern is a fixed number of steps and is tried only at words that it
//! can start with; no pattern reaches over the end of a sentence.

use std::collections::BTreeMap;
use std::ops::Range;

/// How a pattern starts whose first step may be missing: by that class.
const LEAD: &str = "DET? ";

/// Whether a line opens a sentence, and whether it closes one.
pub(super) type Edges = (bool, bool);

/// Names for long lists of alternatives.
pub(super) type Classes = &'static [(&'static str, &'static str)];

/// The words of a line, in lower case and without apostrophes.
#[derive(Default)]
pub(super) struct Words {
    text: String,
    list: Vec<Word>,
    /// Whether dots of elision stand behind the last word.
    dots_at_end: bool,
}

struct Word {
    /// In `Words::text`.
    clean: Range<usize>,
    /// In the line.
    place: Range<usize>,
    /// A sentence ends before it.
    sentence: bool,
    /// Dots of elision stand before it.
    dots: bool,
}

impl Words {
    /// Takes the words of `line` in place of those it had.
    pub(super) fn read(&mut self, line: &str) {
        self.text.clear();
        self.list.clear();
        let mut gap = 0;
        let mut at = 0;
        while at < line.len() {
            let length = word_length(&line[at..]);
            if length == 0 {
                at += line[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            self.push(line, gap, at..at + length);
            at += length;
            gap = at;
        }
        self.dots_at_end = Gap::of(&line[gap..]).dots;
    }

    fn push(&mut self, line: &str, gap: usize, place: Range<usize>) {
        let between = &line[gap..place.start];
        let Gap { mut sentence, dots } = Gap::of(between);
        // The parts of a path are no sentence.
        sentence |= gap > 0 && between.contains(['/', '\\']);
        let start = self.text.len();
        let letters = line[place.clone()].chars().filter(|c| !matches!(c, '\'' | '’'));
        self.text.extend(letters.map(|c| c.to_ascii_lowercase()));
        self.list.push(Word { clean: start..self.text.len(), place, sentence, dots });
    }

    fn get(&self, index: usize) -> Option<&str> {
        self.list.get(index).map(|word| &self.text[word.clean.clone()])
    }

    fn sentence_before(&self, index: usize) -> bool {
        self.list.get(index).is_some_and(|word| word.sentence)
    }

    fn dots_before(&self, index: usize) -> bool {
        self.list.get(index).is_some_and(|word| word.dots)
    }

    /// Offsets in the line of some of the words.
    pub(super) fn place(&self, words: &Range<usize>) -> Range<usize> {
        match self.list.get(words.clone()) {
            Some([first, .., last]) => first.place.start..last.place.end,
            Some([only]) => only.place.clone(),
            _ => 0..0,
        }
    }
}

fn word_length(text: &str) -> usize {
    let part = |(index, c): (usize, char)| {
        let apostrophe = index > 0 && matches!(c, '\'' | '’');
        !(c.is_alphanumeric() || c == '_' || apostrophe)
    };
    text.char_indices().find(|item| part(*item)).map_or(text.len(), |(index, _)| index)
}

/// What stands between two words.
struct Gap {
    sentence: bool,
    dots: bool,
}

impl Gap {
    fn of(text: &str) -> Self {
        let dots = text.contains("...") || text.contains('…');
        let ends = |c: char| matches!(c, '.' | '!' | '?' | ';');
        // `a.b` is one name; with dots of elision a full stop cannot be told from them.
        let sentence = !dots && text.contains(ends) && text.contains(char::is_whitespace);
        Self { sentence, dots }
    }
}

/// How a match stands in its line, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Somewhere.
    Inside,
    /// First in the line or in a sentence.
    Start,
    /// All words of the line.
    Whole,
    /// First in the line, behind dots of elision; or all of it, with dots at the end.
    Dots,
}

struct Step {
    /// One of these, `_` between the words of one.
    alternatives: Vec<&'static str>,
    optional: bool,
}

struct Pattern {
    /// Words that may stand in front. They are so common that no pattern is looked up by them.
    lead: Vec<&'static str>,
    steps: Vec<Step>,
    /// The weakest standing that counts.
    needs: Standing,
}

/// A match: which pattern, which words, and how it stands.
pub(super) struct Match {
    pub(super) pattern: usize,
    pub(super) words: Range<usize>,
    pub(super) standing: Standing,
}

/// Patterns, ready to be matched.
pub(super) struct Patterns {
    list: Vec<Pattern>,
    by_first_word: BTreeMap<&'static str, Vec<usize>>,
    /// For each first letter, a bit for each length of a first word.
    lengths: [u32; 26],
}

impl Patterns {
    /// Takes patterns in their written form: words, `|` between alternatives, `_` between the words of one
    /// alternative, `?` behind what may be missing, and names of classes.
    pub(super) fn new(written: impl Iterator<Item = (&'static str, Standing)>, classes: Classes) -> Self {
        let mut patterns = Self { list: Vec::new(), by_first_word: BTreeMap::new(), lengths: [0; 26] };
        for (text, needs) in written {
            let mut steps: Vec<Step> = text.split(' ').map(|step| Step::parse(step, classes)).collect();
            let led = text.starts_with(LEAD);
            let lead = if led { steps.remove(0).alternatives } else { Vec::new() };
            patterns.index(&steps);
            patterns.list.push(Pattern { lead, steps, needs });
        }
        patterns
    }

    /// Enters the pattern that is added next under each word that it can start with.
    fn index(&mut self, steps: &[Step]) {
        let number = self.list.len();
        for step in steps {
            for alternative in &step.alternatives {
                let first = alternative.split('_').next().unwrap_or_default();
                let numbers = self.by_first_word.entry(first).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
                if let Some((letter, length)) = key(first) {
                    self.lengths[letter] |= length;
                }
            }
            if !step.optional {
                break;
            }
        }
    }

    /// The match with the earliest pattern for which `wanted` holds, or none. `edges` says whether the line
    /// opens and whether it closes a sentence.
    pub(super) fn find(&self, words: &Words, edges: Edges, wanted: impl Fn(usize) -> bool) -> Option<Match> {
        let mut best: Option<Match> = None;
        for start in 0..words.list.len() {
            for &pattern in self.starting_at(words, start) {
                let earlier = best.as_ref().is_none_or(|best| pattern < best.pattern);
                if earlier && wanted(pattern) {
                    best = self.try_at(pattern, words, edges, start).or(best);
                }
            }
        }
        best
    }

    fn starting_at(&self, words: &Words, start: usize) -> &[usize] {
        let word = words.get(start).unwrap_or_default();
        let may = key(word).is_some_and(|(letter, length)| self.lengths[letter] & length != 0);
        if may { self.by_first_word.get(word).map_or(&[], Vec::as_slice) } else { &[] }
    }

    fn try_at(&self, number: usize, words: &Words, edges: Edges, start: usize) -> Option<Match> {
        let pattern = &self.list[number];
        let end = match_steps(&pattern.steps, words, start, start)?;
        let start = start - lead_length(&pattern.lead, words, start);
        let standing = standing(words, edges, start..end);
        (standing >= pattern.needs).then_some(Match { pattern: number, words: start..end, standing })
    }
}

/// Index and bit of a word that starts with a letter.
fn key(word: &str) -> Option<(usize, u32)> {
    let letter = word.bytes().next().filter(u8::is_ascii_lowercase)?;
    Some((usize::from(letter - b'a'), 1 << word.len().min(31)))
}

impl Step {
    fn parse(written: &'static str, classes: Classes) -> Self {
        let (names, optional) = match written.strip_suffix('?') {
            Some(names) => (names, true),
            None => (written, false),
        };
        let expand = |name: &'static str| {
            let class = classes.iter().find(|(class, _)| *class == name);
            class.map_or(name, |(_, alternatives)| alternatives).split('|')
        };
        Self { alternatives: names.split('|').flat_map(expand).collect(), optional }
    }
}

/// The index after the last word, where the steps match from `at`. `start` is where the whole match began.
fn match_steps(steps: &[Step], words: &Words, start: usize, at: usize) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(at);
    };
    for alternative in &step.alternatives {
        let matched = match_words(alternative, words, start, at);
        if let Some(end) = matched.and_then(|next| match_steps(rest, words, start, next)) {
            return Some(end);
        }
    }
    if step.optional { match_steps(rest, words, start, at) } else { None }
}

/// How many words before `start` belong to the match.
fn lead_length(lead: &[&str], words: &Words, start: usize) -> usize {
    let length = |alternative: &str| alternative.split('_').count();
    let fits = |alternative: &str| {
        let first = start.checked_sub(length(alternative))?;
        (match_words(alternative, words, first, first) == Some(start) && !words.sentence_before(start))
            .then_some(())
    };
    lead.iter()
        .filter(|alternative| fits(alternative).is_some())
        .map(|alternative| length(alternative))
        .max()
        .unwrap_or(0)
}

fn match_words(alternative: &str, words: &Words, start: usize, at: usize) -> Option<usize> {
    let mut next = at;
    for word in alternative.split('_') {
        let crosses = next > start && words.sentence_before(next);
        let same = words.get(next).is_some_and(|found| word == "*" || found == word);
        if crosses || !same {
            return None;
        }
        next += 1;
    }
    Some(next)
}

fn standing(words: &Words, (opens, closes): Edges, found: Range<usize>) -> Standing {
    let (first, last) = (found.start == 0, found.end == words.list.len());
    let dots = words.dots_before(found.start) || (last && words.dots_at_end);
    if first && dots {
        Standing::Dots
    } else if first && opens && last && closes {
        Standing::Whole
    } else if (first && opens) || words.sentence_before(found.start) {
        Standing::Start
    } else {
        Standing::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Standing, Words};

    fn standing(pattern: &'static str, needs: Standing, line: &str) -> Option<(Standing, String)> {
        let patterns = Patterns::new([(pattern, needs)].into_iter(), &[("NOUN", "code|file|whole_file")]);
        let mut words = Words::default();
        words.read(line);
        let found = patterns.find(&words, (true, true), |_| true)?;
        Some((found.standing, line[words.place(&found.words)].to_owned()))
    }

    #[test]
    fn steps_may_be_missing_or_have_several_words() {
        for line in ["rest of the code", "Rest of CODE", "rest -- of (the) whole file", "rest of the, file"] {
            let found = standing("rest of the? NOUN", Standing::Whole, line);
            assert_eq!(found, Some((Standing::Whole, line.to_owned())), "{line}");
        }
        assert_eq!(standing("rest of the? NOUN", Standing::Inside, "rest of the road"), None);
        assert_eq!(standing("a * c", Standing::Inside, "a b c").map(|found| found.0), Some(Standing::Whole));
    }

    #[test]
    fn apostrophes_are_left_out_and_the_span_has_them() {
        let found = standing("dont panic", Standing::Inside, "so don’t panic now");
        assert_eq!(found, Some((Standing::Inside, "don’t panic".to_owned())));
    }

    #[test]
    fn a_match_stands_with_dots_alone_first_or_inside() {
        let cases = [
            ("... a b", Standing::Dots),
            ("a b …", Standing::Dots),
            ("x ... a b", Standing::Inside),
            ("... a b c", Standing::Dots),
            ("(a b)", Standing::Whole),
            ("a b c", Standing::Start),
            ("x. A b c", Standing::Start),
            ("x.a b c", Standing::Inside),
        ];
        for (line, expected) in cases {
            assert_eq!(
                standing("a b", Standing::Inside, line).map(|found| found.0),
                Some(expected),
                "{line}"
            );
        }
        assert_eq!(standing("a b", Standing::Start, "x a b c"), None);
    }

    #[test]
    fn no_match_reaches_over_the_end_of_a_sentence() {
        assert_eq!(standing("a b", Standing::Inside, "a. B"), None);
        assert!(standing("a b", Standing::Inside, "a... b").is_some());
    }
}
