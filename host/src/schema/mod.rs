//! JSON Schemas: read within bounds, and used to check arguments, results and configurations.
//!
//! Invariant: nothing outside of the schema's own text is ever fetched, and a pattern takes linear time.

mod expand;
pub(crate) mod headers;
pub(crate) mod violation;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::error::{Blame, CallError, Code};
use crate::model::text;
use expand::Cost;

/// Bytes of a schema's text.
const MAX_BYTES: usize = 32 << 10;
/// Arrays and objects in one another.
const MAX_DEPTH: usize = 16;
/// Bytes that one compiled pattern may take.
const MAX_PATTERN_BYTES: usize = 1 << 20;
/// Bytes that all compiled patterns of a schema may take together: each has its even share.
const MAX_PATTERNS_BYTES: usize = 2 << 20;
/// Values of a schema once its references are followed.
const MAX_EXPANDED: usize = 10_000;
/// Values of a schema times values that are checked against it: some 100 ms of work at most.
const MAX_STEPS: usize = 10_000_000;
/// Violations that an error tells.
const MAX_TOLD: usize = 5;
/// Values of a text in which all violations are looked for; in a larger one it is the first.
const MAX_TOLD_IN: usize = 1_000;
/// Keywords whose text is for people and can be cleaned without changing what the schema means.
const PROSE: [&str; 3] = ["description", "title", "$comment"];

/// Reads a schema from a plugin: an object, within bounds, with its prose cleaned.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn read(schema: &str) -> Result<Map<String, Value>, String> {
    if schema.len() > MAX_BYTES {
        return Err(format!("has {} bytes, more than {MAX_BYTES}", schema.len()));
    }
    let value = serde_json::from_str(schema).map_err(|error| format!("is no JSON: {error}"))?;
    let Value::Object(mut map) = value else {
        return Err("is no JSON object".into());
    };
    tidy_object(&mut map, 1)?;
    let expanded = expand::cost(&map)?.values;
    if expanded > MAX_EXPANDED {
        return Err(format!("has {expanded} values once its `$ref`s are followed, more than {MAX_EXPANDED}"));
    }
    Ok(map)
}

