//! A small lexer that knows comments and strings, and nothing else, by a table for each family of languages.
//!
//! Invariant: linear in the text. Each search that may fail either moves the position to where it gave up, or
//! is remembered so that it is not made again.

use super::syntax::{Block, Escape, Guard, Line, Quote, Syntax};
use super::{Comment, Kind, Lexed, lone_dots};

/// Longest word between `R"` and `(`.
const DELIMITER_MAX: usize = 16;

/// After these words a `/` starts a regular expression.
const BEFORE_REGEX: [&[u8]; 10] =
    [b"return", b"typeof", b"case", b"in", b"of", b"delete", b"void", b"throw", b"else", b"await"];

/// The comments of `text`, and the dots that stand for code.
pub(super) fn lex(text: &str, syntax: &Syntax) -> Lexed {
    let mut lexed = Lexed::default();
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    Lexer::new(text.as_bytes(), syntax, &mut lexed).run(mark, text.len());
    lexed
}

struct Lexer<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
    syntax: &'a Syntax,
    /// Whether something may start with this byte.
    starts: [bool; 256],
    /// The last byte of code that was no blank, 0 at the start.
    last: u8,
    /// Up to here no regular expression can close.
    no_regex_before: usize,
    /// For each open `${`, how many braces are open inside.
    templates: Vec<u32>,
    out: &'a mut Lexed,
}

impl<'a> Lexer<'a> {
    fn new(bytes: &'a [u8], syntax: &'a Syntax, out: &'a mut Lexed) -> Self {
        let mut starts = [false; 256];
        let line = syntax.line.iter().map(|line| line.open);
        let block = syntax.block.iter().map(|block| block.open);
        let strings = syntax.strings.iter().map(|quote| quote.open);
        let embeds = syntax.embeds.iter().map(|embed| embed.open);
        let script = if syntax.script { &["`", "/", "{", "}"][..] } else { &[] };
        let dots = if syntax.lone_dots { &[".", "…"][..] } else { &[] };
        let extra = script.iter().chain(dots).copied();
        for open in line.chain(block).chain(strings).chain(embeds).chain(extra) {
            starts[usize::from(open.as_bytes()[0])] = true;
        }
        Self {
            bytes,
            start: 0,
            end: 0,
            syntax,
            starts,
            last: 0,
            no_regex_before: 0,
            templates: Vec::new(),
            out,
        }
    }

    fn run(&mut self, start: usize, end: usize) {
        self.start = start;
        self.end = end;
        let mut at = start;
        while at < end {
            let byte = self.bytes[at];
            if self.starts[usize::from(byte)] {
                at = self.something(at);
                continue;
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
            at += 1;
        }
    }

    /// Reads what starts at `at`, and says where it ends.
    fn something(&mut self, at: usize) -> usize {
        let syntax = self.syntax;
        if let Some(block) = syntax.block.iter().find(|block| self.opens(block.open, block.guard, at)) {
            return self.block(block, at);
        }
        if let Some(line) = syntax.line.iter().find(|line| self.opens(line.open, line.guard, at)) {
            return self.line(line, at);
        }
        if let Some(quote) = syntax.strings.iter().find(|quote| self.opens(quote.open, quote.guard, at)) {
            self.last = b'"';
            return self.string(quote, at);
        }
        if let Some(next) = self.embedded(at).or_else(|| self.script(at)) {
            return next;
        }
        if let Some(dots) =
            syntax.lone_dots.then(|| lone_dots(&self.bytes[..self.end], at, self.last)).flatten()
        {
            let next = dots.end;
            self.out.dots.push(dots);
            return next;
        }
        self.last = self.bytes[at];
        at + 1
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
        Lexer::new(self.bytes, embed.syntax, self.out).run(body, end);
        Some(end.max(at + 1))
    }

    /// Templates and regular expressions.
    fn script(&mut self, at: usize) -> Option<usize> {
        if !self.syntax.script {
            return None;
        }
        match self.bytes[at] {
            b'`' => Some(self.template(at + 1)),
            b'{' => {
                if let Some(depth) = self.templates.last_mut() {
                    *depth += 1;
                }
                None
            }
            b'}' => match self.templates.last_mut() {
                Some(0) => {
                    self.templates.pop();
                    Some(self.template(at + 1))
                }
                Some(depth) => {
                    *depth -= 1;
                    None
                }
                None => None,
            },
            b'/' => self.regex(at),
            _ => None,
        }
    }

    /// The rest of a template, up to its end or to the next code in it.
    fn template(&mut self, body: usize) -> usize {
        self.last = b'"';
        let mut at = body;
        while at < self.end {
            match self.bytes[at] {
                b'\\' => at += 1,
                b'`' => return at + 1,
                b'$' if self.bytes[..self.end].get(at + 1) == Some(&b'{') => {
                    self.templates.push(0);
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
        if !(self.last.is_ascii_alphanumeric() || b"_$)]}\"'`<".contains(&self.last)) {
            return true;
        }
        let code = self.bytes[..at].trim_ascii_end();
        BEFORE_REGEX.iter().any(|word| {
            let before = code.strip_suffix(*word).map(|rest| rest.last());
            before.is_some_and(|byte| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.'))
        })
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..self.end];
        rest.iter().position(|&byte| byte == b'\n').map_or(self.end, |length| at + length)
    }
}

fn starts_with_any_case(bytes: &[u8], prefix: &str) -> bool {
    bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
#[path = "../tests/lexer.rs"]
mod tests;
