//! What a guest returned, as the hub's own words: cleaned, capped, checked.
//!
//! Invariant: nothing from a guest goes further without having passed here.

use std::borrow::Cow;

use serde_json::Value;

use crate::bindings::{self, tool_types};
use crate::error::{Blame, CallError, Code};
use crate::model::{Content, ResourceBody, ToolOutput, text};
use crate::schema::{self, Checker};

/// Bytes of a whole result.
pub(crate) const MAX_RESULT: usize = 1 << 20;
/// Values of a structured result: each takes some hundred bytes of the host once it is parsed.
const MAX_RESULT_VALUES: usize = 100_000;
/// What a block takes besides its content, once it is written.
const BLOCK: usize = 64;
/// Schemes of links that mean something outside of the machine or only to the plugin; a link that
/// names a local file or runs something is dropped.
const DROPPED_SCHEMES: [&str; 4] = ["file:", "javascript:", "data:", "vbscript:"];

/// The error that a guest returned. A code that is unknown, or that is the hub's to give, is `internal`.
pub(super) fn guest_error(error: bindings::Error) -> CallError {
    let (code, blame) = match Code::parse(&error.code) {
        Some(code @ Code::InvalidArguments) => (code, Blame::Caller),
        Some(code @ Code::Denied) => (code, Blame::Policy),
        Some(code @ (Code::Upstream | Code::Unavailable | Code::RateLimited)) => (code, Blame::Upstream),
        Some(code @ (Code::Limit | Code::Deadline | Code::Overloaded)) => (code, Blame::Plugin),
        _ => (Code::Internal, Blame::Plugin),
    };
    CallError::new(code, blame, error.message).private()
}

/// A tool's result and its size in bytes.
///
/// # Errors
/// `limit` where it is too large, `invalid-output` where it is not what the tool promised.
pub(super) fn output(
    given: tool_types::ToolOutput,
    schema: Option<&Checker>,
) -> Result<(ToolOutput, u64), CallError> {
    let bytes = within_result_limit(size(&given))?;
    let structured = given.structured.as_deref().map(parse).transpose()?;
    match (schema, &structured) {
        (Some(schema), Some(value)) => schema.check_output(value)?,
        (Some(_), None) => {
            return Err(invalid("the tool has an output schema and returned no structured result"));
        }
        (None, _) => {}
    }
    let content = given.content.into_iter().filter_map(content).collect();
    Ok((ToolOutput { content, structured }, bytes))
}

/// The size of a result, if it is not too large.
pub(crate) fn within_result_limit(bytes: usize) -> Result<u64, CallError> {
    if bytes <= MAX_RESULT {
        return Ok(bytes as u64);
    }
    let message = format!("the result has {bytes} bytes, more than {MAX_RESULT}; ask for less");
    Err(CallError::new(Code::Limit, Blame::Plugin, message))
}

fn parse(structured: &str) -> Result<Value, CallError> {
    let values = schema::count_values(structured);
    if values > MAX_RESULT_VALUES {
        let message =
            format!("the structured result has {values} values, more than {MAX_RESULT_VALUES}; ask for less");
        return Err(CallError::new(Code::Limit, Blame::Plugin, message));
    }
    let mut value = serde_json::from_str(structured)
        .map_err(|error| invalid(format!("the structured result is no JSON: {error}")))?;
    clean_strings(&mut value)?;
    Ok(value)
}

