//! Objects: the members that have to be there, those that may be, and those that fill up.

use serde_json::{Map, Value, json};

use super::maker::{Maker, Spot, count};

impl Maker<'_> {
    /// An object.
    pub(super) fn object(&self, schema: &Map<String, Value>, spot: Spot) -> Option<Value> {
        let most = count(schema, "maxProperties").unwrap_or(usize::MAX);
        let mut made = Map::new();
        for name in names(schema.get("required")) {
            made.insert(name.to_owned(), self.member(schema, name, spot)?);
        }
        if self.is_rich(spot) {
            let optional = members(schema, "properties").map(|(name, _)| name);
            self.fill(schema, &mut made, optional, most, spot);
        }
        self.add_dependent(schema, &mut made, spot)?;
        let least = count(schema, "minProperties").unwrap_or(0);
        let optional = members(schema, "properties").map(|(name, _)| name);
        self.fill(schema, &mut made, optional, least, spot);
        let others = usize::from(self.is_rich(spot) && made.is_empty() && is_map(schema)).max(least);
        self.add_others(schema, &mut made, others.min(most), spot)?;
        (made.len() <= most).then_some(Value::Object(made))
    }

    /// Adds what can be made of these, until there are `most`.
    fn fill<'s>(
        &self,
        schema: &Map<String, Value>,
        made: &mut Map<String, Value>,
        names: impl Iterator<Item = &'s String>,
        most: usize,
        spot: Spot,
    ) {
        for name in names {
            if made.len() < most
                && !made.contains_key(name)
                && let Some(value) = self.member(schema, name, spot)
            {
                made.insert(name.clone(), value);
            }
        }
    }

    /// Adds what has to be there because something else is.
    fn add_dependent(
        &self,
        schema: &Map<String, Value>,
        made: &mut Map<String, Value>,
        spot: Spot,
    ) -> Option<()> {
        loop {
            let missing = members(schema, "dependentRequired")
                .filter(|(name, _)| made.contains_key(*name))
                .flat_map(|(_, needed)| names(Some(needed)))
                .find(|name| !made.contains_key(*name));
            let Some(name) = missing else { return Some(()) };
            let value = self.member(schema, name, spot)?;
            made.insert(name.to_owned(), value);
        }
    }

    /// Adds members that the schema has no name for, until there are `least`.
    fn add_others(
        &self,
        schema: &Map<String, Value>,
        made: &mut Map<String, Value>,
        least: usize,
        spot: Spot,
    ) -> Option<()> {
        let pattern = members(schema, "patternProperties").next();
        let naming = match pattern {
            Some((pattern, _)) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "allOf": [schema.get("propertyNames").unwrap_or(&json!(true)), {
                "type": "string", "minLength": 1,
            }] }),
        };
        let mut nth = 0;
        while made.len() < least {
            let name = self.value(&naming, Spot { depth: spot.depth + 1, nth })?;
            let name = name.as_str()?;
            nth += 1;
            if !made.contains_key(name) {
                let value = match pattern {
                    Some((_, inner)) => self.value(inner, spot.deeper())?,
                    None => self.member(schema, name, spot)?,
                };
                made.insert(name.to_owned(), value);
            }
        }
        Some(())
    }

    fn member(&self, schema: &Map<String, Value>, name: &str, spot: Spot) -> Option<Value> {
        let own = schema.get("properties").and_then(|properties| properties.get(name));
        let inner = own.or_else(|| schema.get("additionalProperties")).unwrap_or(&Value::Bool(true));
        self.value(inner, spot.deeper())
    }
}

/// Whether it is a map: its members are described and not named.
fn is_map(schema: &Map<String, Value>) -> bool {
    schema.contains_key("patternProperties")
        || schema.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false))
}

fn members<'s>(
    schema: &'s Map<String, Value>,
    keyword: &str,
) -> impl Iterator<Item = (&'s String, &'s Value)> {
    schema.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

fn names(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
