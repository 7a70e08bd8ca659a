//! `hubcap call`: one call, through the same hub as agents use.

use std::io::Read;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::terminal::Terminal;
use crate::cli::{Common, Done, Failure, open_audited, print, print_json};
use crate::hub::Admission;
use crate::mcp::result_json;
use crate::model::{Call, Content, PluginId, ResourceBody, ToolCall, ToolOutput};
use crate::outcome::Outcome;

#[derive(Args)]
pub(super) struct Options {
    /// Full name of the tool: <plugin>_<tool>
    name: String,
    /// The arguments: a JSON object, @FILE to read it from a file, or - to read it from stdin
    #[arg(default_value = "{}", value_name = "JSON|@FILE|-")]
    arguments: String,
    /// Print the whole result with its receipt as one line of JSON
    #[arg(long)]
    json: bool,
    /// Say yes beforehand, where the operator's policy wants a person to be asked
    #[arg(long)]
    approve: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let arguments = read_arguments(&options.arguments)?;
    // The hub's own tools are no plugin's, and need them all.
    let plugin = options.name.split('_').next().filter(|id| PluginId::new(id).is_some());
    let (hub, loader) = open_audited(&common.home()?, Admission::Pinning)?;
    loader.run(plugin).await;
    let mut call = Call::new(ToolCall::new(options.name, arguments));
    call.approver = Some(Arc::new(Terminal { approved: options.approve }));
    let stop = call.cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let outcome = hub.call_tool(call).await;
    let printed = if options.json { print_whole(outcome) } else { print_result(outcome) };
    hub.audit().close().await;
    printed
}

fn print_whole(outcome: Outcome<ToolOutput>) -> Done {
    let failed = outcome.result.is_err();
    print_json(&result_json(outcome))?;
    // Everything was said in the JSON.
    if failed { Err(Failure::Failed(String::new())) } else { Ok(()) }
}

fn print_result(outcome: Outcome<ToolOutput>) -> Done {
    match outcome.result {
        Ok(output) => print(&as_text(&output)),
        Err(error) => Err(Failure::Failed(error.to_string())),
    }
}

/// What fits on a terminal: texts as they are, a line for whatever is no text.
fn as_text(output: &ToolOutput) -> String {
    let mut text = String::new();
    if output.content.is_empty()
        && let Some(structured) = &output.structured
    {
        text = format!("{structured:#}\n");
    }
    for block in &output.content {
        text.push_str(&block_as_text(block));
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

fn block_as_text(block: &Content) -> String {
    match block {
        Content::Text(text) => text.clone(),
        Content::Image(bytes, media_type) => format!("[image {media_type}, {} bytes]", bytes.len()),
        Content::Audio(bytes, media_type) => format!("[audio {media_type}, {} bytes]", bytes.len()),
        Content::Link { uri, name, .. } => format!("[{name}]({uri})"),
        Content::Embedded { body: ResourceBody::Text(text), .. } => text.clone(),
        Content::Embedded { uri, body: ResourceBody::Bytes(bytes), .. } => {
            format!("[resource {uri}, {} bytes]", bytes.len())
        }
    }
}

/// The arguments of a call, from where the command line says that they are.
pub(super) fn read_arguments(given: &str) -> Result<Map<String, Value>, Failure> {
    let (from, text) = match given.strip_prefix('@') {
        Some(file) => (file, std::fs::read_to_string(file)),
        None if given == "-" => ("stdin", read_stdin()),
        None => ("the arguments", Ok(given.to_owned())),
    };
    let text = text.map_err(|error| Failure::Usage(format!("cannot read {from}: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(Failure::Usage(format!(
            "{from}: the arguments have to be a JSON object, such as '{{\"text\": \"…\"}}'"
        ))),
        Err(error) => Err(Failure::Usage(format!("{from}: no JSON: {error}"))),
    }
}

fn read_stdin() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}
