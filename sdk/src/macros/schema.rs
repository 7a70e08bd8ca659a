//! Schemas of arguments and results: JSON Schema 2020-12 without what only takes an agent's attention.
//!
//! Invariant: the root of an input schema is a plain object, because clients drop tools where it is not.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use super::arguments::Arguments;
use crate::{Annotations, Error, Tool};

/// Keywords that clients do not take at the root of an input schema.
const NOT_AT_THE_ROOT: [&str; 7] = ["$ref", "oneOf", "anyOf", "allOf", "not", "if", "enum"];
/// Keywords that already say what other members the root may have.
const OTHER_MEMBERS: [&str; 3] = ["additionalProperties", "patternProperties", "unevaluatedProperties"];

/// A tool whose arguments are read as `T`.
///
/// # Errors
/// Where `T` is no object with fields.
pub fn define<T: Arguments>(
    name: &str,
    title: Option<&str>,
    description: &str,
    annotations: Annotations,
    output: Option<Value>,
) -> Result<Tool, Error> {
    let mut input = root::<T>(SchemaSettings::draft2020_12().for_deserialize());
    close(name, &mut input)?;
    let mut tool = Tool::new(name, description, &Value::Object(input));
    tool.title = title.map(str::to_owned);
    tool.annotations = annotations;
    tool.output_schema = output.map(|schema| schema.to_string());
    Ok(tool)
}

/// The schema of a result, where it is always an object.
pub(super) fn of_result<T: JsonSchema>() -> Option<Value> {
    let schema = root::<T>(SchemaSettings::draft2020_12().for_serialize());
    is_object(&schema).then_some(Value::Object(schema))
}

fn root<T: JsonSchema>(settings: SchemaSettings) -> Map<String, Value> {
    let settings = settings.with(|settings| {
        settings.meta_schema = None;
        // References only where a type holds itself: not every client follows them.
        settings.inline_subschemas = true;
    });
    let schema = settings
        .with_transform(RecursiveTransform(plain_integer))
        .into_generator()
        .into_root_schema_for::<T>();
    let mut root = match schema.to_value() {
        Value::Object(root) => root,
        _ => Map::new(),
    };
    // The name of a Rust type, which tells an agent nothing.
    root.remove("title");
    root
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object")
}

/// Refuses a root that clients do not take, and takes no arguments that nobody reads.
fn close(tool: &str, root: &mut Map<String, Value>) -> Result<(), Error> {
    let keyword = NOT_AT_THE_ROOT.into_iter().find(|keyword| root.contains_key(*keyword));
    if keyword.is_some() || !is_object(root) {
        let found = keyword.map_or_else(|| "no object".to_owned(), |keyword| format!("`{keyword}` there"));
        return Err(Error::new(
            crate::Code::Internal,
            format!(
                "the arguments of the tool {tool:?} have to be a struct with named fields, because clients drop tools \
                 whose schema has {found}; put an enum into a field"
            ),
        ));
    }
    if !OTHER_MEMBERS.iter().any(|keyword| root.contains_key(*keyword)) {
        root.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    Ok(())
}

/// Bounds instead of formats such as `uint32`, which are Rust's: the host then refuses what does not fit.
fn plain_integer(schema: &mut Schema) {
    let (min, max) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (Some(i64::from(i32::MIN)), Some(i64::from(i32::MAX))),
        Some("uint32") => (None, Some(i64::from(u32::MAX))),
        Some(
            "int8" | "uint8" | "int16" | "uint16" | "int64" | "uint64" | "int" | "uint" | "float" | "double",
        ) => (None, None),
        _ => return,
    };
    schema.remove("format");
    for (keyword, bound) in [("minimum", min), ("maximum", max)] {
        if let (Some(bound), None) = (bound, schema.get(keyword)) {
            schema.insert(keyword.to_owned(), bound.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::super::arguments::{All, Argument};
    use super::{define, of_result};
    use crate::{Annotations, Error};

    fn input<T: Argument>() -> Result<Value, Error> {
        let hints = Annotations { read_only: None, destructive: None, idempotent: None, open_world: None };
        define::<All<T>>("t", None, "d", hints, None)
            .map(|tool| serde_json::from_str(&tool.input_schema).unwrap())
    }

    #[derive(Deserialize, Serialize, JsonSchema)]
    struct Tree {
        /// What it says.
        label: String,
        children: Vec<Tree>,
    }

    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    #[allow(dead_code)]
    enum Choice {
        One { a: u8 },
        Two { b: i32 },
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Numbers {
        a: u32,
        b: Option<i32>,
        #[schemars(range(max = 5))]
        c: u32,
        d: u64,
        e: f64,
    }

    #[test]
    fn a_type_that_holds_itself_refers_to_itself_and_nowhere_else() {
        let schema = input::<Tree>().unwrap();
        assert_eq!(schema["properties"]["children"]["items"], json!({ "$ref": "#" }));
        assert_eq!(schema["properties"]["label"]["description"], "What it says.");
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema.get("title").is_none() && schema.get("$schema").is_none(), "{schema}");
    }

    #[test]
    fn arguments_that_are_no_struct_are_refused_with_the_tool_and_what_to_do() {
        for error in [
            input::<Choice>().unwrap_err(),
            input::<String>().unwrap_err(),
            input::<Option<Tree>>().unwrap_err(),
        ] {
            assert!(
                error.message().contains("tool \"t\"") && error.message().contains("named fields"),
                "{error}"
            );
        }
        assert!(input::<Choice>().unwrap_err().message().contains("`oneOf`"));
    }

    #[test]
    fn a_map_keeps_what_it_says_of_its_members() {
        assert_eq!(
            input::<HashMap<String, bool>>().unwrap()["additionalProperties"],
            json!({ "type": "boolean" })
        );
    }

    #[test]
    fn formats_of_rust_become_bounds_and_a_bound_of_the_author_stays() {
        let schema = input::<Numbers>().unwrap();
        assert_eq!(
            schema["properties"]["a"],
            json!({ "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 })
        );
        assert_eq!(schema["properties"]["b"]["minimum"], i32::MIN);
        assert_eq!(schema["properties"]["c"]["maximum"], 5);
        assert_eq!(schema["properties"]["d"], json!({ "type": "integer", "minimum": 0 }));
        assert_eq!(schema["properties"]["e"], json!({ "type": "number" }));
        assert_eq!(schema["required"], json!(["a", "c", "d", "e"]));
    }

    #[test]
    fn only_a_result_that_is_always_an_object_has_a_schema() {
        assert_eq!(of_result::<Tree>().unwrap()["required"], json!(["label", "children"]));
        assert!(of_result::<Vec<Tree>>().is_none());
        assert!(of_result::<Choice>().is_none());
        assert!(of_result::<String>().is_none());
    }
}
