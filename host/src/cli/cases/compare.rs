//! What came against what had to come: the first difference, in words.
//!
//! Invariant: pure; a difference is a line that says what differs, then a line with `-` for what had to
//! come and one with `+` for what came.

use serde_json::{Number, Value};

use crate::cli::cases::file::{Want, WantedFinding};
use crate::error::{CallError, Code};
use crate::model::{Severity, text};
use crate::toml_file;

/// Characters of a line that are shown.
const SHOWN: usize = 100;
/// Characters that are shown before the first that differs.
const BEFORE: usize = 30;
/// Stands for what was cut.
const CUT: &str = "…";
/// Stands where there is nothing.
const NOTHING: &str = "(nothing)";

/// What a call brought, as far as a case can ask for it.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// All text blocks, joined by newlines.
    pub(super) text: String,
    pub(super) structured: Option<Value>,
    pub(super) findings: Vec<Seen>,
    /// Findings that did not fit into the report.
    pub(super) left_out: u64,
}

/// A finding that came.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) rule: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) severity: Severity,
    pub(super) message: String,
}

/// The first difference, where there is one.
pub(super) fn difference(want: &Want, came: &Result<Came, CallError>) -> Option<String> {
    match (want, came) {
        (Want::Result { text, structured, findings }, Ok(came)) => text
            .as_ref()
            .and_then(|text| of_texts("the text", text, &came.text))
            .or_else(|| {
                structured.as_ref().and_then(|wanted| of_structured(wanted, came.structured.as_ref()))
            })
            .or_else(|| findings.as_ref().and_then(|wanted| of_findings(wanted, came))),
        (Want::Result { .. }, Err(error)) => Some(pair("it failed", "a result", &cut(&error.to_string(), 0))),
        (Want::Error { code, message }, came) => of_errors(*code, message.as_deref(), came),
    }
}

fn pair(what: &str, wanted: &str, came: &str) -> String {
    format!("{what}:\n- {wanted}\n+ {came}")
}

fn of_errors(code: Code, message: Option<&str>, came: &Result<Came, CallError>) -> Option<String> {
    let error = match came {
        Ok(came) => return Some(pair("it did not fail", code.as_str(), &result(came))),
        Err(error) => error,
    };
    let told = || cut(&error.to_string(), 0);
    if error.code != code {
        return Some(pair("it failed in another way", code.as_str(), &told()));
    }
    let part = message.filter(|part| !error.message().contains(part))?;
    Some(pair("the error's text lacks a part", &quoted(part, 0), &told()))
}

/// A result in a few words.
fn result(came: &Came) -> String {
    match &came.structured {
        _ if !came.text.is_empty() => format!("a result: {}", quoted(&came.text, 0)),
        Some(structured) => format!("a result: {}", cut(&structured.to_string(), 0)),
        None if !came.findings.is_empty() => format!("a result: {}", described(&came.findings[0])),
        None => "a result with nothing in it".into(),
    }
}

/// The first line that differs.
fn of_texts(what: &str, wanted: &str, came: &str) -> Option<String> {
    if wanted == came {
        return None;
    }
    let (mut left, mut right) = (wanted.split('\n'), came.split('\n'));
    let mut number = 0;
    // Two texts that differ do so in a line, or one has more of them.
    let (left, right) = loop {
        number += 1;
        match (left.next(), right.next()) {
            (Some(left), Some(right)) if left == right => {}
            lines => break lines,
        }
    };
    let several = wanted.contains('\n') || came.contains('\n');
    let place = if several { format!(" in line {number}") } else { String::new() };
    let at = common(left.unwrap_or_default(), right.unwrap_or_default());
    let shown =
        |line: Option<&str>| line.map_or_else(|| "(no more lines)".to_owned(), |line| quoted(line, at));
    Some(pair(&format!("{what} differs{place}"), &shown(left), &shown(right)))
}

/// Characters that both have at the start.
fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

fn of_structured(wanted: &Value, came: Option<&Value>) -> Option<String> {
    match came {
        Some(came) => of_values(wanted, came, ""),
        None => Some(pair("there is no structured result", &cut(&wanted.to_string(), 0), NOTHING)),
    }
}

