//! The least that an MCP client can be: lines of JSON-RPC over a pair of pipes, many requests at once.
//!
//! Invariant: what waits to be written never keeps answers from being read, and a server that is silent,
//! or that never ends a line, is given up.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep};

use crate::model::text;

/// Longest answer that is read; far more than a result can have.
const MAX_ANSWER: usize = 16 << 20;
/// What is read at once, if it is there.
const CHUNK: usize = 64 << 10;
/// Characters of a server's own words that are shown.
const SHOWN: usize = 500;
/// The last revision with a handshake, which every server answers.
const REVISION: &str = "2025-11-25";

/// Why there is nothing more to be had from a server.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// It has closed its end.
    Ended,
    /// Somebody does not want to know any more.
    Interrupted,
    /// It did what no server should.
    Wrong(String),
}

/// A call that failed.
#[derive(Debug, PartialEq)]
pub(super) struct Failed {
    /// hubcap's code, that of JSON-RPC, or `error`.
    pub(super) code: String,
    /// What the server says of it.
    pub(super) text: String,
}

/// The answer to a request.
pub(super) struct Answer {
    /// The request's id.
    pub(super) id: u64,
    /// Why it failed, if it did.
    pub(super) failed: Option<Failed>,
}

/// A conversation with a server.
pub(super) struct Conversation<R, W> {
    reader: R,
    writer: W,
    read: BytesMut,
    /// How much of it is known to have no end of line.
    looked_at: usize,
    unwritten: BytesMut,
    last_id: u64,
    silence: Duration,
    until: Pin<Box<Sleep>>,
}

