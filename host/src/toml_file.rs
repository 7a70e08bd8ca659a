//! Reads a TOML file into a type, with errors that say where and what instead.
//!
//! Invariant: an unknown key is an error, never ignored: a limit that nobody reads is no limit.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::model::text;

/// Something wrong in a file, at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file as it was named.
    pub file: String,
    /// Line and column, from 1, where they are known. Columns count characters.
    pub position: Option<(usize, usize)>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It repeats what the file says, and whoever wrote a manifest writes no line of ours with that.
        let message = text::one_line(&self.message);
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {message}", self.file),
            None => write!(f, "{}: {message}", self.file),
        }
    }
}

impl std::error::Error for FileError {}

/// Parses `content`; `file` only names it in errors.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse<T: DeserializeOwned>(file: &str, content: &str) -> Result<T, FileError> {
    toml::from_str(content).map_err(|error| FileError {
        file: file.to_owned(),
        position: error.span().map(|span| text::Positions::of(content).at(span.start)),
        message: explain(error.message(), error.span().and_then(|span| content.get(span))),
    })
}

/// The parser's words, with what the file says at that place, and for an unknown key with an offer of
/// the nearest valid one.
pub(crate) fn explain(message: &str, at: Option<&str>) -> String {
    if let (Some(at), "duplicate key") = (at, message) {
        return format!("duplicate key `{at}`; keep one");
    }
    let Some(rest) = message.strip_prefix("unknown field ") else {
        return message.trim_end().to_owned();
    };
    let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let Some((written, valid)) = names.split_first() else {
        return message.to_owned();
    };
    unknown_key(written, valid.iter().copied())
}

/// Where the values of a table are, by JSON Pointer, for what is found out after the file was parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    file: String,
    places: BTreeMap<String, (usize, usize)>,
}

impl Places {
    /// Those of everything in the table at `path` of a file that was parsed before.
    pub fn of(file: &str, content: &str, path: &[&str]) -> Self {
        let mut offsets = BTreeMap::new();
        if let Ok(root) = DeTable::parse(content) {
            collect(root.get_ref(), "", &mut offsets);
        }
        let prefix: String = path.iter().map(|key| pointer("", key)).collect();
        let mut positions = text::Positions::of(content);
        let inside = offsets.iter().filter_map(|(pointer, offset)| {
            let rest = pointer.strip_prefix(&prefix)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (rest.to_owned(), positions.at(*offset)))
        });
        Self { file: file.to_owned(), places: inside.collect() }
    }

    /// An error about the value at a pointer, or about the nearest one around it that is written down.
    pub fn error(&self, pointer: &str, message: String) -> FileError {
        let mut at = pointer;
        let position = loop {
            match (self.places.get(at), at.rfind('/')) {
                (Some(position), _) => break Some(*position),
                (None, Some(end)) => at = &at[..end],
                (None, None) => break None,
            }
        };
        FileError { file: self.file.clone(), position, message }
    }
}

/// The pointer of what is called `key` in the value at `outer`.
pub fn pointer(outer: &str, key: &str) -> String {
    format!("{outer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn collect(table: &DeTable<'_>, outer: &str, offsets: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let inner = pointer(outer, key.get_ref());
        collect_value(value.get_ref(), &inner, offsets);
        offsets.insert(inner, key.span().start);
    }
}

fn collect_value(value: &DeValue<'_>, at: &str, offsets: &mut BTreeMap<String, usize>) {
    match value {
        DeValue::Table(table) => collect(table, at, offsets),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let inner = pointer(at, &index.to_string());
                collect_value(item.get_ref(), &inner, offsets);
                offsets.insert(inner, item.span().start);
            }
        }
        _ => {}
    }
}

/// The parser's way of saying that a key is not known, with an offer of the nearest valid one.
pub fn unknown_key<'a>(written: &str, valid: impl Iterator<Item = &'a str> + Clone) -> String {
    let offer = text::nearest(written, valid.clone());
    let offer = offer.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("unknown key `{written}`{offer} (valid here: {})", valid.collect::<Vec<_>>().join(", "))
}

/// The same value as JSON.
pub fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(string) => string.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(boolean) => boolean.into(),
        // JSON has no dates; RFC 3339 is what everybody writes.
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, to_json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{Places, parse};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "fuel")]
        _fuel: u64,
    }

    fn error(content: &str) -> String {
        parse::<Sample>("sample.toml", content).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_valid_one() {
        assert_eq!(
            error("# é\nfule = 1\n"),
            "sample.toml:2:1: unknown key `fule`; did you mean `fuel`? (valid here: fuel)"
        );
    }

    #[test]
    fn what_a_file_says_is_repeated_on_one_line_and_hides_nothing() {
        let told = error("\"a\\nf.toml: \\u001b[2K\\u202e\" = 1\n");
        assert!(told.starts_with("sample.toml:1:1: unknown key `a\\nf.toml: \\u{1b}[2K\\u{202e}`"), "{told}");
    }

    #[test]
    fn values_of_a_table_are_found_again_however_it_is_written() {
        let content = "[a.b]\nx = 1\nlist = [1, { \"y/z\" = 2 }]\n[a.b.inner]\nk = 3\n[other]\nx = 4\n";
        let places = Places::of("f.toml", content, &["a", "b"]);
        let at = |pointer: &str| places.error(pointer, String::new()).position;
        assert_eq!(at("/x"), Some((2, 1)));
        assert_eq!(at("/list/1"), Some((3, 12)));
        assert_eq!(at("/list/1/y~1z"), Some((3, 14)));
        assert_eq!(at("/inner/k"), Some((5, 1)));
        assert_eq!(at("/inner/missing/deep"), Some((4, 6)));
        assert_eq!(at("/none"), Some((1, 4)));
        assert_eq!(Places::of("f.toml", content, &["gone"]).error("/x", String::new()).position, None);
    }

    #[test]
    fn a_wrong_type_and_a_syntax_error_have_their_place() {
        assert!(
            error("fuel = \"é\"").starts_with("sample.toml:1:8: invalid type: string \"é\", expected u64")
        );
        assert!(error("fuel = ").starts_with("sample.toml:1:8: "), "{}", error("fuel = "));
        assert!(error("fuel = 1\nfuel = 2").starts_with("sample.toml:2:1: duplicate key `fuel`"));
    }
}
