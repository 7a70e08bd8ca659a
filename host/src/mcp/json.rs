//! One line, read strictly and in one pass into the parts of a JSON-RPC message.
//!
//! Invariant: what comes out was valid UTF-8 and JSON, at most [`MAX_DEPTH`] deep, and where a key stood
//! twice in one object, at whatever depth, the envelope says so. Of a line with more than [`MAX_VALUES`]
//! keys and values no more than that are kept.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Objects and arrays inside of each other, with the message itself as the first.
pub(super) const MAX_DEPTH: usize = 64;

/// Keys and values of one message, itself included; a small object costs hundreds of times its text.
pub(super) const MAX_VALUES: usize = 100_000;

/// What a line holds.
#[derive(Debug)]
pub(super) enum Parsed {
    /// An object.
    Object(Envelope),
    /// An array: a batch, which MCP does not have any more.
    Array,
    /// Another JSON value.
    Scalar,
}

/// The members of a JSON-RPC message, not judged yet.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) jsonrpc: Option<Value>,
    pub(super) id: Option<Value>,
    pub(super) method: Option<Value>,
    pub(super) params: Option<Value>,
    /// The result, where it is an answer.
    pub(super) result: Option<Value>,
    /// It has a `result` or an `error`.
    pub(super) is_reply: bool,
    /// A key stands twice in one object, somewhere.
    pub(super) has_duplicates: bool,
    /// How many keys and values it has. Beyond [`MAX_VALUES`], `params` are not whole.
    pub(super) values: usize,
}

/// Why a line could not be read.
#[derive(Debug)]
pub(super) enum ParseError {
    /// It is not JSON, or it is too deep; where and why.
    Malformed(String),
    /// It is JSON with a number that no program can hold.
    NumberRange,
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        // The library has no other way to tell this kind from the rest.
        if error.to_string().starts_with("number out of range") {
            return Self::NumberRange;
        }
        Self::Malformed(error.to_string())
    }
}

/// Reads one line.
pub(super) fn parse(line: &[u8]) -> Result<Parsed, ParseError> {
    let seen = Seen::default();
    seen.count();
    let mut source = serde_json::Deserializer::from_slice(line);
    let mut parsed = source.deserialize_any(Whole { seen: &seen })?;
    source.end()?;
    if let Parsed::Object(envelope) = &mut parsed {
        envelope.has_duplicates |= seen.twice.get();
        envelope.values = seen.values.get();
    }
    Ok(parsed)
}

/// What is noticed on the way through a line.
#[derive(Default)]
struct Seen {
    twice: Cell<bool>,
    values: Cell<usize>,
}

impl Seen {
    /// One more key or value.
    fn count(&self) {
        self.values.set(self.values.get() + 1);
    }

    /// Whether what comes now is only read, not kept.
    fn is_full(&self) -> bool {
        self.values.get() > MAX_VALUES
    }
}

/// The line as a whole.
struct Whole<'a> {
    seen: &'a Seen,
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let value = Strict { depth: 1, seen: self.seen };
        let mut envelope = Envelope::default();
        let mut others = Vec::new();
        let mut replies = [false; 2];
        while let Some(key) = map.next_key::<Key>()? {
            self.seen.count();
            let found = map.next_value_seed(value)?;
            let duplicate = match key {
                Key::Jsonrpc => envelope.jsonrpc.replace(found).is_some(),
                // Which of two ids is meant can't be known, so neither is.
                Key::Id => match envelope.id {
                    None => envelope.id.replace(found).is_some(),
                    Some(_) => envelope.id.replace(Value::Null).is_some(),
                },
                Key::Method => envelope.method.replace(found).is_some(),
                Key::Params => envelope.params.replace(found).is_some(),
                Key::Result => {
                    envelope.result = Some(found);
                    std::mem::replace(&mut replies[0], true)
                }
                Key::Error => std::mem::replace(&mut replies[1], true),
                Key::Other(name) => {
                    others.extend((!self.seen.is_full()).then_some(name));
                    false
                }
            };
            envelope.has_duplicates |= duplicate;
        }
        others.sort_unstable();
        envelope.has_duplicates |= others.windows(2).any(|pair| pair[0] == pair[1]);
        envelope.is_reply = replies.contains(&true);
        Ok(Parsed::Object(envelope))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let item = Strict { depth: 1, seen: self.seen };
        while items.next_element_seed(item)?.is_some() {}
        Ok(Parsed::Array)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }

    fn visit_unit<E: Error>(self) -> Result<Parsed, E> {
        Ok(Parsed::Scalar)
    }
}

/// A key of the message itself.
#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Other(String),
}

/// A value inside the message.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// How many objects and arrays are around it.
    depth: usize,
    seen: &'a Seen,
}

