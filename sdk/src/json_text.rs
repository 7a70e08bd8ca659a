//! Reading JSON so that an error says where and why.

use serde::Deserialize;
use serde_path_to_error::{Path, Segment};

/// Reads a whole text as `T`.
///
/// # Errors
/// `at /path: reason`, where the path is a JSON pointer.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("at {}: {}", pointer(error.path()), reason(error.inner())))?;
    json.end().map_err(|error| format!("at the end: {error}"))?;
    Ok(value)
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => pointer.push('?'),
        }
    }
    if pointer.is_empty() { "the root".to_owned() } else { pointer }
}

/// The text without the position, which is about a text that the caller never saw.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::read;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        items: Vec<Item>,
    }

    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Item {
        #[serde(rename = "a/b")]
        count: u8,
    }

    #[test]
    fn an_error_names_the_path_and_the_reason() {
        let error = |text| read::<Order>(text).unwrap_err();
        assert_eq!(
            error(r#"{"items":[{"a/b":1},{"a/b":300}]}"#),
            "at /items/1/a~1b: invalid value: integer `300`, expected u8"
        );
        assert_eq!(error(r#"{"items":[{}]}"#), "at /items/0: missing field `a/b`");
        assert_eq!(error("{}"), "at the root: missing field `items`");
        assert!(error(r#"{"itms":[]}"#).contains("unknown field `itms`, expected `items`"));
        assert!(error(r#"{"items":[]} more"#).starts_with("at the end: trailing characters"));
    }
}
