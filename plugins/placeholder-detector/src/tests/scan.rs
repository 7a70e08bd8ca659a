use std::time::{Duration, Instant};

use super::{Scanner, Source, is_test_path};
use crate::rules::{RuleId, Selection};

fn found(language: &str, text: &str) -> Vec<(&'static str, String)> {
    let scanner = Scanner::new(Selection::ALL, 0.0);
    let found = scanner.scan(&Source { text, path: None, language: Some(language) });
    found.into_iter().map(|found| (found.rule.rule().name, text[found.start..found.end].to_owned())).collect()
}

#[test]
fn comments_fire_in_every_language_and_strings_in_none() {
    let cases = [
        ("rust", "// TODO: a\nlet s = \"// TODO: b\";"),
        ("rust", "let s = r#\"\n// FIXME: b\n\"#; /* TODO: a"),
        ("python", "s = '# TODO: b'  # TODO: a"),
        ("typescript", "const s = `// TODO: b`; // TODO: a"),
        ("go", "s := `TODO: b` // TODO: a"),
        ("html", "<p>TODO: b</p><!-- TODO: a -->"),
        ("css", "a::after { content: '/* TODO: b */' } /* TODO: a */"),
        ("sql", "select '-- TODO: b' -- TODO: a"),
        ("yaml", "a: '# TODO: b' # TODO: a"),
        ("toml", "a = '''\n# TODO: b''' # TODO: a"),
        ("shell", "echo '# TODO: b' # TODO: a"),
    ];
    for (language, text) in cases {
        assert_eq!(found(language, text), [("marker-comment", "TODO".to_owned())], "{language}: {text}");
    }
}

#[test]
fn markdown_and_plain_text_fire_only_where_it_is_plain() {
    let cases: &[(&str, &str, usize)] = &[
        ("markdown", "TODO: write this\n", 1),
        ("markdown", "- [ ] TODO(ann): write this\n", 1),
        ("markdown", "# TODO\n\nA TODO is a note, see TODO: no\n", 0),
        ("markdown", "```rust\n// TODO: no\n// ... existing code ...\n```\n", 0),
        ("markdown", "<!-- TODO: a -->", 1),
        ("markdown", "[... rest of the document unchanged ...]", 1),
        ("markdown", "(rest of the document remains the same)", 1),
        ("markdown", "The rest of the document remains the same.", 0),
        ("markdown", "`TODO: no` and implement me", 0),
        ("text", "  ;; TODO: in some language\n", 1),
        ("text", "// ... existing code ...\n", 1),
        ("text", "TODO: x\n", 1),
        ("text", "todo: x\nyour code here\n", 0),
        ("text", "", 0),
    ];
    for (language, text, expected) in cases {
        assert_eq!(found(language, text).len(), *expected, "{language}: {text}");
    }
}

#[test]
fn findings_come_by_position_then_by_rule_and_on_character_boundaries() {
    let text = "fn é(ü: u8) -> bool { /* TODO: ä */ true }\r\n// ... rest of the code…\r\nfn f() { todo!() }";
    let names: Vec<_> = found("rust", text).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(names, ["stub-body", "marker-comment", "elided-code", "stub-macro"]);
}

#[test]
fn dots_alone_on_a_line_are_code_left_out_but_in_macro_definitions() {
    for (language, text) in [("rust", "fn f() {\n    a();\n    ...\n}"), ("go", "func f() {\n\t...\n}")] {
        assert_eq!(found(language, text), [("elided-code", "...".to_owned())], "{language}");
    }
    assert_eq!(found("rust", "macro_rules! m { ($a {\n...\n}) => {} }\nquote! { {\n...\n} }"), []);
    assert_eq!(found("python", "def f():\n    ..."), []);
    assert_eq!(found("yaml", "a: b\n...\n"), []);
}

