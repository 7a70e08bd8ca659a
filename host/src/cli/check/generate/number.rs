//! Numbers within their bounds.

use serde_json::{Map, Value};

/// Multiples of a fraction that are tried in the search for a whole one.
const TRIED: u32 = 1_000;

/// A whole number: 0 or 1 or what is next to it, then those that follow.
pub(super) fn integer(schema: &Map<String, Value>, full: bool, nth: usize) -> Option<Value> {
    let low = greatest(whole(schema, "minimum", f64::ceil), above(schema));
    let high = least(whole(schema, "maximum", f64::floor), below(schema));
    let step = step(schema)?;
    let wanted = i128::from(full);
    let wanted = low.map_or(wanted, |low| if full { wanted.max(low) } else { low });
    let wanted = high.map_or(wanted, |high| wanted.min(high));
    let past = wanted.rem_euclid(step);
    let up = if past == 0 { wanted } else { wanted.checked_add(step - past)? };
    let fits =
        |number: &i128| low.is_none_or(|low| low <= *number) && high.is_none_or(|high| *number <= high);
    let nth = i128::try_from(nth).ok()?.checked_mul(step)?;
    // From the wanted one upward, and where there is a bound above, from there downward.
    let number = Some(up.checked_add(nth)?).filter(fits).or_else(|| {
        let top = high?.div_euclid(step).checked_mul(step)?;
        top.checked_sub(nth).filter(fits)
    })?;
    i64::try_from(number).map(Value::from).or_else(|_| u64::try_from(number).map(Value::from)).ok()
}

/// A whole number where there is one, else a fraction.
pub(super) fn number(schema: &Map<String, Value>, full: bool, nth: usize) -> Option<Value> {
    integer(schema, full, nth).or_else(|| fraction(schema, nth).map(Value::from))
}

/// Between bounds that have no whole number between them.
fn fraction(schema: &Map<String, Value>, nth: usize) -> Option<f64> {
    let float = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let low = greatest_float(float("minimum"), float("exclusiveMinimum"));
    let high =
        greatest_float(float("maximum").map(|n| -n), float("exclusiveMaximum").map(|n| -n)).map(|n| -n);
    let place = nth as f64;
    if let Some(step) = float("multipleOf").filter(|step| *step > 0.0) {
        let first = (low.unwrap_or(0.0) / step).ceil();
        let open = float("exclusiveMinimum").is_some_and(|bound| first * step <= bound);
        let made = (first + place + f64::from(u8::from(open))) * step;
        return (high.is_none_or(|high| made <= high)).then_some(made);
    }
    let (low, high) = (low?, high?);
    (low <= high).then(|| low + (high - low) * (place + 1.0) / (place + 2.0))
}

fn greatest_float(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// The whole number that a bound means.
fn whole(schema: &Map<String, Value>, keyword: &str, round: fn(f64) -> f64) -> Option<i128> {
    let bound = schema.get(keyword)?;
    let exact = bound.as_i64().map(i128::from).or_else(|| bound.as_u64().map(i128::from));
    exact.or_else(|| bound.as_f64().map(|bound| round(bound) as i128))
}

fn above(schema: &Map<String, Value>) -> Option<i128> {
    whole(schema, "exclusiveMinimum", f64::floor)?.checked_add(1)
}

fn below(schema: &Map<String, Value>) -> Option<i128> {
    whole(schema, "exclusiveMaximum", f64::ceil)?.checked_sub(1)
}

fn greatest(one: Option<i128>, other: Option<i128>) -> Option<i128> {
    one.max(other)
}

fn least(one: Option<i128>, other: Option<i128>) -> Option<i128> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How far multiples that are whole lie apart.
fn step(schema: &Map<String, Value>) -> Option<i128> {
    let Some(multiple) = schema.get("multipleOf") else { return Some(1) };
    if let Some(step) = multiple.as_i64().map(i128::from).or_else(|| multiple.as_u64().map(i128::from)) {
        return (step > 0).then_some(step);
    }
    let multiple = multiple.as_f64().filter(|multiple| *multiple > 0.0)?;
    let whole = |product: &f64| product.fract() == 0.0 && *product < 1e15;
    (1..=TRIED).map(|times| multiple * f64::from(times)).find(whole).map(|step| step as i128)
}
