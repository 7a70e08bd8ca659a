//! Values out of bytes: the same bytes make the same value, and few bytes make a small one.

use serde_json::{Map, Value};

/// Texts that something may stumble over.
const TEXTS: [&str; 12] = [
    "",
    "-",
    "\u{1b}[31m",
    "a\r\n",
    "\r",
    "\u{202e}",
    "é",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "{\"a\":1}",
    "null",
    "\0",
    "../..",
];

/// Bytes that values are made of, until there are no more; then everything is zero.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl Source<'_> {
    /// One byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self) -> bool {
        self.byte().is_multiple_of(2)
    }

    /// A number below `end`, which is at most 65536.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_be_bytes([self.byte(), self.byte()])) % end.max(1)
    }

    /// Eight bytes as a number.
    pub(crate) fn number(&mut self) -> u64 {
        u64::from_be_bytes([(); 8].map(|()| self.byte()))
    }

    /// One of these.
    pub(crate) fn one_of<'b, T: ?Sized>(&mut self, all: &[&'b T]) -> &'b T {
        all[self.below(all.len())]
    }

    /// A text: one of those that something stumbles over, or what the next bytes say.
    pub(crate) fn text(&mut self) -> String {
        match self.byte() % 4 {
            0 => self.one_of(&TEXTS).to_owned(),
            1 => format!("{}{}", self.text_of_bytes(), self.one_of(&TEXTS)),
            _ => self.text_of_bytes(),
        }
    }

    fn text_of_bytes(&mut self) -> String {
        let (now, rest) = self.0.split_at((usize::from(self.byte()) % 64).min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(now).into_owned()
    }

    /// A JSON value that is written and read without loss.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        match self.byte() % if depth == 0 { 6 } else { 8 } {
            0 => Value::Null,
            1 => self.flag().into(),
            2 => self.number().into(),
            3 => (self.number() as i64).into(),
            4 => (f64::from(self.byte()) / 2.0).into(),
            5 => self.text().into(),
            6 => (0..self.below(6)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }

    /// A JSON object.
    pub(crate) fn object(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.below(6)).map(|_| (self.text(), self.value(depth))).collect()
    }
}
