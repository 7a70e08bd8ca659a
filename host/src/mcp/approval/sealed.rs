//! Asking between two calls, as 2026-07-28 has it: the first one ends with the question and a sealed state,
//! the second one brings both back.
//!
//! Invariant: nothing that comes back is believed but what the seal holds, and a seal is good once, for the
//! question that it was made for, until it expires.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use rmcp::model::{ElicitRequest, InputRequest, InputRequiredResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use super::{INPUT, cannot_ask, form, read};
use crate::lock::fingerprint;
use crate::model::{Answer, Approver, Question};

/// Seals of answers that were used and have not expired: with more than these, no answer counts.
const MAX_USED: usize = 10_000;

/// What the seal is over begins with this, so that no other use of the key can make one.
const DOMAIN: &[u8] = b"hubcap/approval/1\0";

/// Seals questions, and knows its own seals again.
#[derive(Clone, Debug)]
pub(super) struct Desk(Arc<Inner>);

struct Inner {
    /// Random, of this process, and never written anywhere.
    key: [u8; 32],
    /// Expiry is told from here: nobody can set this clock.
    since: Instant,
    /// Seals that were used, with their expiry.
    used: Mutex<HashMap<[u8; 16], u64>>,
}

/// Nothing of the key.
impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inner")
    }
}

/// What a seal holds.
#[derive(Serialize, Deserialize)]
struct Held {
    /// Milliseconds since the desk was opened.
    expires: u64,
    nonce: [u8; 16],
    tool: String,
    file: String,
    definition: String,
    arguments: String,
    /// By its fingerprint: its name may be long.
    caller: String,
}

impl Desk {
    /// With a key of its own.
    pub(super) fn new() -> Self {
        let inner = Inner { key: rand::random(), since: Instant::now(), used: Mutex::default() };
        Self(Arc::new(inner))
    }

    fn now(&self) -> u64 {
        millis(self.0.since.elapsed())
    }

    fn mac(&self, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0.key).ok()?;
        mac.update(DOMAIN);
        mac.update(body);
        Some(mac)
    }

    /// The state that goes out with a question.
    fn seal(&self, question: &Question) -> Option<String> {
        let Question { tool, file, definition, arguments, caller, wait, .. } = question.clone();
        let caller = fingerprint(&caller);
        let expires = self.now().saturating_add(millis(wait));
        let held = Held { expires, nonce: rand::random(), tool, file, definition, arguments, caller };
        let body = serde_json::to_vec(&held).ok()?;
        let tag = self.mac(&body)?.finalize().into_bytes();
        Some(format!("{}.{}", BASE64.encode(&body), BASE64.encode(&tag)))
    }

    /// Whether a state was made here for this question, and uses it up.
    fn take(&self, state: &str, question: &Question) -> Result<(), &'static str> {
        let held = self.open(state).ok_or("its state is not one that hubcap made in this conversation")?;
        if held.expires <= self.now() {
            return Err("it came too late: the question has expired");
        }
        if held.tool != question.tool {
            return Err("it was given for another tool");
        }
        if (&held.file, &held.definition) != (&question.file, &question.definition) {
            return Err("the plugin changed after the question");
        }
        if held.arguments != question.arguments {
            return Err("it was given for other arguments");
        }
        if held.caller != fingerprint(&question.caller) {
            return Err("it was given to another caller");
        }
        self.use_up(&held)
    }

    fn open(&self, state: &str) -> Option<Held> {
        let (body, tag) = state.split_once('.')?;
        let (body, tag) = (BASE64.decode(body.as_bytes()).ok()?, BASE64.decode(tag.as_bytes()).ok()?);
        self.mac(&body)?.verify_slice(&tag).ok()?;
        serde_json::from_slice(&body).ok()
    }

    fn use_up(&self, held: &Held) -> Result<(), &'static str> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains_key(&held.nonce) {
            return Err("it was used already: an approval is good for one call");
        }
        if used.len() >= MAX_USED {
            let now = self.now();
            used.retain(|_, expires| *expires > now);
        }
        if used.len() >= MAX_USED {
            return Err("too many approvals were used in a short time; wait a little");
        }
        used.insert(held.nonce, held.expires);
        Ok(())
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Asks for one call.
#[derive(Debug)]
pub(in crate::mcp) struct Sealed {
    desk: Desk,
    caller: String,
    /// The client has said that it can ask.
    can_ask: bool,
    /// The state that came with the call, if one did.
    state: Option<String>,
    /// The answer that came with it.
    given: Option<Value>,
    /// The question that goes out, once there is one.
    question: Mutex<Option<InputRequiredResult>>,
}

