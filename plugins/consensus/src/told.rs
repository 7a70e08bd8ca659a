//! The result as agents get it.

use std::collections::BTreeMap;

use hubcap_sdk::schemars;
use serde::Serialize;
use serde_json::Value;

use crate::answers::{Answers, End};
use crate::words::shown;

/// Characters of what each one said.
const TEXT: usize = 4_000;

/// What several models agree on.
#[derive(Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Consensus {
    /// The choice, the object or the text that most agree on.
    pub(crate) answer: Value,
    /// How much they agree.
    pub(crate) agreement: Agreement,
    /// Who sees it otherwise, in words.
    pub(crate) dissent: String,
    /// How many were asked, and what became of them.
    pub(crate) counts: Counts,
    /// Each who was asked, in that order.
    pub(crate) providers: Vec<Told>,
}

/// How much they agree.
#[derive(Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Agreement {
    /// From 0 to 1.
    pub(crate) value: f64,
    /// How it was found.
    pub(crate) method: Method,
    /// What the value is, in words.
    pub(crate) definition: String,
    /// The same for each field of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<BTreeMap<String, f64>>,
}

/// How agreement is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) enum Method {
    /// The choice that most make.
    Majority,
    /// For each field the value that most give.
    Fields,
    /// The text in the middle of those that are alike.
    Clusters,
}

/// How many.
#[derive(Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Counts {
    pub(crate) asked: usize,
    /// With an answer of the form that was asked for.
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    /// Not in time.
    pub(crate) late: usize,
    /// How many had to answer.
    pub(crate) quorum: usize,
}

/// What became of one who was asked.
#[derive(Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Told {
    /// As it was named.
    pub(crate) provider: String,
    pub(crate) state: State,
    /// Whether its answer is that of most.
    pub(crate) agrees: bool,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// What it said, cut where it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What it cost, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
}

/// What became of one, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) enum State {
    Answered,
    Failed,
    Late,
}

/// What an answer cost, as its provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Cost {
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// Millionths of a US dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) microusd: Option<u64>,
}

/// What became of each; `agreeing` are the places of those whose answer is that of most.
pub(crate) fn told(answers: Answers, agreeing: &[usize]) -> Vec<Told> {
    let told = answers.0.into_iter().enumerate().map(|(at, one)| {
        let (state, error) = match one.end {
            End::Answered(_) => (State::Answered, None),
            End::Failed(code, why) => (State::Failed, Some(format!("{}: {why}", code.as_str()))),
            End::Late => (State::Late, None),
        };
        let cost = one.completion.as_ref().map(|completion| Cost {
            input_tokens: completion.usage.input_tokens,
            output_tokens: completion.usage.output_tokens,
            microusd: completion.usage.cost_microusd,
        });
        Told {
            provider: one.asked.name,
            state,
            agrees: agreeing.contains(&at),
            model: one.completion.as_ref().map(|completion| completion.model.clone()),
            text: one.completion.map(|completion| shown(&completion.text, TEXT)),
            error,
            cost,
        }
    });
    told.collect()
}
