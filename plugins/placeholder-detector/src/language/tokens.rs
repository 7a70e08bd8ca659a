//! A text as tokens, whatever its language: names, strings, other literals and marks, with the partner of each bracket.
//!
//! Invariant: tokens come in order and do not overlap; brackets that have no partner have none.

/// Columns from one tab stop to the next.
const TAB: u32 = 8;

/// What some editors put at the start of a file.
const MARK: &[u8] = "\u{feff}".as_bytes();

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
    /// What is none of these, such as a lifetime or an element of markup.
    Other,
}

#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) token: Token,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    /// A text has at most 4 GiB here: the guest's memory is counted in 32 bits.
    pub(super) fn new(token: Token, start: usize, end: usize) -> Self {
        Self { token, start: start as u32, end: end as u32 }
    }
}

/// A text in tokens, without blanks and comments.
pub(crate) struct Tokens<'a> {
    text: &'a str,
    places: Vec<Place>,
    partners: Vec<Option<u32>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str, places: Vec<Place>) -> Self {
        let partners = pair(&places);
        Self { text, places, partners }
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
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

    /// Whether a string is at `index`.
    pub(crate) fn is_text(&self, index: usize) -> bool {
        self.token(index) == Some(Token::Text)
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

    /// Columns before the first character of the line that an offset is in; a tab goes to the next multiple of 8.
    pub(crate) fn indent_at(&self, offset: usize) -> u32 {
        let line = self.text[..offset].rfind('\n').map_or(0, |end| end + 1);
        columns(&self.text.as_bytes()[line..])
    }

    /// Whether no line ends between two offsets, or the second is the lesser one.
    pub(crate) fn same_line(&self, from: usize, to: usize) -> bool {
        self.text.as_bytes().get(from..to).is_none_or(|between| !between.contains(&b'\n'))
    }

    /// Columns before the token, where it is the first on its line.
    pub(crate) fn indent(&self, index: usize) -> Option<u32> {
        let before = &self.text.as_bytes()[..self.start(index)];
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\x0c');
        let line = before.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
        let first = before[..line].last().is_none_or(|byte| *byte == b'\n')
            || line == MARK.len() && before[..line] == *MARK;
        first.then(|| columns(&before[line..]))
    }

    /// What stands between the token at `index` and the one before it.
    pub(crate) fn gap(&self, index: usize) -> &'a [u8] {
        let before = index.checked_sub(1).map_or(0, |before| self.end(before));
        &self.text.as_bytes()[before..self.start(index)]
    }

    /// Indices of the names that are one of these words, in order.
    pub(crate) fn words(&self, words: &'static [&'static str]) -> impl Iterator<Item = usize> {
        let mut starts = [false; 256];
        for word in words {
            starts[usize::from(word.as_bytes()[0])] = true;
        }
        let bytes = self.text.as_bytes();
        // Most names fail at their first byte.
        let likely = move |place: &Place| {
            place.token == Token::Name && starts[usize::from(bytes[place.start as usize])]
        };
        let likely = self.places.iter().enumerate().filter(move |(_, place)| likely(place));
        likely.map(|(index, _)| index).filter(|index| words.contains(&self.text(*index)))
    }

    /// Indices of a mark, in order.
    pub(crate) fn marks(&self, mark: u8) -> impl Iterator<Item = usize> {
        let places = self.places.iter().enumerate();
        places.filter(move |(_, place)| place.token == Token::Mark(mark)).map(|(index, _)| index)
    }
}

/// How wide the blanks at the start of a line are.
fn columns(line: &[u8]) -> u32 {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'));
    blanks.fold(0, |column, byte| match byte {
        b'\t' => column / TAB * TAB + TAB,
        b' ' => column + 1,
        _ => 0,
    })
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
