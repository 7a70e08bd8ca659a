//! One value that matches one schema, as far as that is understood.
//!
//! Invariant: ends within its bounds, whatever the schema.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{merge, number, text};

/// Values in one another, references followed.
pub(super) const MAX_DEPTH: usize = 64;
/// Values that are made for one set of arguments.
pub(super) const MAX_VALUES: usize = 1_000;
/// Characters of all its strings.
pub(super) const MAX_CHARS: usize = 64 << 10;
/// Steps in the search for texts that match patterns, found or not.
pub(super) const MAX_STEPS: usize = 4 << 20;

/// What the values are to be like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// All properties, and nothing empty; else only what is required.
    pub(super) full: bool,
    /// Whether `examples` and `default` are used.
    pub(super) hints: bool,
    /// How many branches of each `anyOf` and `oneOf` are passed over at first.
    pub(super) branch: usize,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) depth: usize,
    /// Which of the values that the schema allows is wanted: lists without repetition take several.
    pub(super) nth: usize,
}

impl Spot {
    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    pub(super) fn nth(self, nth: usize) -> Self {
        Self { nth, ..self }
    }
}

/// Makes values of one style from the schemas below one root.
pub(super) struct Maker<'a> {
    /// What references point into.
    pub(super) root: &'a Map<String, Value>,
    style: Style,
    /// That may still be made.
    values: Cell<usize>,
    chars: Cell<usize>,
    steps: Cell<usize>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(root: &'a Map<String, Value>, style: Style) -> Self {
        let (values, chars, steps) = (Cell::new(MAX_VALUES), Cell::new(MAX_CHARS), Cell::new(MAX_STEPS));
        Self { root, style, values, chars, steps }
    }

    /// Whether more is wanted than has to be: because of the style, or to be unlike the first value.
    pub(super) fn is_rich(&self, spot: Spot) -> bool {
        self.style.full || spot.nth > 0
    }

    /// A value for the root itself.
    pub(super) fn root(&self) -> Option<Value> {
        self.object_schema(self.root, Spot { depth: 1, nth: 0 })
    }

    /// A value for a schema below the root.
    pub(super) fn value(&self, schema: &Value, spot: Spot) -> Option<Value> {
        match schema {
            Value::Object(map) => self.object_schema(map, spot),
            Value::Bool(true) => self.object_schema(&Map::new(), spot),
            _ => None,
        }
    }

    fn object_schema(&self, schema: &Map<String, Value>, spot: Spot) -> Option<Value> {
        if spot.depth > MAX_DEPTH {
            return None;
        }
        self.take_value()?;
        let flat = self.flatten(schema, spot.depth)?;
        self.named(&flat, spot).or_else(|| match branches(&flat) {
            Some((keyword, branches)) => self.branch(&flat, keyword, branches, spot),
            None => kinds(&flat).into_iter().find_map(|kind| self.of_kind(kind, &flat, spot)),
        })
    }

    /// A value that the schema itself names.
    fn named(&self, schema: &Map<String, Value>, spot: Spot) -> Option<Value> {
        let nth_of = |keyword: &str| schema.get(keyword)?.as_array()?.get(spot.nth);
        let once = |keyword: &str| schema.get(keyword).filter(|_| spot.nth == 0);
        let hint = || nth_of("examples").or_else(|| once("default")).filter(|_| self.style.hints);
        let named = once("const").or_else(hint).or_else(|| nth_of("enum"))?;
        self.take_chars(named.to_string().len())?;
        Some(named.clone())
    }

    /// A value for the first branch that allows one.
    fn branch(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        branches: &[Value],
        spot: Spot,
    ) -> Option<Value> {
        let mut base = schema.clone();
        base.remove(keyword);
        let (passed, first) = branches.split_at(self.style.branch.checked_rem(branches.len())?);
        first.iter().chain(passed).find_map(|branch| {
            let merged = merge::both(&base, branch)?;
            self.object_schema(&merged, spot.deeper())
        })
    }

    fn of_kind(&self, kind: &str, schema: &Map<String, Value>, spot: Spot) -> Option<Value> {
        // Where only some values are allowed, one of those was to be found before.
        if schema.contains_key("const") || schema.contains_key("enum") {
            return None;
        }
        match kind {
            "object" => self.object(schema, spot),
            "array" => self.array(schema, spot),
            "string" => {
                let text = text::make(schema, self.style.full, spot.nth, self.chars.get(), &self.steps)?;
                self.take_chars(text.chars().count())?;
                Some(text.into())
            }
            "integer" => number::integer(schema, self.style.full, spot.nth),
            "number" => number::number(schema, self.style.full, spot.nth),
            "boolean" => (spot.nth < 2).then_some(Value::Bool(self.style.full != (spot.nth == 1))),
            "null" => (spot.nth == 0).then_some(Value::Null),
            _ => None,
        }
    }

    pub(super) fn take_value(&self) -> Option<()> {
        self.values.set(self.values.get().checked_sub(1)?);
        Some(())
    }

    fn take_chars(&self, chars: usize) -> Option<()> {
        self.chars.set(self.chars.get().checked_sub(chars)?);
        Some(())
    }
}

fn branches(schema: &Map<String, Value>) -> Option<(&'static str, &[Value])> {
    let of = |keyword: &'static str| Some((keyword, schema.get(keyword)?.as_array()?.as_slice()));
    of("oneOf").or_else(|| of("anyOf"))
}

/// The types that a schema allows, as it says or as its keywords mean; nothing at all comes last.
fn kinds(schema: &Map<String, Value>) -> Vec<&str> {
    let mut kinds = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![meant(schema)],
    };
    kinds.sort_by_key(|kind| *kind == "null");
    kinds
}

fn meant(schema: &Map<String, Value>) -> &'static str {
    const MEANT: [(&str, &[&str]); 3] = [
        ("object", &["properties", "required", "additionalProperties", "patternProperties", "minProperties"]),
        ("array", &["items", "prefixItems", "minItems", "contains", "uniqueItems"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
    MEANT.iter().find(|(_, keywords)| has(keywords)).map_or("string", |(kind, _)| kind)
}

/// A number of things that a keyword asks for or allows.
pub(super) fn count(schema: &Map<String, Value>, keyword: &str) -> Option<usize> {
    let number = schema.get(keyword)?;
    let whole = number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))?;
    Some(usize::try_from(whole).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{MAX_STEPS, Maker, Style};

    #[test]
    fn patterns_are_searched_until_the_steps_are_used_up() {
        // Two characters in each round, and one too many in the end: a text is never found.
        let in_vain =
            json!({ "type": "string", "pattern": r"^(?:\W\W)*$", "minLength": 60_000, "maxLength": 60_000 });
        let made = |before: usize| {
            let mut all: Map<_, _> = (0..before).map(|n| (format!("{n:03}"), in_vain.clone())).collect();
            all.insert("word".into(), json!({ "type": "string", "pattern": "^[a-z]{3}$" }));
            let schema = json!({ "type": "object", "properties": all });
            let Value::Object(root) = schema else { unreachable!() };
            Maker::new(&root, Style { full: true, hints: true, branch: 0 }).root()
        };
        assert_eq!(made(3), Some(json!({ "word": "aaa" })));
        assert_eq!(made(MAX_STEPS / 60_000), Some(json!({})));
        // Longer than anybody would wait, if all of them were tried.
        assert_eq!(made(900), Some(json!({})));
    }
}
