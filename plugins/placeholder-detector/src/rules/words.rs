//! The words of a line, as numbers of a small vocabulary.
//!
//! Invariant: one pass over the bytes and no allocation for each word: all comments of a text go through here, and
//! a call has a fixed amount of fuel.

use std::ops::Range;

/// A word of the vocabulary; 0 is any other word.
pub(super) type WordId = u16;

const WORD: u8 = 1;
const APOSTROPHE: u8 = 2;
/// Ends a sentence.
const STOP: u8 = 4;
const SPACE: u8 = 8;
/// Stands between the parts of a path.
const PATH: u8 = 16;
/// Starts a character that is punctuation beyond ASCII, perhaps.
const LONG: u8 = 32;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => WORD,
            b'\'' => APOSTROPHE,
            b'.' | b'!' | b'?' | b';' => STOP,
            b' ' | b'\t' | b'\r' | b'\n' => SPACE,
            b'/' | b'\\' => PATH,
            0xC2 | 0xE2 => WORD | LONG,
            0x80.. => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
}

const NO_HASH: u32 = 0x811C_9DC5;

/// FNV-1a, one byte on.
const fn hash(hash: u32, byte: u8) -> u32 {
    (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193)
}

/// The words that rules know, in lower case and without apostrophes.
pub(super) struct Vocabulary {
    words: Vec<&'static str>,
    /// Open addressing; a power of two, never full.
    slots: Vec<WordId>,
}

impl Vocabulary {
    /// These words get the numbers 1, 2 and so on.
    pub(super) fn new(first: impl Iterator<Item = &'static str>) -> Self {
        let mut vocabulary = Self { words: vec![""], slots: vec![0; 2048] };
        for word in first {
            vocabulary.add(word);
        }
        vocabulary
    }

    /// The number of a word, a new one where it has none.
    pub(super) fn add(&mut self, word: &'static str) -> WordId {
        let slot = self.slot(word.bytes().fold(NO_HASH, hash), word);
        if self.slots[slot] == 0 {
            if self.words.len() * 2 > self.slots.len() {
                self.grow();
                return self.add(word);
            }
            self.slots[slot] = self.words.len() as WordId;
            self.words.push(word);
        }
        self.slots[slot]
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for id in 1..self.words.len() {
            let slot = self.slot(self.words[id].bytes().fold(NO_HASH, hash), self.words[id]);
            self.slots[slot] = id as WordId;
        }
    }

    /// The slot of a word, or the empty one where it would be.
    fn slot(&self, hash: u32, written: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 && !same(self.words[usize::from(self.slots[slot])], written) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn get(&self, hash: u32, written: &str) -> WordId {
        self.slots[self.slot(hash, written)]
    }
}

/// Whether a text is this word, but for case and apostrophes.
fn same(word: &str, written: &str) -> bool {
    let letters = written.chars().filter(|c| !matches!(c, '\'' | '’'));
    word.chars().eq(letters.map(|c| c.to_ascii_lowercase()))
}

/// A word in its line.
pub(super) struct Word {
    pub(super) id: WordId,
    pub(super) place: Range<usize>,
    /// A sentence ends before it, or the part of a path.
    pub(super) stop: bool,
    /// Dots of elision stand before it.
    pub(super) dots: bool,
}

/// The words of a line.
#[derive(Default)]
pub(super) struct Words {
    pub(super) list: Vec<Word>,
    /// Dots of elision stand behind the last word.
    pub(super) dots_at_end: bool,
    /// Whether a word has a number.
    pub(super) any_known: bool,
}

/// What stands between two words.
#[derive(Clone, Copy, Default)]
struct Gap {
    seen: u8,
    /// Full stops in a row, up to here.
    row: u8,
    dots: bool,
}

impl Words {
    /// Takes the words of `line`, at most `limit`, in place of those it had.
    pub(super) fn read(&mut self, line: &str, vocabulary: &Vocabulary, limit: usize) {
        self.list.clear();
        self.any_known = false;
        let bytes = line.as_bytes();
        let mut gap = Gap::default();
        let mut at = 0;
        while at < bytes.len() && self.list.len() < limit {
            let class = CLASSES[usize::from(bytes[at])];
            if class & WORD == 0 {
                gap.take(bytes[at], class);
                at += 1;
                continue;
            }
            let (next, end, hash) = word(bytes, at);
            if next == at {
                gap.punctuation(&bytes[at..]);
                at += if bytes[at] == 0xC2 { 2 } else { 3 };
                continue;
            }
            self.push(vocabulary.get(hash, &line[at..end]), at..end, gap);
            gap = Gap::default();
            at = next;
        }
        self.dots_at_end = gap.dots;
    }

