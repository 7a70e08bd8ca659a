//! Describes its tools as no plugin may. The operator's configuration says which fault it shows, or
//! that it goes just as far as it may.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use hubcap_sdk::{Context, Error, Output, Plugin, Tool, Tools, json};
use test_guests::{Value, tool};

/// Text with characters that hide something, each of another kind.
const HIDING: &str = "a\u{1b}[31mred\u{202e}\u{200b}\u{e0041}\0z";

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

fn with_text(title: &str, description: &str) -> Vec<Tool> {
    let schema =
        json!({ "type": "object", "properties": { "a": { "type": "string", "description": description } } });
    vec![Tool::new("t", "A tool.", &schema).title(title)]
}

/// Another number in each store.
fn number() -> u64 {
    RandomState::new().hash_one(0)
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({ "type": "object" }), |inner, _| {
        let mut outer = json!({ "type": "object" });
        outer["not"] = inner;
        outer
    })
}

fn definitions(case: &str) -> Vec<Tool> {
    match case {
        "tools-64" => (0..64).map(|n| tool(&format!("t{n}"))).collect(),
        "tools-10000" => (0..10_000).map(|n| tool(&format!("t{n}"))).collect(),
        "changing-text" => with_description(format!("Does {:x}.", number())),
        "changing-names" => vec![tool(&format!("t{:x}", number()))],
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
        "description-2049" => with_description("d".repeat(2_049)),
        "control-title" => with_text(HIDING, "A parameter."),
        "control-parameter" => with_text("A title", HIDING),
        "control-enum" => with_schema(json!({ "type": "object", "enum": [HIDING] })),
        "control-default" => with_schema(json!({ "type": "object", "default": { "a": HIDING } })),
        "control-property" => with_schema(json!({ "type": "object", "properties": { HIDING: {} } })),
        "control-description" => with_description(HIDING.to_owned()),
        "null-schema" => with_schema(Value::Null),
        "true-schema" => with_schema(json!(true)),
        "empty-schema" => with_schema(json!({})),
        "deepest-schema" => with_schema(nested(500)),
        "schema-of-5-mib" => with_schema(json!({ "type": "object", "title": "s".repeat(5 << 20) })),
        "schema-of-100000" => with_schema(json!({ "type": "object", "allOf": vec![json!({}); 100_000] })),
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
