//! The kind `providers`: a plugin's models, and one completion.

use serde_json::{Value, json};
use wasmtime::component::Instance;

use crate::bindings::{self, provider_types};
use crate::error::{Blame, CallError, Code};
use crate::model::{Completion, Conversation, Message, Model, Role, StopReason, Usage, text};
use crate::plugin::work::{Kind, Running, Work};
use crate::plugin::{Plugin, convert, not_exported};
use crate::sandbox::CallState;
use crate::secrets::Secrets;

/// Models of one plugin.
const MAX_MODELS: usize = 256;
/// Characters of a model's id.
const MAX_MODEL_ID: usize = 128;

impl Plugin {
    /// Asks the plugin for its models.
    pub(super) async fn list_models(
        &self,
        store: &mut wasmtime::Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<provider_types::Model>, bindings::Error>> {
        let indices = self.exports.providers.as_ref().ok_or_else(not_exported)?;
        indices.load(&mut *store, instance)?.hubcap_plugin_providers().call_models(store).await
    }
}

/// Checks a plugin's models; their order stays, because the first is the default.
///
/// # Errors
/// The first thing that is wrong, with the model's id.
pub(super) fn define(given: Vec<provider_types::Model>) -> Result<Vec<Model>, String> {
    if given.is_empty() || given.len() > MAX_MODELS {
        return Err(format!("has {} models, and not 1 to {MAX_MODELS}", given.len()));
    }
    let mut models: Vec<Model> = Vec::with_capacity(given.len());
    for model in given {
        let shown = text::truncate(&model.id, 100).escape_default().to_string();
        let fits = (1..=MAX_MODEL_ID).contains(&model.id.chars().count());
        if !fits || text::one_line(&model.id) != model.id.as_str() {
            return Err(format!("model id \"{shown}\" is not 1 to {MAX_MODEL_ID} visible characters"));
        }
        if models.iter().any(|other| other.id == model.id) {
            return Err(format!("has two models of one id: \"{shown}\""));
        }
        let title = text::one_line(&text::clean(&model.title)).into_owned();
        models.push(Model { id: model.id, title, context_tokens: model.context_tokens });
    }
    Ok(models)
}

impl Work for Conversation {
    type Output = Completion;

    const KIND: Option<Kind> = Some(Kind::Providers);

    fn asked_for(&self) -> &str {
        self.provider.as_str()
    }

    fn plugin_id(&self) -> &str {
        self.provider.as_str()
    }

    fn name(&self) -> &str {
        "complete"
    }

    fn offered_by(&self, plugin: &Plugin) -> bool {
        plugin.exports.providers.is_some()
    }

    fn check(&self, plugin: &Plugin) -> Result<(), CallError> {
        let wrong = |message: String| Err(CallError::new(Code::InvalidArguments, Blame::Caller, message));
        if self.messages.is_empty() {
            return wrong("the conversation has no message".into());
        }
        match &self.model {
            Some(asked) if !plugin.models.iter().any(|model| model.id == *asked) => {
                let nearest = text::nearest(asked, plugin.models.iter().map(|model| model.id.as_str()));
                let offer = nearest.map(|model| format!("; did you mean {model:?}?")).unwrap_or_default();
                wrong(format!("{} has no model {:?}{offer}", plugin.id, text::truncate(asked, 100)))
            }
            _ => Ok(()),
        }
    }

    fn sent(&self) -> Value {
        json!({
            "model": self.model, "messages": self.messages, "max_output_tokens": self.max_output_tokens,
            "stop": self.stop, "output_schema": self.output_schema,
        })
    }

    fn sent_bytes(&self) -> usize {
        let messages: usize = self.messages.iter().map(|message| message.text.len()).sum();
        messages + self.stop.iter().chain(&self.output_schema).map(String::len).sum::<usize>()
    }

    fn redact(output: &mut Completion, secrets: &Secrets) {
        secrets.redact(&mut output.text);
    }

    async fn run(&self, plugin: &Plugin, running: Running<'_>) -> Result<(Completion, u64), CallError> {
        let request = request(self);
        let given = running
            .export(async |store, instance, context| {
                let indices = plugin.exports.providers.as_ref().ok_or_else(not_exported)?;
                let export = indices.load(&mut *store, instance)?;
                export.hubcap_plugin_providers().call_complete(store, &request, context).await
            })
            .await?;
        completion(given)
    }
}

fn request(asked: &Conversation) -> provider_types::Request {
    provider_types::Request {
        model: asked.model.clone(),
        messages: asked.messages.iter().map(message).collect(),
        limits: provider_types::Limits {
            max_output_tokens: asked.max_output_tokens,
            stop: asked.stop.clone(),
        },
        output_schema: asked.output_schema.clone(),
        meta: Vec::new(),
    }
}

fn message(asked: &Message) -> provider_types::Message {
    let role = match asked.role {
        Role::System => provider_types::Role::System,
        Role::User => provider_types::Role::User,
        Role::Assistant => provider_types::Role::Assistant,
    };
    provider_types::Message { role, text: asked.text.clone() }
}

fn completion(given: provider_types::Completion) -> Result<(Completion, u64), CallError> {
    let bytes = convert::within_result_limit(given.text.len() + given.model.len())?;
    let completion = Completion {
        text: text::clean_owned(given.text),
        model: text::one_line(&given.model).into_owned(),
        stop: match given.stop {
            provider_types::StopReason::End => StopReason::End,
            provider_types::StopReason::Length => StopReason::Length,
            provider_types::StopReason::StopSequence => StopReason::StopSequence,
            provider_types::StopReason::Refusal => StopReason::Refusal,
        },
        usage: Usage {
            input_tokens: given.usage.input_tokens,
            output_tokens: given.usage.output_tokens,
            cost_microusd: given.usage.cost_microusd,
        },
    };
    Ok((completion, bytes))
}

#[cfg(test)]
mod tests {
    use super::{MAX_MODEL_ID, MAX_MODELS, define, provider_types};

    fn model(id: String) -> provider_types::Model {
        provider_types::Model { title: "A model".into(), id, context_tokens: None, meta: Vec::new() }
    }

    #[test]
    fn one_to_256_models_are_taken_in_their_order() {
        let models = |n: usize| define((0..n).rev().map(|i| model(i.to_string())).collect());
        assert_eq!(models(MAX_MODELS).unwrap()[0].id, "255");
        assert!(models(MAX_MODELS + 1).unwrap_err().contains("257 models"));
        assert!(models(0).unwrap_err().contains("0 models"));
    }

    #[test]
    fn a_models_id_has_up_to_128_visible_characters_and_stands_once() {
        assert!(define(vec![model("é".repeat(MAX_MODEL_ID))]).is_ok());
        for id in ["é".repeat(MAX_MODEL_ID + 1), String::new(), "a\u{202e}".into(), "a\nb".into()] {
            assert!(define(vec![model(id.clone())]).is_err(), "{id:?}");
        }
        assert!(define(vec![model("a".into()), model("a".into())]).unwrap_err().contains("two models"));
    }
}
