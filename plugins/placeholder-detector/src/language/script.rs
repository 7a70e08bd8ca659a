//! What JavaScript and TypeScript have beside comments and strings: templates, regular expressions, and markup.
//!
//! Invariant: linear in the text, and no recursion: what is open stands in a list.

use std::collections::BTreeMap;

use super::lexer::{Lexer, is_word};
use super::syntax::Family;
use super::tokens::Token;

/// After these words a `/` starts a regular expression, and a `<` an element.
const BEFORE_VALUE: [&[u8]; 12] = [
    b"return", b"typeof", b"case", b"in", b"of", b"delete", b"void", b"throw", b"else", b"await", b"default",
    b"yield",
];

/// What the code at a position is in.
pub(super) enum Mode {
    /// `${` of a template, with how many braces are open inside.
    Template(u32),
    /// An element of markup.
    Element(Element),
    /// `{` of an element, with how many braces are open inside.
    Embedded(u32),
}

/// An element and all inside it. Only elements of the same name count: others may lack their end.
pub(super) struct Element {
    name: (usize, usize),
    depth: u32,
    /// The tag that is being read.
    tag: Option<Tag>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// Opens one of the name.
    Open,
    /// Closes one of the name.
    Close,
    /// Has another name.
    Other,
}

/// For each name of an element, where it is closed last.
pub(super) struct Closers<'a>(BTreeMap<&'a [u8], usize>);

impl<'a> Closers<'a> {
    /// Of all `</name` in a text.
    pub(super) fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let places = text.match_indices("</").map(|(at, _)| (&bytes[at + 2..name_end(bytes, at + 2)], at));
        Self(places.collect())
    }

    fn after(&self, name: &[u8], at: usize) -> bool {
        self.0.get(name).is_some_and(|close| *close > at)
    }
}

fn name_end(bytes: &[u8], at: usize) -> usize {
    let length = bytes[at..].iter().position(|byte| !(is_word(*byte) || matches!(byte, b'.' | b'-' | b':')));
    length.map_or(bytes.len(), |length| at + length)
}

impl Lexer<'_, '_> {
    /// What a script has at `at` that is no comment and no string, and where it ends.
    pub(super) fn script(&mut self, at: usize) -> Option<usize> {
        if self.syntax.family != Family::Script {
            return None;
        }
        match self.bytes[at] {
            b'`' => Some(self.template(at, at + 1)),
            b'{' => {
                if let Some(Mode::Template(depth) | Mode::Embedded(depth)) = self.modes.last_mut() {
                    *depth += 1;
                }
                None
            }
            b'}' => self.close_brace(at),
            b'/' => self.regex(at),
            b'<' => self.element(at),
            _ => None,
        }
    }

    fn close_brace(&mut self, at: usize) -> Option<usize> {
        match self.modes.last_mut() {
            Some(Mode::Template(0)) => {
                self.modes.pop();
                Some(self.template(at, at + 1))
            }
            Some(Mode::Embedded(0)) => {
                self.modes.pop();
                self.push(Token::Mark(b'}'), at, at + 1);
                Some(self.markup(at + 1))
            }
            Some(Mode::Template(depth) | Mode::Embedded(depth)) => {
                *depth -= 1;
                None
            }
            Some(Mode::Element(_)) | None => None,
        }
    }

    /// The rest of a template, up to its end or to the next code in it.
    fn template(&mut self, start: usize, body: usize) -> usize {
        let end = self.template_end(body);
        self.push(Token::Text, start, end);
        end
    }

    fn template_end(&mut self, body: usize) -> usize {
        self.last = b'"';
        let mut at = body;
        while at < self.end {
            match self.bytes[at] {
                b'\\' => at += 1,
                b'`' => return at + 1,
                b'$' if self.bytes[..self.end].get(at + 1) == Some(&b'{') => {
                    self.modes.push(Mode::Template(0));
                    self.last = b'{';
                    return at + 2;
                }
                _ => {}
            }
            at += 1;
        }
        self.end
    }

