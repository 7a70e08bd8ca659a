//! Tool definitions: what a plugin says of its tools, and arguments that are checked against that.

use hubcap::error::Code;
use hubcap::fuzzing::{Definition, check_arguments, tools};
use hubcap::model::PluginId;
use hubcap::plugin::LoadedTool;
use serde_json::{Map, Value};

use crate::text::is_clean;

/// A definition as JSON, with arguments; what is no such object is the text of a schema.
pub(crate) fn run(data: &[u8]) {
    let text = crate::lossy(data);
    let plugin = PluginId::new("fuzz").unwrap();
    let (given, arguments) = match serde_json::from_str(&text) {
        Ok(Value::Object(written)) if written.contains_key("input") => definition(&written),
        _ => (of_schema(&text), Value::Object(Map::new())),
    };
    let Ok(defined) = tools(&plugin, vec![given.clone()]) else { return };
    let [tool] = defined.as_slice() else { panic!("{} tools of one", defined.len()) };
    accepted(tool);
    again(&plugin, &given, tool);
    checked(tool, &arguments);
}

fn of_schema(schema: &str) -> Definition {
    Definition {
        name: "x".into(),
        description: "Does something.".into(),
        input_schema: schema.to_owned(),
        ..Definition::default()
    }
}

fn definition(written: &Map<String, Value>) -> (Definition, Value) {
    let text = |key: &str| written.get(key).and_then(Value::as_str).map(str::to_owned);
    // A schema may stand there as it is, or as a text, which then need not be JSON.
    let schema = |key: &str| match written.get(key)? {
        Value::String(text) => Some(text.clone()),
        schema => Some(schema.to_string()),
    };
    let given = Definition {
        name: text("name").unwrap_or_else(|| "x".into()),
        title: text("title"),
        description: text("description").unwrap_or_else(|| "Does something.".into()),
        input_schema: schema("input").unwrap_or_default(),
        output_schema: schema("output"),
    };
    (given, written.get("arguments").cloned().unwrap_or_default())
}

fn accepted(tool: &LoadedTool) {
    let tool = &tool.tool;
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    assert!(tool.name.len() <= 51 && tool.name.starts_with("fuzz_") && tool.name.bytes().all(in_name));
    assert!((1..=2_048).contains(&tool.description.len()) && is_clean(&tool.description));
    if let Some(title) = &tool.title {
        assert!(title.len() <= 256 && is_clean(title) && !title.contains(['\n', '\r', '\t']), "{title:?}");
    }
    assert_eq!(tool.input_schema.get("type"), Some(&Value::from("object")));
    for schema in [Some(&tool.input_schema), tool.output_schema.as_ref()].into_iter().flatten() {
        assert!(strings(&Value::Object((**schema).clone())).iter().all(|string| is_clean(string)));
    }
}

/// All keys and strings in a value.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(string) => vec![string],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(key, value)| [vec![key.as_str()], strings(value)].concat()).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What was cleaned once is taken as it is.
fn again(plugin: &PluginId, given: &Definition, tool: &LoadedTool) {
    let cleaned = Definition {
        name: given.name.clone(),
        title: tool.tool.title.clone(),
        description: tool.tool.description.clone(),
        input_schema: Value::Object((*tool.tool.input_schema).clone()).to_string(),
        output_schema: tool.tool.output_schema.as_ref().map(|s| Value::Object((**s).clone()).to_string()),
    };
    // Written out, a schema can be longer than its author wrote it.
    let longest = cleaned.output_schema.iter().chain([&cleaned.input_schema]).map(String::len).max();
    if longest <= Some(32 << 10) {
        let again = tools(plugin, vec![cleaned]).map(|mut tools| tools.remove(0).tool);
        assert_eq!(again.as_ref(), Ok(&tool.tool));
    }
}

fn checked(tool: &LoadedTool, arguments: &Value) {
    let Err(error) = check_arguments(tool, arguments) else { return };
    assert!(matches!(error.code, Code::InvalidArguments | Code::Limit), "{error}");
    assert!(!error.message().is_empty() && error.message().chars().count() <= 10_000);
    assert!(is_clean(error.message()), "{error:?}");
}