/// The first place where two values differ, as a JSON Pointer.
fn of_values(wanted: &Value, came: &Value, pointer: &str) -> Option<String> {
    let what = if pointer.is_empty() {
        "the structured result".to_owned()
    } else {
        format!("structured at {}", cut(pointer, 0))
    };
    match (wanted, came) {
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().find_map(|name| {
                let inner = toml_file::pointer(pointer, name);
                of_members(left.get(name), right.get(name), &inner)
            })
        }
        (Value::Array(left), Value::Array(right)) => (0..left.len().max(right.len()))
            .find_map(|at| of_members(left.get(at), right.get(at), &format!("{pointer}/{at}"))),
        (Value::String(left), Value::String(right)) => of_texts(&what, left, right),
        (Value::Number(left), Value::Number(right)) if is_same(left, right) => None,
        (left, right) if left == right => None,
        (left, right) => {
            let (left, right) = (left.to_string(), right.to_string());
            let at = common(&left, &right);
            Some(pair(&format!("{what} differs"), &cut(&left, at), &cut(&right, at)))
        }
    }
}

/// Whether two numbers are one: JSON knows no difference between 1 and 1.0.
fn is_same(left: &Number, right: &Number) -> bool {
    left == right || ((left.is_f64() || right.is_f64()) && left.as_f64() == right.as_f64())
}

fn of_members(wanted: Option<&Value>, came: Option<&Value>, pointer: &str) -> Option<String> {
    let shown =
        |value: Option<&Value>| value.map_or_else(|| NOTHING.to_owned(), |value| cut(&value.to_string(), 0));
    match (wanted, came) {
        (Some(wanted), Some(came)) => of_values(wanted, came, pointer),
        (None, None) => None,
        (wanted, came) => {
            let what = if came.is_none() { "is missing" } else { "is too much" };
            Some(pair(&format!("structured at {} {what}", cut(pointer, 0)), &shown(wanted), &shown(came)))
        }
    }
}

fn of_findings(wanted: &[WantedFinding], came: &Came) -> Option<String> {
    let different = (0..wanted.len().max(came.findings.len())).find_map(|at| {
        let number = at + 1;
        match (wanted.get(at), came.findings.get(at)) {
            (Some(wanted), Some(seen)) => {
                let (key, wanted) = of_finding(wanted, seen)?;
                Some(pair(&format!("finding {number} has another {key}"), &wanted, &described(seen)))
            }
            (Some(wanted), None) => {
                Some(pair(&format!("finding {number} did not come"), &asked(wanted), NOTHING))
            }
            (None, Some(seen)) => {
                Some(pair(&format!("finding {number} is too much"), NOTHING, &described(seen)))
            }
            (None, None) => None,
        }
    });
    different.or_else(|| {
        let more = format!("{} more that did not fit into the report", came.left_out);
        (came.left_out > 0).then(|| pair("there are more findings", NOTHING, &more))
    })
}

/// The first key in which a finding differs, and what it had to be.
fn of_finding(wanted: &WantedFinding, seen: &Seen) -> Option<(&'static str, String)> {
    let keys = [
        ("rule", wanted.rule.as_ref().is_some_and(|rule| *rule != seen.rule)),
        ("line", wanted.line.is_some_and(|line| line.get() != seen.line)),
        ("column", wanted.column.is_some_and(|column| column.get() != seen.column)),
        ("severity", wanted.severity.is_some_and(|severity| severity != seen.severity)),
        ("message", wanted.message.as_ref().is_some_and(|part| !seen.message.contains(part))),
    ];
    keys.into_iter().find(|(_, differs)| *differs).map(|(key, _)| (key, asked(wanted)))
}

