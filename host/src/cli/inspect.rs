//! `hubcap plugin inspect`: what one plugin is, offers and takes.
//!
//! Invariant: what is shown is what was loaded: cleaned, checked, and as agents see it.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::{Common, Done, Failure, one, print, print_json};
use crate::hub::{FileReport, Review, State};
use crate::manifest::Manifest;
use crate::mcp::tool_json;
use crate::model::{Annotations, Model, Rule, Tool};
use crate::plugin::Plugin;
use crate::policy::{self, Grants, Missing};
use crate::units;

#[derive(Args)]
pub(super) struct Options {
    /// Id of a plugin in the plugin directories, or a plugin file
    #[arg(value_name = "ID|FILE")]
    plugin: String,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let home = common.home()?;
    let grant = home.config.clone();
    let (hub, report) = one::find(home, &options.plugin).await?;
    let plugin = hub.plugin(report.id.as_deref().unwrap_or_default()).await;
    let review = hub.review(report.id.as_deref().unwrap_or_default()).await;
    let (Some(plugin), Some(review)) = (plugin.filter(|_| report.state == State::Ready), review) else {
        return Err(Failure::Failed(one::refusal(&report)));
    };
    let ask = plugin.about.manifest.as_ref().map(|manifest| &manifest.ask);
    let grant = &grant.of(&plugin.id).grant;
    let shown = Shown {
        grants: ask.map(|ask| Grants::of(ask, grant)).unwrap_or_default(),
        missing: ask.map(|ask| policy::missing(ask, grant)).unwrap_or_default(),
        plugin: &plugin,
        report: &report,
        review: &review,
    };
    if options.json { print_json(&as_json(&shown)) } else { print(&as_text(&shown)) }
}

/// A plugin, and what is known of it here.
struct Shown<'a> {
    plugin: &'a Plugin,
    report: &'a FileReport,
    review: &'a Review,
    /// What it has, or will have once it is accepted.
    grants: Grants,
    missing: Vec<Missing>,
}

/// Where it stands with the operator, in a word.
fn standing(review: &Review) -> &'static str {
    match review {
        Review { waits: Some(_), .. } => "waits",
        Review { before: None, .. } => "new",
        _ => "accepted",
    }
}

fn as_json(shown: &Shown<'_>) -> Value {
    let Shown { plugin, report, review, .. } = shown;
    let about = &plugin.about;
    let manifest = about.manifest.as_ref();
    let said = |of: fn(&Manifest) -> &Option<String>| manifest.and_then(|manifest| of(manifest).clone());
    let tools: Vec<Value> = plugin.tools.iter().map(|tool| json!(tool_json(&tool.tool))).collect();
    let budget = plugin.budget();
    json!({
        "id": plugin.id, "version": about.version, "file": report.path,
        "digest": format!("sha256:{}", about.digest), "bytes": about.size,
        "title": said(|m| &m.title), "description": said(|m| &m.description),
        "license": said(|m| &m.license), "homepage": said(|m| &m.homepage),
        "publisher": about.publisher, "warnings": review.warnings,
        "lock": { "standing": standing(review), "reason": review.waits },
        "kinds": report.kinds, "imports": about.imports,
        "grants": policy_json(shown),
        "configSchema": manifest.and_then(|manifest| manifest.config.as_deref()),
        "budget": {
            "fuel": budget.fuel, "memoryBytes": budget.memory,
            "deadlineMillis": u64::try_from(budget.deadline.as_millis()).unwrap_or(u64::MAX),
        },
        "tools": tools, "rules": plugin.rules, "models": plugin.models,
    })
}

