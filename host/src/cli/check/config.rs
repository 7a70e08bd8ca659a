//! The configuration that a plugin is checked with, where the operator gives it none.

use std::path::Path;

use serde_json::{Map, Value};

use crate::cli::check::generate;
use crate::config::Config;
use crate::plugin::{Identity, scan};
use crate::schema::Checker;
use crate::toml_file::Places;

/// Switches the plugin in the file on, and gives it the smallest configuration that its manifest allows
/// where it has none. Says which that is, if there is anything in it.
pub(in crate::cli) fn complete(config: &mut Config, file: &Path) -> Option<Map<String, Value>> {
    // What is wrong with the file is told when it is loaded.
    let identity = identity(file, config.limits.component_bytes)?;
    let mut own = config.of(&identity.id);
    own.enabled = true;
    let schema = identity.manifest.and_then(|manifest| manifest.config);
    let made = schema.filter(|_| own.places == Places::default()).and_then(|schema| smallest(&schema));
    own.config.extend(made.iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    config.by_plugin.insert(identity.id, own);
    made.filter(|made| !made.is_empty())
}

fn identity(file: &Path, max_bytes: usize) -> Option<Identity> {
    let candidate = scan(file).ok()?.pop()?;
    let contents = candidate.read(max_bytes).ok()?;
    Identity::of(&candidate, &contents).ok()
}

/// The smallest configuration that a schema takes.
fn smallest(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let checker = Checker::new(schema).ok()?;
    let cases = generate::cases(schema);
    // An author's example comes after it: it may say more than has to be said.
    let smallest = cases.iter().find(|case| case.name == generate::SMALLEST);
    let mut candidates = smallest.into_iter().chain(&cases).flat_map(|case| &case.candidates);
    candidates.find(|made| checker.check_arguments(&Value::Object((*made).clone())).is_ok()).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::smallest;

    fn made(schema: Value) -> Option<Value> {
        let schema: Map<String, Value> = serde_json::from_value(schema).unwrap();
        smallest(&schema).map(Value::Object)
    }

    #[test]
    fn only_what_is_required_is_configured() {
        let properties =
            json!({ "url": { "type": "string", "format": "uri" }, "size": { "type": "integer" } });
        let schema = json!({ "type": "object", "properties": properties, "required": ["url"] });
        assert_eq!(made(schema), Some(json!({ "url": "https://example.com/" })));
        assert_eq!(made(json!({ "type": "object" })), Some(json!({})));
    }

    #[test]
    fn what_its_schema_refuses_is_passed_over() {
        let schema = |least: u8, examples: Value| {
            let size = json!({ "type": "integer", "not": { "enum": [0, 1] }, "maximum": least });
            let properties = json!({ "size": size });
            json!({ "type": "object", "properties": properties, "required": ["size"], "examples": examples })
        };
        assert_eq!(made(schema(9, json!([{ "size": 10 }, { "size": 7 }]))), Some(json!({ "size": 7 })));
        assert_eq!(made(schema(9, json!([]))), None);
    }
}
