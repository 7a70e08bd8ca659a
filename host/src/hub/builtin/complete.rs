//! `hubcap_complete`: a conversation with a model of a loaded provider.
//!
//! Invariant: the provider that was named is asked, or the first that has the model, and no other.

use serde::Deserialize;
use serde_json::json;

use crate::error::{Blame, CallError, Code};
use crate::hub::Hub;
use crate::hub::builtin::{Builtin, COMPLETE, builtin, wrong};
use crate::model::{Call, Content, Conversation, Message, PluginId, Role, ToolCall, ToolOutput};
use crate::outcome::Outcome;
use crate::plugin::Kind;

/// The tool.
pub(super) fn tool() -> Builtin {
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

/// Its arguments.
#[derive(Deserialize)]
pub(super) struct Complete {
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
    pub(super) async fn complete(&self, call: &Call<ToolCall>, asked: Complete) -> Outcome<ToolOutput> {
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
        if loaded.is_empty() {
            return Err(CallError::new(
                Code::Unavailable,
                Blame::Host,
                "no provider is loaded: nobody was asked",
            ));
        }
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
