//! A conversation, its bounds and its completion.

use serde::{Deserialize, Serialize};

use crate::model::PluginId;

/// One conversation to be completed by one provider.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The provider.
    pub provider: PluginId,
    /// Id of the model; the provider's first where absent.
    pub model: Option<String>,
    /// Oldest turn first.
    pub messages: Vec<Message>,
    /// Tokens that the answer may have.
    pub max_output_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// The answer has to be JSON that matches this schema.
    pub output_schema: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that stand above the conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// A model that a provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Unique in the plugin.
    pub id: String,
    /// A name for people.
    pub title: String,
    /// Tokens that fit in all, where known.
    pub context_tokens: Option<u64>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The model was done.
    End,
    /// A bound on its length.
    Length,
    /// A text of `stop` came.
    StopSequence,
    /// The model declined.
    Refusal,
}

/// What an answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Millionths of a US dollar, where known.
    pub cost_microusd: Option<u64>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// Its text.
    pub text: String,
    /// Id of the model that answered.
    pub model: String,
    /// Why it ended.
    pub stop: StopReason,
    /// What it took.
    pub usage: Usage,
}
