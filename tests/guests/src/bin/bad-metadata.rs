//! Describes its tools as no plugin may. The operator's configuration says which fault it shows, or
//! that it goes just as far as it may.

use std::sync::OnceLock;

use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools, json};
use test_guests::{Value, tool};

static CASE: OnceLock<String> = OnceLock::new();

struct Guest;

impl Plugin for Guest {
    fn init(config: &str) -> Result<(), Error> {
        let config: Value = serde_json::from_str(config)?;
        CASE.get_or_init(|| test_guests::text(&config, "case").to_owned());
        Ok(())
    }
}

fn with_schema(schema: Value) -> Vec<Tool> {
    vec![Tool::new("t", "A tool.", &schema)]
}

fn with_description(description: String) -> Vec<Tool> {
    vec![Tool::new("t", description, &json!({ "type": "object" }))]
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({ "type": "object" }), |inner, _| json!({ "type": "object", "not": inner }))
}

fn definitions(case: &str) -> Vec<Tool> {
    match case {
        "tools-64" => (0..64).map(|n| tool(&format!("t{n}"))).collect(),
        "tools-65" => (0..65).map(|n| tool(&format!("t{n}"))).collect(),
        "duplicate" => vec![tool("same"), tool("same")],
        "case-duplicate" => vec![tool("same"), tool("Same")],
        "empty-name" => vec![tool("")],
        "space-in-name" => vec![tool("a b")],
        "cyrillic-name" => vec![tool("s\u{0430}y")],
        "zero-width-name" => vec![tool("say\u{200b}")],
        "longest-name" => vec![tool(&"n".repeat(38))],
        "joined-name" => vec![tool(&"n".repeat(40))],
        "long-name" => vec![tool(&"n".repeat(41))],
        "full-description" => with_description("d".repeat(2_048)),
        "long-description" => with_description("d".repeat(1 << 20)),
        "control-description" => with_description("a\u{1b}[31mred\u{202e}\u{e0041}\0z".to_owned()),
        "array-schema" => with_schema(json!([])),
        "string-schema" => with_schema(json!({ "type": "string" })),
        "remote-ref" => with_schema(json!({ "type": "object", "properties":
            { "a": { "$ref": "http://127.0.0.1:9/schema.json" } } })),
        "file-ref" => with_schema(json!({ "type": "object", "properties":
            { "a": { "$ref": "file:///etc/passwd" } } })),
        "shallow-schema" => with_schema(nested(7)),
        "deep-schema" => with_schema(nested(60)),
        "large-schema" => with_schema(json!({ "type": "object", "title": "s".repeat(40_000) })),
        "boolean-schema" => with_schema(json!({ "type": "object", "properties": { "a": true } })),
        "no-regex" => with_schema(json!({ "type": "object", "properties": { "a": { "pattern": "(" } } })),
        _ => vec![tool("t")],
    }
}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        Ok(definitions(CASE.get().map_or("", String::as_str)))
    }

    fn call_tool(_: &str, _: &str, _: Context) -> Result<Output, Error> {
        Ok(Output::text("called"))
    }
}

test_guests::register!(Guest);
