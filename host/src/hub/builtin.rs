//! The hub's own tools, for agents: `hubcap_validate` and `hubcap_complete`. Each is there when a
//! plugin of its kind is.
//!
//! Invariant: they do nothing by themselves; whatever runs goes through [`Hub::call`].

use std::future::Future;
use std::sync::Arc;

use futures::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::{Blame, CallError, Code};
use crate::hub::Hub;
use crate::hub::registry::Registry;
use crate::model::{
    Annotations, Artifact, Call, Content, Conversation, Finding, Message, PluginId, Receipt, Report, Role,
    Tool, ToolCall, ToolOutput, Validation, ValidationOptions, text,
};
use crate::outcome::Outcome;
use crate::plugin::schema::Checker;
use crate::plugin::{Kind, within_result_limit};

const VALIDATE: &str = "hubcap_validate";
const COMPLETE: &str = "hubcap_complete";

/// The hub's own tools with their checks.
pub(super) struct Builtins(Vec<Builtin>);

struct Builtin {
    kind: Kind,
    tool: Tool,
    checker: Option<Checker>,
}

impl Default for Builtins {
    fn default() -> Self {
        Self(vec![complete_tool(), validate_tool()])
    }
}

impl Builtins {
    /// Those that there are plugins for.
    pub(super) fn offered(&self, registry: &Registry) -> Vec<&Tool> {
        let offered = |builtin: &&Builtin| !registry.plugins(builtin.kind).is_empty();
        self.0.iter().filter(offered).map(|builtin| &builtin.tool).collect()
    }

    fn check(&self, name: &str, arguments: &Value) -> Result<(), CallError> {
        let checker = self
            .0
            .iter()
            .find(|builtin| builtin.tool.name == name)
            .and_then(|builtin| builtin.checker.as_ref());
        checker.map_or(Ok(()), |checker| checker.check_arguments(arguments))
    }
}

fn validate_tool() -> Builtin {
    let input = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What is judged, such as a source file." },
            "path": { "type": "string", "description": "Where it is from or goes to: tells the language. Nothing is read from there." },
            "language": { "type": "string", "description": "Its language in lower case, where the path does not tell." },
            "validators": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 64, "uniqueItems": true, "description": "Ids of validators; all where absent." },
            "min_confidence": { "type": "number", "minimum": 0, "maximum": 1, "description": "Findings that are less sure are left out." },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let description = "Has a text judged by the loaded validators, such as code that you wrote, before it lands. \
        Returns findings with rule, severity, line, column and what to do.";
    builtin(Kind::Validators, VALIDATE, "Validate", description, input)
}

fn complete_tool() -> Builtin {
    let input = json!({
        "type": "object",
        "properties": {
            "prompt": { "type": "string", "description": "What is asked; the same as one message of the user." },
            "messages": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "role": { "enum": ["system", "user", "assistant"] }, "text": { "type": "string" } },
                    "required": ["role", "text"],
                    "additionalProperties": false,
                },
                "description": "A conversation, the oldest turn first. Stands before `prompt`.",
            },
            "provider": { "type": "string", "description": "Id of the provider; where absent, the first that has the model." },
            "model": { "type": "string", "description": "Id of the model; the provider's default where absent." },
            "max_output_tokens": { "type": "integer", "minimum": 1, "description": "Tokens that the answer may have." },
            "stop": { "type": "array", "items": { "type": "string" }, "description": "Texts that end the answer." },
        },
        "additionalProperties": false,
    });
    let description = "Asks a model of a loaded provider. Give `prompt`, `messages` or both. Text arrives as progress while it comes into being.";
    builtin(Kind::Providers, COMPLETE, "Complete", description, input)
}

fn builtin(kind: Kind, name: &str, title: &str, description: &str, input: Value) -> Builtin {
    let input = match input {
        Value::Object(input) => input,
        _ => Map::new(),
    };
    let read_only = kind == Kind::Validators;
    let annotations =
        Annotations { read_only: Some(read_only), destructive: Some(false), ..Annotations::default() };
    Builtin {
        kind,
        checker: Checker::new(&input).ok(),
        tool: Tool {
            name: name.into(),
            title: Some(title.into()),
            description: description.into(),
            input_schema: input.into(),
            output_schema: None,
            annotations,
        },
    }
}

#[derive(Deserialize)]
struct Validate {
    text: String,
    path: Option<String>,
    language: Option<String>,
    validators: Option<Vec<String>>,
    #[serde(default)]
    min_confidence: f32,
}

#[derive(Deserialize)]
struct Complete {
    prompt: Option<String>,
    #[serde(default)]
    messages: Vec<Message>,
    provider: Option<String>,
    model: Option<String>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    stop: Vec<String>,
}

impl Hub {
    /// Calls a tool by its full name: a plugin's, or one of the hub's own.
    pub async fn call_tool(&self, call: Call<ToolCall>) -> Outcome<ToolOutput> {
        match call.work.tool.as_str() {
            VALIDATE => self.own(VALIDATE, &call, |arguments| self.validate_all(&call, arguments)).await,
            COMPLETE => self.own(COMPLETE, &call, |arguments| self.complete(&call, arguments)).await,
            _ => self.call(call).await,
        }
    }

    async fn own<A, F>(
        &self,
        name: &str,
        call: &Call<ToolCall>,
        run: impl FnOnce(A) -> F,
    ) -> Outcome<ToolOutput>
    where
        A: DeserializeOwned,
        F: Future<Output = Outcome<ToolOutput>>,
    {
        let parsed = self
            .builtins
            .check(name, &call.work.arguments)
            .and_then(|()| A::deserialize(&call.work.arguments).map_err(|error| wrong(error.to_string())));
        match parsed {
            Ok(arguments) => run(arguments).await,
            Err(error) => Outcome::refused(error),
        }
    }