fn tidy(key: &str, value: &mut Value, depth: usize) -> Result<(), String> {
    match value {
        Value::Object(map) => tidy_object(map, depth + 1),
        Value::Array(items) => {
            check_depth(depth + 1)?;
            items.iter_mut().try_for_each(|item| tidy("", item, depth + 1))
        }
        Value::String(string) if PROSE.contains(&key) => {
            *string = text::clean_owned(std::mem::take(string));
            Ok(())
        }
        Value::String(string) => {
            check_ref(key, string)?;
            check_visible(string)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn tidy_object(map: &mut Map<String, Value>, depth: usize) -> Result<(), String> {
    check_depth(depth)?;
    map.iter_mut().try_for_each(|(key, value)| {
        check_visible(key)?;
        tidy(key, value, depth)
    })
}

fn check_depth(depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH { Err(format!("is nested deeper than {MAX_DEPTH}")) } else { Ok(()) }
}

/// Lets through references that can be followed here and now: by a path from the root.
fn check_ref(key: &str, target: &str) -> Result<(), String> {
    let shown = text::truncate(target, 100);
    match key {
        "$ref" if target != "#" && !target.starts_with("#/") => {
            Err(format!("has a `$ref` to {shown:?}; only paths inside the schema (`#/…`) are allowed"))
        }
        "$dynamicRef" | "$recursiveRef" | "$dynamicAnchor" | "$anchor" | "$id" => {
            Err(format!("has a `{key}`; references inside the schema are `$ref` with a path (`#/…`)"))
        }
        _ => Ok(()),
    }
}

fn check_visible(string: &str) -> Result<(), String> {
    if matches!(text::clean(string), std::borrow::Cow::Owned(_)) {
        return Err(format!("has hidden characters in {:?}", text::truncate(string, 100)));
    }
    Ok(())
}

/// What is wrong with a schema. Of a pattern the library says the same whether it is none or takes too much.
fn refused(error: &ValidationError<'_>, each: usize) -> String {
    let what = format!("is no JSON Schema: at {}: {error}", place(error));
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => format!(
            "{what}, or it takes more than {} KiB compiled, which is what each of its patterns has; make them smaller \
             or fewer",
            each >> 10
        ),
        _ => what,
    }
}

/// A schema, compiled.
pub(crate) struct Checker {
    validator: Validator,
    /// Values of the schema, its references followed: what one value can cost at most.
    cost: usize,
}

impl Checker {
    /// Compiles a schema that [`read`] has let through.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(schema: &Map<String, Value>) -> Result<Self, String> {
        let Cost { values: cost, patterns } = expand::cost(schema)?;
        let each = MAX_PATTERN_BYTES.min(MAX_PATTERNS_BYTES / patterns.max(1));
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(each))
            .offline()
            .build(&Value::Object(schema.clone()))
            .map(|validator| Self { validator, cost })
            .map_err(|error| refused(&error, each))
    }

    pub(crate) fn check_arguments(&self, arguments: &Value) -> Result<(), CallError> {
        let failed = |what: String| {
            let message = format!("the arguments do not match the tool's input schema: {what}");
            CallError::new(Code::InvalidArguments, Blame::Caller, message).private()
        };
        self.check(arguments, Blame::Caller)?.map_or(Ok(()), |what| Err(failed(what)))
    }

    pub(crate) fn check_output(&self, output: &Value) -> Result<(), CallError> {
        let failed = |what: String| {
            let message = format!("the result does not match the tool's output schema: {what}");
            CallError::new(Code::InvalidOutput, Blame::Plugin, message).private()
        };
        self.check(output, Blame::Plugin)?.map_or(Ok(()), |what| Err(failed(what)))
    }

    /// What does not match, in words; nothing where all does. Refuses what would take too long to find out.
    fn check(&self, value: &Value, blame: Blame) -> Result<Option<String>, CallError> {
        let values = count(value);
        if values.saturating_mul(self.cost) > MAX_STEPS {
            let message =
                format!("{values} values are too many to check against the tool's schema; send less at once");
            return Err(CallError::new(Code::Limit, blame, message));
        }
        if self.validator.is_valid(value) {
            return Ok(None);
        }
        // All errors are made at once, each with a copy of what it is about: only where that is little.
        if values > MAX_TOLD_IN {
            return Ok(self.validator.validate(value).err().map(|error| told(&error)));
        }
        let mut errors = self.validator.iter_errors(value);
        let mut words: Vec<String> = errors.by_ref().take(MAX_TOLD).map(|error| told(&error)).collect();
        if errors.next().is_some() {
            words.push("and more".into());
        }
        Ok(Some(words.join("; ")))
    }
}

fn told(error: &ValidationError<'_>) -> String {
    format!("at {}: {}", place(error), text::truncate(&error.to_string(), 500))
}

