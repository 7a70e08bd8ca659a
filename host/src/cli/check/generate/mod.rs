//! Arguments made from a tool's input schema.
//!
//! Invariant: pure and deterministic, and bounded in depth and size. What is made is a proposal: only the
//! checker that guards the tool says whether it matches, so whatever is not understood here costs a
//! case and never makes a false claim.

mod array;
mod maker;
mod merge;
mod number;
mod object;
mod pattern;
mod text;

use serde_json::{Map, Value};

use maker::{Maker, Style};

/// Examples of a schema's root that become cases of their own.
const MAX_EXAMPLES: usize = 3;

/// Name of the case with only what has to be there.
pub(super) const SMALLEST: &str = "smallest";

/// Arguments under a name, with what to take in their place where they do not match.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// What they are like.
    pub(super) name: String,
    /// The best first; all different.
    pub(super) candidates: Vec<Map<String, Value>>,
}

/// Arguments for a tool: the examples of its author, then the smallest and the fullest that its schema
/// allows. A case for which nothing could be made is left out, and so is one that says the same again.
pub(super) fn cases(schema: &Map<String, Value>) -> Vec<Case> {
    let mut cases = examples(schema);
    let mut inner = schema.clone();
    // Those of the root are whole sets of arguments, and stand for themselves.
    for hint in ["examples", "default"] {
        inner.remove(hint);
    }
    for (name, full) in [(SMALLEST, false), ("fullest", true)] {
        let candidates = candidates(&inner, full);
        if !candidates.is_empty() && cases.iter().all(|case| case.candidates != candidates) {
            cases.push(Case { name: name.into(), candidates });
        }
    }
    cases
}

fn examples(schema: &Map<String, Value>) -> Vec<Case> {
    let given = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    let objects = given.filter_map(Value::as_object).take(MAX_EXAMPLES).enumerate();
    let mut cases: Vec<Case> = objects
        .map(|(at, example)| Case { name: format!("example {}", at + 1), candidates: vec![example.clone()] })
        .collect();
    if let Some(default) = schema.get("default").and_then(Value::as_object) {
        cases.push(Case { name: "default".into(), candidates: vec![default.clone()] });
    }
    cases
}

