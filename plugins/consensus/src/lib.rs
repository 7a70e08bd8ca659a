//! One question to several models, side by side, and what they agree on.
//!
//! Invariant: the same answers of the same providers in the same order have the same result; whoever fails or is
//! late costs the others nothing.

#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only WebAssembly exports it"))]

mod answers;
mod ballot;
mod cluster;
mod fields;
mod question;
mod result;
mod told;
mod words;

use std::time::{Duration, Instant};

use hubcap_sdk::handle::join_until;
use hubcap_sdk::{Completion, Context, Error, Request, config, hub, tool};
use serde::Deserialize;

use answers::Answers;
use question::{Asked, Question};
use told::Consensus;

/// What is kept of the call's own time, to compare the answers in.
const MARGIN: Duration = Duration::from_millis(500);

/// What the operator configures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    providers: Option<Vec<String>>,
    #[serde(default)]
    quorum: Option<usize>,
    #[serde(default)]
    deadline_seconds: Option<u64>,
}

/// Asks several providers or models one question, side by side, and says what they agree on, how much, and who
/// does not. With `choices` the answer is one of them, with `schema` it is data that is compared field by field,
/// else it is the text that is most like the others. A quorum of answers is enough.
#[tool(title = "Ask several models", read_only, open_world)]
fn ask(#[args] question: Question, context: Context) -> Result<Consensus, Error> {
    let settings = config::get::<Settings>()?;
    question.check()?;
    let asked = Asked::all(&providers(&question, settings)?)?;
    let quorum = question.quorum.or(settings.quorum);
    let quorum = question::quorum(quorum, asked.len())?;
    let seconds = question.deadline_seconds.or(settings.deadline_seconds);
    let until = Instant::now() + time(seconds, context.deadline_ms);
    let answers = Answers::read(&question, &asked, collect(&question, &asked, until));
    answers.check(quorum)?;
    Ok(result::of(&question, answers, quorum))
}

/// Who is asked: as the call says, else the operator, else all that are granted.
fn providers(question: &Question, settings: &Settings) -> Result<Vec<String>, Error> {
    if let Some(named) = question.providers.as_ref().or(settings.providers.as_ref()) {
        return Ok(named.clone());
    }
    let granted = hub::callees()?.into_iter().filter(|callee| callee.kind == "provider");
    Ok(granted.map(|callee| callee.name).collect())
}

/// How long each has: no longer than this call has left.
fn time(seconds: Option<u64>, left_ms: u64) -> Duration {
    let left = Duration::from_millis(left_ms).saturating_sub(MARGIN);
    seconds.map_or(left, |seconds| left.min(Duration::from_secs(seconds)))
}

/// What comes of each until then; nothing where it has not ended.
fn collect(question: &Question, asked: &[Asked], until: Instant) -> Vec<Option<Result<Completion, Error>>> {
    let mut ends: Vec<_> = asked.iter().map(|_| None).collect();
    let (mut places, mut calls) = (Vec::new(), Vec::new());
    for (place, one) in asked.iter().enumerate() {
        let request = Request { model: one.model.clone(), ..question.request() };
        match hub::start_complete(&one.provider, &request) {
            Ok(call) => {
                places.push(place);
                calls.push(call);
            }
            Err(error) => ends[place] = Some(Err(error)),
        }
    }
    for (place, end) in places.into_iter().zip(join_until(calls, until, |_, _| ())) {
        ends[place] = end;
    }
    ends
}

hubcap_sdk::plugin!(tools: [ask], config: Settings);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::time;

    #[test]
    fn each_has_the_time_that_is_asked_for_and_no_more_than_the_call_has() {
        assert_eq!(time(Some(5), 30_000), Duration::from_secs(5));
        assert_eq!(time(Some(60), 30_000), Duration::from_millis(29_500));
        assert_eq!(time(None, 30_000), Duration::from_millis(29_500));
        assert_eq!(time(None, 100), Duration::ZERO);
    }
}
