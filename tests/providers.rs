//! The kind `providers`: listed, chosen and called through the hub, with its answer as it comes into
//! being. The provider is the scripted one of the examples.

use serde_json::{Value, json};

use crate::support::guests::root;
use crate::support::home::Home;
use crate::support::message::assert_failed;
use crate::support::server::{Era, Server};

const CONFIG: &str = r#"
[plugins.scripted-provider.config]
models = ["small", "large"]
otherwise = "I do not know."
answers = [
    { when = "capital of France", text = "It is Paris, of course." },
    { when = "bad day", text = "the model is out of order", fail = true },
]
"#;

fn home() -> Home {
    let home = Home::new().config(CONFIG);
    let crate_folder = root().join("examples/scripted-provider");
    let built = std::process::Command::new(env!("CARGO_BIN_EXE_hubcap"))
        .args(["plugin", "build"])
        .arg(crate_folder)
        .arg("--out")
        .arg(home.plugins())
        .output()
        .unwrap();
    // Without its configuration the provider has one model, so it passes the check of the build.
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    home
}

fn ask(server: &mut Server, arguments: Value) -> Value {
    server.call("hubcap_complete", arguments)
}

#[test]
fn a_provider_is_listed_and_brings_the_hubs_own_tool() {
    let home = home();
    assert_eq!(home.plugin("scripted-provider.wasm")["kinds"], json!(["providers"]));
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["hubcap_complete"]);
    server.end();
    let mut without = Home::new().wat("plain").serve();
    assert_eq!(without.tool_names(), ["plain_run"]);
    without.end();
}

#[test]
fn a_completion_has_text_model_usage_and_a_receipt() {
    let mut server = home().serve();
    let result = ask(&mut server, json!({ "prompt": "What is the capital of France?" }));
    assert_eq!(result["content"][0]["text"], "It is Paris, of course.");
    let expected = json!({
        "provider": "scripted-provider", "model": "small", "text": "It is Paris, of course.", "stop": "end",
        "usage": { "input_tokens": 6, "output_tokens": 5, "cost_microusd": 0 },
    });
    assert_eq!(result["structuredContent"], expected);
    assert_eq!(result["_meta"]["hubcap/receipt"]["plugin"], "scripted-provider");
    let result =
        ask(&mut server, json!({ "prompt": "capital of France", "model": "large", "max_output_tokens": 2 }));
    assert_eq!(result["structuredContent"]["model"], "large");
    assert_eq!(
        (&result["structuredContent"]["text"], &result["structuredContent"]["stop"]),
        (&json!("It is"), &json!("length"))
    );
    server.end();
}

#[test]
fn partial_text_arrives_as_progress_before_the_result_in_both_eras() {
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let mut server = home().serve_to(era);
        let params = json!({
            "name": "hubcap_complete",
            "arguments": { "prompt": "capital of France" },
            "_meta": { "progressToken": "tell-me" },
        });
        let answer = server.request("tools/call", params);
        assert_eq!(answer["result"]["content"][0]["text"], "It is Paris, of course.");
        let ended = server.end();
        let result_at = ended.messages.iter().position(|message| message["id"] == answer["id"]).unwrap();
        let pieces: Vec<&str> = ended.messages[..result_at]
            .iter()
            .filter(|message| message["method"] == "notifications/progress")
            .filter_map(|message| message["params"]["message"].as_str())
            .collect();
        assert_eq!(pieces.concat(), "It is Paris, of course.", "{pieces:?}");
    }
}

#[test]
fn what_is_asked_wrongly_is_told_with_what_there_is() {
    let mut server = home().serve();
    let wrong = [
        (json!({ "prompt": "x", "model": "smal" }), "small, large"),
        (
            json!({ "prompt": "x", "provider": "scripted-provider", "model": "smal" }),
            "did you mean \"small\"?",
        ),
        (json!({}), "no message"),
        (json!({ "messages": [{ "role": "robot", "text": "x" }] }), "/messages/0/role"),
    ];
    for (arguments, words) in wrong {
        let result = ask(&mut server, arguments);
        assert_failed(&result, "invalid-arguments", "caller");
        assert!(result["content"][0]["text"].as_str().unwrap().contains(words), "{words:?} in {result:#}");
    }
    let answer = server.request(
        "tools/call",
        json!({ "name": "hubcap_complete", "arguments": { "prompt": "x", "provider": "scripted-provder" } }),
    );
    assert_eq!(answer["error"]["code"], -32602);
    assert!(
        answer["error"]["message"].as_str().unwrap().contains("did you mean \"scripted-provider\"?"),
        "{answer:#}"
    );
    server.end();
}

#[test]
fn a_provider_that_fails_keeps_its_code_and_words() {
    let mut server = home().serve();
    let result = ask(&mut server, json!({ "prompt": "a bad day" }));
    assert_failed(&result, "upstream", "upstream");
    assert!(result["content"][0]["text"].as_str().unwrap().contains("out of order"), "{result:#}");
    server.end();
}