/// Values that a JSON text has, counted without building them. What is no JSON has some number, too.
pub(crate) fn count_values(json: &str) -> usize {
    let (mut values, mut in_string, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            // One value stands behind each of these, or an empty list or object.
            b',' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    values
}

/// Values in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// JSON Pointer of what an error is about.
fn place(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() { "the root".into() } else { path }
}

/// The JSON text of checked arguments: the one time that they are written.
pub(crate) fn to_json(arguments: &Value) -> Result<String, CallError> {
    serde_json::to_string(arguments).map_err(|error| {
        CallError::new(Code::Internal, Blame::Host, "the arguments cannot be written as JSON")
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::{Map, Value, json};

    use super::{Checker, MAX_BYTES, MAX_DEPTH, read};
    use crate::observed::observed;

    /// What a check promises to take at most.
    const PROMISED: Duration = Duration::from_millis(100);

    /// How long a check takes that fails, on a machine that may have others to do.
    fn time_to_refuse(checker: &Checker, value: &Value) -> Duration {
        let one = |_| {
            let started = Instant::now();
            assert!(checker.check_arguments(value).is_err());
            started.elapsed()
        };
        (0..5).map(one).min().unwrap()
    }

    fn nested(depth: usize) -> String {
        format!("{}{}{}", "{\"a\":".repeat(depth - 1), "{}", "}".repeat(depth - 1))
    }

    #[test]
    fn a_schema_of_the_full_size_and_depth_is_read_and_a_larger_one_is_not() {
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 1)).unwrap_err().contains("deeper than 16"));
        let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
        assert!(read(&padded(MAX_BYTES)).is_ok());
        assert!(read(&padded(MAX_BYTES + 1)).unwrap_err().contains("more than 32768"));
    }

    #[test]
    fn only_references_into_the_schema_itself_are_let_through() {
        assert!(read(r##"{"$ref":"#/$defs/a","$defs":{"a":{}}}"##).is_ok());
        for target in ["http://127.0.0.1/x", "file:///etc/passwd", "other.json", "#name", "##/a"] {
            let error = read(&json!({ "items": { "$ref": target } }).to_string()).unwrap_err();
            assert!(error.contains(target), "{error}");
        }
    }

    #[test]
    fn prose_is_cleaned_and_a_hidden_character_elsewhere_is_refused() {
        let schema = read(r#"{"description":"a\u001b[1mb\u202e"}"#).unwrap();
        assert_eq!(schema["description"], "a[1mb");
        assert!(read(r#"{"enum":["a\u202e"]}"#).unwrap_err().contains("hidden"));
        assert!(read(r#"{"properties":{"a\u200b":{}}}"#).unwrap_err().contains("hidden"));
    }

    #[test]
    fn a_violation_is_told_with_its_path_and_its_reason() {
        let schema = read(r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},"required":["b"]}"#).unwrap();
        let error = Checker::new(&schema).unwrap().check_arguments(&json!({ "a": ["x", 1] })).unwrap_err();
        assert!(error.message().contains("at /a/1: 1 is not of type \"string\""), "{error}");
        assert!(error.message().contains("\"b\" is a required property"), "{error}");
    }

    #[test]
    fn a_pattern_that_would_backtrack_takes_linear_time() {
        let schema = read(r#"{"type":"object","properties":{"a":{"pattern":"^(a+)+$"}}}"#).unwrap();
        let checker = Checker::new(&schema).unwrap();
        let time = time_to_refuse(&checker, &json!({ "a": format!("{}b", "a".repeat(50_000)) }));
        assert!(time <= PROMISED, "{time:?}");
        observed("B12", format_args!("50,000 characters that do not match ^(a+)+$: refused in {time:.1?}"));
    }

    #[test]
    fn the_widest_choice_that_is_taken_is_settled_in_time() {
        let levels = 9;
        let level = |n: usize| {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            let last = n == levels;
            (
                format!("d{n}"),
                if last { json!({ "type": "string" }) } else { json!({ "anyOf": [next, next] }) },
            )
        };
        let all: Map<String, Value> = (0..=levels).map(level).collect();
        let schema = json!({ "$ref": "#/$defs/d0", "$defs": all }).to_string();
        let checker = Checker::new(&read(&schema).unwrap()).unwrap();
        assert!(checker.cost > super::MAX_EXPANDED / 2, "{}", checker.cost);
        let mut longest = Duration::ZERO;
        for values in [1, super::MAX_TOLD_IN, super::MAX_STEPS / checker.cost] {
            longest = longest.max(time_to_refuse(&checker, &json!(vec![1; values - 1])));
        }
        assert!(longest <= PROMISED, "{longest:?}");
        observed("B13", format_args!("{} ways that all fail: refused in {longest:.1?} at most", 1 << levels));
    }

    #[test]
    fn a_pattern_that_compiles_to_too_much_is_refused() {
        let compiles = |pattern: &str| {
            read(&json!({ "pattern": pattern }).to_string())
                .and_then(|schema| Checker::new(&schema).map(drop))
        };
        assert!(compiles("^[a-z]{1,1000}$").is_ok());
        assert!(compiles("((a{1000}){1000}){1000}").unwrap_err().contains("pattern"));
    }

    #[test]
    fn many_patterns_share_what_all_may_take() {
        let compiles = |count: usize, pattern: &str| {
            let properties: Map<String, Value> =
                (0..count).map(|n| (n.to_string(), json!({ "pattern": format!("{pattern}{n}") }))).collect();
            read(&json!({ "properties": properties }).to_string())
                .and_then(|schema| Checker::new(&schema).map(drop))
        };
        assert!(compiles(60, "^[a-z0-9-]{1,39}$").is_ok());
        assert!(compiles(2, "(\\pL|\\pN){2}").is_ok());
        let refused = compiles(600, "(\\pL|\\pN){2}").unwrap_err();
        assert!(refused.contains("/pattern: ") && refused.contains("more than 3 KiB compiled"), "{refused}");
    }

    #[test]
    fn five_violations_are_told_and_more_are_only_mentioned() {
        let schema = read(r#"{"type":"object","additionalProperties":{"type":"string"}}"#).unwrap();
        let checker = Checker::new(&schema).unwrap();
        let told = |count: usize| {
            let wrong = (0..count).map(|n| (n.to_string(), json!(n))).collect();
            checker.check_arguments(&Value::Object(wrong)).unwrap_err().message().to_owned()
        };
        assert!(told(5).contains("at /4") && !told(5).contains("and more"), "{}", told(5));
        assert!(told(6).ends_with("; and more") && !told(6).contains("at /5"), "{}", told(6));
    }

    #[test]
    fn a_check_of_up_to_ten_million_steps_is_made_and_a_larger_one_is_a_limit() {
        let checker = Checker::new(
            &read(r#"{"type":"object","properties":{"a":{"items":{"type":"integer"}}}}"#).unwrap(),
        )
        .unwrap();
        let values = |n: usize| json!({ "a": vec![1; n - 2] });
        assert!(checker.check_arguments(&values(super::MAX_STEPS / checker.cost)).is_ok());
        let error = checker.check_arguments(&values(super::MAX_STEPS / checker.cost + 1)).unwrap_err();
        assert_eq!(error.code, crate::error::Code::Limit);
    }

    #[test]
    fn a_schema_that_expands_to_ten_thousand_values_is_taken_and_a_larger_one_is_not() {
        // Each reference stands for 101 values and itself has one key.
        let schema = |references: usize| {
            let all: Vec<_> = (0..references).map(|_| json!({ "$ref": "#/$defs/a" })).collect();
            json!({ "allOf": all, "$defs": { "a": { "enum": vec![1; 98] } } }).to_string()
        };
        assert!(read(&schema(96)).is_ok());
        let error = read(&schema(102)).unwrap_err();
        assert!(error.contains("more than 10000"), "{error}");
    }

    #[test]
    fn in_a_large_value_the_first_violation_is_told() {
        let checker = Checker::new(&read(r#"{"items":{"type":"integer"}}"#).unwrap()).unwrap();
        let error = |n: usize| checker.check_arguments(&json!(vec!["x"; n])).unwrap_err();
        assert!(error(super::MAX_TOLD_IN - 1).message().ends_with("and more"));
        assert!(error(super::MAX_TOLD_IN).message().contains("at /0"));
        assert!(!error(super::MAX_TOLD_IN).message().contains("at /1"));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for schema in ["[]", "nothing", "{\"type\":\"no such type\"}", "{\"pattern\":\"(\"}"] {
            assert!(read(schema).and_then(|schema| Checker::new(&schema).map(|_| ())).is_err(), "{schema}");
        }
    }
}