    async fn validate_all(&self, call: &Call<ToolCall>, asked: Validate) -> Outcome<ToolOutput> {
        let ids = match self.validators(asked.validators.as_deref()).await {
            Ok(ids) => ids,
            Err(error) => return Outcome::refused(error),
        };
        let artifact = Arc::new(Artifact { text: asked.text, path: asked.path, language: asked.language });
        let options = ValidationOptions { rules: Vec::new(), min_confidence: asked.min_confidence };
        let outcomes = join_all(ids.iter().map(|id| {
            let work = Validation {
                validator: id.clone(),
                artifact: Arc::clone(&artifact),
                options: options.clone(),
            };
            self.call(call.with(work))
        }))
        .await;
        together(&artifact.text, ids.into_iter().zip(outcomes))
    }

    /// The validators that were asked for, or all.
    async fn validators(&self, asked: Option<&[String]>) -> Result<Vec<PluginId>, CallError> {
        let loaded = self.plugins(Kind::Validators).await;
        let Some(asked) = asked else {
            return Ok(loaded.iter().map(|plugin| plugin.id.clone()).collect());
        };
        asked
            .iter()
            .map(|id| PluginId::new(id).ok_or_else(|| wrong(format!("{id:?} is no plugin id"))))
            .collect()
    }

    async fn complete(&self, call: &Call<ToolCall>, asked: Complete) -> Outcome<ToolOutput> {
        let mut messages = asked.messages;
        messages.extend(asked.prompt.map(|text| Message { role: Role::User, text }));
        let provider = match self.provider(asked.provider.as_deref(), asked.model.as_deref()).await {
            Ok(provider) => provider,
            Err(error) => return Outcome::refused(error),
        };
        let work = Conversation {
            provider: provider.clone(),
            model: asked.model,
            messages,
            max_output_tokens: asked.max_output_tokens,
            stop: asked.stop,
            output_schema: None,
        };
        let Outcome { result, receipt } = self.call(call.with(work)).await;
        let result = result.map(|completion| ToolOutput {
            content: vec![Content::Text(completion.text.clone())],
            structured: Some(json!({
                "provider": provider, "model": completion.model, "text": completion.text,
                "stop": completion.stop, "usage": completion.usage,
            })),
        });
        Outcome { result, receipt }
    }

    /// The provider that was named, else the first with the model, else the first.
    async fn provider(&self, named: Option<&str>, model: Option<&str>) -> Result<PluginId, CallError> {
        if let Some(named) = named {
            return PluginId::new(named).ok_or_else(|| wrong(format!("{named:?} is no plugin id")));
        }
        let loaded = self.plugins(Kind::Providers).await;
        let has = |id: &str| loaded.iter().find(|plugin| plugin.models.iter().any(|model| model.id == id));
        let found = match model {
            Some(model) => has(model),
            None => loaded.first(),
        };
        found.map(|plugin| plugin.id.clone()).ok_or_else(|| {
            let models: Vec<&str> = loaded
                .iter()
                .flat_map(|plugin| plugin.models.iter().map(|model| model.id.as_str()))
                .collect();
            wrong(format!(
                "no loaded provider has the model {:?}; there are {}",
                model.unwrap_or("any"),
                models.join(", ")
            ))
        })
    }
}

fn wrong(message: String) -> CallError {
    CallError::new(Code::InvalidArguments, Blame::Caller, message)
}

/// The findings of all validators in one result. One that failed is named and costs the others nothing;
/// only where all failed does the call.
fn together(judged: &str, ended: impl Iterator<Item = (PluginId, Outcome<Report>)>) -> Outcome<ToolOutput> {
    let (mut findings, mut failed, mut receipts, mut last, mut answered) =
        (Vec::new(), Vec::new(), Vec::new(), None, 0);
    for (id, outcome) in ended {
        receipts.extend(outcome.receipt);
        match outcome.result {
            Ok(report) => {
                answered += 1;
                let mut positions = text::Positions::of(judged);
                findings.extend(report.findings.iter().map(|finding| shown(&id, finding, &mut positions)));
            }
            Err(error) => {
                failed.push(json!({ "validator": id, "error": error.to_string() }));
                last = Some(error);
            }
        }
    }
    let receipt = Receipt::sum(VALIDATE, receipts);
    match last {
        Some(error) if answered == 0 => Outcome { result: Err(error), receipt },
        _ => {
            let structured = json!({ "findings": findings, "validators": answered, "failed": failed });
            // Each report is bounded; all of them together are one result.
            let bytes = within_result_limit(structured.to_string().len());
            let receipt =
                receipt.map(|receipt| Receipt { result_bytes: *bytes.as_ref().unwrap_or(&0), ..receipt });
            let output = ToolOutput { content: Vec::new(), structured: Some(structured) };
            Outcome { result: bytes.map(|_| output), receipt }
        }
    }
}

fn shown(validator: &PluginId, finding: &Finding, positions: &mut text::Positions<'_>) -> Value {
    let (line, column) = positions.at(finding.span.start);
    json!({
        "validator": validator, "rule": finding.rule, "severity": finding.severity,
        "line": line, "column": column, "message": finding.message,
        "span": finding.span, "confidence": finding.exact_confidence(), "fix": finding.fix,
    })
}
