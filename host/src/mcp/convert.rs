//! From the hub's words to those of MCP.
//!
//! Invariant: every outcome becomes one result, whose text says what its `_meta` says for programs.

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::BASE64;
use rmcp::model::{
    CallToolResult, ClientRequest, ContentBlock, ErrorCode, ErrorData, GetMeta, Implementation, MetaObject,
    ProtocolVersion, RequestMetaObject, Resource, ResourceContents, ServerJsonRpcMessage, ServerResult,
    Tool as McpTool, ToolAnnotations,
};
use serde_json::{Map, Value, json};

use super::message::{REVISION, Request};
use crate::error::CallError;
use crate::model::{Annotations, Content, ResourceBody, Tool, ToolOutput};
use crate::outcome::Outcome;

/// In the `_meta` of a result: what the call cost.
pub(super) const RECEIPT: &str = "hubcap/receipt";

/// In the `_meta` of a failed result: the code, and who has to act.
const ERROR: &str = "hubcap/error";

/// In the `_meta` of every result from 2026-07-28 on: who answered.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The code of JSON-RPC's own range for errors of a server.
const SERVER_ERROR: ErrorCode = ErrorCode(-32_000);

/// Who answers.
pub(super) fn implementation() -> Implementation {
    Implementation::new("hubcap", env!("CARGO_PKG_VERSION")).with_title("hubcap plugin host")
}

/// Adds who answered, where the request's revision wants to know.
pub(super) fn sign(meta: &mut Option<MetaObject>, asked: &RequestMetaObject) {
    if is_modern(asked) {
        meta.get_or_insert_default().0.insert(SERVER_INFO.to_owned(), json!(implementation()));
    }
}

/// Whether a request speaks a revision without a handshake.
pub(super) fn is_modern(asked: &RequestMetaObject) -> bool {
    let revision = asked.get(REVISION).and_then(Value::as_str);
    revision.is_some_and(|revision| revision >= ProtocolVersion::V_2026_07_28.as_str())
}

/// The answer to a request that reaches nobody: for a call a result, like any other failure.
pub(super) fn turned_away(request: Request, error: CallError) -> ServerJsonRpcMessage {
    let Request { id, body, .. } = request;
    if !matches!(body, ClientRequest::CallToolRequest(_)) {
        let error = ErrorData::new(SERVER_ERROR, error.to_string(), Some(error_meta(&error)));
        return ServerJsonRpcMessage::error(error, Some(id));
    }
    let mut result = result(Outcome::refused(error));
    if !is_modern(body.get_meta()) {
        result.result_type = None;
    }
    sign(&mut result.meta, body.get_meta());
    ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), id)
}

/// A tool as `tools/list` shows it.
pub(super) fn tool(tool: &Tool) -> McpTool {
    let description = (!tool.description.is_empty()).then(|| Cow::Owned(tool.description.clone()));
    let mut shown = McpTool::new_with_raw(tool.name.clone(), description, Arc::clone(&tool.input_schema));
    shown.title.clone_from(&tool.title);
    shown.output_schema.clone_from(&tool.output_schema);
    shown.annotations = annotations(tool.annotations);
    shown
}

/// The same tool as JSON.
pub fn tool_json(shown: &Tool) -> Value {
    // A tool is made of texts and JSON, so this can't fail.
    serde_json::to_value(tool(shown)).unwrap_or_default()
}

fn annotations(hints: Annotations) -> Option<ToolAnnotations> {
    let Annotations { read_only, destructive, idempotent, open_world } = hints;
    (hints != Annotations::default())
        .then(|| ToolAnnotations::from_raw(None, read_only, destructive, idempotent, open_world))
}

/// The result of `tools/call`.
pub(super) fn result(outcome: Outcome<ToolOutput>) -> CallToolResult {
    let mut meta = MetaObject::new();
    if let Some(receipt) = &outcome.receipt {
        // A receipt is made of numbers and texts, which JSON always has words for.
        meta.0.insert(RECEIPT.to_owned(), serde_json::to_value(receipt).unwrap_or_default());
    }
    let mut result = match outcome.result {
        Ok(output) => success(output),
        Err(error) => {
            meta.0.insert(ERROR.to_owned(), error_meta(&error));
            CallToolResult::error(vec![ContentBlock::text(error.to_string())])
        }
    };
    result.meta = (!meta.0.is_empty()).then_some(meta);
    result
}

/// The same result as JSON, in the shape in which agents get it.
pub fn result_json(outcome: Outcome<ToolOutput>) -> Value {
    let mut result = result(outcome);
    // A word of the conversation that only some revisions of MCP have; no part of the outcome.
    result.result_type = None;
    // A result is made of texts and JSON, so this can't fail.
    serde_json::to_value(result).unwrap_or_default()
}

fn error_meta(error: &CallError) -> Value {
    json!({ "code": error.code.as_str(), "blame": error.blame.as_str() })
}

fn success(output: ToolOutput) -> CallToolResult {
    let mut content: Vec<_> = output.content.into_iter().map(block).collect();
    // Clients that don't know structured content read the same in the text.
    if let (true, Some(structured)) = (content.is_empty(), &output.structured) {
        content.push(ContentBlock::text(structured.to_string()));
    }
    let mut result = CallToolResult::success(content);
    result.structured_content = output.structured;
    result
}