/// What is asked of a finding, in a line.
fn asked(wanted: &WantedFinding) -> String {
    let parts = [
        wanted.rule.as_ref().map(|rule| format!("rule {}", cut(rule, 0))),
        wanted.line.map(|line| format!("line {line}")),
        wanted.column.map(|column| format!("column {column}")),
        wanted.severity.map(|severity| format!("severity {}", severity.as_str())),
        wanted.message.as_ref().map(|part| format!("message with {}", quoted(part, 0))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "any finding".into() } else { parts.join(", ") }
}

fn described(seen: &Seen) -> String {
    let Seen { rule, line, column, severity, message } = seen;
    format!("rule {rule}, line {line}, column {column}, severity {}: {}", severity.as_str(), cut(message, 0))
}

/// A text in quotes, cut around a character.
fn quoted(shown: &str, at: usize) -> String {
    let (before, part, after) = part(shown, at);
    format!("{before}{part:?}{after}")
}

/// A text in a line, cut around a character.
fn cut(shown: &str, at: usize) -> String {
    let (before, part, after) = part(shown, at);
    format!("{before}{}{after}", text::one_line(part))
}

/// The part that is shown, and what stands for the rest.
fn part(shown: &str, at: usize) -> (&'static str, &str, &'static str) {
    let offset = |nth: usize| shown.char_indices().nth(nth).map_or(shown.len(), |(offset, _)| offset);
    let first = if at > SHOWN - BEFORE { at - BEFORE } else { 0 };
    let (start, end) = (offset(first), offset(first + SHOWN));
    let ends = |whole: bool| if whole { "" } else { CUT };
    (ends(start == 0), &shown[start..end], ends(end == shown.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Came, Seen, difference};
    use crate::cli::cases::file::{Want, WantedFinding};
    use crate::error::{Blame, CallError, Code};
    use crate::model::Severity;

    fn texts(wanted: &str, came: &str) -> Option<String> {
        let want = Want::Result { text: Some(wanted.into()), structured: None, findings: None };
        difference(&want, &Ok(Came { text: came.into(), ..Came::default() }))
    }

    fn values(wanted: Value, came: Value) -> Option<String> {
        let want = Want::Result { text: None, structured: Some(wanted), findings: None };
        difference(&want, &Ok(Came { structured: Some(came), ..Came::default() }))
    }

    #[track_caller]
    fn differs(found: Option<String>, expected: &str) {
        assert_eq!(found.as_deref(), Some(expected));
    }

    #[test]
    fn of_two_texts_the_first_line_that_differs_is_shown() {
        assert_eq!(texts("a\nb", "a\nb"), None);
        differs(texts("Ada", "Eve"), "the text differs:\n- \"Ada\"\n+ \"Eve\"");
        differs(texts("a\nb\nc", "a\nx\ny"), "the text differs in line 2:\n- \"b\"\n+ \"x\"");
        differs(texts("a\nb", "a"), "the text differs in line 2:\n- \"b\"\n+ (no more lines)");
        differs(texts("a", "a\n"), "the text differs in line 2:\n- (no more lines)\n+ \"\"");
        differs(texts("a", "a\r\u{202e} "), "the text differs:\n- \"a\"\n+ \"a\\r\\u{202e} \"");
    }

    #[test]
    fn a_long_line_is_cut_around_the_difference() {
        let long = |end: &str| format!("{}{end}{}", "é".repeat(500), "z".repeat(500));
        let found = texts(&long("one"), &long("two")).unwrap();
        let lines: Vec<&str> = found.lines().collect();
        assert!(lines[1].starts_with(&format!("- …\"{}one", "é".repeat(30))), "{}", lines[1]);
        assert!(lines[2].starts_with(&format!("+ …\"{}two", "é".repeat(30))), "{}", lines[2]);
        assert!(lines.iter().all(|line| line.chars().count() < 110), "{found}");
    }

    #[test]
    fn of_two_values_the_place_that_differs_is_named() {
        assert_eq!(values(json!({ "a": [1, 2.0] }), json!({ "a": [1.0, 2] })), None);
        differs(
            values(json!({ "a": { "b/c": 1 } }), json!({ "a": { "b/c": 2 } })),
            "structured at /a/b~1c differs:\n- 1\n+ 2",
        );
        differs(values(json!({ "a": 1 }), json!({})), "structured at /a is missing:\n- 1\n+ (nothing)");
        differs(values(json!([1]), json!([1, null])), "structured at /1 is too much:\n- (nothing)\n+ null");
        differs(
            values(json!({ "a": "x" }), json!({ "a": "y" })),
            "structured at /a differs:\n- \"x\"\n+ \"y\"",
        );
        differs(values(json!(1), json!("1")), "the structured result differs:\n- 1\n+ \"1\"");
        let large = 9_007_199_254_740_993_i64;
        assert!(values(json!(large), json!(large - 1)).is_some());
        assert!(values(json!(u64::MAX), json!(u64::MAX - 1)).is_some());
        let want = Want::Result { text: None, structured: Some(json!(1)), findings: None };
        differs(difference(&want, &Ok(Came::default())), "there is no structured result:\n- 1\n+ (nothing)");
    }

    fn seen(line: usize) -> Seen {
        Seen {
            rule: "long-line".into(),
            line,
            column: 1,
            severity: Severity::Note,
            message: "break it".into(),
        }
    }

    fn findings(wanted: Vec<WantedFinding>, came: Vec<Seen>) -> Option<String> {
        let want = Want::Result { text: None, structured: None, findings: Some(wanted) };
        difference(&want, &Ok(Came { findings: came, ..Came::default() }))
    }

    #[test]
    fn of_findings_only_the_given_keys_count_and_the_first_that_differs_is_told() {
        let any = WantedFinding::default;
        let line = |line: usize| WantedFinding { line: line.try_into().ok(), ..any() };
        assert_eq!(findings(vec![], vec![]), None);
        assert_eq!(findings(vec![any(), line(2)], vec![seen(1), seen(2)]), None);
        let shown = "rule long-line, line 2, column 1, severity note: break it";
        differs(
            findings(vec![line(3)], vec![seen(2)]),
            &format!("finding 1 has another line:\n- line 3\n+ {shown}"),
        );
        let rule = WantedFinding { rule: Some("other".into()), line: 2.try_into().ok(), ..any() };
        differs(
            findings(vec![rule], vec![seen(2)]),
            &format!("finding 1 has another rule:\n- rule other, line 2\n+ {shown}"),
        );
        let column = WantedFinding { column: 2.try_into().ok(), ..any() };
        assert!(findings(vec![column], vec![seen(2)]).unwrap().starts_with("finding 1 has another column:"));
        let severity = WantedFinding { severity: Some(Severity::Error), ..any() };
        assert!(
            findings(vec![severity], vec![seen(2)])
                .unwrap()
                .contains("another severity:\n- severity error\n")
        );
        let message = |part: &str| WantedFinding { message: Some(part.into()), ..any() };
        assert_eq!(findings(vec![message("break")], vec![seen(2)]), None);
        assert!(
            findings(vec![message("mend")], vec![seen(2)]).unwrap().contains("- message with \"mend\"\n")
        );
        differs(findings(vec![any()], vec![]), "finding 1 did not come:\n- any finding\n+ (nothing)");
        differs(findings(vec![], vec![seen(2)]), &format!("finding 1 is too much:\n- (nothing)\n+ {shown}"));
        let want = Want::Result { text: None, structured: None, findings: Some(Vec::new()) };
        let more = difference(&want, &Ok(Came { left_out: 3, ..Came::default() })).unwrap();
        assert!(more.ends_with("+ 3 more that did not fit into the report"), "{more}");
    }

    #[test]
    fn a_failure_that_was_not_wanted_and_one_that_did_not_come_are_told() {
        let failed = |code| Err(CallError::new(code, Blame::Plugin, "no name\ngiven"));
        let text = Want::Result { text: Some(String::new()), structured: None, findings: None };
        differs(difference(&text, &failed(Code::Trap)), "it failed:\n- a result\n+ trap: no name\\ngiven");
        let error = |message: Option<&str>| Want::Error {
            code: Code::InvalidArguments,
            message: message.map(Into::into),
        };
        assert_eq!(difference(&error(Some("name")), &failed(Code::InvalidArguments)), None);
        assert_eq!(difference(&error(None), &failed(Code::InvalidArguments)), None);
        differs(
            difference(&error(None), &failed(Code::Trap)),
            "it failed in another way:\n- invalid-arguments\n+ trap: no name\\ngiven",
        );
        differs(
            difference(&error(Some("times")), &failed(Code::InvalidArguments)),
            "the error's text lacks a part:\n- \"times\"\n+ invalid-arguments: no name\\ngiven",
        );
        let came = Came { text: "Hi".into(), ..Came::default() };
        differs(
            difference(&error(None), &Ok(came)),
            "it did not fail:\n- invalid-arguments\n+ a result: \"Hi\"",
        );
        let empty = difference(&error(None), &Ok(Came::default())).unwrap();
        assert!(empty.ends_with("+ a result with nothing in it"), "{empty}");
    }
}