impl Strict<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("deeper than {MAX_DEPTH} objects and arrays")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        self.seen.count();
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let value = self.inside()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.seen.count();
            let found = map.next_value_seed(value)?;
            if !self.seen.is_full() && members.insert(key, found).is_some() {
                self.seen.twice.set(true);
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let item = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(item)? {
            values.extend((!self.seen.is_full()).then_some(value));
        }
        Ok(Value::Array(values))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
mod tests {
    use serde_json::json;

    use super::{Envelope, MAX_DEPTH, MAX_VALUES, ParseError, Parsed, parse};

    fn object(line: &str) -> Envelope {
        match parse(line.as_bytes()) {
            Ok(Parsed::Object(envelope)) => envelope,
            other => panic!("{line} became {other:?}"),
        }
    }

    /// An object with `params` so deep that the whole is `depth` deep.
    fn nested(depth: usize) -> String {
        format!(r#"{{"params":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
    }

    #[test]
    fn the_parts_of_a_message_are_told_apart() {
        let line =
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":[1,-2,0.5,"x",null,true]},"extra":1}"#;
        let envelope = object(line);
        assert_eq!(envelope.params, Some(json!({"a": [1, -2, 0.5, "x", null, true]})));
        assert_eq!(envelope.id, Some(json!(1)));
        assert_eq!(envelope.method, Some(json!("m")));
        assert!(!envelope.is_reply && !envelope.has_duplicates);
        assert!(object(r#"{"result":null}"#).is_reply);
    }

    #[test]
    fn batches_and_scalars_are_no_messages() {
        assert!(matches!(parse(b"[]"), Ok(Parsed::Array)));
        assert!(matches!(parse(br#"[{"jsonrpc":"2.0"},1]"#), Ok(Parsed::Array)));
        for scalar in ["1", "-1", "0.5", "true", "null", r#""x""#] {
            assert!(matches!(parse(scalar.as_bytes()), Ok(Parsed::Scalar)), "{scalar}");
        }
    }

    #[test]
    fn a_depth_of_64_is_read_and_one_of_65_is_not() {
        assert!(object(&nested(MAX_DEPTH)).params.is_some());
        let Err(ParseError::Malformed(why)) = parse(nested(MAX_DEPTH + 1).as_bytes()) else {
            panic!("a depth of {} was read", MAX_DEPTH + 1)
        };
        assert!(why.contains("deeper than 64"), "{why}");
        let objects = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
        assert!(matches!(parse(objects.as_bytes()), Err(ParseError::Malformed(_))));
    }

    #[test]
    fn a_depth_of_100000_costs_no_stack() {
        let opening = ["[", r#"{"params":"#, r#"[{"a":"#].map(|open| open.repeat(100_000));
        let whole = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for line in opening.iter().chain([&whole]) {
            assert!(matches!(parse(line.as_bytes()), Err(ParseError::Malformed(_))));
        }
    }

    #[test]
    fn keys_and_values_are_counted_and_no_more_than_100000_are_kept() {
        // The message, three keys, a number, the array, and what is in it.
        let with = |n: usize| {
            let line = format!(r#"{{"params":[{}0],"x":[],"id":7}}"#, "0,".repeat(n - 1));
            let Envelope { params, id, values, .. } = object(&line);
            assert_eq!(id, Some(json!(7)));
            (values, params.unwrap().as_array().unwrap().len())
        };
        assert_eq!(with(1), (8, 1));
        assert_eq!(with(MAX_VALUES - 7), (MAX_VALUES, MAX_VALUES - 7));
        assert_eq!(with(500_000), (500_007, MAX_VALUES - 3));
        let objects = object(&format!(r#"{{"params":[{}0]}}"#, r#"{"a":1},"#.repeat(500_000)));
        assert_eq!(objects.values, 3 + 3 * 500_000 + 1);
        assert_eq!(objects.params.unwrap().as_array().unwrap().len(), (MAX_VALUES - 3) / 3);
        let keys = (0..MAX_VALUES).map(|n| format!(r#""{n}":0,"#)).collect::<String>();
        let keys = object(&format!(r#"{{{keys}"id":7}}"#));
        assert_eq!((keys.values, keys.id), (2 * MAX_VALUES + 3, Some(json!(7))));
    }

    #[test]
    fn a_key_that_stands_twice_is_noticed_at_any_depth() {
        for line in [
            r#"{"id":1,"method":"a","method":"b"}"#,
            r#"{"id":1,"x":1,"y":2,"x":3}"#,
            r#"{"id":1,"params":{"a":1,"a":1}}"#,
            r#"{"id":1,"params":[{"a":{"b":1,"\u0062":2}}]}"#,
            r#"{"x":{"a":1,"a":2},"id":1}"#,
        ] {
            let envelope = object(line);
            assert!(envelope.has_duplicates, "{line}");
            assert_eq!(envelope.id, Some(json!(1)), "{line}");
        }
        assert_eq!(object(r#"{"id":1,"id":2}"#).id, Some(json!(null)));
        assert!(!object(r#"{"id":1,"params":{"a":1,"A":1,"b":{"a":1}}}"#).has_duplicates);
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let lines: [&[u8]; 12] = [
            b"{",
            b"nonsense",
            br#"{"a":1"#,
            br#"{"a":1}x"#,
            br#"{"a":1}{"a":1}"#,
            br#"{"a":1,}"#,
            b"{'a':1}",
            b"{\"a\":\"\0\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\xc0\xaf\"}",
            br#"{"a":"\ud800"}"#,
            b"{\"a\":NaN}",
        ];
        for line in lines {
            let shown = String::from_utf8_lossy(line).into_owned();
            assert!(matches!(parse(line), Err(ParseError::Malformed(_))), "{shown}");
        }
    }

    #[test]
    fn a_number_that_no_program_can_hold_is_json_all_the_same() {
        assert!(matches!(parse(br#"{"id":1e400}"#), Err(ParseError::NumberRange)));
    }
}