fn as_text(shown: &Shown<'_>) -> String {
    let Shown { plugin, report, review, .. } = shown;
    let about = &plugin.about;
    let mut page = format!("{} {}\n", plugin.id, about.version);
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(page, "  {name:9} {}", value.trim_end().replace('\n', "\n            "));
        }
    };
    if let Some(manifest) = &about.manifest {
        for (name, value) in [
            ("title", &manifest.title),
            ("about", &manifest.description),
            ("license", &manifest.license),
            ("homepage", &manifest.homepage),
        ] {
            row(name, value.as_deref().unwrap_or_default());
        }
    }
    row("file", &format!("{}, {}", report.path, units::show_bytes(about.size)));
    row("digest", &format!("sha256:{}", about.digest));
    row("signed by", about.publisher.as_deref().unwrap_or_default());
    let reason = review.waits.as_ref().map(|waits| format!(": {waits}")).unwrap_or_default();
    row("lock", &format!("{}{reason}", standing(review)));
    row("look", &review.warnings.join("\n"));
    row("kinds", &report.kinds.join(", "));
    row("budget", &budget(plugin));
    row("config", &config(about.manifest.as_ref()));
    row("granted", &shown.grants.describe().join("\n"));
    row("missing", &shown.missing.iter().map(describe_missing).collect::<Vec<_>>().join("\n"));
    row("imports", &about.imports.join("\n"));
    page + &offers(plugin)
}

fn budget(plugin: &Plugin) -> String {
    let budget = plugin.budget();
    let memory = units::show_bytes(budget.memory);
    format!("fuel {}, {:?}, {memory}, for each call", budget.fuel, budget.deadline)
}

fn config(manifest: Option<&Manifest>) -> String {
    match manifest.map(|manifest| &manifest.config) {
        None => "not described: there is no manifest".into(),
        Some(None) => "takes none".into(),
        Some(Some(schema)) => Value::Object((**schema).clone()).to_string(),
    }
}

/// What it has, and what it asks for and has not, with what to write for it.
fn policy_json(shown: &Shown<'_>) -> Value {
    let missing = shown
        .missing
        .iter()
        .map(|missing| json!({ "what": missing.what, "why": missing.why, "line": missing.line }));
    json!({ "granted": shown.grants.describe(), "missing": missing.collect::<Value>() })
}

fn describe_missing(missing: &Missing) -> String {
    let why = missing.why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{}{why}: {}", missing.what, missing.line)
}

fn offers(plugin: &Plugin) -> String {
    let tools = plugin.tools.iter().map(|tool| describe_tool(&tool.tool));
    let rules = plugin.rules.iter().map(describe_rule);
    let models = plugin.models.iter().map(describe_model);
    tools.chain(rules).chain(models).map(|offer| format!("\n{offer}")).collect()
}

fn describe_tool(tool: &Tool) -> String {
    let title = tool.title.as_deref().map(|title| format!(" ({title})")).unwrap_or_default();
    let mut about = format!("tool {}{title}{}\n", tool.name, hints(&tool.annotations));
    let mut line = |text: &str| {
        let _ = writeln!(about, "  {}", text.replace('\n', "\n  "));
    };
    line(&tool.description);
    line(&format!("input  {}", Value::Object((*tool.input_schema).clone())));
    if let Some(schema) = &tool.output_schema {
        line(&format!("output {}", Value::Object((**schema).clone())));
    }
    about
}

/// What the author says of a tool's effects.
fn hints(said: &Annotations) -> String {
    let hints = [
        (said.read_only, "changes nothing", "changes something"),
        (said.destructive, "may delete or overwrite", "deletes nothing"),
        (said.idempotent, "twice is as once", "twice is not as once"),
        (said.open_world, "reaches beyond the plugin", "stays in the plugin"),
    ];
    let said = hints.iter().filter_map(|(hint, yes, no)| hint.map(|hint| if hint { *yes } else { *no }));
    let said: Vec<&str> = said.collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

fn describe_rule(rule: &Rule) -> String {
    let description = rule.description.trim_end().replace('\n', "\n  ");
    format!("rule {} ({}): {}\n  {description}\n", rule.id, rule.severity.as_str(), rule.title)
}

fn describe_model(model: &Model) -> String {
    let tokens = model.context_tokens.map(|tokens| format!(", {tokens} tokens")).unwrap_or_default();
    format!("model {} ({}){tokens}\n", model.id, model.title)
}
