//! A small lexer that knows comments and strings by a table for each family of languages, and cuts the rest into
//! tokens where rules look at them.
//!
//! Invariant: linear in the text. Each search that may fail either moves the position to where it gave up, or
//! is remembered so that it is not made again.

use super::script::{Closers, Mode};
use super::syntax::{Block, Escape, Family, Guard, Line, Quote, Syntax};
use super::tokens::{Place, Token, Tokens};
use super::{Comment, Kind, Lexed, lone_dots};

/// Longest word between `R"` and `(`.
const DELIMITER_MAX: usize = 16;

// What may start with a byte.
const COMMENT: u8 = 1;
const STRING: u8 = 2;
const SPECIAL: u8 = 4;
const DOTS: u8 = 8;

/// The comments of `text`, and the dots that stand for code.
pub(super) fn lex(text: &str, syntax: &Syntax) -> Lexed {
    let mut lexed = Lexed::default();
    Lexer::new(text, syntax, &mut lexed).run(mark_length(text), text.len());
    lexed
}

/// The same and the tokens. With `markup`, scripts may have elements of JSX.
pub(super) fn read<'a>(text: &'a str, syntax: &'a Syntax, markup: bool) -> (Lexed, Tokens<'a>) {
    let mut lexed = Lexed::default();
    let mut lexer = Lexer::new(text, syntax, &mut lexed);
    lexer.places = Some(Vec::new());
    if markup && syntax.family == Family::Script {
        lexer.closers = Some(Closers::of(text));
        lexer.starts[usize::from(b'<')] |= SPECIAL;
    }
    lexer.run(mark_length(text), text.len());
    let places = lexer.places.take().unwrap_or_default();
    (lexed, Tokens::new(text, places))
}