impl Sealed {
    /// For a call that brought this.
    pub(super) fn new(
        desk: &Desk,
        caller: String,
        can_ask: bool,
        state: Option<String>,
        given: Option<Value>,
    ) -> Self {
        Self { desk: desk.clone(), caller, can_ask, state, given, question: Mutex::default() }
    }

    /// The question that goes out in place of a result, if there is one.
    pub(super) fn question(&self) -> Option<InputRequiredResult> {
        self.question.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn answer(&self, question: &Question) -> Answer {
        if !self.can_ask {
            return cannot_ask();
        }
        let Some(state) = &self.state else { return self.put(question) };
        match (self.desk.take(state, question), &self.given) {
            (Err(why), _) => Answer::Void(why.into()),
            (Ok(()), Some(given)) => read(given),
            (Ok(()), None) => Answer::Void(format!("`inputResponses` has no `{INPUT}`")),
        }
    }

    fn put(&self, question: &Question) -> Answer {
        let request = serde_json::from_value(form(&question.text)).map(ElicitRequest::new);
        let (Ok(request), Some(state)) = (request, self.desk.seal(question)) else {
            return Answer::Nobody("the question could not be written".into());
        };
        let wanted = BTreeMap::from([(INPUT.to_owned(), InputRequest::Elicitation(request))]);
        let result = InputRequiredResult::new(Some(wanted), Some(state));
        *self.question.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        Answer::Asked
    }
}

impl Approver for Sealed {
    fn caller(&self) -> String {
        self.caller.clone()
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(std::future::ready(self.answer(question)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BASE64, Desk, MAX_USED, Question};

    fn question() -> Question {
        let [tool, file, definition, arguments, caller] =
            ["x_a", "file", "definition", "arguments", "an agent"].map(str::to_owned);
        let (text, wait) = (String::new(), Duration::from_secs(60));
        Question { tool, file, definition, arguments, caller, text, wait }
    }

    #[test]
    fn a_seal_is_good_once_and_for_its_own_question() {
        let (desk, asked) = (Desk::new(), question());
        let state = desk.seal(&asked).unwrap();
        for (other, why) in [
            (Question { tool: "x_b".into(), ..question() }, "another tool"),
            (Question { file: "other".into(), ..question() }, "the plugin changed"),
            (Question { definition: "other".into(), ..question() }, "the plugin changed"),
            (Question { arguments: "other".into(), ..question() }, "other arguments"),
            (Question { caller: "other".into(), ..question() }, "another caller"),
        ] {
            let refused = desk.take(&state, &other).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(desk.take(&state, &asked), Ok(()));
        assert!(desk.take(&state, &asked).unwrap_err().contains("used already"));
    }

    #[test]
    fn a_seal_of_another_desk_and_one_that_was_changed_are_none() {
        let (desk, asked) = (Desk::new(), question());
        let state = desk.seal(&asked).unwrap();
        let (body, tag) = state.split_once('.').unwrap();
        let longer = String::from_utf8(BASE64.decode(body.as_bytes()).unwrap()).unwrap();
        let longer = BASE64.encode(longer.replacen("\"expires\":", "\"expires\":9", 1).as_bytes());
        let foreign = Desk::new().seal(&asked).unwrap();
        for forged in
            [foreign, format!("{longer}.{tag}"), format!("{body}."), format!("{body}.AAAA"), "".into()]
        {
            assert!(desk.take(&forged, &asked).unwrap_err().contains("not one that hubcap made"), "{forged}");
        }
        assert_eq!(desk.take(&state, &asked), Ok(()));
    }

    #[test]
    fn a_seal_expires() {
        let (desk, asked) = (Desk::new(), Question { wait: Duration::ZERO, ..question() });
        let state = desk.seal(&asked).unwrap();
        assert!(desk.take(&state, &asked).unwrap_err().contains("expired"));
    }

    #[test]
    fn ten_thousand_used_seals_are_known_and_with_more_no_answer_counts() {
        let (desk, asked) = (Desk::new(), question());
        for _ in 0..MAX_USED {
            assert_eq!(desk.take(&desk.seal(&asked).unwrap(), &asked), Ok(()));
        }
        let more = desk.seal(&asked).unwrap();
        assert!(desk.take(&more, &asked).unwrap_err().contains("too many"));
        // Those that have expired make room.
        desk.0.used.lock().unwrap().values_mut().for_each(|expires| *expires = 0);
        assert_eq!(desk.take(&more, &asked), Ok(()));
    }
}