/// Cleans the strings of a value. A name cannot be cleaned without becoming another one.
fn clean_strings(value: &mut Value) -> Result<(), CallError> {
    match value {
        Value::String(string) => *string = text::clean_owned(std::mem::take(string)),
        Value::Array(items) => items.iter_mut().try_for_each(clean_strings)?,
        Value::Object(map) => {
            if map.keys().any(|key| matches!(text::clean(key), Cow::Owned(_))) {
                return Err(invalid("the structured result has hidden characters in a name"));
            }
            map.values_mut().try_for_each(clean_strings)?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn invalid(message: impl AsRef<str>) -> CallError {
    CallError::new(Code::InvalidOutput, Blame::Plugin, message)
}

fn size(given: &tool_types::ToolOutput) -> usize {
    let blocks: usize = given.content.iter().map(block_size).sum();
    blocks + given.structured.as_ref().map_or(0, String::len)
}

fn block_size(block: &tool_types::Content) -> usize {
    use tool_types::{Content as Block, ResourceBody as Body};
    let media_type = |given: &Option<String>| given.as_ref().map_or(0, String::len);
    BLOCK
        + match block {
            Block::Text(text) => text.len(),
            Block::Image(blob) | Block::Audio(blob) => blob.data.len() + blob.media_type.len(),
            Block::Link(link) => link.uri.len() + link.name.len() + media_type(&link.media_type),
            Block::Embedded(resource) => {
                let body = match &resource.body {
                    Body::Text(text) => text.len(),
                    Body::Bytes(bytes) => bytes.len(),
                };
                resource.uri.len() + media_type(&resource.media_type) + body
            }
        }
}

fn content(block: tool_types::Content) -> Option<Content> {
    use tool_types::{Content as Block, ResourceBody as Body};
    Some(match block {
        Block::Text(text) => Content::Text(text::clean_owned(text)),
        Block::Image(blob) => Content::Image(blob.data, text::clean_owned(blob.media_type)),
        Block::Audio(blob) => Content::Audio(blob.data, text::clean_owned(blob.media_type)),
        Block::Link(link) => Content::Link {
            uri: allowed_uri(link.uri)?,
            name: text::clean_owned(link.name),
            media_type: link.media_type.map(text::clean_owned),
        },
        Block::Embedded(resource) => Content::Embedded {
            uri: allowed_uri(resource.uri)?,
            media_type: resource.media_type.map(text::clean_owned),
            body: match resource.body {
                Body::Text(text) => ResourceBody::Text(text::clean_owned(text)),
                Body::Bytes(bytes) => ResourceBody::Bytes(bytes),
            },
        },
    })
}

fn allowed_uri(uri: String) -> Option<String> {
    let uri = text::clean_owned(uri);
    // Programs that follow links read over line ends and tabs, wherever they stand.
    let lower = uri.replace(char::is_whitespace, "").to_ascii_lowercase();
    let dropped = DROPPED_SCHEMES.iter().any(|scheme| lower.starts_with(scheme));
    if dropped {
        tracing::warn!(uri = %text::one_line(text::truncate(&uri, 200)), "dropped a link whose scheme is not allowed");
    }
    (!dropped).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, MAX_RESULT, MAX_RESULT_VALUES, bindings, guest_error, output, tool_types};
    use crate::error::{Blame, Code};
    use crate::model::Content;

    fn given(content: Vec<tool_types::Content>, structured: Option<&str>) -> tool_types::ToolOutput {
        tool_types::ToolOutput { content, structured: structured.map(Into::into), meta: Vec::new() }
    }

    fn text(bytes: usize) -> tool_types::ToolOutput {
        given(vec![tool_types::Content::Text("x".repeat(bytes))], None)
    }

    #[test]
    fn a_result_of_one_mib_is_taken_and_a_larger_one_is_a_limit() {
        assert_eq!(output(text(MAX_RESULT - BLOCK), None).unwrap().1, MAX_RESULT as u64);
        assert_eq!(output(text(MAX_RESULT - BLOCK + 1), None).unwrap_err().code, Code::Limit);
        let image = tool_types::Content::Image(tool_types::Blob {
            data: Vec::new(),
            media_type: "x".repeat(MAX_RESULT),
        });
        assert_eq!(output(given(vec![image], None), None).unwrap_err().code, Code::Limit);
        let empty = vec![tool_types::Content::Text(String::new()); MAX_RESULT / BLOCK + 1];
        assert_eq!(output(given(empty, None), None).unwrap_err().code, Code::Limit);
    }

    #[test]
    fn a_structured_result_has_up_to_100000_values_and_no_hidden_characters() {
        let list = |n: usize| format!("[{}]", vec!["1"; n - 1].join(","));
        assert!(output(given(Vec::new(), Some(&list(MAX_RESULT_VALUES))), None).is_ok());
        let error = output(given(Vec::new(), Some(&list(MAX_RESULT_VALUES + 1))), None).unwrap_err();
        assert_eq!(error.code, Code::Limit);
        let (cleaned, _) = output(given(Vec::new(), Some(r#"{"a":["b\u202ec"]}"#)), None).unwrap();
        assert_eq!(cleaned.structured.unwrap()["a"][0], "bc");
        let error = output(given(Vec::new(), Some(r#"{"a\u202e":1}"#)), None).unwrap_err();
        assert_eq!(error.code, Code::InvalidOutput);
    }

    #[test]
    fn text_is_cleaned_and_links_to_files_are_dropped() {
        let link = |uri: &str| {
            tool_types::Content::Link(tool_types::ResourceLink {
                uri: uri.into(),
                name: "n".into(),
                media_type: None,
            })
        };
        let blocks = vec![
            tool_types::Content::Text("a\u{1b}[2J".into()),
            link("FILE:///etc/passwd"),
            link(" javascript:alert(1)"),
            link("java\n\tscript:alert(1)"),
            link("data:text/html,x"),
            link("https://example.org"),
        ];
        let (cleaned, _) = output(given(blocks, None), None).unwrap();
        assert_eq!(cleaned.content[0], Content::Text("a[2J".into()));
        assert_eq!(cleaned.content.len(), 2);
    }

    #[test]
    fn a_structured_result_that_is_no_json_is_invalid_output() {
        let deep = "[".repeat(50_000);
        for structured in ["{", "NaN", deep.as_str()] {
            let error = output(given(Vec::new(), Some(structured)), None).unwrap_err();
            assert_eq!(error.code, Code::InvalidOutput);
        }
    }

    #[test]
    fn a_guest_cannot_claim_a_code_that_only_the_host_gives() {
        let error = |code: &str| {
            let error =
                guest_error(bindings::Error { code: code.into(), message: String::new(), meta: Vec::new() });
            (error.code, error.blame)
        };
        assert_eq!(error("upstream"), (Code::Upstream, Blame::Upstream));
        assert_eq!(error("invalid-arguments"), (Code::InvalidArguments, Blame::Caller));
        for code in ["fuel", "quarantined", "approval", "unknown-tool", "cancelled", "nonsense"] {
            assert_eq!(error(code), (Code::Internal, Blame::Plugin), "{code}");
        }
    }
}
