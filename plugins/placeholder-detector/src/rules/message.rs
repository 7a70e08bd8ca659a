//! What the message of a panic or an exception says: that code is missing, or something else.
//!
//! Invariant: linear in the message.

/// What a message starts with when code is missing.
const STARTS: [&str; 9] = [
    "not implemented",
    "not yet implemented",
    "not-implemented",
    "unimplemented",
    "implement me",
    "implement this",
    "to be implemented",
    "needs implementation",
    "needs to be implemented",
];

/// Words that say so only where they are all of the message or have a `:` behind them.
const ALONE: [&str; 6] = ["todo", "fixme", "tbd", "stub", "placeholder", "unfinished"];

/// How a message ends when code is missing.
const ENDS: [&str; 7] = [
    "not implemented",
    "not yet implemented",
    "not implemented yet",
    "not implemented here",
    "to be implemented",
    "isn't implemented yet",
    "is unimplemented",
];

/// Words in the message of a method that subclasses have to write.
const ABSTRACT: [&str; 9] = [
    "subclass",
    "sub-class",
    "override",
    "overrid",
    "abstract",
    "derived",
    "child class",
    "must implement",
    "must be implemented",
];

/// Words in a message that refuses something on purpose.
const REFUSAL: [&str; 6] = ["support", "unavailable", "cannot", "can't", "not available", "not allowed"];

/// What a literal with a message says, without its quotes.
pub(super) fn content(literal: &str) -> &str {
    let text = literal.trim_start_matches(['r', '#', '"', '\'', '`', ' ', '[', '(']);
    text.trim_end_matches(['#', '"', '\'', '`', ' ', '.', '!', '…', ')', ']'])
}

/// Percent, where the message in a literal starts with words for missing code.
pub(super) fn opens_missing(literal: &str) -> Option<u8> {
    let text = content(literal);
    let whole_or_colon = |start: &str| {
        let rest = after_start(text, start)?;
        (rest.is_empty() || rest.starts_with(':')).then_some(90)
    };
    if let Some(percent) = STARTS.iter().chain(&ALONE).find_map(|start| whole_or_colon(start)) {
        return Some(percent);
    }
    STARTS.iter().any(|start| after_start(text, start).is_some()).then_some(75)
}

/// Percent, where the message ends with words for missing code: "Method not implemented."
pub(super) fn closes_missing(literal: &str) -> Option<u8> {
    let text = content(literal);
    let ends = ENDS.iter().any(|end| {
        let head = text.len().checked_sub(end.len()).and_then(|start| text.split_at_checked(start));
        head.is_some_and(|(head, tail)| {
            tail.eq_ignore_ascii_case(end) && !head.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    });
    ends.then_some(80)
}

/// Whether the message asks whoever derives from this to write it.
pub(super) fn is_abstract(literal: &str) -> bool {
    has_any(literal, &ABSTRACT)
}

/// Whether the message refuses something on purpose.
pub(super) fn is_refusal(literal: &str) -> bool {
    has_any(literal, &REFUSAL)
}

fn has_any(literal: &str, words: &[&str]) -> bool {
    // What a message is about stands at its start; more would only cost.
    let start = literal.char_indices().nth(400).map_or(literal, |(end, _)| &literal[..end]);
    let lower = start.to_ascii_lowercase();
    words.iter().any(|word| lower.contains(word))
}

/// What stands behind `start`, where the text starts with it as whole words.
fn after_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    let whole = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (whole && head.eq_ignore_ascii_case(start)).then_some(rest)
}
