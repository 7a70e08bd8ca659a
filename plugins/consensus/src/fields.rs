//! Answers that are data: read, and compared field by field.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use crate::ballot::{Votes, count};

/// Reads an answer: the object that it is, or the one in its only fence.
///
/// # Errors
/// Why it is none.
pub(crate) fn read(answer: &str) -> Result<Map<String, Value>, String> {
    let text = fenced(answer).unwrap_or(answer).trim();
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields.into_iter().map(|(key, value)| (key, plain(value))).collect()),
        Ok(_) => Err("it answered with JSON that is no object".into()),
        Err(error) => Err(format!("it answered with what is no JSON: {error}")),
    }
}

/// What stands between a first and a last fence of Markdown, the language left out.
fn fenced(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("```")?;
    let (inside, _) = rest.rsplit_once("```")?;
    inside.split_once('\n').map(|(_, text)| text)
}

/// The same value in one way of writing it: `1.0` is `1`, and spaces around a text and in a row do not count.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        Value::String(text) => Value::String(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

fn whole(number: &Number) -> Option<Number> {
    let value = number.as_f64().filter(|value| number.is_f64() && value.fract() == 0.0)?;
    // Beyond this not every whole number is one that a float can be.
    (value.abs() < 9e15).then(|| Number::from(value as i64))
}

/// One field: what was answered, the most first; nothing where it was left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) votes: Vec<Votes<Option<Value>>>,
}

/// Compares answers field by field: the fields of the schema, or where it names none all that were answered.
pub(crate) fn compare(schema: &Map<String, Value>, answers: &[(usize, Map<String, Value>)]) -> Vec<Field> {
    let named = schema.get("properties").and_then(Value::as_object);
    let names: BTreeSet<&String> = match named {
        Some(named) if !named.is_empty() => named.keys().collect(),
        _ => answers.iter().flat_map(|(_, fields)| fields.keys()).collect(),
    };
    let field = |name: &String| {
        let votes = answers.iter().map(|(voter, fields)| (*voter, fields.get(name).cloned()));
        Field { name: name.clone(), votes: count(votes) }
    };
    names.into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{compare, read};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_answer_is_read_with_and_without_a_fence_and_in_one_way_of_writing() {
        let expected = object(json!({ "n": 1, "text": "a b", "list": [2] }));
        for answer in [
            r#"{"n":1,"text":"a b","list":[2]}"#,
            "```json\n{\"n\": 1.0, \"text\": \" a  b\", \"list\": [2.0]}\n```",
            "Here it is:\n```\n{\"list\":[2],\"text\":\"a b\",\"n\":1}\n```\nDone.",
        ] {
            assert_eq!(read(answer).unwrap(), expected, "{answer}");
        }
        for wrong in ["", "[1]", "yes", "```json\n{\n```"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(read(r#"{"n":1.5,"m":1e300}"#).unwrap(), object(json!({ "n": 1.5, "m": 1e300 })));
    }

    #[test]
    fn each_field_is_voted_on_by_itself() {
        let answers = vec![
            (0, object(json!({ "a": 1, "b": "x", "more": true }))),
            (2, object(json!({ "a": 2, "b": "x" }))),
            (3, object(json!({ "a": 1 }))),
        ];
        let schema = object(json!({ "properties": { "b": {}, "a": {} } }));
        let fields = compare(&schema, &answers);
        let shown: Vec<_> = fields
            .iter()
            .map(|field| {
                let votes = field.votes.iter().map(|votes| (votes.value.clone(), votes.voters.clone()));
                (field.name.as_str(), votes.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", vec![(Some(json!(1)), vec![0, 3]), (Some(json!(2)), vec![2])]),
                ("b", vec![(Some(json!("x")), vec![0, 2]), (None, vec![3])]),
            ]
        );
        let all = compare(&Map::new(), &answers);
        assert_eq!(all.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["a", "b", "more"]);
    }
}
