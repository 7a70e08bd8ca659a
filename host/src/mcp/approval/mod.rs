//! Asking the person at the client: in a conversation of the older revisions by a question of ours, in
//! 2026-07-28 by a result that wants input.
//!
//! Invariant: only a client that says it can ask is asked, and only the one answer that was offered as a yes
//! is one.

mod live;
mod questions;
mod sealed;

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{CallToolRequestParams, InputRequiredResult};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};

use super::convert;
use crate::model::{Answer, Approver, text};

use live::Live;
use sealed::{Desk, Sealed};

pub(super) use questions::Questions;

/// What an answer is called among the input that a call wants.
const INPUT: &str = "approval";

/// Bytes of the state that a call brings back; ours have half of that.
const MAX_REQUEST_STATE: usize = 2_048;

/// In `_meta` from 2026-07-28 on: what the client can do, and who it is.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";

/// Characters of a client's name that a person is shown.
const NAME: usize = 60;

/// Asks for one conversation.
pub(super) struct Approvals(Desk);

/// Who asks for one call.
pub(super) enum Asking {
    /// While the call waits.
    Live(Arc<Live>),
    /// Between this call and the next.
    Sealed(Arc<Sealed>),
}

impl Approvals {
    /// For a new conversation: nothing that was asked in another one counts.
    pub(super) fn new() -> Self {
        Self(Desk::new())
    }

    /// Who can ask for this call, in the way of its revision.
    pub(super) fn of(
        &self,
        request: &mut CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Asking {
        if convert::is_modern(&context.meta) {
            let can_ask = has_forms(context.meta.get(CAPABILITIES).and_then(|all| all.get("elicitation")));
            let name = context.meta.get(CLIENT).and_then(|client| client.get("name")).and_then(Value::as_str);
            let given = request.input_responses.take().and_then(|mut all| all.remove(INPUT));
            let state = request.request_state.take();
            return Asking::Sealed(Arc::new(Sealed::new(&self.0, caller(name), can_ask, state, given)));
        }
        let questions = context.extensions.get::<Arc<Questions>>().cloned();
        let client = context.peer.peer_info();
        Asking::Live(Arc::new(Live::new(questions, client.as_deref())))
    }
}

impl Asking {
    /// As the hub knows it.
    pub(super) fn approver(&self) -> Arc<dyn Approver> {
        match self {
            Self::Live(live) => Arc::clone(live) as _,
            Self::Sealed(sealed) => Arc::clone(sealed) as _,
        }
    }

    /// The question that goes out in place of a result, if one does.
    pub(super) fn question(&self) -> Option<InputRequiredResult> {
        match self {
            Self::Live(_) => None,
            Self::Sealed(sealed) => sealed.question(),
        }
    }
}

/// Whether a client's word on elicitation says that it shows forms. Without a kind it means forms.
fn has_forms(elicitation: Option<&Value>) -> bool {
    let kinds = elicitation.and_then(Value::as_object);
    kinds.is_some_and(|kinds| kinds.contains_key("form") || !kinds.contains_key("url"))
}

/// Who calls. A client's name is its own word.
fn caller(name: Option<&str>) -> String {
    match name {
        Some(name) => {
            format!("an agent, by a client that calls itself {:?}", text::clean_and_cut(name, NAME))
        }
        None => "an agent, by a client without a name".into(),
    }
}

/// Why a client is not asked.
fn cannot_ask() -> Answer {
    Answer::Nobody(
        "the client does not say that it can ask (the capability `elicitation` with `form`)".into(),
    )
}

/// The call with what it brings where it was asked for more: the state of the question and the answer.
///
/// # Errors
/// What is wrong with it.
pub(super) fn retried(
    params: &mut Map<String, Value>,
    mut call: CallToolRequestParams,
) -> Result<CallToolRequestParams, String> {
    call.request_state = match params.remove("requestState") {
        None | Some(Value::Null) => None,
        Some(Value::String(state)) if state.len() <= MAX_REQUEST_STATE => Some(state),
        Some(_) => {
            return Err(format!("`requestState` has to be a string of at most {MAX_REQUEST_STATE} bytes"));
        }
    };
    call.input_responses = match params.remove("inputResponses") {
        None | Some(Value::Null) => None,
        Some(Value::Object(answers)) => Some(answers.into_iter().filter(|(name, _)| name == INPUT).collect()),
        Some(_) => return Err("`inputResponses` have to be an object".into()),
    };
    Ok(call)
}

/// The question as a form: one choice.
fn form(message: &str) -> Value {
    let decision = json!({
        "type": "string", "title": "May it run?", "enum": ["approve", "decline"],
        "description": "approve lets this one call run, with these arguments and no others",
    });
    let schema =
        json!({ "type": "object", "properties": { "decision": decision }, "required": ["decision"] });
    json!({ "message": message, "requestedSchema": schema })
}

/// What a filled form says.
fn read(result: &Value) -> Answer {
    let decision = result.pointer("/content/decision").and_then(Value::as_str);
    match (result.get("action").and_then(Value::as_str), decision) {
        (Some("accept"), Some("approve")) => Answer::Approved,
        (Some("accept"), Some("decline")) | (Some("decline"), _) => Answer::Declined,
        (Some("cancel"), _) => Answer::Dismissed,
        _ => Answer::Void("it is none of the answers that were offered".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{caller, has_forms, read};
    use crate::model::Answer;

    #[test]
    fn only_the_one_answer_that_was_offered_as_a_yes_is_one() {
        let accepted = |content: Value| read(&json!({ "action": "accept", "content": content }));
        assert_eq!(accepted(json!({ "decision": "approve" })), Answer::Approved);
        assert_eq!(accepted(json!({ "decision": "decline" })), Answer::Declined);
        for void in [json!({ "decision": true }), json!({ "decision": "Approve" }), json!({}), Value::Null] {
            assert!(matches!(accepted(void.clone()), Answer::Void(_)), "{void}");
        }
        let content = json!({ "decision": "approve" });
        assert_eq!(read(&json!({ "action": "decline", "content": content })), Answer::Declined);
        assert_eq!(read(&json!({ "action": "cancel", "content": content })), Answer::Dismissed);
        for void in
            [json!({ "content": content }), json!({ "action": "ACCEPT", "content": content }), json!([])]
        {
            assert!(matches!(read(&void), Answer::Void(_)), "{void}");
        }
    }

    #[test]
    fn a_client_is_asked_where_it_says_that_it_shows_forms() {
        for can in [json!({}), json!({ "form": {} }), json!({ "form": {}, "url": {} })] {
            assert!(has_forms(Some(&can)), "{can}");
        }
        for cannot in [json!({ "url": {} }), json!(true), Value::Null] {
            assert!(!has_forms(Some(&cannot)), "{cannot}");
        }
        assert!(!has_forms(None));
    }

    #[test]
    fn a_clients_name_is_quoted_cleaned_and_cut() {
        assert_eq!(caller(Some("a\"b\n\u{202e}")), "an agent, by a client that calls itself \"a\\\"b\\n\"");
        assert!(caller(Some(&"x".repeat(1_000))).len() < 120);
    }
}
