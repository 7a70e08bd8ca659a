//! The examples in `corpus/`: what must fire, and what must not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::finding::Found;
use crate::rules::{RULES, Selection};
use crate::scan::{Scanner, Source};

const LANGUAGES: [&str; 4] = ["javascript", "python", "rust", "typescript"];

/// What is repeated for a long text.
const PIECES: [&str; 73] = [
    "(",
    "[",
    "{",
    "{[(",
    "<a>",
    "<a>{",
    "<a b=\"",
    "<a b='",
    "<a b={<a>",
    "</a>",
    "<>",
    "=><a>",
    "=> {",
    "`${",
    "`",
    "/",
    "x = /",
    "() => {} ",
    "f() {}\n",
    "f(): T {}\n",
    "f(a): A<B<C>> {",
    "class A {",
    "class A extends B {",
    "class A extends ",
    "class ",
    "throw ",
    "throw new Error(\"not implemented\");",
    "throw new a.",
    "reject(",
    "describe(\"a\", () => {",
    "describe(",
    "createContext<",
    "function ",
    "function f(",
    "function f(a): ",
    "<",
    ">",
    "a as ",
    "return null as ",
    "f(){return null}\n",
    "return {} as a;",
    "def f(): pass\n",
    "def f(",
    "def f(x) -> int: ...\n",
    "@a\n",
    "@abstractmethod\n",
    "class A(B):\n ",
    "class A(A): pass\n",
    "\\\n",
    "a:\n",
    "raise NotImplementedError\n",
    "raise NotImplementedError(",
    "def f():\n raise NotImplementedError\n",
    " ",
    "\t",
    "\n",
    "\"",
    "'''",
    "\"a\"\n",
    " \"a\"\n",
    ";",
    "pass;",
    "-> ",
    "async ",
    "# TODO\n",
    "// TODO\n",
    "/* TODO */ ",
    "é",
    "é = ",
    "...",
    "x.y.",
    ",",
    ":",
];

struct Example {
    /// What stands behind `===`, cut at `|`.
    head: Vec<String>,
    text: String,
}

fn examples(folder: &str, language: &str) -> Vec<Example> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder).join(format!("{language}.txt"));
    let file = fs::read_to_string(&path).unwrap();
    let parts = file.strip_prefix("=== ").unwrap().split("\n=== ");
    let example = |part: &str| {
        let (head, text) = part.split_once('\n').unwrap();
        Example {
            head: head.split(" | ").map(str::to_owned).collect(),
            text: text.trim_end().to_owned() + "\n",
        }
    };
    parts.map(example).collect()
}

fn scanner() -> Scanner {
    Scanner::new(Selection::ALL, 0.0)
}

fn scan(path: &str, text: &str) -> Vec<Found> {
    scanner().scan(&Source { text, path: Some(path), language: None })
}

fn fires(example: &Example, text: &str) -> bool {
    let [rule, path, span] = example.head.as_slice() else { panic!("{:?}", example.head) };
    scan(path, text)
        .iter()
        .any(|found| found.rule.rule().name == rule && text[found.start..].starts_with(span))
}

