use hubcap_sdk::{Artifact, Code, Options, Report, Severity};

use super::{rules, validate};

fn artifact(path: &str, text: &str) -> Artifact {
    Artifact { text: text.to_owned(), path: Some(path.to_owned()), language: None, meta: Vec::new() }
}

fn options(rules: &[&str], min_confidence: f32) -> Options {
    Options { rules: rules.iter().map(|rule| (*rule).to_owned()).collect(), min_confidence, meta: Vec::new() }
}

fn report(path: &str, text: &str) -> Report {
    validate(&artifact(path, text), &options(&[], 0.0)).unwrap()
}

#[test]
fn a_finding_has_its_exact_span_in_bytes() {
    let text = "ä = 1\r\n# ü\r\ndef größe(x):\r\n\traise NotImplementedError('…')\r\n";
    let report = report("a.py", text);
    let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
    let span = finding.span.start as usize..finding.span.end as usize;
    assert_eq!((finding.rule.as_str(), &text[span]), ("stub-throw", "raise NotImplementedError('…')"));
    assert!(finding.severity == Severity::Error && !finding.message.is_empty() && finding.fix.is_none());
}

#[test]
fn a_fix_deletes_the_bare_marker_and_its_line() {
    let text = "let é = 1;\n  // TODO\nb();\n";
    let report = report("a.ts", text);
    let fix = report.findings[0].fix.as_ref().unwrap();
    assert_eq!(fix.replacement, "");
    assert_eq!(&text[fix.span.start as usize..fix.span.end as usize], "  // TODO\n");
}

#[test]
fn a_confidence_that_is_asked_for_is_enough() {
    let text = "def load(path: str) -> dict:\n    pass\n";
    let found = |least| validate(&artifact("a.py", text), &options(&[], least)).unwrap().findings.len();
    assert_eq!((found(0.85), found(0.86)), (1, 0));
}

#[test]
fn only_the_rules_that_are_named_are_applied() {
    let text = "fn f() { todo!() } // TODO: x";
    let report = validate(&artifact("a.rs", text), &options(&["marker-comment"], 0.0)).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].rule, "marker-comment");
}

#[test]
fn an_option_that_means_nothing_is_told_what_to_give() {
    let cases = [
        (options(&["stub-throws"], 0.0), "the nearest is \"stub-throw\""),
        (options(&[], 1.5), "from 0 to 1"),
        (options(&[], f32::NAN), "from 0 to 1"),
    ];
    for (options, words) in cases {
        let error = validate(&artifact("a.py", ""), &options).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArguments);
        assert!(error.message().contains(words), "{}", error.message());
    }
}

#[test]
fn findings_that_do_not_fit_are_counted() {
    let report = report("a.go", &"// TODO: x\n".repeat(1_500));
    assert_eq!(report.findings.len(), 1_000);
    assert_eq!(report.meta, [("findings-left-out".to_owned(), "500".to_owned())]);
}

#[test]
fn the_rules_keep_to_the_contract() {
    let rules = rules();
    assert!(rules.is_sorted_by(|one, two| one.id < two.id));
    for rule in &rules {
        assert!(rule.id.len() <= 64 && rule.description.len() <= 2_048 && !rule.title.contains('\n'));
    }
}
