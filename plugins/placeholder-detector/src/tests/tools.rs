use std::cell::RefCell;

use hubcap_sdk::{Code, Content, Output};
use serde_json::{Value, json};

use super::{call, list};

fn scan(arguments: &Value) -> (Value, String) {
    output(call("scan", &arguments.to_string(), &|_, _, _| {}).unwrap())
}

fn output(output: Output) -> (Value, String) {
    let [Content::Text(text)] = output.content.as_slice() else { panic!("one text block") };
    (serde_json::from_str(&output.structured.unwrap()).unwrap(), text.clone())
}

#[test]
fn a_finding_has_all_that_its_schema_says() {
    let (data, text) = scan(&json!({ "text": "let é = 1; // TODO: x\n", "path": "src/a.rs" }));
    let finding = &data["findings"][0];
    assert_eq!(finding["path"], "src/a.rs");
    assert_eq!(finding["rule"], "marker-comment");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["confidence"], 0.95);
    assert_eq!(finding["span"], json!({ "start": 15, "end": 19 }));
    assert_eq!((&finding["line"], &finding["column"]), (&json!(1), &json!(15)));
    assert_eq!(finding["excerpt"], "let é = 1; // TODO: x");
    let summary = json!({
        "files": 1, "lines": 1, "findings": 1, "by_rule": { "marker-comment": 1 }, "truncated": false
    });
    assert_eq!(data["summary"], summary);
    assert!(
        text.starts_with("1 finding in 1 file (1 line)\nsrc/a.rs:1:15 warning marker-comment A TODO"),
        "{text}"
    );
}

#[test]
fn files_are_counted_together_and_reported_one_by_one() {
    let seen = RefCell::new(Vec::new());
    let files = json!({ "files": [
        { "path": "a.py", "text": "# FIXME: x\n" },
        { "path": "b", "text": "fn f() { todo!() }", "language": "rust" },
        { "path": "empty.rs", "text": "" },
    ] });
    let progress =
        |done: usize, total: usize, path: &str| seen.borrow_mut().push((done, total, path.to_owned()));
    let (data, text) = output(call("scan", &files.to_string(), &progress).unwrap());
    assert_eq!(data["summary"]["files"], 3);
    assert_eq!(data["summary"]["by_rule"], json!({ "marker-comment": 1, "stub-macro": 1 }));
    assert!(text.contains("\nb:1:10 error stub-macro"), "{text}");
    let expected = [(1, 3, "a.py".to_owned()), (2, 3, "b".to_owned()), (3, 3, "empty.rs".to_owned())];
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn too_many_findings_are_counted_and_cut() {
    let (data, text) = scan(&json!({ "text": "// TODO: x\n".repeat(5_000), "language": "go" }));
    assert_eq!(data["findings"].as_array().unwrap().len(), 1_000);
    assert_eq!(data["summary"]["findings"], 5_000);
    assert_eq!(data["summary"]["by_rule"]["marker-comment"], 5_000);
    assert_eq!(data["summary"]["truncated"], true);
    assert!(text.contains("and 4950 more; only the first 1000"), "{text}");
    let (data, _) = scan(&json!({ "text": "// TODO: x\n".repeat(1_000), "language": "go" }));
    assert_eq!(data["summary"]["truncated"], false);
}

#[test]
fn the_largest_answer_fits_into_a_result() {
    let line = format!("// TODO: {}\n", "\"\\𝄞\u{1}".repeat(200));
    let path = "\"".repeat(1_024);
    let arguments = json!({ "files": [{ "path": path, "text": line.repeat(1_000), "language": "go" }] });
    let output = call("scan", &arguments.to_string(), &|_, _, _| {}).unwrap();
    let text: usize =
        output.content.iter().map(|block| if let Content::Text(text) = block { text.len() } else { 0 }).sum();
    let data = output.structured.unwrap();
    assert!(data.len() + text < 1 << 20, "{} + {text}", data.len());
    let data: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["summary"]["truncated"], true);
}

#[test]
fn the_rules_are_listed() {
    let (data, text) = output(call("rules", "{}", &|_, _, _| {}).unwrap());
    let ids: Vec<_> =
        data["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    let expected = [
        "elided-code",
        "marker-comment",
        "placeholder-comment",
        "stub-body",
        "stub-macro",
        "stub-panic",
        "stub-throw",
    ];
    assert_eq!(ids, expected);
    assert_eq!(text.lines().count(), 7);
}

#[test]
fn an_unknown_tool_is_refused() {
    let error = call("scn", "{}", &|_, _, _| {}).unwrap_err();
    assert_eq!(error.code(), Code::UnknownTool);
}

#[test]
fn the_definitions_keep_to_what_clients_and_the_host_take() {
    for tool in list() {
        assert!((1..=2_048).contains(&tool.description.len()), "{}", tool.name);
        assert!(tool.title.is_some() && tool.annotations.read_only == Some(true));
        let input: Value = serde_json::from_str(&tool.input_schema).unwrap();
        assert_eq!(input["type"], "object");
        for keyword in ["oneOf", "anyOf", "allOf", "not", "if", "$ref"] {
            assert!(input.get(keyword).is_none(), "{} has {keyword} at its root", tool.name);
        }
        let output: Value = serde_json::from_str(&tool.output_schema.unwrap()).unwrap();
        assert_eq!(output["type"], "object");
    }
}
