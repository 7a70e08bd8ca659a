//! What the name of a function or a class lets expect.
//!
//! Invariant: names are taken apart alike in `snake_case` and in `camelCase`.

/// Verbs of functions that are there for what they return or bring about. Verbs of hooks, such as `on`, `handle`
/// or `setup`, are left out: those may well do nothing.
const VERBS: [&str; 61] = [
    "get",
    "fetch",
    "load",
    "read",
    "compute",
    "calculate",
    "calc",
    "find",
    "parse",
    "build",
    "create",
    "make",
    "generate",
    "convert",
    "transform",
    "validate",
    "verify",
    "is",
    "has",
    "extract",
    "encode",
    "decode",
    "serialize",
    "deserialize",
    "search",
    "filter",
    "merge",
    "predict",
    "evaluate",
    "estimate",
    "query",
    "lookup",
    "resolve",
    "retrieve",
    "count",
    "sum",
    "normalize",
    "tokenize",
    "authenticate",
    "authorize",
    "encrypt",
    "decrypt",
    "hash",
    "process",
    "save",
    "send",
    "store",
    "delete",
    "upload",
    "download",
    "train",
    "sort",
    "solve",
    "format",
    "can",
    "should",
    "analyze",
    "analyse",
    "summarize",
    "classify",
    "aggregate",
];

/// Words in the names of test doubles and of what does nothing on purpose.
const DOUBLES: [&str; 10] =
    ["mock", "fake", "dummy", "stub", "noop", "null", "test", "tests", "mocked", "spy"];

/// Words in the names of classes that others derive from.
const BASES: [&str; 6] = ["base", "abstract", "interface", "protocol", "mixin", "abc"];

/// Whether a function of that name is expected to do something.
pub(super) fn promises(name: &str) -> bool {
    words(name).next().is_some_and(|word| is_one_of(word, &VERBS))
}

/// Whether the name says that this only stands in for something.
pub(super) fn is_double(name: &str) -> bool {
    let mut all = words(name);
    let first = all.next();
    first.is_some_and(|word| is_one_of(word, &DOUBLES))
        || all.last().is_some_and(|word| is_one_of(word, &DOUBLES))
}

/// Whether the name says that others derive from this class.
pub(super) fn is_base(name: &str) -> bool {
    let mut all = words(name);
    let first = all.next();
    first.is_some_and(|word| is_one_of(word, &BASES))
        || all.last().is_some_and(|word| is_one_of(word, &BASES))
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// The words of a name.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['_', '$', '#']).flat_map(humps).filter(|word| !word.is_empty())
}

/// `parseURLNow` is `parse`, `URL`, `Now`.
fn humps(part: &str) -> impl Iterator<Item = &str> {
    let mut rest = part;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let upper = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_uppercase);
        let lower =
            |index: usize| bytes.get(index).is_some_and(|byte| byte.is_ascii_lowercase() || *byte > 127);
        let ends = |index: &usize| upper(*index) && (lower(index - 1) || lower(index + 1));
        let end = (1..bytes.len()).find(ends).unwrap_or(bytes.len());
        let word;
        (word, rest) = rest.split_at(end);
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_base, is_double, promises, words};

    #[test]
    fn names_are_taken_apart_in_both_styles() {
        assert_eq!(words("parseURLNow").collect::<Vec<_>>(), ["parse", "URL", "Now"]);
        assert_eq!(words("__get_user2").collect::<Vec<_>>(), ["get", "user2"]);
        assert_eq!(words("größeÄndern$x").count(), 2);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn the_first_word_promises_and_hooks_do_not() {
        assert!(promises("computeTotal") && promises("_is_valid") && promises("hash"));
        assert!(!promises("onLoad") && !promises("getter") && !promises("island") && !promises("setup_get"));
        assert!(is_double("FakeClock") && is_double("noop") && is_double("NullSink") && !is_double("latest"));
        assert!(is_base("BaseModel") && is_base("_Base") && is_base("ReaderABC") && !is_base("Database"));
    }
}