/// With other ends of lines and a mark at the start, it is the same code.
fn variants(text: &str) -> [String; 3] {
    [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")]
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are for people, with `--nocapture`")]
fn recall_of_each_rule_is_as_it_should_be() {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for example in LANGUAGES.iter().flat_map(|language| examples("fires", language)) {
        let count = counts.entry(example.head[0].clone()).or_default();
        count.1 += 1;
        if variants(&example.text).iter().all(|text| fires(&example, text)) {
            count.0 += 1;
        } else {
            missed.push(example.head.join(" | "));
        }
    }
    for (rule, (found, all)) in &counts {
        println!("recall {rule}: {found} of {all}, {:.0} %", 100.0 * *found as f64 / *all as f64);
    }
    for head in &missed {
        println!("missed: {head}");
    }
    assert!(counts.values().map(|count| count.1).sum::<usize>() >= 40);
    assert_eq!(counts.len(), RULES.len(), "a rule has no example: {counts:?}");
    // Known: a function whose type stands at its name.
    assert_eq!(missed, ["stub-body | src/typed.ts | load: Load = async (path) => {}"]);
}

#[test]
fn sound_code_is_silent() {
    let mut count = 0;
    for example in LANGUAGES.iter().flat_map(|language| examples("silent", language)) {
        count += 1;
        for text in variants(&example.text) {
            let found: Vec<_> = scan(&example.head[0], &text)
                .iter()
                .map(|found| (found.rule.rule().name, text[found.start..found.end].to_owned()))
                .collect();
            assert_eq!(found, [], "{}:\n{text}", example.head[0]);
        }
    }
    assert!(count >= 40, "{count}");
}

/// What is not linear takes minutes here, and what recurses ends the test.
#[test]
fn a_long_row_of_anything_is_scanned_in_linear_time_and_without_recursion() {
    let scanner = scanner();
    for language in ["python", "tsx"] {
        for piece in PIECES {
            let text = piece.repeat((1 << 17) / piece.len());
            for text in [text.clone(), format!("def f():\n {text}"), format!("x = <a>{text}</a>")] {
                let start = std::time::Instant::now();
                scanner.scan(&Source { text: &text, path: None, language: Some(language) });
                let took = start.elapsed();
                assert!(took < std::time::Duration::from_secs(2), "{language}: {piece:?} took {took:?}");
            }
        }
    }
}

#[test]
fn a_mebibyte_of_ordinary_code_is_scanned_with_every_stub_in_it() {
    let python = "def f_ü(x: int) -> int:\r\n\treturn g(x)  # é\r\n\r\n";
    let script = "export function f_ü(x: number): string {\r\n\treturn `${g(x)}`; // é\r\n}\r\n";
    for (path, piece, stub) in [
        ("a.py", python, "def load(x: int) -> int:\r\n\tpass\r\n"),
        ("a.ts", script, "function load(x: number): string {}\r\n"),
        ("a.tsx", script, "function load(x: number): string {}\r\n"),
    ] {
        let half = piece.repeat((1 << 19) / piece.len());
        let text = format!("{half}{stub}{half}{stub}");
        let found = scan(path, &text);
        assert_eq!(found.len(), 2, "{path}");
        assert!(found.iter().all(|found| stub.starts_with(text[found.start..found.end].trim())), "{path}");
    }
}

#[test]
fn blocks_and_elements_that_nest_deeply_are_read_to_the_end() {
    let mut python: String = (0..1_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    python += &format!("{}raise NotImplementedError\ndef f() -> int:\n    pass\n", " ".repeat(1_000));
    let brackets =
        format!("x = {}{};\nfunction load(a): User {{}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let elements = format!(
        "const x = {}{};\nfunction load(a): User {{}}\n",
        "<a>{".repeat(50_000),
        "}</a>".repeat(50_000)
    );
    let templates =
        format!("x = {}{};\nfunction load(a): User {{}}\n", "`${".repeat(50_000), "}`".repeat(50_000));
    assert_eq!(scan("a.py", &python).len(), 2);
    for (path, text) in [("a.ts", brackets), ("a.tsx", elements), ("a.js", templates)] {
        let found = scan(path, &text);
        assert_eq!(found.len(), 1, "{path}");
        assert!(text[found[0].start..].starts_with("function load"), "{path}");
    }
}

/// Cut off anywhere, code is still scanned, and spans stay on character boundaries.
#[test]
fn every_example_can_break_off_anywhere() {
    let scanner = scanner();
    for language in LANGUAGES {
        for example in examples("fires", language).iter().chain(&examples("silent", language)) {
            let path =
                format!("cut.{}", example.head[example.head.len().min(2) - 1].rsplit('.').next().unwrap());
            for (end, _) in example.text.char_indices() {
                for text in [&example.text[..end], &example.text[end..]] {
                    for found in scanner.scan(&Source { text, path: Some(&path), language: None }) {
                        assert!(!text[found.start..found.end].is_empty(), "{path}: {text}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_comment_behind_a_body_says_nothing_about_it() {
    let stubs = |path: &str, text: &str| -> Vec<_> {
        scan(path, text)
            .iter()
            .map(|found| found.rule.rule().name)
            .filter(|rule| rule.starts_with("stub"))
            .collect()
    };
    for (path, text) in [
        ("a.py", "def quiet():\n    pass\n\n# TODO: the rest\ndef other():\n    run()\n"),
        ("a.py", "class A:\n    def quiet(self): pass\n    # TODO: the rest\n    x = 1\n"),
        ("a.js", "function quiet() {}\n// TODO: the rest\n"),
        ("a.js", "const quiet = () => null\n// TODO: the rest\nrun();\n"),
    ] {
        assert_eq!(stubs(path, text), [""; 0], "{text}");
    }
    for (path, text) in [
        ("a.py", "def loud(): pass  # TODO: write\n"),
        ("a.py", "def loud():\n    pass\n    # TODO: write\n"),
        ("a.js", "const loud = () => /* TODO: write */ null\n"),
    ] {
        assert_eq!(stubs(path, text), ["stub-body"], "{text}");
    }
}
