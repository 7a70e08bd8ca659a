//! Patterns of words: `rest of DET? CODE?` and the like, matched on the words of a line.
//!
//! Invariant: linear in the line, because a pattern is a fixed number of steps and is tried only at words that it
//! can start with; no pattern reaches over the end of a sentence.

use std::ops::Range;

use super::words::{Vocabulary, WordId, Words};

/// How a pattern starts whose first step may be missing: by that class.
const LEAD: &str = "DET? ";

/// Whether a line opens a sentence, and whether it closes one.
pub(super) type Edges = (bool, bool);

/// Names for long lists of alternatives.
pub(super) type Classes = &'static [(&'static str, &'static str)];

/// How a match stands in its line, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Somewhere.
    Inside,
    /// First in the line or in a sentence.
    Start,
    /// All words of the line.
    Whole,
    /// First in the line, behind dots of elision; or all of it, with dots at the end. For a pattern that needs
    /// the whole line, dots alone are not enough.
    Dots,
}

/// What may stand at one place.
#[derive(Clone, Default)]
struct Choice {
    /// Bits by number.
    single: Vec<u64>,
    /// Several words in a row.
    several: Vec<Vec<WordId>>,
    any: bool,
}

struct Step {
    choice: Choice,
    optional: bool,
}

struct Pattern {
    /// What may stand in front. It is so common that no pattern is looked up by it.
    lead: Choice,
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
    /// By the number of a word, the patterns that start with it.
    starting: Vec<Vec<usize>>,
}

/// Reads patterns in their written form.
struct Parser<'a> {
    vocabulary: &'a mut Vocabulary,
    classes: Vec<(&'static str, Choice)>,
}

impl Patterns {
    /// Takes patterns in their written form: words, `|` between alternatives, `_` between the words of one
    /// alternative, `?` behind what may be missing, `*` for any word, and names of classes.
    pub(super) fn new(
        written: impl Iterator<Item = (&'static str, Standing)>,
        classes: Classes,
        vocabulary: &mut Vocabulary,
    ) -> Self {
        let mut parser = Parser { vocabulary, classes: Vec::new() };
        for (name, alternatives) in classes {
            let choice = parser.choice(alternatives);
            parser.classes.push((name, choice));
        }
        let mut patterns = Self { list: Vec::new(), starting: Vec::new() };
        for (text, needs) in written {
            let mut steps: Vec<Step> = text.split(' ').map(|step| parser.step(step)).collect();
            let lead = if text.starts_with(LEAD) { steps.remove(0).choice } else { Choice::default() };
            patterns.index(&steps);
            patterns.list.push(Pattern { lead, steps, needs });
        }
        patterns
    }

    /// Enters the pattern that is added next under each word that it can start with.
    fn index(&mut self, steps: &[Step]) {
        let number = self.list.len();
        for step in steps {
            for id in step.choice.first_words() {
                if self.starting.len() <= usize::from(id) {
                    self.starting.resize(usize::from(id) + 1, Vec::new());
                }
                let patterns = &mut self.starting[usize::from(id)];
                if patterns.last() != Some(&number) {
                    patterns.push(number);
                }
            }
            if !step.optional {
                break;
            }
        }
    }

    /// The match with the earliest pattern for which `wanted` holds, or none.
    pub(super) fn find(&self, words: &Words, edges: Edges, wanted: impl Fn(usize) -> bool) -> Option<Match> {
        let mut best: Option<Match> = None;
        for start in 0..words.list.len() {
            let id = usize::from(words.id(start));
            for &pattern in self.starting.get(id).map_or(&[][..], Vec::as_slice) {
                if best.as_ref().is_some_and(|best| best.pattern <= pattern) {
                    break;
                }
                if wanted(pattern) {
                    best = self.try_at(pattern, words, edges, start).or(best);
                }
            }
        }
        best
    }

    fn try_at(&self, number: usize, words: &Words, edges: Edges, start: usize) -> Option<Match> {
        let pattern = &self.list[number];
        let end = match_steps(&pattern.steps, words, start, start)?;
        let start = start - pattern.lead.length_before(words, start);
        let standing = standing(words, edges, start..end);
        let whole = pattern.needs != Standing::Whole || end == words.list.len();
        (whole && standing >= pattern.needs).then_some(Match { pattern: number, words: start..end, standing })
    }
}

impl Parser<'_> {
    fn step(&mut self, written: &'static str) -> Step {
        match written.strip_suffix('?') {
            Some(choice) => Step { choice: self.choice(choice), optional: true },
            None => Step { choice: self.choice(written), optional: false },
        }
    }

    fn choice(&mut self, written: &'static str) -> Choice {
        let mut choice = Choice::default();
        for alternative in written.split('|') {
            let class = self.classes.iter().find(|(name, _)| *name == alternative);
            if let Some((_, class)) = class {
                choice.merge(class);
            } else if alternative == "*" {
                choice.any = true;
            } else {
                let ids: Vec<WordId> = alternative.split('_').map(|word| self.vocabulary.add(word)).collect();
                match ids.as_slice() {
                    [id] => choice.add(*id),
                    _ => choice.several.push(ids),
                }
            }
        }
        choice
    }
}

impl Choice {
    fn add(&mut self, id: WordId) {
        let index = usize::from(id / 64);
        if self.single.len() <= index {
            self.single.resize(index + 1, 0);
        }
        self.single[index] |= 1 << (id % 64);
    }

