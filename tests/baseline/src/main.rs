//! The tool `say` of the echo guest in a plain MCP server: rmcp, no sandbox, no hub.
//!
//! Invariant: it lists and answers what the guest does, as simply as rmcp lets a server do it. `stdio` is
//! rmcp's usual transport, `pipes` its faster one.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::transport::io::{stdio, stdio_pipes};
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use serde_json::{Map, Value, json};

/// Says the text again.
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![say()]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != "say" {
            return Err(ErrorData::invalid_params(format!("there is no tool {:?}", request.name), None));
        }
        let arguments = request.arguments.unwrap_or_default();
        let Some(Value::String(text)) = arguments.get("text") else {
            return Err(ErrorData::invalid_params("`text` has to be a text", None));
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text.clone())]).into())
    }
}

/// What the guest says of the tool.
fn say() -> Tool {
    let schema =
        json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
    let schema: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
    let mut tool = Tool::new_with_raw("say", Some(Cow::Borrowed("Says the text again.")), Arc::new(schema));
    tool.title = Some("Say".to_owned());
    tool.annotations =
        Some(ToolAnnotations::from_raw(None, Some(true), Some(false), Some(true), Some(false)));
    tool
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let running = match std::env::args().nth(1).as_deref() {
        Some("stdio") => Echo.serve(stdio()).await?,
        Some("pipes") => Echo.serve(stdio_pipes()).await?,
        _ => return Err("say `stdio` or `pipes`".into()),
    };
    running.waiting().await?;
    Ok(())
}
