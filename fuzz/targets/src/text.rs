//! Text cleaning: what a guest writes, on its way to people, models and logs.

use std::borrow::Cow;

use hubcap::model::text::{
    Positions, clean, clean_and_cut, clean_owned, is_hidden, nearest, one_line, truncate,
};

/// Every function of the module on one text.
pub(crate) fn run(data: &[u8]) {
    let text = crate::lossy(data);
    cleaned(&text);
    logged(&text);
    cut(&text, data.len());
    placed(&text, data);
    let words: Vec<&str> = text.split_whitespace().take(20).collect();
    if let Some((first, others)) = words.split_first() {
        assert!(nearest(first, others.iter().copied()).is_none_or(|near| others.contains(&near)));
    }
}

/// Whether a text has nothing in it that hides or overwrites.
pub(crate) fn is_clean(text: &str) -> bool {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if is_hidden(c) || (c == '\r' && characters.peek() != Some(&'\n')) {
            return false;
        }
    }
    // Said here once more, in other words than those of the host.
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

fn cleaned(text: &str) {
    let once = clean(text);
    assert!(is_clean(&once), "{once:?}");
    assert!(matches!(clean(&once), Cow::Borrowed(_)), "cleaned twice is cleaned once: {once:?}");
    assert_eq!(matches!(once, Cow::Borrowed(_)), is_clean(text), "only what is clean stays as it is");
    assert_eq!(clean_owned(text.to_owned()), once);
    let mut rest = text.chars();
    assert!(once.chars().all(|c| rest.any(|other| other == c)), "nothing is added, nothing moves");
}

fn logged(text: &str) {
    let line = one_line(text);
    assert!(!line.chars().any(|c| c.is_control() || is_hidden(c)), "{line:?}");
    assert!(line.lines().count() <= 1);
    assert_eq!(one_line(&line), line, "escaped once");
}

fn cut(text: &str, length: usize) {
    for bytes in [0, 1, 2, 3, length / 2, length, length + 1] {
        let kept = truncate(text, bytes);
        assert!(kept.len() <= bytes && text.starts_with(kept));
        let next = text[kept.len()..].chars().next();
        assert!(next.is_none_or(|c| kept.len() + c.len_utf8() > bytes), "more would have fitted");
    }
    // The mark that says so has six characters.
    for chars in [6, 7, 8, length / 2 + 6, length + 6] {
        let short = clean_and_cut(text, chars);
        assert!(short.chars().count() <= chars, "{chars}: {short:?}");
        assert!(is_clean(&short), "{chars}: {short:?}");
    }
}

fn placed(text: &str, data: &[u8]) {
    let mut positions = Positions::of(text);
    for byte in data.iter().rev().take(8) {
        let offset = usize::from(*byte) * (text.len() + 2) / 255;
        let before = truncate(text, offset);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        assert_eq!(positions.at(offset), (line, column), "at {offset}");
    }
}
