//! Arrays: as many items as there have to be, each of its own place's schema.

use serde_json::{Map, Value, json};

use super::maker::{Maker, Spot, count};

impl Maker<'_> {
    /// An array.
    pub(super) fn array(&self, schema: &Map<String, Value>, spot: Spot) -> Option<Value> {
        let places = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
        let inside =
            if schema.contains_key("contains") { count(schema, "minContains").unwrap_or(1) } else { 0 };
        let least = count(schema, "minItems").unwrap_or(0).max(inside);
        let most = count(schema, "maxItems").unwrap_or(usize::MAX);
        let wanted = if self.is_rich(spot) { least.max(places).max(1).min(most) } else { least };
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut made = Vec::new();
        for place in 0..wanted {
            let item = item_schema(schema, place, place < inside);
            let item = match unique {
                true => self.another(&item, &made, place.saturating_sub(places), spot),
                false => self.value(&item, spot.deeper()),
            };
            match item {
                Some(value) => made.push(value),
                // Beyond what is needed, an item that cannot be made need not be.
                None if place >= least => break,
                None => return None,
            }
        }
        (made.len() <= most).then_some(Value::Array(made))
    }

    /// An item other than those before. The first `passed` values stand there already.
    fn another(&self, schema: &Value, before: &[Value], passed: usize, spot: Spot) -> Option<Value> {
        let first = spot.nth + passed;
        (first..=first + before.len()).find_map(|nth| {
            self.value(schema, spot.deeper().nth(nth)).filter(|value| !before.contains(value))
        })
    }
}

/// What the item at a place has to be.
fn item_schema(schema: &Map<String, Value>, place: usize, contained: bool) -> Value {
    let own = schema.get("prefixItems").and_then(|places| places.get(place));
    let item = own.or_else(|| schema.get("items")).cloned().unwrap_or(Value::Bool(true));
    match schema.get("contains").filter(|_| contained) {
        Some(contains) => json!({ "allOf": [item, contains] }),
        None => item,
    }
}
