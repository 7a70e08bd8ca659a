//! Rust, by rustc's own lexer: comments, and tokens for the rules that look at code.
//!
//! Invariant: every byte of the text belongs to one token of that lexer, whatever the text is.

use std::ops::{Deref, Range};

use ra_ap_rustc_lexer::{Cursor, FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang};

use super::tokens::{Place, Token, Tokens};
use super::{Comment, Kind, Lexed, lone_dots};

/// A Rust text in tokens, with the places that rules start from.
pub(crate) struct Code<'a> {
    tokens: Tokens<'a>,
    landmarks: Landmarks,
}

/// Indices of the tokens that rules start from, so that a rule need not look at all of them.
#[derive(Default)]
struct Landmarks {
    /// `#` and `mod`.
    items: Vec<u32>,
    /// `fn`.
    functions: Vec<u32>,
    /// Names with a `!` behind them.
    calls: Vec<u32>,
}

/// Reads a Rust text.
pub(crate) fn read(text: &str) -> (Lexed, Code<'_>) {
    let mut reader =
        Reader { text, lexed: Lexed::default(), places: Vec::new(), landmarks: Landmarks::default() };
    reader.run();
    (reader.lexed, Code { tokens: Tokens::new(text, reader.places), landmarks: reader.landmarks })
}

struct Reader<'a> {
    text: &'a str,
    lexed: Lexed,
    places: Vec<Place>,
    landmarks: Landmarks,
}

impl Reader<'_> {
    fn run(&mut self) {
        let mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut at = mark + strip_shebang(&self.text[mark..]).unwrap_or(0);
        let mut cursor = Cursor::new(&self.text[at..], FrontmatterAllowed::No);
        loop {
            let token = cursor.advance_token();
            let end = at + token.len as usize;
            match token.kind {
                TokenKind::Eof => return,
                // Two characters that are one token only in the newest edition, and may be half of a string.
                TokenKind::GuardedStrPrefix => {
                    self.push(Token::Mark(b'#'), at, at + 1);
                    at += 1;
                    cursor = Cursor::new(&self.text[at..], FrontmatterAllowed::No);
                    continue;
                }
                kind => self.take(kind, at, end),
            }
            at = end;
        }
    }

    fn take(&mut self, kind: TokenKind, start: usize, end: usize) {
        match kind {
            TokenKind::Whitespace => {}
            TokenKind::LineComment { doc_style } => {
                let mark = if doc_style.is_some() { 3 } else { 2 };
                let kind = if doc_style.is_some() { Kind::Doc } else { Kind::Line };
                self.comment(kind, start..end, start + mark..end);
            }
            TokenKind::BlockComment { doc_style, terminated } => {
                let kind = if doc_style.is_some() { Kind::Doc } else { Kind::Block };
                let body_end = if terminated { end - 2 } else { end };
                self.comment(kind, start..end, start + 2..body_end);
            }
            kind => self.code(kind, start, end),
        }
    }

    fn comment(&mut self, kind: Kind, span: Range<usize>, body: Range<usize>) {
        self.lexed.comments.push(Comment { kind, span, body });
    }

    fn code(&mut self, kind: TokenKind, start: usize, end: usize) {
        let first = self.text.as_bytes()[start];
        let token = match kind {
            TokenKind::Ident | TokenKind::UnknownPrefix => Token::Name,
            TokenKind::Literal { kind, .. } => literal(kind),
            _ if end == start + 1 => Token::Mark(first),
            _ => Token::Other,
        };
        if matches!(first, b'.' | 0xE2) {
            let before = self.places.last().map_or(0, |place| self.text.as_bytes()[place.end as usize - 1]);
            self.lexed.dots.extend(lone_dots(self.text.as_bytes(), start, before));
        }
        self.push(token, start, end);
    }

    fn push(&mut self, token: Token, start: usize, end: usize) {
        let index = self.places.len() as u32;
        let marks = &mut self.landmarks;
        match (token, &self.text[start..end]) {
            (Token::Mark(b'#'), _) | (Token::Name, "mod") => marks.items.push(index),
            (Token::Name, "fn") => marks.functions.push(index),
            (Token::Mark(b'!'), _) if self.places.last().is_some_and(|last| last.token == Token::Name) => {
                marks.calls.push(index - 1);
            }
            _ => {}
        }
        self.places.push(Place::new(token, start, end));
    }
}

fn literal(kind: LiteralKind) -> Token {
    match kind {
        LiteralKind::Str { .. } | LiteralKind::RawStr { .. } => Token::Text,
        _ => Token::Literal,
    }
}

impl<'a> Deref for Code<'a> {
    type Target = Tokens<'a>;

    fn deref(&self) -> &Tokens<'a> {
        &self.tokens
    }
}

impl Code<'_> {
    /// Indices of `#` and `mod`, in order.
    pub(crate) fn items(&self) -> impl Iterator<Item = usize> {
        self.landmarks.items.iter().map(|index| *index as usize)
    }

    /// Indices of `fn`, in order.
    pub(crate) fn functions(&self) -> impl Iterator<Item = usize> {
        self.landmarks.functions.iter().map(|index| *index as usize)
    }

    /// Indices of names with a `!` behind them, in order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = usize> {
        self.landmarks.calls.iter().map(|index| *index as usize)
    }

    /// Whether `::` ends before `index`.
    pub(crate) fn after_path(&self, index: usize) -> bool {
        index >= 2 && self.is(index - 1, b':') && self.is(index - 2, b':')
    }

    /// The index after an attribute that starts at `index`, and the tokens between its brackets.
    pub(crate) fn attribute(&self, index: usize) -> Option<(usize, Range<usize>)> {
        if !self.is(index, b'#') {
            return None;
        }
        let open = index + 1 + usize::from(self.is(index + 1, b'!'));
        let close = self.partner(open).filter(|_| self.is(open, b'['))?;
        Some((close + 1, open + 1..close))
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::language::tokens::Token;

    fn tokens(text: &str) -> Vec<&str> {
        let (_, code) = read(text);
        (0..code.len()).map(|index| code.text(index)).collect()
    }

    #[test]
    fn comments_strings_and_lifetimes_are_told_apart() {
        let text = "\u{feff}fn f<'a>(c: &'a str) { '\"'; r#\"// \"#; /* /* */ x */ } // end";
        let (lexed, code) = read(text);
        let comments: Vec<_> = lexed.comments.iter().map(|comment| &text[comment.span.clone()]).collect();
        assert_eq!(comments, ["/* /* */ x */", "// end"]);
        assert_eq!(code.name(0), Some("fn"));
        assert!((0..code.len()).any(|index| code.token(index) == Some(Token::Text)));
    }

    #[test]
    fn a_string_after_a_hash_stays_a_string_in_every_edition() {
        assert_eq!(
            tokens("m!(#\"a // b\"# ## c)"),
            ["m", "!", "(", "#", "\"a // b\"", "#", "#", "#", "c", ")"]
        );
    }

    #[test]
    fn brackets_without_a_partner_have_none_and_do_not_disturb_the_others() {
        let (_, code) = read("{ ( } ] [");
        assert_eq!(code.partner(0), Some(2));
        assert_eq!([1, 3, 4].map(|index| code.partner(index)), [None; 3]);
    }

    #[test]
    fn dots_alone_on_a_line_between_statements_are_seen() {
        let text = "fn f() {\n    ...\n}\nextern \"C\" { fn g(a: u8,\n  ...\n); }\n…\n";
        let (lexed, _) = read(text);
        assert_eq!(lexed.dots.len(), 2);
        assert_eq!(&text[lexed.dots[1].clone()], "…");
    }
}