/// As much of a message as is looked at in each.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    method: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    result: Option<Body>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default, rename = "isError")]
    is_error: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Conversation<R, W> {
    /// With a server that says something at least this often.
    pub(super) fn new(reader: R, writer: W, silence: Duration) -> Self {
        let (read, unwritten) = (BytesMut::new(), BytesMut::new());
        let until = Box::pin(sleep(silence));
        Self { reader, writer, read, looked_at: 0, unwritten, last_id: 0, silence, until }
    }

    /// Introduces us, and asks for the first tools.
    pub(super) async fn begin(&mut self) -> Result<(), Fault> {
        let us = json!({ "name": "hubcap-bench", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": REVISION, "capabilities": {}, "clientInfo": us });
        self.ask("initialize", &hello.to_string()).await?;
        self.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        self.ask("tools/list", "{}").await
    }

    async fn ask(&mut self, method: &str, params: &str) -> Result<(), Fault> {
        self.send(method, params);
        match self.answer().await?.failed {
            None => Ok(()),
            Some(Failed { code, text }) => {
                Err(Fault::Wrong(format!("the server answered `{method}` with {code}: {text}")))
            }
        }
    }

    /// Sends a request with the next answer that is waited for, and gives its id.
    pub(super) fn send(&mut self, method: &str, params: &str) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.write(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        id
    }

    fn write(&mut self, line: &str) {
        self.unwritten.extend_from_slice(line.as_bytes());
        self.unwritten.extend_from_slice(b"\n");
    }

    /// The next answer, to whichever request.
    pub(super) async fn answer(&mut self) -> Result<Answer, Fault> {
        loop {
            let Some(line) = self.line()? else {
                self.exchange().await?;
                continue;
            };
            if let Some(answer) = answer_in(&line)? {
                return Ok(answer);
            }
        }
    }

    /// The next line, if all of it is there.
    fn line(&mut self) -> Result<Option<Bytes>, Fault> {
        let found = self.read[self.looked_at..].iter().position(|byte| *byte == b'\n');
        let end = found.map(|at| self.looked_at + at);
        self.looked_at = end.unwrap_or(self.read.len());
        if self.looked_at > MAX_ANSWER {
            let text = format!("the server sent a line of more than {} MiB", MAX_ANSWER >> 20);
            return Err(Fault::Wrong(text));
        }
        Ok(end.map(|end| {
            self.looked_at = 0;
            self.read.split_to(end + 1).freeze()
        }))
    }

    /// Writes or reads something, whichever is possible first.
    async fn exchange(&mut self) -> Result<(), Fault> {
        self.read.reserve(CHUNK);
        tokio::select! {
            biased;
            written = self.writer.write(&self.unwritten), if !self.unwritten.is_empty() => {
                self.unwritten.advance(some(written)?);
            }
            read = self.reader.read_buf(&mut self.read) => {
                some(read)?;
                self.until.as_mut().reset(Instant::now() + self.silence);
            }
            () = &mut self.until => {
                let text = format!("the server did not answer for {} s", self.silence.as_secs());
                return Err(Fault::Wrong(text));
            }
        }
        Ok(())
    }
}

/// How much went through a pipe; nothing is its end.
fn some(moved: std::io::Result<usize>) -> Result<usize, Fault> {
    match moved {
        Ok(0) => Err(Fault::Ended),
        Ok(count) => Ok(count),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Fault::Ended),
        Err(error) => Err(Fault::Wrong(format!("the pipe to the server failed: {error}"))),
    }
}

/// The answer that a line is, unless it is something of the server's own.
fn answer_in(line: &[u8]) -> Result<Option<Answer>, Fault> {
    let no_message = || {
        let shown = text::clean_and_cut(String::from_utf8_lossy(line).trim_end(), SHOWN);
        Fault::Wrong(format!("the server sent what is no message of MCP: {shown}"))
    };
    let message: Message = serde_json::from_slice(line).map_err(|_| no_message())?;
    if message.method.is_some() {
        return Ok(None);
    }
    let id = message.id.as_u64().ok_or_else(no_message)?;
    let failed = if message.result.is_some_and(|body| !body.is_error) { None } else { Some(failed(line)) };
    Ok(Some(Answer { id, failed }))
}

/// What an answer without success says.
fn failed(line: &[u8]) -> Failed {
    let message: Value = serde_json::from_slice(line).unwrap_or_default();
    let (error, result) = (&message["error"], &message["result"]);
    let code = match &result["_meta"]["hubcap/error"]["code"] {
        Value::String(code) => code.clone(),
        _ if error["code"].is_number() => error["code"].to_string(),
        _ => "error".to_owned(),
    };
    let said =
        error["message"].as_str().or_else(|| result["content"][0]["text"].as_str()).unwrap_or_default();
    // Where hubcap says its code in front of the text, once is enough.
    let said = said.strip_prefix(&format!("{code}: ")).unwrap_or(said);
    Failed { code: text::clean_and_cut(&code, SHOWN), text: text::clean_and_cut(said, SHOWN) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::{Answer, Conversation, Failed, Fault, MAX_ANSWER};

    const LONG: Duration = Duration::from_secs(60);

    /// A conversation with a server that has said this, and the server's ends.
    async fn after(
        said: &[u8],
        silence: Duration,
    ) -> (Conversation<DuplexStream, DuplexStream>, [DuplexStream; 2]) {
        let (reader, mut says) = duplex(said.len().max(1));
        let (writer, hears) = duplex(1 << 10);
        says.write_all(said).await.unwrap();
        (Conversation::new(reader, writer, silence), [says, hears])
    }

    async fn failure(said: &str) -> Option<Failed> {
        let (mut us, _server) = after(said.as_bytes(), LONG).await;
        us.answer().await.unwrap().failed
    }

    #[tokio::test]
    async fn what_the_server_says_by_itself_is_passed_over() {
        let said = concat!(
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":"own","method":"ping"}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#,
            "\n"
        );
        let (mut us, _server) = after(said.as_bytes(), LONG).await;
        let Answer { id, failed } = us.answer().await.unwrap();
        assert_eq!((id, failed), (7, None));
    }

    #[tokio::test]
    async fn a_call_fails_with_the_code_of_hubcap_or_of_the_protocol_or_with_none() {
        let failed = |code: &str, text: &str| Some(Failed { code: code.into(), text: text.into() });
        let ours = r#"{"id":1,"result":{"isError":true,"content":[{"type":"text","text":"fuel: used up"}],
            "_meta":{"hubcap/error":{"code":"fuel","blame":"plugin"}}}}"#
            .replace('\n', "");
        assert_eq!(failure(&(ours + "\n")).await, failed("fuel", "used up"));
        let protocol = "{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no such tool\"}}\n";
        assert_eq!(failure(protocol).await, failed("-32602", "no such tool"));
        let plain = "{\"id\":1,\"result\":{\"isError\":true,\"content\":[{\"text\":\"no\"}]}}\n";
        assert_eq!(failure(plain).await, failed("error", "no"));
    }

    #[tokio::test]
    async fn what_is_no_answer_ends_the_conversation() {
        for said in ["hello\n", "{}\n", "{\"id\":\"1\",\"result\":{}}\n", "\n"] {
            let (mut us, _server) = after(said.as_bytes(), LONG).await;
            let Err(Fault::Wrong(text)) = us.answer().await else { panic!("{said} is an answer") };
            assert!(text.contains("no message of MCP"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_silent_is_given_up_and_one_that_speaks_is_not() {
        let said = b"{\"id\":1,\"result\":{}}\n";
        let (mut us, _server) = after(said, Duration::from_millis(50)).await;
        assert_eq!(us.answer().await.unwrap().id, 1);
        let Err(Fault::Wrong(text)) = us.answer().await else { panic!("the server is silent") };
        assert!(text.contains("did not answer for"), "{text}");
    }

    #[tokio::test]
    async fn an_answer_has_up_to_16_mib_and_not_one_byte_more() {
        let answer = |bytes: usize| {
            let (before, behind) = ("{\"id\":1,\"result\":{\"x\":\"", "\"}}");
            let filling = "x".repeat(bytes - before.len() - behind.len());
            format!("{before}{filling}{behind}\n").into_bytes()
        };
        let (mut us, _server) = after(&answer(MAX_ANSWER), LONG).await;
        assert_eq!(us.answer().await.unwrap().id, 1);
        let (mut us, _server) = after(&answer(MAX_ANSWER + 1), LONG).await;
        assert_eq!(
            us.answer().await.err(),
            Some(Fault::Wrong("the server sent a line of more than 16 MiB".into()))
        );
    }

    #[tokio::test]
    async fn the_end_of_either_pipe_is_the_end() {
        let (mut us, [says, _hears]) = after(b"", LONG).await;
        drop(says);
        assert_eq!(us.answer().await.err(), Some(Fault::Ended));
        let (mut us, [_says, hears]) = after(b"", LONG).await;
        drop(hears);
        us.send("tools/call", "{}");
        assert_eq!(us.answer().await.err(), Some(Fault::Ended));
    }
}
