//! Parts of a Rust text that are exempt: tests, and token trees that are data.
//!
//! Invariant: regions are byte ranges in order, none inside another.

use std::ops::Range;

use crate::language::rust::Code;

/// Macros whose tokens are data or end up in other code, beside those whose names end in `quote`.
const TEMPLATES: [&str; 4] = ["macro_rules", "quote_spanned", "parse_quote_spanned", "stringify"];

/// Attributes of test functions, by the last part of their path.
const TEST_ATTRIBUTES: [&str; 8] =
    ["test", "bench", "rstest", "test_case", "case", "proptest", "quickcheck", "wasm_bindgen_test"];

/// What is compiled only for tests: items with a test attribute, and modules called `tests`.
pub(super) fn tests(code: &Code<'_>) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut next = 0;
    for index in code.items() {
        if index < next {
            continue;
        }
        let Some(item) = test_item(code, index, &mut next) else { continue };
        if code.is(index + 1, b'!') {
            regions.push(code.start(index)..code.text_len());
            return regions;
        }
        let Some(open) = body(code, item, &mut next) else { continue };
        let close = code.partner(open);
        let end = close.map_or(code.text_len(), |close| code.end(close));
        next = close.map_or(code.len(), |close| close + 1);
        regions.push(code.start(index)..end);
    }
    regions
}

/// Where a test item goes on behind the attribute or the `mod` at `index`. Moves `next` behind the attribute.
fn test_item(code: &Code<'_>, index: usize, next: &mut usize) -> Option<usize> {
    let Some((after, inside)) = code.attribute(index) else {
        let module = matches!(code.name(index + 1), Some("tests" | "test"));
        return (code.name(index).is_some() && module).then_some(index);
    };
    *next = after;
    is_test(code, inside).then_some(after)
}

/// The first brace from `item` on that is outside of other brackets, or nothing where the item has no body.
/// Moves `next` to where the search ended.
fn body(code: &Code<'_>, item: usize, next: &mut usize) -> Option<usize> {
    let mut index = item;
    while index < code.len() && !code.is(index, b';') && !code.is(index, b'}') {
        if code.is(index, b'{') {
            return Some(index);
        }
        let skips = code.is(index, b'(') || code.is(index, b'[');
        index = if skips { code.partner(index).unwrap_or(index) + 1 } else { index + 1 };
    }
    *next = index;
    None
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
    let mut next = 0;
    for index in code.calls() {
        let template = index >= next && code.name(index).is_some_and(is_template);
        // `macro_rules! name {`
        let open = index + 2 + usize::from(code.name(index + 2).is_some());
        if template && [b'(', b'[', b'{'].into_iter().any(|mark| code.is(open, mark)) {
            let close = code.partner(open).unwrap_or(code.len());
            regions.push(code.start(open)..code.end(close));
            next = close + 1;
        }
    }
    regions
}

fn is_template(name: &str) -> bool {
    name.ends_with("quote") || TEMPLATES.contains(&name)
}