fn mark_length(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

pub(super) struct Lexer<'a, 'o> {
    text: &'a str,
    pub(super) bytes: &'a [u8],
    start: usize,
    pub(super) end: usize,
    pub(super) syntax: &'a Syntax,
    /// What may start with this byte, in bits.
    starts: [u8; 256],
    /// The last byte of code that was no blank, 0 at the start.
    pub(super) last: u8,
    /// Up to here no regular expression can close.
    pub(super) no_regex_before: usize,
    /// What the code around the position is in.
    pub(super) modes: Vec<Mode>,
    /// Where elements of markup can close, if there may be any.
    pub(super) closers: Option<Closers<'a>>,
    /// The tokens, where somebody wants them.
    places: Option<Vec<Place>>,
    out: &'o mut Lexed,
}

impl<'a, 'o> Lexer<'a, 'o> {
    fn new(text: &'a str, syntax: &'a Syntax, out: &'o mut Lexed) -> Self {
        let mut starts = [0; 256];
        let mut mark = |open: &str, bit: u8| starts[usize::from(open.as_bytes()[0])] |= bit;
        syntax.line.iter().for_each(|line| mark(line.open, COMMENT));
        syntax.block.iter().for_each(|block| mark(block.open, COMMENT));
        syntax.strings.iter().for_each(|quote| mark(quote.open, STRING));
        syntax.embeds.iter().for_each(|embed| mark(embed.open, SPECIAL));
        let script = if syntax.family == Family::Script { &["`", "/", "{", "}"][..] } else { &[] };
        script.iter().for_each(|open| mark(open, SPECIAL));
        let dots = if syntax.lone_dots { &[".", "…"][..] } else { &[] };
        dots.iter().for_each(|open| mark(open, DOTS));
        Self {
            text,
            bytes: text.as_bytes(),
            start: 0,
            end: 0,
            syntax,
            starts,
            last: 0,
            no_regex_before: 0,
            modes: Vec::new(),
            closers: None,
            places: None,
            out,
        }
    }

    fn run(&mut self, start: usize, end: usize) {
        self.start = start;
        self.end = end;
        let mut at = start;
        while at < end {
            let byte = self.bytes[at];
            let bits = self.starts[usize::from(byte)];
            at = if bits == 0 { self.code(at) } else { self.something(at, bits) };
        }
    }

    /// One byte of code; or where tokens are wanted, one token.
    fn code(&mut self, at: usize) -> usize {
        let byte = self.bytes[at];
        if byte.is_ascii_whitespace() {
            return at + 1;
        }
        let next = if self.places.is_some() { self.token(at) } else { at + 1 };
        self.last = self.bytes[next - 1];
        next
    }

    fn token(&mut self, at: usize) -> usize {
        let first = self.bytes[at];
        if !is_word(first) {
            self.push(Token::Mark(first), at, at + 1);
            return at + 1;
        }
        let rest = &self.bytes[at..self.end];
        let number = first.is_ascii_digit();
        let length = rest.iter().position(|byte| !(is_word(*byte) || number && *byte == b'.'));
        let next = length.map_or(self.end, |length| at + length);
        self.push(if number { Token::Literal } else { Token::Name }, at, next);
        next
    }

    /// Takes a token, where tokens are wanted.
    pub(super) fn push(&mut self, token: Token, start: usize, end: usize) {
        if let Some(places) = &mut self.places {
            places.push(Place::new(token, start, end));
        }
    }

    /// Reads what starts at `at`, and says where it ends.
    fn something(&mut self, at: usize, bits: u8) -> usize {
        let comment = if bits & COMMENT == 0 { None } else { self.comment(at) };
        let string = || if bits & STRING == 0 { None } else { self.string_at(at) };
        if let Some(next) = comment.or_else(string) {
            return next;
        }
        let special = if bits & SPECIAL == 0 { None } else { self.embedded(at).or_else(|| self.script(at)) };
        let dots = || if bits & DOTS == 0 { None } else { self.dots(at) };
        special.or_else(dots).unwrap_or_else(|| self.code(at))
    }

    fn comment(&mut self, at: usize) -> Option<usize> {
        let syntax = self.syntax;
        if let Some(block) = syntax.block.iter().find(|block| self.opens(block.open, block.guard, at)) {
            return Some(self.block(block, at));
        }
        let line = syntax.line.iter().find(|line| self.opens(line.open, line.guard, at))?;
        Some(self.line(line, at))
    }

    fn string_at(&mut self, at: usize) -> Option<usize> {
        let quote = self.syntax.strings.iter().find(|quote| self.opens(quote.open, quote.guard, at))?;
        self.last = b'"';
        let next = self.string(quote, at).min(self.end);
        self.push(Token::Text, at, next);
        Some(next)
    }

    fn dots(&mut self, at: usize) -> Option<usize> {
        let dots = lone_dots(&self.bytes[..self.end], at, self.last)?;
        let next = dots.end;
        self.out.dots.push(dots);
        Some(next)
    }

    fn opens(&self, open: &str, guard: Guard, at: usize) -> bool {
        if !self.bytes[at..self.end].starts_with(open.as_bytes()) {
            return false;
        }
        let before = self.bytes[self.start..at].last().copied();
        match guard {
            Guard::Any => true,
            Guard::AfterSpace => {
                before.is_none_or(|byte| byte.is_ascii_whitespace() || b";()&|".contains(&byte))
            }
            Guard::LineStart => {
                let left = self.bytes[self.start..at].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
                matches!(left, None | Some(b'\n'))
            }
            Guard::NotAfterColon => before != Some(b':'),
            Guard::NotAfterWord => !before.is_some_and(|byte| byte.is_ascii_alphanumeric()),
        }
    }

    fn line(&mut self, line: &Line, at: usize) -> usize {
        let end = self.line_end(at);
        let rest = &self.bytes[at..end];
        let doc = line.open == "//"
            && (rest.starts_with(b"//!") || rest.starts_with(b"///") && rest.get(3) != Some(&b'/'));
        let kind = if doc { Kind::Doc } else { Kind::Line };
        let body = at + line.open.len() + usize::from(doc);
        self.out.comments.push(Comment { kind, span: at..end, body: body..end });
        end
    }

    fn block(&mut self, block: &Block, at: usize) -> usize {
        let body = at + block.open.len();
        let (body_end, end) = self.block_end(block, body);
        let text = &self.bytes[body..body_end];
        let doc = block.open == "/*" && text.len() > 1 && matches!(text[0], b'*' | b'!');
        let kind = if doc { Kind::Doc } else { Kind::Block };
        self.out.comments.push(Comment { kind, span: at..end, body: body..body_end });
        end
    }

    /// Where the body and the whole of a block comment end; the end of the text where it is not closed.
    fn block_end(&self, block: &Block, body: usize) -> (usize, usize) {
        let mut depth = 1;
        let mut at = body;
        while at < self.end {
            let rest = &self.bytes[at..self.end];
            if rest.starts_with(block.close.as_bytes()) {
                depth -= 1;
                if depth == 0 {
                    return (at, at + block.close.len());
                }
                at += block.close.len();
            } else if block.nested && rest.starts_with(block.open.as_bytes()) {
                depth += 1;
                at += block.open.len();
            } else {
                at += 1;
            }
        }
        (self.end, self.end)
    }

    fn string(&self, quote: &Quote, at: usize) -> usize {
        let body = at + quote.open.len();
        match quote.escape {
            Escape::Delimiter => self.delimited_string(body),
            Escape::Backslash => self.until(body, quote.close, quote.lines, |rest| rest[0] == b'\\'),
            Escape::Doubled => {
                let mark = quote.close.as_bytes()[0];
                self.until(body, quote.close, quote.lines, |rest| rest.starts_with(&[mark, mark]))
            }
            Escape::None => self.until(body, quote.close, quote.lines, |_| false),
        }
    }

    /// The place after `close`; without one, the end of the line or of the text. Where `escaped` holds, two
    /// bytes are skipped.
    fn until(&self, body: usize, close: &str, lines: bool, escaped: impl Fn(&[u8]) -> bool) -> usize {
        let mut at = body;
        while at < self.end {
            let rest = &self.bytes[at..self.end];
            if escaped(rest) {
                at += 2;
            } else if rest.starts_with(close.as_bytes()) {
                return at + close.len();
            } else if rest[0] == b'\n' && !lines {
                return at;
            } else {
                at += 1;
            }
        }
        self.end
    }

    /// `R"word(…)word"`: `body` is after the quote.
    fn delimited_string(&self, body: usize) -> usize {
        let rest = &self.bytes[body..self.end];
        let Some(length) = rest.iter().take(DELIMITER_MAX + 1).position(|&byte| byte == b'(') else {
            return self.until(body, "\"", false, |_| false);
        };
        let word = &rest[..length];
        let mut at = body + length;
        while at < self.end {
            let after = self.bytes[at..self.end].strip_prefix(b")").and_then(|rest| rest.strip_prefix(word));
            if after.is_some_and(|rest| rest.first() == Some(&b'"')) {
                return at + length + 2;
            }
            at += 1;
        }
        self.end
    }

    /// An element whose content is in another language.
    fn embedded(&mut self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..self.end];
        let embed = self.syntax.embeds.iter().find(|embed| starts_with_any_case(rest, embed.open))?;
        let close = embed.close;
        let Some(tag) = rest.iter().position(|&byte| byte == b'>') else {
            return Some(self.end);
        };
        let body = at + tag + 1;
        let mut end = body;
        while end < self.end && !starts_with_any_case(&self.bytes[end..self.end], close) {
            end += 1;
        }
        Lexer::new(self.text, embed.syntax, self.out).run(body, end);
        Some(end.max(at + 1))
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..self.end];
        rest.iter().position(|&byte| byte == b'\n').map_or(self.end, |length| at + length)
    }
}

/// Whether a name goes on with this byte. Every character beyond ASCII counts as a letter.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn starts_with_any_case(bytes: &[u8], prefix: &str) -> bool {
    bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
#[path = "../tests/lexer.rs"]
mod tests;
