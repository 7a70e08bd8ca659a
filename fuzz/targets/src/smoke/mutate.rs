//! Inputs out of seeds: cut, spliced, doubled, flipped, and with words of other seeds put in.
//!
//! Invariant: the same seeds and the same number make the same inputs in the same order.

/// Bytes of an input, about: what is longer is cut before it is changed.
const MAX_INPUT: usize = 16 << 10;

/// What is put in besides the words of the seeds: edges of numbers, of texts and of UTF-8.
const TOKENS: [&[u8]; 32] = [
    b"0",
    b"-1",
    b"1e400",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"0.1",
    b"null",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\u001b",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x1b[31m",
    b"\xff",
    b"\xc0\xaf",
    b"\xef\xbb\xbf",
    "\u{202e}".as_bytes(),
    "\u{200b}".as_bytes(),
    "é".as_bytes(),
    "İ".as_bytes(),
    "\u{1f469}\u{200d}\u{1f4bb}".as_bytes(),
    "。".as_bytes(),
    b"{",
    b"}",
    b"[[",
    b"]",
    b"\"\"\"",
];

/// A generator of numbers: splitmix64.
pub(crate) struct Random(u64);

impl Random {
    /// One that begins with this number.
    pub(crate) fn new(number: u64) -> Self {
        Self(number)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// A range inside of a text of this length, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }
}

/// Makes inputs.
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    random: Random,
}

impl Mutator {
    /// Of these seeds, of which there is one at least.
    pub(crate) fn new(seeds: Vec<Vec<u8>>, random: Random) -> Self {
        let mut words: Vec<Vec<u8>> = seeds.iter().flat_map(|seed| words(seed)).collect();
        words.sort();
        words.dedup();
        Self { seeds, words, random }
    }

    /// The next input: a seed, changed one to eight times.
    pub(crate) fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seed();
        for _ in 0..=self.random.below(8) {
            self.mutate(&mut input);
            input.truncate(MAX_INPUT);
        }
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        let at = self.random.below(self.seeds.len());
        self.seeds[at].clone()
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let part = self.random.range(input.len());
        match self.random.below(8) {
            0 => drop(input.drain(part)),
            1 => input.truncate(part.start),
            2 => self.flip(input),
            3 => drop(input.splice(part, self.token())),
            4 => drop(input.splice(part.start..part.start, self.word())),
            5 => drop(input.splice(part, self.word())),
            6 => self.double(input, part),
            _ => self.splice(input, part),
        }
    }

    fn flip(&mut self, input: &mut [u8]) {
        for _ in 0..=self.random.below(4) {
            let (at, to) = (self.random.below(input.len()), self.random.next());
            if let Some(byte) = input.get_mut(at) {
                *byte = if to.is_multiple_of(2) { *byte ^ (1 << (to >> 8 & 7)) } else { (to >> 8) as u8 };
            }
        }
    }

    fn token(&mut self) -> Vec<u8> {
        TOKENS[self.random.below(TOKENS.len())].to_vec()
    }

    fn word(&mut self) -> Vec<u8> {
        let at = self.random.below(self.words.len());
        self.words.get(at).cloned().unwrap_or_default()
    }

    /// Repeats a part of it, seldom very often.
    fn double(&mut self, input: &mut Vec<u8>, part: std::ops::Range<usize>) {
        let times = if self.random.below(16) == 0 { 300 } else { 1 + self.random.below(3) };
        let again = input[part.clone()].repeat(times);
        input.splice(part.end..part.end, again);
    }

    /// Puts a part of another seed in.
    fn splice(&mut self, input: &mut Vec<u8>, part: std::ops::Range<usize>) {
        let other = self.seed();
        let taken = self.random.range(other.len());
        input.splice(part, other[taken].to_vec());
    }
}

/// Words of a seed, and the signs between them.
fn words(seed: &[u8]) -> Vec<Vec<u8>> {
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | 0x80..);
    seed.chunk_by(|a, b| in_word(a) == in_word(b)).map(<[u8]>::to_vec).collect()
}
