//! Several schemas that hold at once, as one.
//!
//! Invariant: what cannot be merged simply keeps one of both; the checker judges what comes of it.

use serde_json::{Map, Value, json};

use super::maker::{MAX_DEPTH, Maker};

impl Maker<'_> {
    /// The schema without `$ref` and `allOf`: what they say stands in it.
    pub(super) fn flatten(&self, schema: &Map<String, Value>, depth: usize) -> Option<Map<String, Value>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut flat = schema.clone();
        let reference = flat.remove("$ref");
        let all = flat.remove("allOf");
        let parts = all.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let target = match &reference {
            Some(reference) => Some(target(self.root, reference.as_str()?)?),
            None => None,
        };
        for part in parts.iter().chain(target.as_ref()) {
            self.take_value()?;
            flat = match part {
                Value::Object(part) => both(&flat, &Value::Object(self.flatten(part, depth + 1)?))?,
                other => both(&flat, other)?,
            };
        }
        Some(flat)
    }
}

/// What a reference into the schema itself names.
fn target(root: &Map<String, Value>, reference: &str) -> Option<Value> {
    let Some(path) = reference.strip_prefix("#/") else {
        return (reference == "#").then(|| Value::Object(root.clone()));
    };
    // The first step is made by hand, so that the root need not be copied to be pointed into.
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let found = root.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(found.clone()) } else { found.pointer(&format!("/{rest}")).cloned() }
}

/// A schema and a second one that holds, too.
pub(super) fn both(one: &Map<String, Value>, other: &Value) -> Option<Map<String, Value>> {
    let Value::Object(other) = other else {
        return (*other == Value::Bool(true)).then(|| one.clone());
    };
    let mut merged = one.clone();
    for (keyword, theirs) in other {
        let both = match merged.get(keyword) {
            Some(ours) if ours != theirs => keep(keyword, ours, theirs),
            _ => theirs.clone(),
        };
        merged.insert(keyword.clone(), both);
    }
    Some(merged)
}

/// What holds where both say something else.
fn keep(keyword: &str, ours: &Value, theirs: &Value) -> Value {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    match keyword {
        "properties" | "$defs" => members(ours, theirs),
        "required" => union(ours, theirs),
        "enum" => intersection(ours, theirs),
        "type" => types(ours, theirs),
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties"
            if number(theirs) > number(ours) =>
        {
            theirs.clone()
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties"
            if number(theirs) < number(ours) =>
        {
            theirs.clone()
        }
        "items" | "additionalProperties" => json!({ "allOf": [ours, theirs] }),
        _ => ours.clone(),
    }
}

/// The members of both; a name that both have obeys both.
fn members(ours: &Value, theirs: &Value) -> Value {
    let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) else { return ours.clone() };
    let mut all = ours.clone();
    for (name, schema) in theirs {
        let both = match ours.get(name) {
            Some(own) if own != schema => json!({ "allOf": [own, schema] }),
            _ => schema.clone(),
        };
        all.insert(name.clone(), both);
    }
    Value::Object(all)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn union(ours: &Value, theirs: &Value) -> Value {
    let more = list(theirs).iter().filter(|value| !list(ours).contains(value));
    list(ours).iter().chain(more).cloned().collect()
}

fn intersection(ours: &Value, theirs: &Value) -> Value {
    list(ours).iter().filter(|value| list(theirs).contains(value)).cloned().collect()
}

fn types(ours: &Value, theirs: &Value) -> Value {
    let listed = |value: &Value| if value.is_array() { value.clone() } else { json!([value]) };
    let (ours, theirs) = (listed(ours), listed(theirs));
    let allows = |kinds: &Value, kind: &Value| {
        list(kinds).contains(kind) || (kind == "integer" && list(kinds).contains(&"number".into()))
    };
    let kept = |from: &Value, by: &Value| -> Value {
        list(from).iter().filter(|kind| allows(by, kind)).cloned().collect()
    };
    union(&kept(&ours, &theirs), &kept(&theirs, &ours))
}
