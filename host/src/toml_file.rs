//! Reads a TOML file into a type, with errors that say where and what instead.
//!
//! Invariant: an unknown key is an error, never ignored: a limit that nobody reads is no limit.

use std::fmt;

use serde::de::DeserializeOwned;

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
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
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
fn explain(message: &str, at: Option<&str>) -> String {
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
    let nearest = text::nearest(written, valid.iter().copied());
    let offer = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("unknown key `{written}`{offer} (valid here: {})", valid.join(", "))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::parse;

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
    fn a_wrong_type_and_a_syntax_error_have_their_place() {
        assert!(
            error("fuel = \"é\"").starts_with("sample.toml:1:8: invalid type: string \"é\", expected u64")
        );
        assert!(error("fuel = ").starts_with("sample.toml:1:8: "), "{}", error("fuel = "));
        assert!(error("fuel = 1\nfuel = 2").starts_with("sample.toml:2:1: duplicate key `fuel`"));
    }
}
