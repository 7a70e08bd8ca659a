//! `x-mcp-header`: a parameter with it is sent as an HTTP header too, where MCP goes over HTTP.
//!
//! Invariant: what passes is what every client has to take: a token, once, on a single value that only
//! `properties` lead to. A client that must refuse a tool would do so long after its operator looked at it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::text;

/// The keyword.
const KEY: &str = "x-mcp-header";
/// Types of single values.
const SINGLE: [&str; 4] = ["string", "number", "integer", "boolean"];
/// Keywords whose value is data and no schema.
const DATA: [&str; 5] = ["const", "default", "enum", "examples", KEY];

/// Checks all headers of a tool's input schema.
///
/// # Errors
/// What is wrong with one, in words.
pub(crate) fn check(schema: &Map<String, Value>) -> Result<(), String> {
    schema_object(schema, true, &mut BTreeSet::new())
}

fn schema_object(
    schema: &Map<String, Value>,
    is_reached: bool,
    names: &mut BTreeSet<String>,
) -> Result<(), String> {
    if let Some(header) = schema.get(KEY) {
        one(header, schema.get("type"), is_reached, names)?;
    }
    for (key, value) in schema.iter().filter(|(key, _)| !DATA.contains(&key.as_str())) {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let mut schemas = properties.values().filter_map(Value::as_object);
                schemas.try_for_each(|schema| schema_object(schema, is_reached, names))?;
            }
            (_, value) => unreached(value, names)?,
        }
    }
    Ok(())
}

fn unreached(value: &Value, names: &mut BTreeSet<String>) -> Result<(), String> {
    match value {
        Value::Object(schema) => schema_object(schema, false, names),
        Value::Array(items) => items.iter().try_for_each(|item| unreached(item, names)),
        _ => Ok(()),
    }
}

fn one(
    header: &Value,
    kind: Option<&Value>,
    is_reached: bool,
    names: &mut BTreeSet<String>,
) -> Result<(), String> {
    let name = header.as_str().filter(|name| is_token(name));
    let shown = || text::truncate(&header.to_string(), 100).to_owned();
    let name = name.ok_or_else(|| format!("has a `{KEY}` that is no header name: {}", shown()))?;
    if !is_reached {
        return Err(format!("has a `{KEY}` {} where not only `properties` lead to", shown()));
    }
    if !kind.and_then(Value::as_str).is_some_and(|kind| SINGLE.contains(&kind)) {
        return Err(format!("has a `{KEY}` {} on what is no single value", shown()));
    }
    if !names.insert(name.to_ascii_lowercase()) {
        return Err(format!("has the `{KEY}` {} twice", shown()));
    }
    Ok(())
}

/// Whether it is a token of RFC 9110.
fn is_token(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    fn checked(property: Value) -> Result<(), String> {
        check(json!({ "type": "object", "properties": { "a": property } }).as_object().unwrap())
    }

    #[test]
    fn a_header_name_on_a_single_value_is_taken() {
        for kind in ["string", "number", "integer", "boolean"] {
            assert_eq!(checked(json!({ "type": kind, "x-mcp-header": "Region-1" })), Ok(()));
        }
        let inner =
            json!({ "type": "object", "properties": { "b": { "type": "string", "x-mcp-header": "B" } } });
        assert_eq!(checked(inner), Ok(()));
        // A parameter of that name, and data that looks like it.
        assert_eq!(checked(json!({ "properties": { "x-mcp-header": { "type": "string" } } })), Ok(()));
        assert_eq!(checked(json!({ "const": { "x-mcp-header": "\r\n" } })), Ok(()));
    }

    #[test]
    fn what_is_no_header_name_is_refused() {
        for name in [json!(""), json!("a b"), json!("a\r\nEvil: 1"), json!("é"), json!("a:"), json!(7)] {
            let error = checked(json!({ "type": "string", "x-mcp-header": name })).unwrap_err();
            assert!(error.contains("no header name"), "{error}");
        }
    }

    #[test]
    fn a_header_stands_once_and_only_where_properties_lead() {
        for kind in [json!("object"), json!("array"), json!(["string", "null"]), Value::Null] {
            let error = checked(json!({ "type": kind, "x-mcp-header": "A" })).unwrap_err();
            assert!(error.contains("no single value"), "{error}");
        }
        let header = |name: &str| json!({ "type": "string", "x-mcp-header": name });
        let twice = json!({ "properties": { "b": header("Same"), "c": header("SAME") } });
        assert!(checked(twice).unwrap_err().contains("twice"));
        for keyword in ["items", "additionalProperties", "not"] {
            let error = checked(json!({ keyword: header("A") })).unwrap_err();
            assert!(error.contains("not only `properties`"), "{error}");
        }
        assert!(checked(json!({ "anyOf": [header("A")] })).is_err());
    }
}
