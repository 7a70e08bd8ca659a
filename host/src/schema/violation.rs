//! What does not match a schema, at its place, for files that people write.
//!
//! Invariant: tells one violation, the first, with a key that is near to one that nobody knows.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use crate::model::text;
use crate::schema::Checker;
use crate::toml_file;

/// Something that does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// JSON Pointer of what is wrong.
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// The first thing in `value` that does not match `schema`, which [`super::read`] has let through.
pub(crate) fn first(schema: &Map<String, Value>, value: &Value) -> Option<Violation> {
    let checker = match Checker::new(schema) {
        Ok(checker) => checker,
        Err(what) => {
            return Some(Violation { pointer: String::new(), message: format!("the schema {what}") });
        }
    };
    let error = checker.validator.validate(value).err()?;
    Some(unknown_key(schema, &error).unwrap_or_else(|| Violation {
        pointer: error.instance_path().to_string(),
        // The value stays with whoever wrote it: what is said here goes to callers and logs.
        message: text::truncate(&error.masked().to_string(), 500).to_owned(),
    }))
}

fn unknown_key(schema: &Map<String, Value>, error: &ValidationError<'_>) -> Option<Violation> {
    let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() else {
        return None;
    };
    let key = unexpected.first()?;
    // Beside `additionalProperties` stand the `properties` that there are.
    let keyword = error.schema_path().to_string();
    let around = keyword.rsplit_once('/').map_or("", |(around, _)| around);
    let known = Value::Object(schema.clone()).pointer(around)?.get("properties")?.as_object()?.clone();
    Some(Violation {
        pointer: toml_file::pointer(&error.instance_path().to_string(), key),
        message: toml_file::unknown_key(key, known.keys().map(String::as_str)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Violation, first};

    fn found(value: serde_json::Value) -> Option<(String, String)> {
        let inner = json!({ "type": "object", "properties": { "port": { "type": "integer" } }, "additionalProperties": false });
        let schema = json!({
            "type": "object",
            "properties": { "url": { "type": "string" }, "server": inner },
            "required": ["url"],
            "additionalProperties": false,
        });
        first(schema.as_object().unwrap(), &value).map(|Violation { pointer, message }| (pointer, message))
    }

    #[test]
    fn a_key_that_is_not_known_is_told_with_the_nearest_one_at_its_own_place() {
        assert_eq!(found(json!({ "url": "x", "server": { "port": 1 } })), None);
        let (pointer, message) = found(json!({ "url": "x", "urrl": "y" })).unwrap();
        assert_eq!(pointer, "/urrl");
        assert_eq!(message, "unknown key `urrl`; did you mean `url`? (valid here: server, url)");
        let (pointer, message) = found(json!({ "url": "x", "server": { "prot": 1 } })).unwrap();
        assert_eq!(pointer, "/server/prot");
        assert!(message.contains("did you mean `port`?"), "{message}");
    }

    #[test]
    fn a_wrong_type_and_a_missing_key_are_told_where_they_are() {
        let (pointer, message) = found(json!({ "url": "x", "server": { "port": "80" } })).unwrap();
        assert!(pointer == "/server/port" && message.contains("integer"), "{pointer} {message}");
        let (pointer, message) = found(json!({})).unwrap();
        assert!(pointer.is_empty() && message.contains("\"url\""), "{pointer} {message}");
    }
}
