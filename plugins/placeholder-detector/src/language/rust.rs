//! Rust, by rustc's own lexer: comments, and tokens for the rules that look at code.
//!
//! Invariant: every byte of the text belongs to one token, whatever the text is; brackets that have no partner
//! have none.

use std::ops::Range;

use ra_ap_rustc_lexer::{Cursor, FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang};

use super::{Comment, Kind, Lexed, lone_dots};

/// What a token is, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or keyword, `_` too.
    Name,
    /// A string of any kind.
    Text,
    /// Another literal.
    Literal,
    /// One character.
    Mark(u8),
    /// A lifetime, or what is no token at all.
    Other,
}

#[derive(Clone, Copy)]
struct Place {
    token: Token,
    start: u32,
    end: u32,
}

/// A Rust text in tokens, without blanks and comments.
pub(crate) struct Code<'a> {
    text: &'a str,
    places: Vec<Place>,
    partners: Vec<Option<u32>>,
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
    let partners = pair(&reader.places);
    (reader.lexed, Code { text, places: reader.places, partners, landmarks: reader.landmarks })
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
        // A text has at most 4 GiB here: its own lexer counts in 32 bits.
        self.places.push(Place { token, start: start as u32, end: end as u32 });
    }
}

fn literal(kind: LiteralKind) -> Token {
    match kind {
        LiteralKind::Str { .. } | LiteralKind::RawStr { .. } => Token::Text,
        _ => Token::Literal,
    }
}

/// For each bracket the index of its partner. A closing bracket closes the nearest one of its kind, and what
/// was left open in between stays without a partner.
fn pair(places: &[Place]) -> Vec<Option<u32>> {
    let mut partners = vec![None; places.len()];
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut waiting = [0u32; 128];
    for (index, place) in places.iter().enumerate() {
        let Token::Mark(mark) = place.token else { continue };
        let wanted = match mark {
            b'(' | b'[' | b'{' => {
                open.push((index, mark));
                waiting[usize::from(mark)] += 1;
                continue;
            }
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => continue,
        };
        // Without this count, closing brackets with nothing to close would search the whole stack each time.
        while waiting[usize::from(wanted)] > 0 {
            let Some((opened, kind)) = open.pop() else { break };
            waiting[usize::from(kind)] -= 1;
            if kind == wanted {
                partners[opened] = Some(index as u32);
                partners[index] = Some(opened as u32);
                break;
            }
        }
    }
    partners
}

impl<'a> Code<'a> {
    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

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

    /// How long the text is.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// What the token is, `None` behind the last.
    pub(crate) fn token(&self, index: usize) -> Option<Token> {
        self.places.get(index).map(|place| place.token)
    }

    /// The token's text, empty behind the last.
    pub(crate) fn text(&self, index: usize) -> &'a str {
        self.places.get(index).map_or("", |place| &self.text[place.start as usize..place.end as usize])
    }

    /// The name at `index`, where one is.
    pub(crate) fn name(&self, index: usize) -> Option<&'a str> {
        (self.token(index) == Some(Token::Name)).then(|| self.text(index))
    }

    /// Whether this mark is at `index`.
    pub(crate) fn is(&self, index: usize, mark: u8) -> bool {
        self.token(index) == Some(Token::Mark(mark))
    }

    /// Whether `::` ends before `index`.
    pub(crate) fn after_path(&self, index: usize) -> bool {
        index >= 2 && self.is(index - 1, b':') && self.is(index - 2, b':')
    }

    /// Index of the partner of the bracket at `index`.
    pub(crate) fn partner(&self, index: usize) -> Option<usize> {
        self.partners.get(index).copied().flatten().map(|partner| partner as usize)
    }

    /// Offset of the token's first byte.
    pub(crate) fn start(&self, index: usize) -> usize {
        self.places.get(index).map_or(self.text.len(), |place| place.start as usize)
    }

    /// Offset of the byte after the token.
    pub(crate) fn end(&self, index: usize) -> usize {
        self.places.get(index).map_or(self.text.len(), |place| place.end as usize)
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
    use super::{Token, read};

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
