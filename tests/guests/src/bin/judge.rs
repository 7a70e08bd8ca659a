//! A validator that judges words: `bad` is an error, `odd` a warning with a fix, `hm` a note that it is
//! not sure of. Other words make it do what no validator should.

use std::time::Duration;

use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::subscribe_duration;
use hubcap_sdk::{
    Artifact, Context, Error, Finding, Fix, Options, Plugin, Report, Rule, Severity, Span, Validators,
};

struct Judge;

impl Plugin for Judge {}

impl Validators for Judge {
    fn rules() -> Result<Vec<Rule>, Error> {
        Ok(vec![
            rule("odd", "Odd words", Severity::Warning),
            rule("bad", "Bad words", Severity::Error),
            rule("hm", "Words to think about", Severity::Note),
        ])
    }

    fn validate(artifact: Artifact, _options: Options, _context: Context) -> Result<Report, Error> {
        let text = &artifact.text;
        let findings = words(text).flat_map(|(at, word)| judged(at, word, text)).collect();
        Ok(Report { findings, meta: Vec::new() })
    }
}

fn rule(id: &str, title: &str, severity: Severity) -> Rule {
    let description = format!("Finds the word `{id}`.");
    Rule { id: id.to_owned(), title: title.to_owned(), description, severity, meta: Vec::new() }
}

/// The words of a text with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn judged(at: usize, word: &str, text: &str) -> Vec<Finding> {
    let span = Span { start: at as u32, end: (at + word.len()) as u32 };
    let end = text.len() as u32;
    match word {
        "bad" => vec![finding("bad", Severity::Error, span)],
        "odd" => {
            let fix = Some(Fix { span, replacement: "even".to_owned() });
            vec![Finding { fix, ..finding("odd", Severity::Warning, span) }]
        }
        "hm" => vec![Finding { confidence: 0.25, ..finding("hm", Severity::Note, span) }],
        "rest" => vec![finding("bad", Severity::Error, Span { start: span.start, end })],
        "lie" => vec![finding("bad", Severity::Error, Span { start: end, end: end + 1 })],
        "strange" => vec![finding("strange", Severity::Error, span)],
        "crash" => panic!("the word is crash"),
        "wait" => {
            subscribe_duration(Duration::from_secs(25).as_nanos() as u64).block();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn finding(rule: &str, severity: Severity, span: Span) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        message: format!("the word is {rule}"),
        span,
        confidence: 1.0,
        fix: None,
        meta: Vec::new(),
    }
}

hubcap_sdk::export!(Judge: validators);

// The type is only used where the program is WebAssembly; this line names it elsewhere.
fn main() {
    let _ = Judge;
}
