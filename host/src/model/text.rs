//! Text from guests, made fit to show.
//!
//! Invariant: what comes out has no character that a terminal obeys or that hides from a reader.

use std::borrow::Cow;

/// Whether a character is one that people cannot see but that programs or models obey: controls
/// (other than tab and line ends), bidirectional controls, tags, variation selectors and other
/// invisibles (Unicode's Default_Ignorable_Code_Point and line separators). Zero-width joiners and the two
/// selectors of text and emoji style stay: scripts and emoji need them.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        c if c.is_control() => true,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// The text without hidden characters, and without a carriage return that ends no line and would let
/// what follows it overwrite what stands before; borrowed where there is nothing to do.
pub fn clean(text: &str) -> Cow<'_, str> {
    // Printable ASCII, tab and line feed are the rule: one pass over bytes settles those.
    let plain = |b: u8| matches!(b, b'\t' | b'\n' | b' '..=b'~');
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let followed = text.chars().zip(text.chars().skip(1).map(Some).chain([None]));
    let kept = |c: char, next: Option<char>| !is_hidden(c) && (c != '\r' || next == Some('\n'));
    if followed.clone().all(|(c, next)| kept(c, next)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(followed.filter(|(c, next)| kept(*c, *next)).map(|(c, _)| c).collect())
}

/// Cleans in place; allocates nothing where there is nothing to clean.
pub fn clean_owned(text: String) -> String {
    match clean(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cleaned) => cleaned,
    }
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
pub fn truncate(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    &text[..end]
}

/// Stands where a text was cut.
const CUT: &str = " [cut]";

/// Cleaned, and cut to `chars` characters with the mark that says so.
pub fn clean_and_cut(text: &str, chars: usize) -> String {
    let cleaned = clean(text);
    if cleaned.char_indices().nth(chars).is_none() {
        return cleaned.into_owned();
    }
    let kept: String = cleaned.chars().take(chars.saturating_sub(CUT.len())).collect();
    // Cut between the two, a line end would leave the one that lets the mark overwrite the line.
    kept.trim_end_matches('\r').to_owned() + CUT
}

/// Lines and columns, from 1, of byte offsets of a text. Columns count characters. Offsets that grow cost
/// one pass over the text together.
pub struct Positions<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Positions<'a> {
    /// Those of a text.
    pub fn of(text: &'a str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    /// The place of an offset, or of the end of the text.
    pub fn at(&mut self, offset: usize) -> (usize, usize) {
        let offset = truncate(self.text, offset).len();
        if offset < self.offset {
            *self = Self::of(self.text);
        }
        for c in self.text[self.offset..offset].chars() {
            (self.line, self.column) =
                if c == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.offset = offset;
        (self.line, self.column)
    }
}

/// One line for a log: hidden characters and line ends are escaped, so that what a guest writes is
/// seen as it is and can never look like a line of the host.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) || matches!(c, '\t' | '\n' | '\r') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    Cow::Owned(line)
}

/// The known name that is nearest to what was written, if any is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(written, name), name))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{Positions, clean, clean_and_cut, nearest, one_line, truncate};

    #[test]
    fn hidden_characters_go_and_scripts_and_emoji_stay() {
        assert_eq!(clean("a\u{1b}[31mb\0\u{202e}c\u{e0041}d\u{9b}"), "a[31mbcd");
        assert_eq!(clean("a\u{2062}\u{e0100}\u{fe01}\u{2028}\u{ad}\u{fff9}\u{3164}\rb\r"), "ab");
        for kept in ["line\r\nend\n", "❤\u{fe0f}", "naïve\tтекст\n漢字", "👩\u{200d}💻", "می\u{200c}خواهم"]
        {
            assert_eq!(clean(kept), kept);
        }
    }

    #[test]
    fn a_cut_text_ends_between_characters_and_says_so() {
        assert_eq!(truncate("aé", 2), "a");
        assert_eq!(truncate("aé", 3), "aé");
        assert_eq!(clean_and_cut("éééééééé", 7), "é [cut]");
        assert_eq!(clean_and_cut("ééééééé", 7), "ééééééé");
        assert_eq!(clean_and_cut("é\r\néééééé", 8), "é [cut]");
    }

    #[test]
    fn a_log_line_stays_one_line() {
        assert_eq!(one_line("a\n{\"jsonrpc\"}\r\u{1b}\u{202e}"), "a\\n{\"jsonrpc\"}\\r\\u{1b}\\u{202e}");
    }

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(nearest("memroy", ["fuel", "memory"]), Some("memory"));
        assert_eq!(nearest("zzz", ["fuel", "memory"]), None);
    }

    #[test]
    fn positions_count_lines_and_characters_forward_and_back() {
        let mut positions = Positions::of("é b\n\nc");
        assert_eq!(
            [0, 2, 4, 5, 6, 99].map(|offset| positions.at(offset)),
            [(1, 1), (1, 2), (1, 4), (2, 1), (3, 1), (3, 2)]
        );
        assert_eq!(positions.at(3), (1, 3));
    }

    #[test]
    fn ten_thousand_positions_at_the_end_of_a_long_text_take_one_pass() {
        let text = "x".repeat(4 << 20);
        let mut positions = Positions::of(&text);
        let started = std::time::Instant::now();
        for back in (0..10_000).rev() {
            assert_eq!(positions.at(text.len() - back), (1, text.len() - back + 1));
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
    }
}
