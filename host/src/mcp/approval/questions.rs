//! Questions of ours to the client that wait for its answer.
//!
//! Invariant: a question is open as long as somebody waits for its answer, so there are never more than calls
//! in flight; an answer reaches the question with its id once, or nobody. When the client can answer no more,
//! none stays open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::mcp::outbox::Outbox;

/// The open questions of one conversation.
#[derive(Debug)]
pub(in crate::mcp) struct Questions {
    out: Arc<Outbox>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    closed: bool,
    waiting: HashMap<String, oneshot::Sender<Option<Value>>>,
}

impl Questions {
    /// None yet; they go to `out`.
    pub(in crate::mcp) fn to(out: &Arc<Outbox>) -> Arc<Self> {
        Arc::new(Self { out: Arc::clone(out), open: Mutex::default() })
    }

    /// Sends a request and waits for its result: nothing where the client answers with an error.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn ask(&self, method: &str, params: Value) -> Result<Option<Value>, Gone> {
        let mut asked = self.open()?;
        let request = json!({ "jsonrpc": "2.0", "id": asked.id, "method": method, "params": params });
        self.out.send(&request).await;
        let answer = (&mut asked.answer).await;
        answer.map_err(|_| Gone)
    }

    fn open(&self) -> Result<Asked<'_>, Gone> {
        let mut open = self.lock();
        if open.closed {
            return Err(Gone);
        }
        open.last += 1;
        let id = format!("hubcap-{}", open.last);
        let (sender, answer) = oneshot::channel();
        open.waiting.insert(id.clone(), sender);
        Ok(Asked { questions: self, id, answer })
    }

    /// The client has answered; what nobody waits for is dropped.
    pub(in crate::mcp) fn answer(&self, id: &RequestId, result: Option<Value>) {
        let RequestId::String(id) = id else { return };
        if let Some(waiting) = self.lock().waiting.remove(&**id) {
            // Whoever waited may have given up in this moment.
            let _ = waiting.send(result);
        }
    }

    /// The client can answer no more.
    pub(in crate::mcp) fn close(&self) {
        let mut open = self.lock();
        open.closed = true;
        open.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client can answer no more.
#[derive(Debug)]
pub(super) struct Gone;

/// A question that is open. Dropped before its answer, it is taken back.
struct Asked<'a> {
    questions: &'a Questions,
    id: String,
    answer: oneshot::Receiver<Option<Value>>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.questions.lock().waiting.remove(&self.id).is_some() {
            let params = json!({ "requestId": self.id, "reason": "the call that it was about has ended" });
            let method = "notifications/cancelled";
            self.questions.out.push(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rmcp::model::RequestId;
    use serde_json::{Value, json};

    use super::{Gone, Outbox, Questions};

    fn id(id: &str) -> RequestId {
        RequestId::String(id.into())
    }

    /// What was sent so far.
    async fn sent(out: Arc<Outbox>) -> Vec<Value> {
        let mut bytes = Vec::new();
        out.finish();
        out.write_to(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test]
    async fn an_answer_reaches_its_question_once() {
        let out = Arc::new(Outbox::new(1_000));
        let questions = Questions::to(&out);
        let answering = async {
            tokio::task::yield_now().await;
            questions.answer(&RequestId::Number(1), Some(json!("other")));
            questions.answer(&id("hubcap-2"), Some(json!("other")));
            questions.answer(&id("hubcap-1"), Some(json!("first")));
            questions.answer(&id("hubcap-1"), Some(json!("second")));
        };
        let (answer, ()) = tokio::join!(questions.ask("m", json!({})), answering);
        assert_eq!(answer.unwrap(), Some(json!("first")));
        let sent = sent(out).await;
        assert_eq!(sent, [json!({ "jsonrpc": "2.0", "id": "hubcap-1", "method": "m", "params": {} })]);
    }

    #[tokio::test]
    async fn a_question_that_nobody_waits_for_is_taken_back() {
        let out = Arc::new(Outbox::new(1_000));
        let questions = Questions::to(&out);
        let mut asking = Box::pin(questions.ask("m", json!({})));
        assert!(futures::poll!(&mut asking).is_pending());
        drop(asking);
        assert!(questions.lock().waiting.is_empty());
        let sent = sent(out).await;
        assert_eq!(sent[1]["method"], "notifications/cancelled");
        assert_eq!(sent[1]["params"]["requestId"], "hubcap-1");
    }

    #[tokio::test]
    async fn no_question_stays_open_when_the_client_is_gone() {
        let questions = Questions::to(&Arc::new(Outbox::new(1_000)));
        let closing = async {
            tokio::task::yield_now().await;
            questions.close();
        };
        let (answer, ()) = tokio::join!(questions.ask("m", json!({})), closing);
        assert!(matches!(answer, Err(Gone)));
        assert!(matches!(questions.ask("m", json!({})).await, Err(Gone)));
    }
}
