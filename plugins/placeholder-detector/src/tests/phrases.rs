use std::collections::HashSet;

use super::{CLASSES, Comments, PHRASES, Surroundings};
use crate::language::read;
use crate::rules::Selection;

fn found(language: &str, text: &str, tested: bool) -> Vec<(&'static str, u8)> {
    let reading = read(Some(language), None, text);
    let whole: Vec<_> = std::iter::once(0..text.len()).collect();
    let tests = if tested { whole.as_slice() } else { &[] };
    let around = Surroundings { text, tests, rules: Selection::ALL };
    let report = Comments::new().check(&reading.lexed, &around);
    report.found.iter().map(|found| (found.rule.rule().name, found.confidence.0)).collect()
}

fn one(comment: &str) -> Option<&'static str> {
    let found = found("typescript", &format!("a();\n{comment}\nb();\n"), false);
    assert!(found.len() < 2, "{comment}: {found:?}");
    found.first().map(|found| found.0)
}

#[test]
fn what_models_write_in_the_place_of_code_fires() {
    let cases = [
        "// ... rest of the code remains unchanged ...",
        "// ...remaining code here",
        "// rest of the file",
        "// Rest of the code remains the same",
        "// the rest of your component stays the same as before",
        "// ... existing code ...",
        "// ... existing imports",
        "// existing code here",
        "// … other methods",
        "// (rest of methods ...)",
        "// unchanged code ...",
        "// ... (keep the previous code) ...",
        "/* (... keep the previous code ...) */",
        "{/* ... (keep existing JSX) */}",
        "  {/* ... (other form fields remain unchanged) ... */}",
        "{/* Rest of the code remains the same */}",
        "{/* Previous imports remain unchanged */}",
        "// ...",
        "/* ... */",
        "// …",
        "// --snip--",
        "/* ... unchanged ... */",
        "// Previous code remains unchanged",
        "// Implementation omitted for brevity",
        "// Error handling omitted for the sake of brevity.",
        "// ... and so on",
        "// ... same for the other fields",
        "// KEEP the rest of the functions",
        "// rest   of\tthe:code...",
    ];
    for comment in cases {
        assert_eq!(one(comment), Some("elided-code"), "{comment}");
    }
}

#[test]
fn what_says_that_code_is_not_real_fires() {
    let cases = [
        "// implement me",
        "// Implement me!",
        "// your code here",
        "// Your code goes here...",
        "// In a real implementation, this would call the API",
        "// In a real-world application we'd use a queue",
        "// in production, this should come from a vault",
        "// For now this is a placeholder",
        "// For now, just return an empty list",
        "// For now, this is a simplified version that ignores discounts.",
        "// This is just a placeholder",
        "// Placeholder implementation",
        "// simplified for brevity",
        "// Simplified implementation",
        "// add more here as needed",
        "// Add more fields as needed",
        "// this would normally hit the database",
        "// Normally, you would check the token",
        "// mock implementation",
        "// Mock response",
        "// Simulate API call",
        "// insert your logic here",
        "// The actual implementation would go here",
        "// logic goes here",
        "// Not implemented yet",
        "// to be implemented",
        "// placeholder",
        "// Fill in the details",
        "// Replace this with your actual key",
        "// left as an exercise for the reader",
        "// will be implemented later",
    ];
    for comment in cases {
        assert_eq!(one(comment), Some("placeholder-comment"), "{comment}");
    }
}

#[test]
fn sound_comments_do_not_fire() {
    let cases = [
        "// The rest of the code assumes that x is positive",
        "// Skips the rest of the line",
        "// must not touch\n// the rest of the file",
        "// the rest of the file\n// is read by the caller",
        "// The rest of the arguments are passed on.",
        "// existing code paths call this twice",
        "// Returns the existing file",
        "// unchanged",
        "// same as before",
        "// Other fields are optional",
        "// implement Iterator for it",
        "// to be implemented by each backend",
        "// Now the real work starts",
        "// in production builds assertions are off",
        "// uses the mock implementation of the clock",
        "// for now and ever",
        "// add more capacity if the buffer is full",
        "// placeholder text of the input field",
        "// Replace variables with the actual values",
        "// header\n// ...\n// footer",
        "foo(/* ... */);",
        "x(); // ...",
        "// const { a, ...rest } = props",
        "// ../existing/code",
        "// Code: existing. Here we go",
        "// The phrase \"rest of the code unchanged\" is quoted",
        "// `implement me` is quoted",
        "\"// ... existing code ...\"",
        "// a/b ... c",
        "//",
    ];
    for comment in cases {
        assert_eq!(one(comment), None, "{comment}");
    }
}

#[test]
fn documentation_fires_less_and_its_examples_never() {
    assert_eq!(
        found("rust", "/// This is a placeholder implementation.", false),
        [("placeholder-comment", 60)]
    );
    assert_eq!(found("rust", "/// ... existing code ...", false), [("elided-code", 80)]);
    assert_eq!(found("rust", "/// Fields omitted for brevity are the default.", false), []);
    assert_eq!(found("rust", "/// ```\n/// // your code here\n/// ```", false), []);
    assert_eq!(found("rust", "/// ...", false), []);
}

#[test]
fn doubles_belong_to_tests() {
    for comment in ["// mock implementation", "// for now a dummy", "// simulate network latency"] {
        assert_eq!(found("go", comment, false).len(), 1, "{comment}");
        assert_eq!(found("go", comment, true), [], "{comment}");
    }
    assert_eq!(found("go", "// your code here", true).len(), 1);
}

#[test]
fn a_marker_hides_what_says_the_same_and_not_an_elision() {
    assert_eq!(found("go", "// TODO: implement me", false), [("marker-comment", 95)]);
    let rules: Vec<_> =
        found("go", "// TODO: ... rest of the code", false).into_iter().map(|found| found.0).collect();
    assert!(rules.contains(&"marker-comment"), "{rules:?}");
}

#[test]
fn every_class_in_a_phrase_is_known_and_every_phrase_is_there_once() {
    let mut seen = HashSet::new();
    for phrase in PHRASES {
        assert!(seen.insert(phrase.pattern), "{} twice", phrase.pattern);
        for part in phrase.pattern.split([' ', '|', '_']).map(|part| part.trim_end_matches('?')) {
            let class = part.bytes().all(|byte| byte.is_ascii_uppercase()) && !part.is_empty();
            assert!(!class || CLASSES.iter().any(|(name, _)| *name == part), "{part} in {}", phrase.pattern);
        }
    }
}