fn block(content: Content) -> ContentBlock {
    match content {
        Content::Text(text) => ContentBlock::text(text),
        Content::Image(bytes, media_type) => ContentBlock::image(BASE64.encode(&bytes), media_type),
        Content::Audio(bytes, media_type) => ContentBlock::audio(BASE64.encode(&bytes), media_type),
        Content::Link { uri, name, media_type } => {
            let mut link = Resource::new(uri, name);
            link.mime_type = media_type;
            ContentBlock::resource_link(link)
        }
        Content::Embedded { uri, media_type, body } => {
            ContentBlock::resource(resource(uri, media_type, body))
        }
    }
}

fn resource(uri: String, mime_type: Option<String>, body: ResourceBody) -> ResourceContents {
    match body {
        ResourceBody::Text(text) => {
            ResourceContents::TextResourceContents { uri, mime_type, text, meta: None }
        }
        ResourceBody::Bytes(bytes) => {
            let blob = BASE64.encode(&bytes);
            ResourceContents::BlobResourceContents { uri, mime_type, blob, meta: None }
        }
    }
}

/// The receipt of a result that came over MCP, if it has one.
pub(super) fn receipt(meta: Option<&Map<String, Value>>) -> Option<crate::model::Receipt> {
    serde::Deserialize::deserialize(meta?.get(RECEIPT)?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::{receipt, result_json, tool};
    use crate::error::{Blame, CallError, Code};
    use crate::model::{Annotations, Content, Receipt, ResourceBody, Tool, ToolOutput};
    use crate::outcome::Outcome;

    fn success(content: Vec<Content>, structured: Option<Value>) -> Value {
        result_json(Outcome { result: Ok(ToolOutput { content, structured }), receipt: None })
    }

    #[test]
    fn blocks_keep_their_order_and_bytes_become_base64() {
        let link =
            Content::Link { uri: "x:l".into(), name: "l".into(), media_type: Some("text/html".into()) };
        let embedded = |body| Content::Embedded { uri: "x:e".into(), media_type: None, body };
        let shown = success(
            vec![
                Content::Text("one".into()),
                Content::Image(vec![0, 255], "image/png".into()),
                Content::Audio(vec![1], "audio/wav".into()),
                link,
                embedded(ResourceBody::Text("t".into())),
                embedded(ResourceBody::Bytes(vec![2, 3, 4])),
            ],
            None,
        );
        assert_eq!(
            shown,
            json!({"isError": false, "content": [
                {"type": "text", "text": "one"},
                {"type": "image", "data": "AP8=", "mimeType": "image/png"},
                {"type": "audio", "data": "AQ==", "mimeType": "audio/wav"},
                {"type": "resource_link", "uri": "x:l", "name": "l", "mimeType": "text/html"},
                {"type": "resource", "resource": {"uri": "x:e", "text": "t"}},
                {"type": "resource", "resource": {"uri": "x:e", "blob": "AgME"}},
            ]})
        );
    }

    #[test]
    fn structured_output_is_repeated_as_text_only_where_there_is_no_content() {
        let value = json!({"a": [1]});
        let alone = success(vec![], Some(value.clone()));
        assert_eq!(alone["structuredContent"], value);
        assert_eq!(alone["content"], json!([{"type": "text", "text": "{\"a\":[1]}"}]));
        let with_text = success(vec![Content::Text("said".into())], Some(value.clone()));
        assert_eq!(with_text["structuredContent"], value);
        assert_eq!(with_text["content"], json!([{"type": "text", "text": "said"}]));
    }

    #[test]
    fn a_failure_says_its_code_in_the_text_and_in_meta_and_keeps_its_receipt() {
        let cost = Receipt { call_id: "call-1".into(), plugin: "echo".into(), fuel: 5, ..Receipt::default() };
        let error = CallError::new(Code::Fuel, Blame::Plugin, "out of fuel");
        let shown = result_json(Outcome { result: Err(error), receipt: Some(cost.clone()) });
        assert_eq!(shown["isError"], json!(true));
        assert_eq!(shown["content"], json!([{"type": "text", "text": "fuel: out of fuel"}]));
        assert_eq!(shown["_meta"]["hubcap/error"], json!({"code": "fuel", "blame": "plugin"}));
        assert_eq!(shown["_meta"]["hubcap/receipt"]["callId"], json!("call-1"));
        assert_eq!(receipt(shown["_meta"].as_object()), Some(cost));
    }

    #[test]
    fn a_tool_shows_its_schemas_and_only_the_hints_that_were_given() {
        let schema = |text: Value| Arc::new(text.as_object().cloned().unwrap_or_default());
        let mut given = Tool {
            name: "echo_say".into(),
            title: Some("Say".into()),
            description: "Says.".into(),
            input_schema: schema(json!({"type": "object"})),
            output_schema: Some(schema(json!({"type": "object", "title": "o"}))),
            annotations: Annotations { read_only: Some(true), ..Annotations::default() },
        };
        assert_eq!(
            json!(tool(&given)),
            json!({"name": "echo_say", "title": "Say", "description": "Says.",
                "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "title": "o"},
                "annotations": {"readOnlyHint": true}})
        );
        given.annotations = Annotations::default();
        given.description = String::new();
        assert!(json!(tool(&given)).get("annotations").is_none());
        assert!(json!(tool(&given)).get("description").is_none());
    }
}
