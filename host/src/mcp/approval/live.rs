//! Asking while the call waits, as the revisions 2025-06-18 and 2025-11-25 have it: `elicitation/create`.
//!
//! Invariant: whoever drops the question takes it back, and the client is told.

use std::pin::Pin;
use std::sync::Arc;

use rmcp::model::{InitializeRequestParams, ProtocolVersion};
use serde_json::Value;

use super::questions::{Gone, Questions};
use super::{caller, cannot_ask, form, has_forms, read};
use crate::model::{Answer, Approver, Question};

/// Asks for one call.
#[derive(Debug)]
pub(in crate::mcp) struct Live {
    questions: Option<Arc<Questions>>,
    caller: String,
    /// The client has said that it can ask.
    can_ask: bool,
    /// The revision that has no questions, if it is one of those.
    too_old: Option<String>,
}

impl Live {
    /// For a client that introduced itself.
    pub(super) fn new(questions: Option<Arc<Questions>>, client: Option<&InitializeRequestParams>) -> Self {
        let elicitation = client.and_then(|client| client.capabilities.elicitation.as_ref());
        let elicitation = elicitation.and_then(|said| serde_json::to_value(said).ok());
        let revision = client.map(|client| &client.protocol_version);
        let too_old = revision.filter(|revision| **revision < ProtocolVersion::V_2025_06_18);
        Self {
            questions,
            caller: caller(client.map(|client| client.client_info.name.as_str())),
            can_ask: has_forms(elicitation.as_ref()),
            too_old: too_old.map(ToString::to_string),
        }
    }

    async fn put(&self, question: &Question) -> Answer {
        if let Some(revision) = &self.too_old {
            return Answer::Nobody(format!("MCP {revision}, which the client speaks, has no such questions"));
        }
        let Some(questions) = self.questions.as_ref().filter(|_| self.can_ask) else { return cannot_ask() };
        let answer: Result<Option<Value>, Gone> =
            questions.ask("elicitation/create", form(&question.text)).await;
        match answer {
            Ok(Some(result)) => read(&result),
            Ok(None) => Answer::Nobody("the client answered the question with an error".into()),
            Err(Gone) => Answer::Nobody("the conversation has ended".into()),
        }
    }
}

impl Approver for Live {
    fn caller(&self) -> String {
        self.caller.clone()
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(self.put(question))
    }
}
