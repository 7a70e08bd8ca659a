//! One record: what is written down of a call, or of a decision about it.
//!
//! Invariant: nothing that a plugin wrote is in it, and of what a caller sent no more than the operator
//! wants: a hash, or the whole without the plugin's secrets.

use std::sync::Arc;
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::time::rfc3339;
use crate::config::Arguments;
use crate::error::{Blame, Code};
use crate::lock::canonical;
use crate::model::{CallId, Caller, PluginId, Receipt};
use crate::secrets::Secrets;

/// Bytes of arguments that are written down whole. Of what is longer there is the hash.
pub(super) const MAX_WHOLE: usize = 64 << 10;

/// What is written down of a call, or of a decision about it.
pub struct Record {
    /// When it was.
    pub time: SystemTime,
    /// The call's id, as in logs and the receipt.
    pub call: CallId,
    /// Whose call it is.
    pub caller: Caller,
    /// The plugin that was asked for.
    pub plugin: String,
    /// What it was asked for: its own name of it.
    pub tool: String,
    /// SHA-256 of the plugin's file, where there is such a plugin.
    pub digest: Option<String>,
    /// Fingerprint of what the plugin says of the tool, as in the lock.
    pub definition: Option<String>,
    /// What the caller sent.
    pub arguments: Value,
    /// What must not be seen in it.
    pub secrets: Option<Arc<Secrets>>,
    /// Who allowed it and how, where somebody was asked.
    pub approval: Option<Value>,
    /// How it ended; a decision has no end.
    pub end: Option<End>,
}

/// How a call ended.
pub struct End {
    /// The code and the blame of a failure.
    pub error: Option<(Code, Blame)>,
    /// What it cost, where a guest ran.
    pub receipt: Option<Receipt>,
}

/// How records are written.
#[derive(Clone)]
pub(super) struct Style {
    /// Names this process in the log.
    pub(super) run: Arc<str>,
    pub(super) arguments: Arguments,
}

/// The text of a record but for its place in the chain.
pub(super) struct Body {
    pub(super) kind: &'static str,
    /// The fields of an object, with commas between.
    pub(super) fields: String,
}

impl Body {
    /// What a serialised value says, which has to be an object.
    pub(super) fn new(kind: &'static str, value: &impl Serialize) -> Self {
        // What is written here is made of numbers, texts and values that came as JSON.
        let object = serde_json::to_string(value).unwrap_or_default();
        let fields = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        Self { kind, fields: fields.to_owned() }
    }

    /// The text of a record.
    pub(super) fn of(record: Record, style: &Style) -> Self {
        let receipt = record.end.as_ref().and_then(|end| end.receipt.as_ref());
        let written = Written {
            time: rfc3339(record.time),
            run: &style.run,
            call: record.call.to_string(),
            caller: record.caller.as_str(),
            through: record.caller.chain().map(PluginId::as_str).collect(),
            parent: record.caller.plugin().map(|calling| calling.call.to_string()),
            plugin: &record.plugin,
            tool: &record.tool,
            digest: record.digest.as_deref(),
            definition: record.definition.as_deref(),
            grants: receipt.map(|receipt| receipt.grants.as_slice()),
            approval: record.approval.as_ref(),
            outcome: record.end.as_ref().map(outcome),
            cost: receipt.map(cost),
            arguments: shown(record.arguments, style.arguments, record.secrets.as_deref()),
        };
        let kind = if record.end.is_some() { "call" } else { "decision" };
        Self::new(kind, &written)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    time: String,
    run: &'a str,
    call: String,
    caller: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    through: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    plugin: &'a str,
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'a str>,
    arguments: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Value>,
}

fn outcome(end: &End) -> Value {
    match end.error {
        None => "ok".into(),
        Some((code, blame)) => json!({ "code": code.as_str(), "blame": blame.as_str() }),
    }
}

/// The receipt but for what the record has by itself.
fn cost(receipt: &Receipt) -> Value {
    let mut cost = serde_json::to_value(receipt).unwrap_or_default();
    if let Value::Object(fields) = &mut cost {
        fields.retain(|name, _| !["callId", "plugin", "tool", "grants"].contains(&name.as_str()));
    }
    cost
}

/// Arguments as the operator wants them.
fn shown(arguments: Value, style: Arguments, secrets: Option<&Secrets>) -> Value {
    if style == Arguments::Whole {
        let mut whole = arguments.clone();
        secrets.inspect(|secrets| secrets.redact_json(&mut whole));
        if whole.to_string().len() <= MAX_WHOLE {
            return json!({ "whole": whole });
        }
    }
    let text = canonical(arguments);
    json!({ "sha256": HEXLOWER.encode(&Sha256::digest(text.as_bytes())), "bytes": text.len() })
}