    fn merge(&mut self, other: &Self) {
        if self.single.len() < other.single.len() {
            self.single.resize(other.single.len(), 0);
        }
        for (mine, theirs) in self.single.iter_mut().zip(&other.single) {
            *mine |= theirs;
        }
        self.several.extend(other.several.iter().cloned());
        self.any |= other.any;
    }

    fn has(&self, id: WordId) -> bool {
        self.single.get(usize::from(id / 64)).is_some_and(|bits| bits & (1 << (id % 64)) != 0)
    }

    fn first_words(&self) -> impl Iterator<Item = WordId> {
        let ids = 1..(self.single.len() * 64) as WordId;
        let several = self.several.iter().filter_map(|ids| ids.first().copied());
        ids.filter(|id| self.has(*id)).chain(several)
    }

    /// How many words before `start` are this.
    fn length_before(&self, words: &Words, start: usize) -> usize {
        let stop = words.list.get(start).is_some_and(|word| word.stop);
        if start == 0 || stop {
            return 0;
        }
        let several = self.several.iter().filter(|ids| {
            start.checked_sub(ids.len()).is_some_and(|first| match_words(ids, words, first, first).is_some())
        });
        let longest = several.map(Vec::len).max();
        longest.unwrap_or(usize::from(self.has(words.id(start - 1))))
    }
}

/// The index after the last word, where the steps match from `at`. `start` is where the whole match began.
fn match_steps(steps: &[Step], words: &Words, start: usize, at: usize) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(at);
    };
    let choice = &step.choice;
    if let Some(word) = words.list.get(at).filter(|word| at == start || !word.stop) {
        // The longer alternatives first, so that the match spans as much as it can.
        for ids in &choice.several {
            let next = if ids[0] == word.id { match_words(ids, words, start, at) } else { None };
            if let Some(end) = next.and_then(|next| match_steps(rest, words, start, next)) {
                return Some(end);
            }
        }
        if choice.any || choice.has(word.id) {
            let end = match_steps(rest, words, start, at + 1);
            if end.is_some() {
                return end;
            }
        }
    }
    if step.optional { match_steps(rest, words, start, at) } else { None }
}

fn match_words(ids: &[WordId], words: &Words, start: usize, at: usize) -> Option<usize> {
    let end = at + ids.len();
    let found = words.list.get(at..end)?;
    let mut pairs = (at..end).zip(found.iter().zip(ids));
    pairs.all(|(index, (word, id))| word.id == *id && (!word.stop || index == start)).then_some(end)
}

fn standing(words: &Words, (opens, closes): Edges, found: Range<usize>) -> Standing {
    let (first, last) = (found.start == 0, found.end == words.list.len());
    let before = &words.list[found.start];
    if first && (before.dots || (last && words.dots_at_end)) {
        Standing::Dots
    } else if first && opens && last && closes {
        Standing::Whole
    } else if (first && opens) || before.stop {
        Standing::Start
    } else {
        Standing::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Standing, Vocabulary, Words};

    fn standing(pattern: &'static str, needs: Standing, line: &str) -> Option<(Standing, String)> {
        let mut vocabulary = Vocabulary::new(std::iter::empty());
        let classes = &[("NOUN", "code|file|whole_file"), ("DET", "the|all|all_the")];
        let patterns = Patterns::new([(pattern, needs)].into_iter(), classes, &mut vocabulary);
        let mut words = Words::default();
        words.read(line, &vocabulary, usize::MAX);
        let found = patterns.find(&words, (true, true), |_| true)?;
        Some((found.standing, line[words.place(&found.words)].to_owned()))
    }

    #[test]
    fn steps_may_be_missing_or_have_several_words() {
        for line in ["rest of the code", "Rest of CODE", "rest -- of (the) whole file", "rest of the, file"] {
            let found = standing("rest of DET? NOUN", Standing::Whole, line);
            assert_eq!(found, Some((Standing::Whole, line.to_owned())), "{line}");
        }
        assert_eq!(standing("rest of the? NOUN", Standing::Inside, "rest of the road"), None);
        assert_eq!(standing("a * c", Standing::Inside, "a b c").map(|found| found.0), Some(Standing::Whole));
        assert_eq!(
            standing("a|b_c|NOUN d", Standing::Inside, "x b c d").map(|found| found.1),
            Some("b c d".into())
        );
    }

    #[test]
    fn an_article_in_front_belongs_to_the_match() {
        for line in ["the code", "all the code", "All code", "code"] {
            let found = standing("DET? NOUN", Standing::Whole, line);
            assert_eq!(found, Some((Standing::Whole, line.to_owned())), "{line}");
        }
        assert_eq!(standing("DET? NOUN", Standing::Whole, "of the code"), None);
        assert_eq!(
            standing("DET? NOUN", Standing::Start, "All. Code").map(|found| found.1),
            Some("Code".into())
        );
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
            ("... a b c", Standing::Dots),
            ("(a b)", Standing::Whole),
            ("a b c", Standing::Start),
            ("x. A b c", Standing::Start),
            ("x ... a b", Standing::Inside),
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
        assert_eq!(standing("a b", Standing::Whole, "... a b c"), None);
        assert_eq!(standing("a b", Standing::Whole, "... a b").map(|found| found.0), Some(Standing::Dots));
    }

    #[test]
    fn no_match_reaches_over_the_end_of_a_sentence_or_of_a_name_in_a_path() {
        assert_eq!(standing("a b", Standing::Inside, "a. B"), None);
        assert_eq!(standing("a b", Standing::Inside, "../a/b"), None);
        assert!(standing("a b", Standing::Inside, "a... b").is_some());
    }
}