#[test]
fn rules_and_confidence_choose_and_evidence_does_not_depend_on_them() {
    let text = "fn f() { /* TODO: a */ }\n// HACK around it\n\n// implement me, TODO: later";
    let names = |rules: &[RuleId], min| -> Vec<_> {
        let scanner = Scanner::new(Selection::of(rules), min);
        let found = scanner.scan(&Source { text, path: None, language: Some("rust") });
        found.into_iter().map(|found| found.rule.rule().name).collect()
    };
    assert_eq!(names(&[RuleId::StubBody], 0.0), ["stub-body"]);
    // A marker hides the placeholder on its line only where the marker is wanted.
    assert_eq!(names(&[RuleId::PlaceholderComment], 0.0), ["placeholder-comment"]);
    assert_eq!(names(&[RuleId::MarkerComment, RuleId::PlaceholderComment], 0.0), ["marker-comment"; 3]);
    assert_eq!(names(&[RuleId::MarkerComment], 0.9), ["marker-comment"]);
    assert_eq!(names(&[], 1.0), [""; 0]);
}

#[test]
fn the_path_of_a_test_is_known_by_folder_or_name() {
    for path in ["tests/a.rs", "a/Tests/b.py", "src/x_test.go", "x.spec.ts", "test_x.py", r"src\foo\tests.rs"]
    {
        assert!(is_test_path(Some(path)), "{path}");
    }
    for path in ["src/a.rs", "src/latest.rs", "contests/a.rs", "attest.py", ""] {
        assert!(!is_test_path(Some(path)), "{path}");
    }
}

#[test]
fn a_long_row_of_anything_takes_linear_time() {
    let pieces = [
        "/*",
        "*/",
        "//",
        "// ",
        "TODO ",
        "TODO",
        "// TODO: x\n",
        "//TODO(",
        "\"",
        "'",
        "r#\"",
        "r#",
        "#\"",
        "'a",
        "\u{feff}",
        "{",
        "}",
        "(",
        "(}",
        "[",
        "fn f(",
        "fn f(){}",
        "fn a<",
        "fn a(x:u8){}",
        "#[",
        "#![",
        "#[test]",
        "#[cfg(test)]",
        "#![a]",
        "mod tests{",
        "macro_rules!a{",
        "quote!{",
        "todo!(",
        "panic!(",
        "panic!(\"not implemented\")",
        "// rest of the code ",
        "rest of the ",
        "// `",
        "...",
        "...\n",
        "/*...*/",
        "/*...*/\n",
        "// ...\n",
        "…",
        "let _ = x;",
        "pub(crate) ",
        "```\n",
        "/// ```\n",
        "<!--",
        " ",
        "\n",
        "é",
        "implement implement ",
        "for now a ",
        "Ok(",
        "fn f(x:u8){Ok(",
        "a.",
        "don't ",
    ];
    let scanner = Scanner::new(Selection::ALL, 0.0);
    for piece in pieces {
        let text = piece.repeat((1 << 18) / piece.len());
        for language in ["rust", "typescript", "markdown", "text"] {
            for text in [text.clone(), format!("// {text}")] {
                let start = Instant::now();
                scanner.scan(&Source { text: &text, path: None, language: Some(language) });
                // Some 100 ms without optimisation; what is not linear takes minutes.
                let took = start.elapsed();
                assert!(took < Duration::from_secs(4), "{language}: {piece:?} took {took:?}");
            }
        }
    }
}

#[test]
fn a_mebibyte_of_nested_comments_or_markers_takes_less_than_a_few_seconds() {
    let scanner = Scanner::new(Selection::ALL, 0.0);
    for (piece, language) in [("/*", "rust"), ("/*", "kotlin"), ("TODO ", "text"), ("// TODO: x\n", "rust")] {
        let text = piece.repeat((1 << 20) / piece.len());
        let start = Instant::now();
        scanner.scan(&Source { text: &text, path: None, language: Some(language) });
        assert!(start.elapsed() < Duration::from_secs(8), "{language}: {piece:?} took {:?}", start.elapsed());
    }
}

#[test]
fn nested_brackets_of_a_mebibyte_take_linear_time() {
    let scanner = Scanner::new(Selection::ALL, 0.0);
    for (open, close) in [
        ("#![", "]"),
        ("#[", "]"),
        ("fn a(", ")"),
        ("fn a(", ") {}"),
        ("Ok(", ")"),
        ("quote!{", "}"),
        ("/*", "*/"),
    ] {
        let half = (1 << 20) / (open.len() + close.len());
        let text = format!("fn x(y: u8) {{ {}{} }}", open.repeat(half), close.repeat(half));
        let start = Instant::now();
        scanner.scan(&Source { text: &text, path: None, language: Some("rust") });
        assert!(start.elapsed() < Duration::from_secs(8), "{open} took {:?}", start.elapsed());
    }
}
