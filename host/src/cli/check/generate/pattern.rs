//! A short text that a regular expression matches.
//!
//! Invariant: as long as it has to be and bounded; where an anchor or a word boundary stands in the middle, the
//! text may miss it.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Repetition};

/// Rounds in which a text that is too short grows.
const ROUNDS: usize = 4;

/// The `nth` text of `least` to `most` characters that matches, if one is found.
pub(super) fn smallest(pattern: &str, nth: usize, least: usize, most: usize) -> Option<String> {
    let hir = Parser::new().parse(pattern).ok()?;
    let mut spare = 0;
    for _ in 0..ROUNDS {
        let mut draft = Draft { text: String::new(), chars: 0, most, spare, nth };
        draft.write(&hir)?;
        if draft.chars >= least {
            return Some(draft.text);
        }
        // What is missing is left to repetitions, one more of each for a character.
        spare += least - draft.chars;
    }
    None
}

struct Draft {
    text: String,
    chars: usize,
    most: usize,
    /// Repetitions that may be made beyond what is needed.
    spare: usize,
    nth: usize,
}

impl Draft {
    fn write(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(()),
            HirKind::Literal(literal) => {
                std::str::from_utf8(&literal.0).ok()?.chars().try_for_each(|c| self.push(c))
            }
            HirKind::Class(class) => self.push(member(class, self.nth)?),
            HirKind::Repetition(repetition) => self.repeat(repetition),
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part)),
            HirKind::Alternation(choices) => self.write(choices.get(self.nth % choices.len())?),
        }
    }

    fn repeat(&mut self, repetition: &Repetition) -> Option<()> {
        let beyond = repetition.max.map_or(usize::MAX, |max| (max - repetition.min) as usize);
        let extra = self.spare.min(beyond);
        self.spare -= extra;
        for _ in 0..(repetition.min as usize).saturating_add(extra) {
            let before = self.chars;
            self.write(&repetition.sub)?;
            // Nothing, however often.
            if self.chars == before {
                break;
            }
        }
        Some(())
    }

    fn push(&mut self, c: char) -> Option<()> {
        self.chars += 1;
        self.text.push(c);
        (self.chars <= self.most).then_some(())
    }
}

/// The `nth` character of a class, those first that people would write.
fn member(class: &Class, nth: usize) -> Option<char> {
    // Classes of bytes are for patterns that leave Unicode.
    let Class::Unicode(class) = class else { return None };
    let visible = || {
        let signs = (' '..='~').filter(|c| !c.is_ascii_alphanumeric());
        ('a'..='z').chain('0'..='9').chain('A'..='Z').chain(signs)
    };
    let contains = |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
    // As far as needed only: a long text takes one of these for each character.
    visible().filter(contains).nth(nth).or_else(|| {
        let fitting: Vec<char> = visible().filter(contains).collect();
        let other = || class.iter().next().map(ClassUnicodeRange::start);
        nth.checked_rem(fitting.len()).map(|nth| fitting[nth]).or_else(other)
    })
}
