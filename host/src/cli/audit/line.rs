//! A record for people.
//!
//! Invariant: one record is one line, or lines that begin with two spaces, whatever stands in it.

use serde::Deserialize;
use serde_json::Value;

use crate::model::text;

/// What a line tells of a record. Whatever is missing is not told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    time: String,
    kind: String,
    run: String,
    call: String,
    caller: String,
    plugin: String,
    tool: String,
    changes: Vec<String>,
    outcome: Value,
    approval: Value,
    cost: Value,
    version: String,
    fault: Option<String>,
    repaired: Value,
    removed: Value,
    lost: u64,
}

/// The record in one line.
pub(super) fn in_words(record: &str) -> String {
    let record: Record = serde_json::from_str(record).unwrap_or_default();
    let mut parts = vec![record.time.clone()];
    match record.kind.as_str() {
        "start" => parts.extend(start(&record)),
        "accepted" | "granted" => parts.extend(deed(&record)),
        _ => parts.extend(call(&record)),
    }
    if record.lost > 0 {
        parts.push(format!("{} lost before", record.lost));
    }
    text::one_line(&parts.join("  ")).into_owned()
}

fn start(record: &Record) -> Vec<String> {
    let mut parts = vec![record.run.clone(), format!("hubcap {}", record.version)];
    parts.extend(record.fault.iter().map(|fault| format!("found: {fault}")));
    if let Some(file) = record.repaired["file"].as_str() {
        parts.push(format!("cut a torn line off {file}"));
    }
    if let Some(through) = record.removed["through"].as_u64() {
        parts.push(format!("removed segments up to number {through}"));
    }
    parts
}

fn deed(record: &Record) -> Vec<String> {
    let Record { run, caller, kind, plugin, changes, .. } = record;
    vec![run.clone(), caller.clone(), format!("{kind} {plugin}"), changes.join("; ")]
}

fn call(record: &Record) -> Vec<String> {
    let Record { run, call, caller, plugin, tool, .. } = record;
    let mut parts = vec![format!("{run}/{call}"), caller.clone(), format!("{plugin} {tool}")];
    parts.push(match (&record.outcome, &record.outcome["code"]) {
        (Value::String(word), _) | (_, Value::String(word)) => word.clone(),
        _ => format!("decision {}", record.approval),
    });
    if let Some(micros) = record.cost["wallMicros"].as_u64() {
        parts.push(format!("{}.{} ms", micros / 1_000, micros / 100 % 10));
    }
    parts
}

/// The record with a line for each of its fields.
pub(super) fn in_full(record: &str) -> String {
    let value: Value = serde_json::from_str(record).unwrap_or_default();
    let seq = value["seq"].as_u64().unwrap_or_default();
    let mut lines = format!("record {seq}\n");
    let fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "seq");
    for (name, value) in fields {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        lines += &format!("  {name}: {}\n", text::one_line(&shown));
    }
    lines
}
