//! The kind `tools`: a plugin's definitions, and one call of a tool.

use serde_json::Value;
use wasmtime::component::Instance;

use crate::bindings::{self, tool_types};
use crate::error::CallError;
use crate::model::{Content, ResourceBody, Tool, ToolCall, ToolOutput};
use crate::plugin::work::{Kind, Running, Work};
use crate::plugin::{Plugin, convert, not_exported};
use crate::sandbox::CallState;
use crate::schema::{self, Checker};
use crate::secrets::Secrets;

/// A tool with its checks, made when it is loaded.
pub struct LoadedTool {
    /// The definition, checked and cleaned.
    pub tool: Tool,
    /// Its name inside the plugin.
    pub name: String,
    pub(crate) input: Checker,
    pub(super) output: Option<Checker>,
}

impl Plugin {
    /// The tool of this name inside the plugin.
    pub fn tool(&self, name: &str) -> Option<&LoadedTool> {
        let index = self.tools.binary_search_by(|tool| tool.name.as_str().cmp(name)).ok()?;
        self.tools.get(index)
    }

    /// Asks the plugin for its tools.
    pub(super) async fn list_tools(
        &self,
        store: &mut wasmtime::Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<tool_types::Tool>, bindings::Error>> {
        let indices = self.exports.tools.as_ref().ok_or_else(not_exported)?;
        indices.load(&mut *store, instance)?.hubcap_plugin_tools().call_list_tools(store).await
    }
}

impl Work for ToolCall {
    type Output = ToolOutput;

    const KIND: Option<Kind> = Some(Kind::Tools);

    fn asked_for(&self) -> &str {
        &self.tool
    }

    fn plugin_id(&self) -> &str {
        self.tool.split_once('_').map_or("", |(id, _)| id)
    }

    fn name(&self) -> &str {
        self.tool.split_once('_').map_or("", |(_, name)| name)
    }

    fn offered_by(&self, plugin: &Plugin) -> bool {
        plugin.tool(self.name()).is_some()
    }

    fn check(&self, plugin: &Plugin) -> Result<(), CallError> {
        let tool = plugin.tool(self.name());
        tool.map_or(Ok(()), |tool| tool.input.check_arguments(&self.arguments))
    }

    fn sent(&self) -> Value {
        self.arguments.clone()
    }

    fn sent_bytes(&self) -> usize {
        bytes(&self.arguments)
    }

    fn arguments(&self) -> Option<&Value> {
        Some(&self.arguments)
    }

    fn redact(output: &mut ToolOutput, secrets: &Secrets) {
        output.content.iter_mut().for_each(|block| redact(block, secrets));
        output.structured.iter_mut().for_each(|value| secrets.redact_json(value));
    }

    async fn run(&self, plugin: &Plugin, running: Running<'_>) -> Result<(ToolOutput, u64), CallError> {
        let arguments = schema::to_json(&self.arguments)?;
        let given = running
            .export(async |store, instance, context| {
                let indices = plugin.exports.tools.as_ref().ok_or_else(not_exported)?;
                let export = indices.load(&mut *store, instance)?;
                export.hubcap_plugin_tools().call_call_tool(store, self.name(), &arguments, context).await
            })
            .await?;
        convert::output(given, plugin.tool(self.name()).and_then(|tool| tool.output.as_ref()))
    }
}

/// About how many bytes a value has.
fn bytes(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + bytes(value)).sum(),
    };
    size_of::<Value>() + inside
}

fn redact(block: &mut Content, secrets: &Secrets) {
    match block {
        Content::Text(text) => secrets.redact(text),
        Content::Image(bytes, _) | Content::Audio(bytes, _) => secrets.redact_bytes(bytes),
        Content::Link { uri, name, .. } => [uri, name].into_iter().for_each(|text| secrets.redact(text)),
        Content::Embedded { uri, body, .. } => {
            secrets.redact(uri);
            match body {
                ResourceBody::Text(text) => secrets.redact(text),
                ResourceBody::Bytes(bytes) => secrets.redact_bytes(bytes),
            }
        }
    }
}