    /// A regular expression, where one may stand and one closes on this line.
    fn regex(&mut self, at: usize) -> Option<usize> {
        if at < self.no_regex_before || !self.regex_may_start(at) {
            return None;
        }
        let mut class = false;
        let mut index = at + 1;
        while index < self.end {
            match self.bytes[index] {
                b'\n' => break,
                b'\\' => index += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.last = b'"';
                    self.push(Token::Literal, at, index + 1);
                    return Some(index + 1);
                }
                _ => {}
            }
            index += 1;
        }
        self.no_regex_before = index;
        None
    }

    fn regex_may_start(&self, at: usize) -> bool {
        // `</` closes an element of markup.
        let value = is_word(self.last) || b")]}\"'`<".contains(&self.last);
        !value || self.after_word(at)
    }

    /// Whether a word stands before `at` that wants a value behind it.
    fn after_word(&self, at: usize) -> bool {
        let code = self.bytes[..at].trim_ascii_end();
        BEFORE_VALUE.iter().any(|word| {
            let before = code.strip_suffix(*word).map(|rest| rest.last());
            before.is_some_and(|byte| byte.is_none_or(|byte| !is_word(*byte) && *byte != b'.'))
        })
    }

    /// An element, where a value may stand and something of its name closes later: the rest are comparisons and
    /// parameters of types.
    fn element(&mut self, at: usize) -> Option<usize> {
        let end = name_end(&self.bytes[..self.end], at + 1);
        let named = self.bytes.get(at + 1).is_some_and(|byte| is_word(*byte) || *byte == b'>');
        if !named || !self.closers.as_ref()?.after(&self.bytes[at + 1..end], at) {
            return None;
        }
        let arrow = self.last == b'>' && self.bytes[..at].trim_ascii_end().ends_with(b"=>");
        if !arrow && self.last != 0 && !b"(,=?:&|[{;".contains(&self.last) && !self.after_word(at) {
            return None;
        }
        self.push(Token::Other, at, at + 1);
        self.modes.push(Mode::Element(Element { name: (at + 1, end), depth: 1, tag: Some(Tag::Open) }));
        Some(self.markup(end))
    }

    /// Reads on in the innermost element, up to the next code in it or to its end.
    fn markup(&mut self, from: usize) -> usize {
        let bytes = &self.bytes[..self.end];
        let mut at = from;
        self.last = b'"';
        while let (Some(byte), Some(Mode::Element(element))) = (bytes.get(at), self.modes.last_mut()) {
            if *byte == b'{' {
                self.modes.push(Mode::Embedded(0));
                self.push(Token::Mark(b'{'), at, at + 1);
                self.last = b'{';
                return at + 1;
            }
            at = if element.tag.is_some() { element.in_tag(bytes, at) } else { element.between(bytes, at) };
            if element.depth == 0 {
                self.modes.pop();
                return at;
            }
        }
        at.min(self.end)
    }
}

impl Element {
    fn in_tag(&mut self, bytes: &[u8], at: usize) -> usize {
        match bytes[at] {
            mark @ (b'"' | b'\'') => quoted_end(bytes, at, mark),
            b'/' if bytes.get(at + 1) == Some(&b'>') => {
                self.end_tag(Some(Tag::Open));
                at + 2
            }
            b'>' => {
                self.end_tag(Some(Tag::Close));
                at + 1
            }
            _ => at + 1,
        }
    }

    /// The tag ends; one of this sort makes the element shallower.
    fn end_tag(&mut self, sort: Option<Tag>) {
        if self.tag == sort {
            self.depth -= 1;
        }
        self.tag = None;
    }

    fn between(&mut self, bytes: &[u8], at: usize) -> usize {
        let closes = bytes.get(at + 1) == Some(&b'/');
        let start = at + 1 + usize::from(closes);
        let named = bytes.get(start).is_some_and(|byte| is_word(*byte) || *byte == b'>');
        if bytes[at] != b'<' || !named {
            return at + 1;
        }
        let end = name_end(bytes, start);
        let same = bytes[start..end] == bytes[self.name.0..self.name.1];
        self.tag = Some(match (same, closes) {
            (false, _) => Tag::Other,
            (true, true) => Tag::Close,
            (true, false) => Tag::Open,
        });
        self.depth += u32::from(same && !closes);
        end
    }
}

/// The place after the string, where it closes before an empty line or a tag: an apostrophe may stand alone.
fn quoted_end(bytes: &[u8], at: usize, mark: u8) -> usize {
    let length = bytes[at + 1..].iter().position(|byte| *byte == mark || *byte == b'<');
    match length.map(|length| at + 1 + length) {
        Some(end) if bytes[end] == mark => end + 1,
        _ => at + 1,
    }
}