    fn push(&mut self, id: WordId, place: Range<usize>, gap: Gap) {
        let sentence = gap.seen & (STOP | SPACE) == STOP | SPACE && !gap.dots;
        let path = gap.seen & PATH != 0 && !self.list.is_empty();
        self.any_known |= id != 0;
        self.list.push(Word { id, place, stop: sentence || path, dots: gap.dots });
    }

    /// The number of a word, 0 behind the last.
    pub(super) fn id(&self, index: usize) -> WordId {
        self.list.get(index).map_or(0, |word| word.id)
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

impl Gap {
    fn take(&mut self, byte: u8, class: u8) {
        self.seen |= class;
        self.row = if byte == b'.' { self.row.saturating_add(1) } else { 0 };
        self.dots |= self.row >= 3;
    }

    /// A character that is punctuation beyond ASCII.
    fn punctuation(&mut self, bytes: &[u8]) {
        self.row = 0;
        self.dots |= bytes.starts_with("…".as_bytes());
        self.seen |= if bytes[0] == 0xC2 { SPACE } else { 0 };
    }
}

/// Where the next word or gap starts, where the word at `start` ends without apostrophes behind it, and its hash.
fn word(bytes: &[u8], start: usize) -> (usize, usize, u32) {
    let mut sum = NO_HASH;
    let mut end = start;
    let mut at = start;
    while at < bytes.len() {
        let byte = bytes[at];
        let class = CLASSES[usize::from(byte)];
        if class & WORD != 0 && (class & LONG == 0 || !is_punctuation(&bytes[at..])) {
            sum = hash(sum, byte);
            at += 1;
            end = at;
        } else if class == APOSTROPHE && at > start {
            at += 1;
        } else if bytes[at..].starts_with("’".as_bytes()) && at > start {
            at += "’".len();
        } else {
            break;
        }
    }
    (at, end, sum)
}

/// A no-break space, a dash, a quotation mark or dots: U+00A0 or U+2000 to U+203F.
fn is_punctuation(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xC2, 0xA0]) || bytes.starts_with(&[0xE2, 0x80])
}

#[cfg(test)]
mod tests {
    use super::{Vocabulary, Words};

    fn read(line: &str) -> (Vec<(&str, u16)>, Words) {
        let vocabulary = Vocabulary::new(["todo", "dont", "ünd"].into_iter());
        let mut words = Words::default();
        words.read(line, &vocabulary, usize::MAX);
        (words.list.iter().map(|word| (&line[word.place.clone()], word.id)).collect(), words)
    }

    #[test]
    fn words_are_known_in_any_case_and_with_apostrophes() {
        let (words, _) = read("'TODO' don’t DON'T, todo_x ünd\u{a0}todo—x—é…");
        let expected = [
            ("TODO", 1),
            ("don’t", 2),
            ("DON'T", 2),
            ("todo_x", 0),
            ("ünd", 3),
            ("todo", 1),
            ("x", 0),
            ("é", 0),
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn sentences_paths_and_dots_part_words() {
        let (_, words) = read("...a b. c.d e/f g... h … i ..j!");
        let stops: Vec<_> = words.list.iter().map(|word| word.stop).collect();
        let dots: Vec<_> = words.list.iter().map(|word| word.dots).collect();
        assert_eq!(stops, [false, false, true, false, false, true, false, false, false, true]);
        assert_eq!(dots, [true, false, false, false, false, false, false, true, true, false]);
        assert!(!words.dots_at_end && read("a …").1.dots_at_end);
    }

    #[test]
    fn a_vocabulary_grows_and_keeps_its_numbers() {
        let names: Vec<&'static str> = (0..3_000).map(|number| &*format!("w{number}").leak()).collect();
        let mut vocabulary = Vocabulary::new(names.iter().copied());
        assert_eq!(vocabulary.add("w2999"), 3_000);
        assert_eq!(vocabulary.add("new"), 3_001);
        assert_eq!(vocabulary.add("w0"), 1);
    }
}
