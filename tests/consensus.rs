//! The bundled plugin that asks several models one question, with the scripted provider of the examples under
//! several ids.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::guests::root;
use crate::support::home::{Home, finish};
use crate::support::message::{assert_failed, receipt, text};

/// The id of the scripted provider, and others of the same length, so that they fit in its place.
const SCRIPTED: &str = "scripted-provider";
const ONE: &str = "scripted-one-0001";
const TWO: &str = "scripted-two-0002";
const BAD: &str = "scripted-bad-0003";

const CONFIG: &str = r#"
[plugins.consensus.grant.hub]
providers = ["scripted-one-0001", "scripted-two-0002", "scripted-bad-0003", "slow-provider"]

[plugins.consensus.config]
providers = ["scripted-one-0001", "scripted-two-0002/large", "scripted-bad-0003"]

[plugins.scripted-one-0001.config]
answers = [
    { when = "JSON Schema", text = "```json\n{\"city\": \"Paris\", \"people\": 2000000}\n```" },
    { when = "one of these", text = "**Paris**" },
    { when = "capital", text = "The capital of France is Paris." },
]

[plugins.scripted-two-0002.config]
models = ["small", "large"]
answers = [
    { when = "JSON Schema", text = "{\"people\": 2.1e6, \"city\": \"Paris\"}" },
    { when = "one of these", text = "Lyon" },
    { when = "capital", text = "Surely Lyon." },
]

[plugins.scripted-bad-0003.config]
answers = [{ when = "", text = "out of order", fail = true }]
"#;

/// A home with three providers, two of which answer, and the plugin that asks them.
fn home() -> Home {
    let home = Home::new().config(CONFIG).guest("slow-provider");
    let mut build = Command::new(env!("CARGO_BIN_EXE_hubcap"));
    build.args(["plugin", "build"]).arg(root().join("plugins/consensus"));
    build.arg(root().join("examples").join(SCRIPTED)).arg("--out").arg(home.plugins());
    let built = finish(&mut build, b"");
    assert_eq!(built.code, Some(0), "{}{}", built.stdout, built.stderr);
    let scripted = home.plugins().join(SCRIPTED).with_extension("wasm");
    let bytes = fs::read(&scripted).unwrap();
    fs::remove_file(scripted).unwrap();
    let home = [ONE, TWO, BAD]
        .into_iter()
        .fold(home, |home, id| home.file(&format!("{id}.wasm"), &with_id(&bytes, id)));
    home.accept("consensus")
}

/// The plugin with another id in its manifest.
fn with_id(bytes: &[u8], id: &str) -> Vec<u8> {
    let (old, new) = (format!("id = \"{SCRIPTED}\""), format!("id = \"{id}\""));
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).unwrap();
    [&bytes[..at], new.as_bytes(), &bytes[at + new.len()..]].concat()
}

fn ask(home: &Home, more: Value) -> Value {
    let mut arguments = json!({ "question": "What is the capital of France?" });
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let called = home.run(&["call", "consensus_ask", &arguments.to_string(), "--json"]);
    serde_json::from_str(&called.stdout).unwrap_or_else(|error| panic!("{error}: {}", called.stderr))
}

#[test]
fn two_answer_one_fails_and_the_result_says_who_agrees_and_what_each_one_cost() {
    let home = home();
    let result = ask(&home, json!({}));
    let found = &result["structuredContent"];
    assert_eq!(found["answer"], "The capital of France is Paris.", "{result:#}");
    assert_eq!(
        (&found["agreement"]["value"], &found["agreement"]["method"]),
        (&json!(0.5), &json!("clusters"))
    );
    assert_eq!(found["dissent"], format!("{TWO}/large says \"Surely Lyon.\""));
    assert_eq!(found["counts"], json!({ "asked": 3, "answered": 2, "failed": 1, "late": 0, "quorum": 2 }));
    let providers = found["providers"].as_array().unwrap();
    let cost = json!({ "input_tokens": 6, "output_tokens": 2, "microusd": 0 });
    assert_eq!((&providers[1]["model"], &providers[1]["cost"]), (&json!("large"), &cost));
    assert_eq!(
        (&providers[2]["state"], &providers[2]["error"]),
        (&json!("failed"), &json!("upstream: out of order"))
    );
    let callees = &receipt(&result)["callees"];
    assert_eq!((&callees["calls"], &callees["failed"]), (&json!(3), &json!(1)));
    // The same answers have the same result.
    assert_eq!(ask(&home, json!({}))["structuredContent"], *found);
}

#[test]
fn choices_are_voted_on_and_data_is_compared_field_by_field() {
    let home = home();
    let result = ask(&home, json!({ "choices": ["Lyon", "Paris"] }));
    let found = &result["structuredContent"];
    // As many votes for each: the one who was named first counts.
    assert_eq!((&found["answer"], &found["agreement"]["value"]), (&json!("Paris"), &json!(0.5)));
    assert!(
        found["dissent"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{TWO}/large chooses \"Lyon\"; 2 have as many"))
    );
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" }, "people": { "type": "integer" } } });
    let result = ask(&home, json!({ "schema": schema }));
    let found = &result["structuredContent"];
    assert_eq!(found["answer"], json!({ "city": "Paris", "people": 2_000_000 }), "{result:#}");
    assert_eq!(found["agreement"]["fields"], json!({ "city": 1.0, "people": 0.5 }));
    assert!(found["dissent"].as_str().unwrap().contains("`people`: scripted-two-0002/large says 2100000"));
}

#[test]
fn whoever_is_late_is_left_behind_and_costs_the_others_nothing() {
    let home = home();
    let started = Instant::now();
    let result =
        ask(&home, json!({ "providers": [ONE, "slow-provider"], "quorum": 1, "deadline_seconds": 1 }));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    let found = &result["structuredContent"];
    assert_eq!(found["counts"], json!({ "asked": 2, "answered": 1, "failed": 0, "late": 1, "quorum": 1 }));
    assert_eq!(
        (&found["providers"][1]["state"], &found["agreement"]["value"]),
        (&json!("late"), &json!(1.0))
    );
    assert_eq!(receipt(&result)["callees"]["failed"], 1, "it was cancelled");
}

#[test]
fn without_a_quorum_there_is_no_answer_and_every_reason_is_told() {
    let home = home();
    let result = ask(&home, json!({ "quorum": 3 }));
    assert_failed(&result, "upstream", "upstream");
    assert_eq!(
        text(&result),
        format!("upstream: 2 of 3 answered, and 3 have to: {BAD}: upstream: out of order")
    );
    let result = ask(&home, json!({ "providers": [ONE, "nobody", "anybody/large"] }));
    assert!(text(&result).contains("`hub.providers = [\"nobody\"]`"), "{}", text(&result));
    assert_failed(&result, "denied", "policy");
    let result = ask(&home, json!({ "providers": [format!("{TWO}/huge")] }));
    assert!(text(&result).contains("has no model \"huge\""), "{}", text(&result));
}
