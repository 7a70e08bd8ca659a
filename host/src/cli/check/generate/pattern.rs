//! A short text that a regular expression matches.
//!
//! Invariant: as long as it has to be and bounded, and so is the work for it; where an anchor or a word boundary stands in the middle, the
//! text may miss it.

use std::cell::Cell;

use regex_syntax::Parser;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// Rounds in which a text that is too short grows.
const ROUNDS: usize = 4;
/// Steps that a byte of a pattern costs: one can stand for a class of hundreds of ranges.
const PARSE_STEPS: usize = 16;

/// The `nth` text of `least` to `most` characters that matches, if one is found in as many steps as are
/// left. What is tried in vain costs as much as what is found.
pub(super) fn smallest(
    pattern: &str,
    nth: usize,
    least: usize,
    most: usize,
    steps: &Cell<usize>,
) -> Option<String> {
    take(steps, pattern.len().saturating_mul(PARSE_STEPS))?;
    let part = Part::of(&Parser::new().parse(pattern).ok()?, nth);
    let mut spare = 0;
    for _ in 0..ROUNDS {
        let mut draft = Draft { text: String::new(), chars: 0, most, spare, steps };
        draft.write(&part)?;
        if draft.chars >= least {
            return Some(draft.text);
        }
        // What is missing is left to repetitions, one more of each for a character.
        spare += least - draft.chars;
    }
    None
}

fn take(steps: &Cell<usize>, wanted: usize) -> Option<()> {
    // Who asks for too much gets nothing any more, so that the next one does not try, either.
    let left = steps.get().checked_sub(wanted);
    steps.set(left.unwrap_or(0));
    left.map(drop)
}

/// A part of a pattern in which every choice is made.
enum Part {
    Text(String),
    Repeated {
        least: usize,
        beyond: usize,
        part: Box<Self>,
    },
    All(Vec<Self>),
    /// Nothing matches it.
    Impossible,
}

impl Part {
    /// With the `nth` of all choices.
    fn of(hir: &Hir, nth: usize) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::All(Vec::new()),
            HirKind::Literal(literal) => {
                std::str::from_utf8(&literal.0).map_or(Self::Impossible, |text| Self::Text(text.to_owned()))
            }
            HirKind::Class(class) => {
                member(class, nth).map_or(Self::Impossible, |member| Self::Text(member.to_string()))
            }
            HirKind::Repetition(repetition) => Self::repeated(repetition, nth),
            HirKind::Capture(capture) => Self::of(&capture.sub, nth),
            HirKind::Concat(parts) => Self::All(parts.iter().map(|part| Self::of(part, nth)).collect()),
            HirKind::Alternation(choices) => {
                choices.get(nth % choices.len()).map_or(Self::Impossible, |choice| Self::of(choice, nth))
            }
        }
    }

    fn repeated(repetition: &Repetition, nth: usize) -> Self {
        let beyond = repetition.max.map_or(usize::MAX, |max| (max - repetition.min) as usize);
        Self::Repeated {
            least: repetition.min as usize,
            beyond,
            part: Box::new(Self::of(&repetition.sub, nth)),
        }
    }
}

struct Draft<'a> {
    text: String,
    chars: usize,
    most: usize,
    /// Repetitions that may be made beyond what is needed.
    spare: usize,
    steps: &'a Cell<usize>,
}

impl Draft<'_> {
    fn write(&mut self, part: &Part) -> Option<()> {
        take(self.steps, 1)?;
        match part {
            Part::Text(text) => text.chars().try_for_each(|c| self.push(c)),
            Part::Repeated { least, beyond, part } => self.repeat(*least, *beyond, part),
            Part::All(parts) => parts.iter().try_for_each(|part| self.write(part)),
            Part::Impossible => None,
        }
    }

    fn repeat(&mut self, least: usize, beyond: usize, part: &Part) -> Option<()> {
        let extra = self.spare.min(beyond);
        self.spare -= extra;
        for _ in 0..least.saturating_add(extra) {
            let before = self.chars;
            self.write(part)?;
            // Nothing, however often.
            if self.chars == before {
                break;
            }
        }
        Some(())
    }

    fn push(&mut self, c: char) -> Option<()> {
        take(self.steps, 1)?;
        self.chars += 1;
        self.text.push(c);
        (self.chars <= self.most).then_some(())
    }
}

/// The `nth` character of a class, those first that people would write.
fn member(class: &Class, nth: usize) -> Option<char> {
    // Classes of bytes are for patterns that leave Unicode.
    let Class::Unicode(class) = class else { return None };
    let signs = (' '..='~').filter(|c| !c.is_ascii_alphanumeric());
    let visible = ('a'..='z').chain('0'..='9').chain('A'..='Z').chain(signs);
    let fitting: Vec<char> = visible.filter(|c| contains(class, *c)).collect();
    let other = || class.iter().next().map(ClassUnicodeRange::start);
    nth.checked_rem(fitting.len()).map(|nth| fitting[nth]).or_else(other)
}

/// Whether a class has a character. Its ranges stand in their order.
fn contains(class: &ClassUnicode, c: char) -> bool {
    let after = class.ranges().partition_point(|range| range.start() <= c);
    after.checked_sub(1).is_some_and(|at| c <= class.ranges()[at].end())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{PARSE_STEPS, smallest};

    #[test]
    fn each_try_is_paid_for_whether_it_brings_a_text_or_not() {
        // Beside the characters: the repetition, and each round of it.
        let (pattern, parsed) = ("a{9}", 4 * PARSE_STEPS);
        for (least, found) in [(9, true), (10, false)] {
            // In vain, it is written once more in each round.
            let rounds = if found { 1 } else { super::ROUNDS };
            let needed = parsed + rounds * (1 + 9 * 2);
            let left = Cell::new(needed);
            assert_eq!(smallest(pattern, 0, least, 10, &left).is_some(), found);
            assert_eq!(left.get(), 0, "{least}");
        }
        let too_few = Cell::new(parsed + 1 + 9 * 2 - 1);
        assert_eq!(smallest(pattern, 0, 9, 10, &too_few), None);
    }

    #[test]
    fn what_writes_nothing_is_paid_for_too() {
        let steps = Cell::new(1_000_000);
        let nothing = format!("^(?:a{})*$", r"\b".repeat(1_000));
        assert_eq!(smallest(&nothing, 0, 60_000, 60_000, &steps), None);
        assert_eq!(steps.get(), 0);
    }
}
