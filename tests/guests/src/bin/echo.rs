//! The well-behaved neighbour, with one tool for each thing that a result, an error or a call can be.

use std::time::Duration;

use hubcap_sdk::bindings::plugin::hubcap::plugin::tool_types::{
    EmbeddedResource, ResourceBody, ResourceLink,
};
use hubcap_sdk::bindings::plugin::hubcap::plugin::types::Blob;
use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::subscribe_duration;
use hubcap_sdk::{Code, Content, Error, Output, Tool, json, log, progress};
use test_guests::{Value, answer, number, text, tool};

fn say(arguments: &Value) -> Result<Output, Error> {
    Ok(Output::text(text(arguments, "text")))
}

fn structured(arguments: &Value) -> Result<Output, Error> {
    Output::structured(&json!({ "n": number(arguments, "n"), "twice": number(arguments, "n") * 2 }))
}

fn bad_structured(_: &Value) -> Result<Output, Error> {
    Output::structured(&json!({ "n": "three" }))
}

/// Waits as many milliseconds as the arguments say.
fn rest(arguments: &Value) {
    let time = Duration::from_millis(number(arguments, "ms"));
    subscribe_duration(time.as_nanos() as u64).block();
}

/// Says that it runs, and sleeps.
fn sleep(arguments: &Value) -> Result<Output, Error> {
    progress::report(1.0, None, None);
    rest(arguments);
    Ok(Output::text("slept"))
}

/// Reports each step, and rests after it where the arguments say so.
fn steps(arguments: &Value) -> Result<Output, Error> {
    let steps = number(arguments, "steps");
    for step in 1..=steps {
        progress::report(step as f64, Some(steps as f64), Some(&format!("step {step}")));
        if arguments.get("ms").is_some() {
            rest(arguments);
        }
    }
    answer(steps)
}

fn fail(arguments: &Value) -> Result<Output, Error> {
    let code = match text(arguments, "code") {
        "invalid-arguments" => Code::InvalidArguments,
        "denied" => Code::Denied,
        "unavailable" => Code::Unavailable,
        "rate-limited" => Code::RateLimited,
        "upstream" => Code::Upstream,
        _ => Code::Internal,
    };
    Err(Error::new(code, text(arguments, "message").repeat(number(arguments, "times").max(1) as usize)))
}

fn log_lines(arguments: &Value) -> Result<Output, Error> {
    for line in 0..number(arguments, "lines") {
        log::info(&format!("line {line} of echo"));
    }
    answer(number(arguments, "lines"))
}

fn big(arguments: &Value) -> Result<Output, Error> {
    Ok(Output::text("b".repeat(number(arguments, "bytes") as usize)))
}

fn content(_: &Value) -> Result<Output, Error> {
    let blob =
        |data: &[u8], media_type: &str| Blob { data: data.to_vec(), media_type: media_type.to_owned() };
    let content = vec![
        Content::Text("text".to_owned()),
        Content::Image(blob(b"\x89PNG", "image/png")),
        Content::Audio(blob(b"RIFF", "audio/wav")),
        Content::Link(ResourceLink {
            uri: "https://example.org/a".to_owned(),
            name: "a".to_owned(),
            media_type: Some("text/plain".to_owned()),
        }),
        Content::Embedded(EmbeddedResource {
            uri: "note://1".to_owned(),
            media_type: Some("text/plain".to_owned()),
            body: ResourceBody::Text("inside".to_owned()),
        }),
        Content::Embedded(EmbeddedResource {
            uri: "note://2".to_owned(),
            media_type: None,
            body: ResourceBody::Bytes(vec![0, 1, 2]),
        }),
    ];
    Ok(Output { content, structured: None, meta: Vec::new() })
}

fn definitions() -> Vec<Tool> {
    let numbers =
        json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let text =
        json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
    vec![
        Tool::new("say", "Says the text again.", &text).title("Say").pure(),
        Tool::new("structured", "Doubles a number.", &numbers).output_schema(&numbers),
        Tool::new("bad-structured", "Breaks its own promise.", &json!({ "type": "object" }))
            .output_schema(&numbers),
        tool("sleep"),
        tool("progress"),
        tool("fail"),
        tool("log"),
        tool("big"),
        tool("content"),
    ]
}

test_guests::tools! {
    definitions: definitions();
    "say" => say,
    "structured" => structured,
    "bad-structured" => bad_structured,
    "sleep" => sleep,
    "progress" => steps,
    "fail" => fail,
    "log" => log_lines,
    "big" => big,
    "content" => content,
}
