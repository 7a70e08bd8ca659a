//! `hubcap tools` and `hubcap plugin list`.

use std::fmt::Write;

use clap::Args;
use serde_json::json;

use crate::cli::{Common, Done, open, print, print_json, say};
use crate::hub::{Admission, FileReport, State};
use crate::mcp::tool_json;

#[derive(Args)]
pub(super) struct Options {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Prints the tools that agents would see.
pub(super) async fn tools(common: &Common, options: Options) -> Done {
    let hub = common.hub(None, Admission::Pinning).await?;
    let tools = hub.tools().await;
    if options.json {
        let tools: Vec<_> = tools.iter().map(tool_json).collect();
        return print_json(&json!({ "tools": tools }));
    }
    if tools.is_empty() {
        say("no tools: `hubcap plugin list` says why");
    }
    let mut text = String::new();
    for tool in tools.iter() {
        let first = tool.description.lines().next().unwrap_or_default();
        let _ = writeln!(text, "{}\n    {first}", tool.name);
    }
    print(&text)
}

/// Prints every file of the plugin directories with what became of it.
pub(super) async fn plugins(common: &Common, options: Options) -> Done {
    let (hub, loader) = open(&common.home()?, Admission::Looking)?;
    loader.run(None).await;
    let files = hub.files().await;
    if options.json {
        return print_json(&json!({ "plugins": files }));
    }
    print(&files.iter().map(describe).collect::<String>())
}

fn describe(file: &FileReport) -> String {
    let state = match file.state {
        State::Ready => "ready",
        State::Disabled => "disabled",
        State::Refused => "refused",
        State::Quarantined => "quarantined",
    };
    let identity = match (&file.id, &file.version) {
        (Some(id), Some(version)) => format!("{id} {version}"),
        _ => "-".into(),
    };
    let more = match &file.reason {
        Some(reason) => reason.clone(),
        None => offers(file),
    };
    let warnings: String =
        file.warnings.iter().map(|warning| format!("          look: {warning}\n")).collect();
    format!("{state:8}  {}  {identity}\n          {more}\n{warnings}", file.file)
}

/// What a ready plugin offers, in numbers.
fn offers(file: &FileReport) -> String {
    let counts = [(file.tools, "tool"), (file.rules, "rule"), (file.models, "model")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let words = counts.map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }));
    format!("{}: {}", file.kinds.join(", "), words.collect::<Vec<_>>().join(", "))
}
