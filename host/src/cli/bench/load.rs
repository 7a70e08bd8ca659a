//! Calls, a fixed number of them in flight.
//!
//! Invariant: each call that was sent is answered once, and counts once, as a time or as an error.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::{Conversation, Fault};

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How long each call took that did not fail, from when it was handed to the pipe.
    pub(super) took: Vec<Duration>,
    /// How many failed, by code.
    pub(super) errors: BTreeMap<String, u64>,
    /// How long it all took.
    pub(super) whole: Duration,
}

/// Calls so often, with so many calls in flight as long as there are as many left.
pub(super) async fn drive<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    conversation: &mut Conversation<R, W>,
    params: &str,
    calls: u64,
    in_flight: u64,
) -> Result<Tally, Fault> {
    let started = Instant::now();
    let mut tally = Tally { took: Vec::with_capacity(calls as usize), ..Tally::default() };
    let mut flying = HashMap::new();
    let mut left = calls;
    while left > 0 || !flying.is_empty() {
        while left > 0 && (flying.len() as u64) < in_flight {
            left -= 1;
            flying.insert(conversation.send("tools/call", params), Instant::now());
        }
        let answer = conversation.answer().await?;
        let Some(sent) = flying.remove(&answer.id) else {
            let text = format!("the server answered a request that it was not asked: {}", answer.id);
            return Err(Fault::Wrong(text));
        };
        match answer.failed {
            None => tally.took.push(sent.elapsed()),
            Some(failed) => *tally.errors.entry(failed.code).or_default() += 1,
        }
    }
    tally.whole = started.elapsed();
    Ok(tally)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, duplex};

    use super::{Tally, drive};
    use crate::cli::bench::conversation::{Conversation, Fault};

    /// The server's end of a conversation.
    struct Server(Lines<BufReader<DuplexStream>>, DuplexStream);

    /// Pipes that hold less than a request, and who is at their ends.
    fn pipes() -> (Conversation<DuplexStream, DuplexStream>, Server) {
        let (reader, says) = duplex(16);
        let (writer, hears) = duplex(16);
        let us = Conversation::new(reader, writer, Duration::from_secs(60));
        (us, Server(BufReader::new(hears).lines(), says))
    }

    impl Server {
        async fn id(&mut self) -> Option<Value> {
            let line = self.0.next_line().await.unwrap()?;
            Some(serde_json::from_str::<Value>(&line).unwrap()["id"].clone())
        }

        async fn say(&mut self, message: Value) {
            // A client that has seen enough does not hear the rest.
            let _ = self.1.write_all(format!("{message}\n").as_bytes()).await;
        }
    }

    #[tokio::test]
    async fn so_many_calls_are_in_flight_and_each_is_answered_once_in_any_order() {
        let (mut us, mut server) = pipes();
        let serving = async {
            for round in [3, 3, 2] {
                let mut ids = Vec::new();
                while ids.len() < round {
                    ids.push(server.id().await.unwrap());
                }
                let one_more = tokio::time::timeout(Duration::from_millis(50), server.id());
                assert!(one_more.await.is_err(), "there are more than {round}");
                for (at, id) in ids.into_iter().rev().enumerate() {
                    let failing = json!({ "id": id, "error": { "code": -1, "message": "no" } });
                    let working = json!({ "id": id, "result": {} });
                    server.say(if at == 0 { failing } else { working }).await;
                }
            }
        };
        let calling = async move { drive(&mut us, "{}", 8, 3).await };
        let (tally, ()) = tokio::join!(calling, serving);
        let Tally { took, errors, whole } = tally.unwrap();
        assert_eq!((took.len(), errors["-1"]), (5, 3));
        assert!(took.iter().all(|time| *time <= whole));
    }

    #[tokio::test]
    async fn answers_are_read_while_requests_are_still_to_be_written() {
        let (mut us, mut server) = pipes();
        let serving = async {
            while let Some(id) = server.id().await {
                server.say(json!({ "id": id, "result": {} })).await;
            }
        };
        let calling = async move { drive(&mut us, "{}", 500, 100).await.unwrap().took.len() };
        let (calls, ()) = tokio::join!(calling, serving);
        assert_eq!(calls, 500);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_asked_for_ends_it() {
        let (mut us, mut server) = pipes();
        let serving = async {
            server.id().await.unwrap();
            server.say(json!({ "id": 77, "result": {} })).await;
        };
        let (tally, ()) = tokio::join!(drive(&mut us, "{}", 1, 1), serving);
        let Err(Fault::Wrong(text)) = tally else { panic!("it goes on") };
        assert!(text.contains("not asked: 77"), "{text}");
    }
}
