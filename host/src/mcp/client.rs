//! A client for one conversation with a server that runs as our child, as `hubcap demo` has it.
//!
//! It speaks the older era, with `initialize` (2025-11-25): rmcp's default, and the one that every server
//! answers.

use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, ContentBlock, Implementation};
use rmcp::service::{RoleClient, RunningService};
use rmcp::{ServiceExt, model::Tool as McpTool};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};

use super::convert;
use crate::model::Receipt;

/// A conversation.
pub struct Client(RunningService<RoleClient, ClientConfig>);

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The text blocks, a line each; another kind of block is named.
    pub text: String,
    /// The result as data.
    pub structured: Option<Value>,
    /// Whether the call failed.
    pub is_error: bool,
    /// What it cost.
    pub receipt: Option<Receipt>,
}

impl Client {
    /// Introduces us to the server behind these streams.
    pub async fn connect<R, W>(reader: R, writer: W) -> Result<Self, String>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let us = Implementation::new("hubcap-demo", env!("CARGO_PKG_VERSION"));
        let config = ClientConfig::new(ClientCapabilities::default(), us);
        let running = config.serve((reader, writer)).await;
        running.map(Self).map_err(|error| format!("the server did not answer as an MCP server does: {error}"))
    }

    /// Names and descriptions of all tools, over all pages.
    pub async fn tools(&self) -> Result<Vec<(String, String)>, String> {
        let shown = |tool: McpTool| {
            let description = tool.description.unwrap_or_default();
            (tool.name.into_owned(), description.into_owned())
        };
        let tools = self.0.peer().list_all_tools().await;
        tools.map(|tools| tools.into_iter().map(shown).collect()).map_err(|error| error.to_string())
    }

    /// Calls one tool.
    pub async fn call(&self, name: &str, arguments: Map<String, Value>) -> Result<Answer, String> {
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let result = self.0.peer().call_tool(params).await.map_err(|error| error.to_string())?;
        let lines: Vec<_> = result.content.into_iter().map(line).collect();
        Ok(Answer {
            text: lines.join("\n"),
            structured: result.structured_content,
            is_error: result.is_error.unwrap_or(false),
            receipt: convert::receipt(result.meta.as_deref()),
        })
    }

    /// Ends the conversation: the server sees the end of its input.
    pub async fn close(self) -> Result<(), String> {
        self.0.cancel().await.map(drop).map_err(|error| error.to_string())
    }
}

fn line(block: ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text,
        ContentBlock::Image(image) => format!("[image, {}]", image.mime_type),
        ContentBlock::Audio(audio) => format!("[audio, {}]", audio.mime_type),
        ContentBlock::ResourceLink(link) => format!("[link to {}]", link.uri),
        _ => "[resource]".to_owned(),
    }
}
