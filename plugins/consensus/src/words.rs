//! Texts as words: how much two of them are alike, and parts of them that fit to be shown.

use std::collections::BTreeSet;

/// Characters of an answer that are compared.
const COMPARED: usize = 100_000;

/// The words of a text, in lower case. What is neither letter nor digit only stands between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// A text that differs from another only where their words do.
pub(crate) fn folded(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

/// The words that an answer brings: those of the question do not count, unless there are no others.
pub(crate) fn brought(answer: &str, question: &BTreeSet<String>) -> BTreeSet<String> {
    let all: BTreeSet<String> = words(cut(answer, COMPARED)).collect();
    let own: BTreeSet<String> = all.difference(question).cloned().collect();
    if own.is_empty() { all } else { own }
}

/// How much two sets of words are alike: those in both, of those in either, from 0 to 1. Two that are empty are
/// the same.
pub(crate) fn alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let both = one.intersection(other).count();
    let either = one.len() + other.len() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

/// The first characters of a text.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// A text that is cut where it is too long, and says so.
pub(crate) fn shown(text: &str, chars: usize) -> String {
    let kept = cut(text, chars);
    if kept.len() == text.len() { text.to_owned() } else { format!("{kept} [cut]") }
}

/// A share with four digits, so that it is the same wherever it is computed.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    rounded(part as f64 / whole.max(1) as f64)
}

/// Four digits.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{alike, brought, folded, share, shown, words};

    #[test]
    fn case_and_marks_do_not_count() {
        assert_eq!(folded("  It's PARIS,\n of-course! "), "it s paris of course");
        assert_eq!(folded("É"), "é");
    }

    #[test]
    fn words_of_the_question_do_not_make_answers_alike() {
        let question: BTreeSet<String> = words("What is the capital of France?").collect();
        let brought = |answer| brought(answer, &question);
        let paris = brought("The capital of France is Paris.");
        assert_eq!(alike(&paris, &brought("Paris")), 1.0);
        assert_eq!(alike(&paris, &brought("The capital of France is Lyon.")), 0.0);
        assert_eq!(alike(&paris, &brought("It is Paris")), 0.5);
        // Nothing but words of the question: they count after all.
        assert_eq!(brought("France"), ["france".to_owned()].into());
        assert_eq!(alike(&brought(""), &brought("?")), 1.0);
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        assert_eq!((shown("ééé", 3), shown("ééé", 2)), ("ééé".to_owned(), "éé [cut]".to_owned()));
        assert_eq!(share(2, 3), 0.6667);
    }
}
