//! A provider that answers from a script in its configuration.
//!
//! ```toml
//! [plugins.scripted-provider.config]
//! models = ["small", "large"]
//! otherwise = "I do not know."
//! answers = [
//!     { when = "capital of France", text = "Paris." },
//!     { when = "bad day", fail = true, text = "the model is out of order" },
//! ]
//! ```
//!
//! Invariant: the same conversation has the same answer, and tokens are words.

#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only WebAssembly exports it"))]

use std::cell::OnceCell;

use hubcap_sdk::{
    Code, Completion, Context, Error, Model, Plugin, Providers, Request, Role, StopReason, Usage, progress,
};
use serde::Deserialize;

/// The configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default = "one_model")]
    models: Vec<String>,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    otherwise: String,
}

/// What is said when the last message of the user contains `when`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    when: String,
    text: String,
    #[serde(default)]
    fail: bool,
}

fn one_model() -> Vec<String> {
    vec!["script".into()]
}

thread_local! {
    /// `init` puts it here, in every instance before anything else runs.
    static SCRIPT: OnceCell<Script> = const { OnceCell::new() };
}

fn script() -> Result<Script, Error> {
    let script = SCRIPT.with(|script| script.get().cloned());
    script.ok_or_else(|| Error::new(Code::Internal, "asked before `init`"))
}

struct Scripted;

impl Plugin for Scripted {
    fn init(config: &str) -> Result<(), Error> {
        let script: Script = hubcap_sdk::arguments(config)?;
        SCRIPT.with(|place| place.set(script)).map_err(|_| Error::new(Code::Internal, "`init` ran twice"))
    }
}

impl Providers for Scripted {
    fn models() -> Result<Vec<Model>, Error> {
        let model = |id: String| Model { title: id.clone(), id, context_tokens: None, meta: Vec::new() };
        Ok(script()?.models.into_iter().map(model).collect())
    }

    fn complete(request: Request, _context: Context) -> Result<Completion, Error> {
        let script = script()?;
        let text = answer(&script, &request)?;
        text.split_inclusive(' ').for_each(progress::partial);
        let input: usize = request.messages.iter().map(|message| words(&message.text)).sum();
        let (text, stop) = cut(&text, request.limits.max_output_tokens);
        Ok(Completion {
            usage: Usage {
                input_tokens: input as u64,
                output_tokens: words(&text) as u64,
                cost_microusd: Some(0),
            },
            text,
            model: request.model.or_else(|| script.models.first().cloned()).unwrap_or_default(),
            stop,
            meta: Vec::new(),
        })
    }
}

/// The first answer whose `when` is in the last message of the user.
fn answer(script: &Script, request: &Request) -> Result<String, Error> {
    let asked = request.messages.iter().rev().find(|message| message.role == Role::User);
    let asked = asked.map_or("", |message| message.text.as_str());
    match script.answers.iter().find(|answer| asked.contains(&answer.when)) {
        Some(Answer { fail: true, text, .. }) => Err(Error::upstream(text)),
        Some(answer) => Ok(answer.text.clone()),
        None => Ok(script.otherwise.clone()),
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn cut(text: &str, most: Option<u64>) -> (String, StopReason) {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    if words(text) <= most {
        return (text.to_owned(), StopReason::End);
    }
    let kept: Vec<&str> = text.split_whitespace().take(most).collect();
    (kept.join(" "), StopReason::Length)
}

hubcap_sdk::export!(Scripted: providers);

#[cfg(test)]
mod tests {
    use super::{StopReason, cut};

    #[test]
    fn an_answer_is_cut_at_the_bound_and_says_so() {
        assert_eq!(cut("one two three", Some(3)), ("one two three".into(), StopReason::End));
        assert_eq!(cut("one two three", Some(2)), ("one two".into(), StopReason::Length));
    }
}
