//! Parts of a Rust text that are exempt: tests, and token trees that are data.
//!
//! Invariant: regions are byte ranges in order, none inside another.

use std::ops::Range;

use crate::language::rust::Code;

/// Macros whose tokens are data or end up in other code.
const TEMPLATES: [&str; 8] = [
    "macro_rules",
    "quote",
    "quote_spanned",
    "parse_quote",
    "parse_quote_spanned",
    "stringify",
    "concat",
    "format_ident",
];

/// Attributes of test functions, by the last part of their path.
const TEST_ATTRIBUTES: [&str; 8] =
    ["test", "bench", "rstest", "test_case", "case", "proptest", "quickcheck", "wasm_bindgen_test"];

/// What is compiled only for tests: items with a test attribute, and modules called `tests`.
pub(crate) fn tests(code: &Code<'_>) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut pending = false;
    let mut index = 0;
    while index < code.len() {
        if let Some((next, inside)) = code.attribute(index) {
            let test = is_test(code, inside);
            if test && code.is(index + 1, b'!') {
                regions.push(code.start(index)..code.text_len());
                return regions;
            }
            pending |= test;
            index = next;
            continue;
        }
        pending |= code.name(index) == Some("mod") && matches!(code.name(index + 1), Some("tests" | "test"));
        if pending {
            index = after_test_token(code, index, &mut pending, &mut regions);
        } else {
            index += 1;
        }
    }
    regions
}

/// One token of a test item. Its body is the first pair of braces outside of other brackets.
fn after_test_token(
    code: &Code<'_>,
    index: usize,
    pending: &mut bool,
    regions: &mut Vec<Range<usize>>,
) -> usize {
    if code.is(index, b'{') {
        *pending = false;
        let close = code.partner(index);
        regions.push(code.start(index)..close.map_or(code.text_len(), |close| code.end(close)));
        return close.map_or(code.len(), |close| close + 1);
    }
    if code.is(index, b';') || code.is(index, b'}') {
        *pending = false;
    }
    if code.is(index, b'(') || code.is(index, b'[') {
        return code.partner(index).unwrap_or(index) + 1;
    }
    index + 1
}

/// `test`, `tokio::test`, `cfg(test)`, `cfg(all(test, unix))`, but not `cfg(not(test))`.
fn is_test(code: &Code<'_>, inside: Range<usize>) -> bool {
    let path_end = inside.clone().find(|index| !(code.name(*index).is_some() || code.is(*index, b':')));
    let last = path_end.unwrap_or(inside.end).saturating_sub(1);
    if code.name(last) == Some("cfg") {
        let negated = inside.clone().any(|index| code.name(index) == Some("not"));
        return !negated && inside.clone().any(|index| code.name(index) == Some("test"));
    }
    last >= inside.start && code.name(last).is_some_and(|name| TEST_ATTRIBUTES.contains(&name))
}

/// Macro definitions and quoted token trees.
pub(super) fn templates(code: &Code<'_>) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut index = 0;
    while index < code.len() {
        match template_body(code, index) {
            Some(open) => {
                let close = code.partner(open).unwrap_or(code.len());
                regions.push(code.start(open)..code.end(close));
                index = close + 1;
            }
            None => index += 1,
        }
    }
    regions
}

/// The bracket that opens the body of a macro definition or a quoted tree that starts at `index`.
fn template_body(code: &Code<'_>, index: usize) -> Option<usize> {
    let name = code.name(index)?;
    let is_open = |index: usize| [b'(', b'[', b'{'].into_iter().any(|mark| code.is(index, mark));
    if TEMPLATES.contains(&name) && code.is(index + 1, b'!') {
        let named = usize::from(code.name(index + 2).is_some());
        return Some(index + 2 + named).filter(|open| is_open(*open));
    }
    // `macro name($x:expr) { … }`
    if name != "macro" || code.name(index + 1).is_none() {
        return None;
    }
    let open = index + 2;
    let body = code.partner(open).filter(|_| code.is(open, b'(')).map_or(open, |close| close + 1);
    code.is(body, b'{').then_some(body)
}

/// Both lists as one, in order.
pub(super) fn merge(one: &[Range<usize>], two: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all: Vec<_> = one.iter().chain(two).cloned().collect();
    all.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut outer: Vec<Range<usize>> = Vec::new();
    for range in all {
        if outer.last().is_none_or(|last| last.end < range.end) {
            outer.push(range);
        }
    }
    outer
}

/// Whether an offset lies in one of the regions.
pub(super) fn covers(regions: &[Range<usize>], offset: usize) -> bool {
    let after = regions.partition_point(|range| range.start <= offset);
    after > 0 && regions[after - 1].contains(&offset)
}