/// With the hints of the author, then without, then with other branches of a choice.
fn candidates(schema: &Map<String, Value>, full: bool) -> Vec<Map<String, Value>> {
    let styles = [(true, 0), (false, 0), (false, 1), (false, 2)];
    let mut made: Vec<Map<String, Value>> = Vec::new();
    for (hints, branch) in styles {
        match Maker::new(schema, Style { full, hints, branch }).root() {
            Some(Value::Object(arguments)) if !made.contains(&arguments) => made.push(arguments),
            _ => {}
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::maker::{MAX_CHARS, MAX_DEPTH, MAX_VALUES};
    use super::{Case, MAX_EXAMPLES, cases};
    use crate::schema::Checker;

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    /// The cases of a tool with one required argument of this schema.
    fn of(schema: &Value) -> Vec<Case> {
        let defs = schema.get("$defs").cloned().unwrap_or(json!({}));
        cases(&map(json!({
            "type": "object", "properties": { "a": schema }, "required": ["a"],
            "additionalProperties": false, "$defs": defs,
        })))
    }

    /// The first candidate of a case, as its argument.
    fn argument(schema: &Value, case: &str) -> Option<Value> {
        let found = of(schema).into_iter().find(|made| made.name == case)?;
        Some(found.candidates[0]["a"].clone())
    }

    /// Schemas with their smallest and their fullest value; nothing where both are the same.
    fn table() -> Vec<(Value, Value, Option<Value>)> {
        let same = |schema: Value, value: Value| (schema, value, None);
        let two = |schema: Value, small: Value, full: Value| (schema, small, Some(full));
        vec![
            two(json!({ "type": "string" }), json!(""), json!("text")),
            two(json!({ "type": "string", "minLength": 2, "maxLength": 3 }), json!("aa"), json!("tex")),
            two(json!({ "type": "string", "minLength": 6 }), json!("aaaaaa"), json!("aatext")),
            same(json!({ "type": "string", "format": "date" }), json!("2024-01-01")),
            same(json!({ "type": "string", "format": "date-time" }), json!("2024-01-01T12:00:00Z")),
            same(json!({ "type": "string", "format": "uri" }), json!("https://example.com/")),
            same(json!({ "type": "string", "format": "email" }), json!("user@example.com")),
            same(json!({ "type": "string", "format": "ipv4" }), json!("192.0.2.1")),
            same(
                json!({ "type": "string", "format": "uuid" }),
                json!("00000000-0000-4000-8000-000000000000"),
            ),
            same(json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]{2,}$" }), json!("aaa")),
            same(json!({ "type": "string", "pattern": "^[^/]+/[^/]+$", "minLength": 7 }), json!("aaaaa/a")),
            same(json!({ "type": "string", "pattern": "^(?:issue|pull) #\\d{3}$" }), json!("issue #000")),
            same(json!({ "type": "string", "pattern": "^[А-Я]{2}$" }), json!("АА")),
            same(json!({ "type": "string", "pattern": "\\.rs$" }), json!(".rs")),
            two(json!({ "type": "integer" }), json!(0), json!(1)),
            same(json!({ "type": "integer", "minimum": 3 }), json!(3)),
            same(json!({ "type": "integer", "maximum": -3 }), json!(-3)),
            same(json!({ "type": "integer", "exclusiveMinimum": 1.5, "multipleOf": 5 }), json!(5)),
            same(json!({ "type": "integer", "minimum": 18_446_744_073_709_551_615_u64 }), json!(u64::MAX)),
            two(json!({ "type": "integer", "multipleOf": 2.5 }), json!(0), json!(5)),
            same(json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }), json!(0.5)),
            same(
                json!({ "type": "number", "minimum": 0.25, "maximum": 0.5, "multipleOf": 0.25 }),
                json!(0.25),
            ),
            two(json!({ "type": "boolean" }), json!(false), json!(true)),
            same(json!({ "type": "null" }), json!(null)),
            two(json!({ "type": ["null", "integer"] }), json!(0), json!(1)),
            same(json!({ "enum": ["one", "two"] }), json!("one")),
            same(json!({ "const": { "b": [1] } }), json!({ "b": [1] })),
            same(json!({ "type": "integer", "default": 7, "minimum": 1 }), json!(7)),
            same(json!({ "type": "string", "default": "x", "examples": ["y", "z"] }), json!("y")),
            two(json!({ "type": "array", "items": { "type": "integer" } }), json!([]), json!([1])),
            same(json!({ "type": "array", "items": { "const": 1 }, "minItems": 2 }), json!([1, 1])),
            same(
                json!({ "type": "array", "items": { "type": "integer", "minimum": 4 }, "minItems": 3,
                    "uniqueItems": true }),
                json!([4, 5, 6]),
            ),
            two(
                json!({ "type": "array", "items": { "type": "string" }, "minItems": 3, "uniqueItems": true }),
                json!(["", "1", "2"]),
                json!(["text", "text1", "text2"]),
            ),
            two(
                json!({ "type": "array", "items": { "type": "object", "properties": { "b": {} } },
                    "minItems": 2, "uniqueItems": true }),
                json!([{}, { "b": "1" }]),
                json!([{ "b": "text" }, { "b": "text1" }]),
            ),
            two(
                json!({ "type": "array", "prefixItems": [{ "const": "x" }, { "type": "boolean" }],
                    "items": false }),
                json!([]),
                json!(["x", true]),
            ),
            two(
                json!({ "type": "array", "items": { "type": "integer" }, "contains": { "minimum": 5 } }),
                json!([5]),
                json!([5]),
            ),
            two(
                json!({ "type": "array", "items": { "type": "integer" }, "maxItems": 0 }),
                json!([]),
                json!([]),
            ),
            two(
                json!({ "type": "object", "properties": { "b": { "type": "string" }, "c": { "type": "integer" } },
                    "required": ["c"] }),
                json!({ "c": 0 }),
                json!({ "b": "text", "c": 1 }),
            ),
            two(
                json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
                json!({}),
                json!({ "text": 1 }),
            ),
            two(
                json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 2 }),
                json!({ "1": 0, "a": 0 }),
                json!({ "text": 1, "text1": 1 }),
            ),
            two(
                json!({ "type": "object", "patternProperties": { "^x-": { "const": 1 } },
                    "additionalProperties": false }),
                json!({}),
                json!({ "x-": 1 }),
            ),
            two(
                json!({ "type": "object", "properties": { "b": { "const": 1 }, "c": { "const": 2 } },
                    "required": ["b"], "dependentRequired": { "b": ["c"] } }),
                json!({ "b": 1, "c": 2 }),
                json!({ "b": 1, "c": 2 }),
            ),
            two(
                json!({ "type": "object", "properties": { "b": { "const": 1 }, "c": { "const": 2 } },
                    "maxProperties": 1 }),
                json!({}),
                json!({ "b": 1 }),
            ),
            same(
                json!({ "$ref": "#/$defs/level", "$defs": { "level": { "type": "integer", "minimum": 2 } } }),
                json!(2),
            ),
            same(
                json!({ "$ref": "#/$defs/a~1b", "minimum": 9, "$defs": { "a/b": { "type": "integer" } } }),
                json!(9),
            ),
            two(json!({ "anyOf": [false, { "type": "integer" }] }), json!(0), json!(1)),
            two(
                json!({ "type": "object", "properties": { "b": { "const": 1 }, "c": { "const": 2 } },
                    "oneOf": [{ "required": ["b"], "maxProperties": 1 }, { "required": ["c"], "maxProperties": 1 }] }),
                json!({ "b": 1 }),
                json!({ "b": 1 }),
            ),
            two(
                json!({ "oneOf": [
                    { "type": "object", "properties": { "kind": { "const": "x" } }, "required": ["kind"] },
                    { "type": "object", "properties": { "kind": { "const": "y" } }, "required": ["kind"] },
                ] }),
                json!({ "kind": "x" }),
                json!({ "kind": "x" }),
            ),
            same(
                json!({ "allOf": [{ "type": "number", "minimum": 2 }, { "type": "integer", "minimum": 3 },
                    { "maximum": 3 }] }),
                json!(3),
            ),
            two(
                json!({ "allOf": [
                    { "properties": { "b": { "minLength": 1 } }, "required": ["b"] },
                    { "properties": { "b": { "type": "string", "maxLength": 2 } } },
                ] }),
                json!({ "b": "a" }),
                json!({ "b": "te" }),
            ),
            two(json!({ "properties": { "b": { "minimum": 1 } } }), json!({}), json!({ "b": 1 })),
            two(json!({}), json!(""), json!("text")),
        ]
    }

    #[test]
    fn each_schema_has_its_smallest_and_its_fullest_value() {
        for (schema, smallest, fullest) in table() {
            assert_eq!(argument(&schema, "smallest"), Some(smallest.clone()), "{schema}");
            let full = argument(&schema, "fullest").unwrap_or_else(|| smallest.clone());
            assert_eq!(full, fullest.unwrap_or(smallest), "{schema}");
        }
    }

    #[test]
    fn whatever_is_made_for_these_schemas_matches_them() {
        let mut checked = 0;
        for (schema, ..) in table() {
            let root = map(json!({
                "type": "object", "properties": { "a": schema }, "required": ["a"],
                "$defs": schema.get("$defs").cloned().unwrap_or(json!({})),
            }));
            let checker = Checker::new(&root).unwrap();
            for candidate in of(&schema).into_iter().flat_map(|case| case.candidates) {
                let shown = json!(candidate).to_string();
                let checked_one = checker.check_arguments(&Value::Object(candidate));
                assert!(checked_one.is_ok(), "{schema}: {shown}: {checked_one:?}");
                checked += 1;
            }
        }
        assert!(checked > table().len());
    }

    #[test]
    fn the_same_schema_always_has_the_same_cases() {
        let all = map(json!({ "type": "object", "properties":
            table().into_iter().enumerate().map(|(n, (schema, ..))| (n.to_string(), schema)).collect::<Map<_, _>>() }));
        assert_eq!(cases(&all), cases(&all));
        assert_eq!(cases(&all).len(), 2);
    }

    #[test]
    fn examples_and_the_default_of_the_root_are_cases_of_their_own() {
        let examples = |n: usize| (0..n).map(|n| json!({ "a": n + 10 })).collect::<Vec<_>>();
        let schema = |n: usize| {
            map(json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
                "examples": examples(n), "default": { "a": 9 } }))
        };
        let names = |n: usize| cases(&schema(n)).into_iter().map(|case| case.name).collect::<Vec<_>>();
        assert_eq!(names(1), ["example 1", "default", "smallest", "fullest"]);
        let most = ["example 1", "example 2", "example 3", "default"];
        assert_eq!(names(MAX_EXAMPLES)[..4], most);
        assert_eq!(names(MAX_EXAMPLES + 1)[..4], most);
        assert_eq!(cases(&schema(1))[0].candidates, [map(json!({ "a": 10 }))]);
    }

    #[test]
    fn a_hint_that_its_schema_refuses_is_followed_by_a_value_that_it_takes() {
        let schema = json!({ "type": "integer", "minimum": 2, "examples": ["two"] });
        let candidates = of(&schema).remove(0).candidates;
        assert_eq!(candidates, [map(json!({ "a": "two" })), map(json!({ "a": 2 }))]);
    }

    #[test]
    fn where_one_branch_does_not_do_another_is_proposed() {
        // The checker refuses the first: both branches hold.
        let schema = json!({ "oneOf": [{ "type": "integer" }, { "type": "integer", "maximum": 5 }, { "type": "string" }] });
        let candidates = of(&schema).remove(0).candidates;
        assert!(candidates.contains(&map(json!({ "a": "" }))), "{candidates:?}");
    }

    #[test]
    fn what_nothing_can_match_has_no_case() {
        for schema in [
            json!(false),
            json!({ "type": "integer", "minimum": 3, "maximum": 2 }),
            json!({ "type": "string", "minLength": 3, "maxLength": 2 }),
            json!({ "type": "string", "pattern": "(" }),
            json!({ "type": "string", "pattern": "^a$", "minLength": 2 }),
            json!({ "type": "string", "format": "uuid", "maxLength": 3 }),
            json!({ "enum": [] }),
            json!({ "anyOf": [] }),
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 3, "uniqueItems": true }),
            json!({ "type": "array", "items": false, "minItems": 1 }),
            json!({ "type": "object", "required": ["b"], "additionalProperties": false }),
            json!({ "type": "object", "minProperties": 2, "propertyNames": { "pattern": "^b$" } }),
            json!({ "$ref": "#/$defs/none" }),
            json!({ "$ref": "https://example.com/schema" }),
            json!({ "type": "no such type" }),
        ] {
            assert_eq!(of(&schema), [], "{schema}");
        }
    }

    #[test]
    fn an_optional_argument_that_cannot_be_made_is_left_out() {
        let schema = map(json!({ "type": "object", "properties": { "a": false, "b": { "const": 1 } } }));
        let full = cases(&schema).into_iter().find(|case| case.name == "fullest").unwrap();
        assert_eq!(full.candidates, [map(json!({ "b": 1 }))]);
    }

    fn nested(depth: usize) -> Value {
        let inner = |inner, _| json!({ "type": "object", "properties": { "a": inner }, "required": ["a"] });
        (1..depth).fold(json!({ "type": "integer" }), inner)
    }

    #[test]
    fn sixty_four_levels_are_made_and_sixty_five_are_not() {
        assert!(!cases(&map(nested(MAX_DEPTH))).is_empty());
        assert_eq!(cases(&map(nested(MAX_DEPTH + 1))), []);
        let circle = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/a" }] } } });
        assert_eq!(of(&circle), []);
    }

    #[test]
    fn a_thousand_values_are_made_and_one_more_is_not() {
        // The root and the list are values, too.
        let list = |n: usize| json!({ "type": "array", "items": { "const": 1 }, "minItems": n });
        assert_eq!(
            argument(&list(MAX_VALUES - 2), "smallest").unwrap().as_array().unwrap().len(),
            MAX_VALUES - 2
        );
        assert_eq!(of(&list(MAX_VALUES - 1)), []);
        // References that double each time cost no more than that.
        let mut defs = Map::new();
        for level in 0..60 {
            let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
            defs.insert(level.to_string(), json!({ "allOf": [next, next] }));
        }
        defs.insert("60".into(), json!({ "type": "integer" }));
        assert_eq!(of(&json!({ "$ref": "#/$defs/0", "$defs": defs })), []);
    }

    #[test]
    fn all_strings_together_have_64_kib_and_not_one_character_more() {
        let text = |chars: usize| json!({ "type": "string", "minLength": chars });
        assert!(argument(&text(MAX_CHARS), "smallest").is_some());
        assert_eq!(of(&text(MAX_CHARS + 1)), []);
        let pattern = |chars: usize| json!({ "pattern": format!("^a{{{chars}}}$") });
        assert!(argument(&pattern(1_000), "smallest").is_some());
        assert_eq!(of(&json!({ "pattern": "^(((a{1000}){1000}){1000}){1000}$" })), []);
        assert_eq!(argument(&json!({ "pattern": "^((){1000}){1000}$" }), "smallest"), Some(json!("")));
        let two = json!({ "type": "array", "items": text(MAX_CHARS / 2), "minItems": 2 });
        assert!(argument(&two, "smallest").is_some());
        let three = json!({ "type": "array", "items": text(MAX_CHARS / 2), "minItems": 3 });
        assert_eq!(of(&three), []);
    }
}
