//! What a schema costs once its references are followed, to check and to keep: a few short lines can stand for
//! more values than there are atoms, each of them naming the next one twice.
//!
//! Invariant: ends, whatever the schema: no reference is followed twice, and none in a circle.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::text;

/// Values in one another, references followed.
const MAX_EXPANDED_DEPTH: usize = 64;

/// What there is in a schema, references followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Values.
    pub(super) values: usize,
    /// Patterns, each of which is compiled.
    pub(super) patterns: usize,
}

impl Cost {
    fn add(&mut self, more: Self) {
        self.values = self.values.saturating_add(more.values);
        self.patterns = self.patterns.saturating_add(more.patterns);
    }
}

/// Counts what there is in a schema, references followed.
///
/// # Errors
/// Where a reference leads nowhere or in a circle, or too deep, in words.
pub(super) fn cost(schema: &Map<String, Value>) -> Result<Cost, String> {
    let root = Value::Object(schema.clone());
    Expansion { root: &root, known: HashMap::new() }.of(&root, 1)
}

struct Expansion<'a> {
    root: &'a Value,
    /// Cost by target; nothing while it is being found out.
    known: HashMap<&'a str, Option<Cost>>,
}

impl<'a> Expansion<'a> {
    fn of(&mut self, value: &'a Value, depth: usize) -> Result<Cost, String> {
        if depth > MAX_EXPANDED_DEPTH {
            return Err(format!("is nested deeper than {MAX_EXPANDED_DEPTH} once its `$ref`s are followed"));
        }
        let mut cost = Cost { values: 1, patterns: 0 };
        match value {
            Value::Array(items) => {
                for item in items {
                    cost.add(self.of(item, depth + 1)?);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    let more = match value {
                        Value::String(target) if key == "$ref" => self.target(target, depth + 1)?,
                        value => self.of(value, depth + 1)?,
                    };
                    cost.add(more);
                    cost.patterns = cost.patterns.saturating_add(patterns(key, value));
                }
            }
            _ => {}
        }
        Ok(cost)
    }

    fn target(&mut self, target: &'a str, depth: usize) -> Result<Cost, String> {
        let shown = || text::truncate(target, 100).to_owned();
        match self.known.get(target) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                return Err(format!(
                    "refers to itself through {:?}; describe the inner values without a schema of their own",
                    shown()
                ));
            }
            None => {}
        }
        let root = self.root;
        let found = root.pointer(target.trim_start_matches('#'));
        let found = found.ok_or_else(|| format!("has a `$ref` to {:?}, which is not there", shown()))?;
        // The root is on the way to everything.
        if target == "#" {
            return Err(
                "refers to itself through \"#\"; describe the inner values without a schema of their own"
                    .into(),
            );
        }
        self.known.insert(target, None);
        let cost = self.of(found, depth)?;
        self.known.insert(target, Some(cost));
        Ok(cost)
    }
}

/// How many patterns a keyword brings.
fn patterns(key: &str, value: &Value) -> usize {
    match (key, value) {
        ("pattern", Value::String(_)) => 1,
        ("patternProperties", Value::Object(by_pattern)) => by_pattern.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Cost, MAX_EXPANDED_DEPTH, cost};

    fn of(schema: Value) -> Result<usize, String> {
        counted(schema).map(|cost| cost.values)
    }

    fn counted(schema: Value) -> Result<Cost, String> {
        let schema: Map<String, Value> = serde_json::from_value(schema).unwrap();
        cost(&schema)
    }

    /// `d0` names `d1` twice, that one `d2` twice, and so on.
    fn doubling(levels: usize) -> Value {
        let level = |n: usize| {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            (format!("d{n}"), if n == levels { json!({}) } else { json!({ "allOf": [next, next] }) })
        };
        json!({ "$ref": "#/$defs/d0", "$defs": (0..=levels).map(level).collect::<Map<_, _>>() })
    }

    #[test]
    fn what_is_referred_to_twice_counts_twice() {
        assert_eq!(of(json!({})), Ok(1));
        assert_eq!(of(json!({ "a": [1, 2] })), Ok(4));
        let small = of(doubling(3)).unwrap();
        let larger = of(doubling(6)).unwrap();
        assert!(larger > 6 * small, "{small} {larger}");
    }

    #[test]
    fn patterns_are_counted_wherever_they_stand_and_as_often_as_they_are_referred_to() {
        let name = json!({ "pattern": "^a$", "patternProperties": { "^b": {}, "^c": {} } });
        let two = json!({ "$ref": "#/$defs/name" });
        let schema =
            json!({ "$defs": { "name": name }, "allOf": [two, two], "properties": { "pattern": {} } });
        assert_eq!(counted(schema).unwrap().patterns, 3 * 3);
    }

    #[test]
    fn sixty_levels_that_double_are_counted_without_being_walked() {
        assert!(of(doubling(15)).unwrap() > 1 << 15);
        assert!(of(doubling(60)).unwrap_err().contains("deeper than 64"));
    }

    #[test]
    fn a_circle_and_a_reference_to_nothing_are_refused() {
        let circle = json!({ "$defs": { "a": { "properties": { "b": { "$ref": "#/$defs/a" } } } } });
        assert!(of(circle).unwrap_err().contains("refers to itself"));
        assert!(of(json!({ "items": { "$ref": "#" } })).unwrap_err().contains("refers to itself"));
        assert!(of(json!({ "$ref": "#/nowhere" })).unwrap_err().contains("not there"));
    }

    #[test]
    fn sixty_four_levels_are_taken_and_sixty_five_are_not() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(of(nested(MAX_EXPANDED_DEPTH)).is_ok());
        assert!(of(nested(MAX_EXPANDED_DEPTH + 1)).is_err());
    }
}
