//! MCP over standard input and output: lines of whatever kind, in one conversation.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hubcap::config::Config;
use hubcap::home::Home;
use hubcap::hub::{Admission, Hub, Loader};
use hubcap::mcp::{StdioLimits, serve_on};
use serde_json::Value;
use tokio::io::{AsyncReadExt, duplex};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Bytes of a line. Small, so that lines beyond it are no rarity.
const LINE: usize = 1024;

/// What every conversation ends with. Whatever came before, this is answered.
const LAST: &str = r#"{"jsonrpc":"2.0","id":"the last word","method":"ping"}"#;

/// The bytes as a client's side of a conversation.
pub(crate) fn run(data: &[u8]) {
    let input = [data, b"\n", LAST.as_bytes(), b"\n"].concat();
    let output = conversation(&input);
    let mut expected = Expected::of(&input);
    let mut answers = 0;
    for line in output.lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        if message.get("method").is_some() {
            assert!(message.get("id").is_none(), "nobody was there to be asked: {line}");
            continue;
        }
        assert!(message.get("result").is_some() != message.get("error").is_some(), "{line}");
        answers += 1;
        expected.answered(&message, line);
    }
    assert!(
        (expected.least..=expected.most).contains(&answers),
        "{answers} answers, not {} to {}:\n{output}",
        expected.least,
        expected.most
    );
    assert!(expected.last_word, "the last ping has no result:\n{output}");
}

/// What the host answers, up to its end.
fn conversation(input: &[u8]) -> String {
    let (runtime, hub) = host();
    let limits =
        StdioLimits { line_bytes: LINE, queue_bytes: 1 << 20, in_flight: 4, drain: Duration::from_secs(60) };
    runtime.block_on(async {
        let (writer, mut written) = duplex(1 << 16);
        let reader = Cursor::new(input.to_vec());
        let served = serve_on(Arc::clone(hub), limits, CancellationToken::new(), reader, writer);
        let mut output = String::new();
        let (served, read) = tokio::join!(served, written.read_to_string(&mut output));
        served.unwrap();
        read.unwrap();
        output
    })
}

/// A hub without plugins: what is fuzzed is the way to it.
fn host() -> &'static (Runtime, Arc<Hub>) {
    static HOST: OnceLock<(Runtime, Arc<Hub>)> = OnceLock::new();
    HOST.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hub = runtime.block_on(async {
            let (hub, loader) = Loader::new(&Home::nowhere(Config::default()), Admission::Own).unwrap();
            loader.run(None).await;
            hub
        });
        (runtime, hub)
    })
}

/// What may be answered, found out with nothing of the host's.
#[derive(Default)]
struct Expected {
    /// Answers that there are at least, and at most.
    least: usize,
    most: usize,
    /// How often each id was sent and may be answered.
    ids: HashMap<String, usize>,
    last_word: bool,
}

impl Expected {
    fn of(input: &[u8]) -> Self {
        let mut expected = Self::default();
        let mut cancelled = 0;
        let input = input.strip_prefix(b"\xef\xbb\xbf").map_or(input, |rest| rest);
        for line in input.split(|byte| *byte == b'\n') {
            match kind(line) {
                Kind::Nothing => {}
                Kind::Answered(id) => {
                    expected.least += 1;
                    expected.most += 1;
                    *expected.ids.entry(id).or_default() += 1;
                }
                Kind::PerhapsRefused { cancels } => {
                    expected.most += 1;
                    cancelled += usize::from(cancels);
                }
            }
        }
        // What was given up in time has no answer.
        expected.least = expected.least.saturating_sub(cancelled);
        expected
    }

    fn answered(&mut self, message: &Value, line: &str) {
        let id = &message["id"];
        if !id.is_null() {
            let left = self.ids.get_mut(&id.to_string()).unwrap_or_else(|| panic!("nobody asked: {line}"));
            *left = left.checked_sub(1).unwrap_or_else(|| panic!("answered twice: {line}"));
        }
        self.last_word |= *id == "the last word" && message.get("result").is_some();
    }
}

enum Kind {
    /// Is never answered.
    Nothing,
    /// Is answered once, under this id or none.
    Answered(String),
    /// Is not answered unless something is wrong with it.
    PerhapsRefused { cancels: bool },
}

fn kind(line: &[u8]) -> Kind {
    if line.len() > LINE {
        return Kind::Answered("null".into());
    }
    let line = line.trim_ascii();
    if line.is_empty() {
        return Kind::Nothing;
    }
    let Ok(Value::Object(message)) = serde_json::from_slice(line) else {
        return Kind::Answered("null".into());
    };
    let has = |key: &str| message.contains_key(key);
    if (has("result") || has("error")) && !has("method") {
        // Unless it is deeper than the host reads.
        return Kind::PerhapsRefused { cancels: false };
    }
    match message.get("id") {
        Some(id) => Kind::Answered(id.to_string()),
        None => Kind::PerhapsRefused {
            cancels: message.get("method").is_some_and(|m| m == "notifications/cancelled"),
        },
    }
}
