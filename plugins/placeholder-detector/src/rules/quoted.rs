//! Which parts of a line of a comment are quoted: what is mentioned there is not meant.
//!
//! Invariant: linear, because a quotation mark without a partner is looked for once.

use std::ops::Range;

/// Marks that open a quotation, with what closes it.
const PAIRS: [(char, char); 4] = [('`', '`'), ('"', '"'), ('“', '”'), ('\'', '\'')];

/// The quotations of a line, marks included, in order.
pub(super) fn quotations(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut unmatched = [false; PAIRS.len()];
    let mut at = 0;
    while at < line.len() {
        let Some((offset, pair)) = next_mark(line, at) else { break };
        let (open, close) = PAIRS[pair];
        let body = offset + open.len_utf8();
        let end = if unmatched[pair] { None } else { closing(line, body, close) };
        match end {
            Some(end) => {
                found.push(offset..end);
                at = end;
            }
            None => {
                unmatched[pair] = true;
                at = body;
            }
        }
    }
    found
}

/// Whether an offset of the line is quoted.
pub(super) fn is_quoted(quotations: &[Range<usize>], offset: usize) -> bool {
    let after = quotations.partition_point(|range| range.start <= offset);
    after > 0 && quotations[after - 1].contains(&offset)
}

/// The next mark that may open a quotation: an apostrophe only at the start of a word.
fn next_mark(line: &str, at: usize) -> Option<(usize, usize)> {
    let mut search = at;
    loop {
        let offset = search + line[search..].find(PAIRS.map(|(open, _)| open))?;
        let mark = line[offset..].chars().next()?;
        let inside_word = || line[..offset].ends_with(char::is_alphanumeric);
        if mark != '\'' || !inside_word() {
            let pair = PAIRS.iter().position(|(open, _)| *open == mark)?;
            return Some((offset, pair));
        }
        search = offset + mark.len_utf8();
    }
}

/// The end of the quotation, after its mark: an apostrophe only at the end of a word.
fn closing(line: &str, body: usize, close: char) -> Option<usize> {
    let mut search = body;
    loop {
        let end = search + line[search..].find(close)? + close.len_utf8();
        if close != '\'' || !line[end..].starts_with(char::is_alphanumeric) {
            return Some(end);
        }
        search = end;
    }
}

#[cfg(test)]
mod tests {
    use super::{is_quoted, quotations};

    #[test]
    fn quotations_of_each_kind_are_found_and_apostrophes_are_not() {
        let line = "it's `one` \"two\" don't “three” 'four' and the users' five";
        let quoted: Vec<_> = quotations(line).into_iter().map(|range| &line[range]).collect();
        assert_eq!(quoted, ["`one`", "\"two\"", "“three”", "'four'"]);
    }

    #[test]
    fn a_mark_without_a_partner_quotes_nothing() {
        assert!(quotations("say \"hello and ` bye").is_empty());
    }

    #[test]
    fn the_marks_belong_to_the_quotation() {
        let found = quotations("a `b` c");
        assert!(
            !is_quoted(&found, 0) && is_quoted(&found, 2) && is_quoted(&found, 3) && !is_quoted(&found, 6)
        );
    }
}
