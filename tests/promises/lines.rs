//! What comes in and goes out line by line: nothing else on standard output, and no end by anything on
//! standard input.
//!
//! Invariant: a mutation that the host does not notice is counted, and one that it does not survive fails.

use serde_json::{Value, json};

use crate::kills::Random;
use crate::support::SOON;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};
use crate::support::server::{Era, Server};

/// Lines of real clients, which the mutations begin with.
const REAL: [&str; 10] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"client","version":"1.0"}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"echo_say"}}"#,
    r#"{"jsonrpc":"2.0","id":"four","method":"tools/call","params":{"name":"echo_say","arguments":{"text":"Grüße 🚀 \n"}}}"#,
    r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo_structured","arguments":{"n":-3},"_meta":{"progressToken":5}}}"#,
    r#"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"plain_run","arguments":{"a":[1,2.5,null,true,{"b":"c"}]},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"reason":"late"}}"#,
    r#"{"jsonrpc":"2.0","id":7,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    r#"{"jsonrpc":"2.0","id":8,"result":{"action":"accept","content":{}}}"#,
];

/// What a mutation puts in.
const PIECES: [&[u8]; 14] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":null",
    b"1e400",
    b"\\ud800",
    b"\xff",
    b"\0",
    b"\"id\":7,",
    b"[[[[[[",
];

/// The line with some of its bytes changed, dropped, doubled or put in, and still one line.
fn mutated(random: &mut Random, line: &[u8]) -> Vec<u8> {
    let mut bytes = line.to_vec();
    for _ in 0..=random.below(3) {
        let length = bytes.len() as u64;
        let at = random.below(length + 1) as usize;
        let end = (at + random.below(40) as usize).min(bytes.len());
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 => drop(bytes.drain(at..end)),
            3 => bytes.extend_from_within(at..end),
            4 => bytes.truncate(at),
            5 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len() as u64) as usize].to_vec())),
            _ => {
                let other = REAL[random.below(REAL.len() as u64) as usize].as_bytes();
                bytes.truncate(at);
                bytes.extend(&other[random.below(other.len() as u64) as usize..]);
            }
        }
    }
    bytes.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    bytes
}

/// What came of all mutations.
#[derive(Default)]
struct Tally {
    lines: u64,
    changed: u64,
    refused: u64,
    answered: u64,
}

/// Lines between two looks.
const BATCH: u64 = 500;

/// Sends a batch, each line with a ping behind it, and expects the answers to all pings in their order.
fn send_batch(server: &mut Server, random: &mut Random, tally: &mut Tally) {
    let mut bytes = Vec::new();
    for n in 0..BATCH {
        let real = REAL[random.below(REAL.len() as u64) as usize].as_bytes();
        let line = mutated(random, real);
        tally.lines += 1;
        tally.changed += u64::from(line != real);
        bytes.extend(line);
        bytes.extend(format!("\n{{\"jsonrpc\":\"2.0\",\"id\":\"ping {n}\",\"method\":\"ping\"}}\n").bytes());
    }
    server.send_bytes(&bytes);
    let last = json!(format!("ping {}", BATCH - 1));
    assert!(server.wait_for(&last, 6 * SOON).is_some(), "no answer any more: {}", server.stderr());
    let pings: Vec<Value> = server.messages().iter().map(|message| message["id"].clone()).collect();
    let pings = pings.iter().filter(|id| id.as_str().is_some_and(|id| id.starts_with("ping ")));
    assert!(pings.eq((0..BATCH).map(|n| json!(format!("ping {n}"))).collect::<Vec<_>>().iter()));
    tally.answered += BATCH;
    tally.refused += server.messages().iter().filter(|message| message.get("error").is_some()).count() as u64;
    server.forget_messages();
}

#[test]
fn no_malformed_line_ends_the_conversation() {
    let seed = std::env::var("HUBCAP_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut server = Home::new().guest("echo").wat("plain").serve();
    let tools = server.tool_names();
    let (mut random, mut tally) = (Random(seed), Tally::default());
    // What the first calls cost stays.
    send_batch(&mut server, &mut random, &mut tally);
    let before = server.facts();
    while tally.lines < short_or_long(20_000, 10_000_000) {
        send_batch(&mut server, &mut random, &mut tally);
        // Under an id that no mutation has.
        let id = json!(format!("look {}", tally.lines));
        server.send_request_as(&id, "tools/list", json!({}));
        let listed = server.answer(&id);
        assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(tools.len()), "{listed:#}");
    }
    server.send_request_as(&json!("last"), "tools/call", json!({ "name": "plain_run" }));
    assert_says(&server.result(&json!("last")), "done");
    let growth = server.facts().rss_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 32, "{growth} MiB");
    server.end();
    let Tally { lines, changed, refused, answered } = tally;
    assert_eq!(answered, lines);
    assert!(changed > lines / 2 && refused > lines / 4, "{changed} changed, {refused} refused of {lines}");
    kept(
        "P10",
        format_args!(
            "seed {seed}: {lines} lines, {changed} mutated, {refused} refused; {answered} of {lines} pings after them answered; {growth} MiB grown"
        ),
    );
}

#[test]
fn nothing_but_json_rpc_is_ever_on_standard_output() {
    let home = Home::new().guest("stdout-flood").guest("log-flood").guest("echo").wat("traps");
    let mut command = home.command(&["serve", "--log", "trace"]);
    let mut server = home.serve_as(&mut command, Era::Legacy("2025-11-25"));
    let (mut random, mut lines, mut printed) = (Random(1), 0, 0);
    for _ in 0..short_or_long(20, 2_000) {
        assert_says(&server.call("stdout-flood_print", json!({ "n": 100 })), "100");
        printed += 200;
        assert_says(&server.call("log-flood_control", json!({})), "2");
        let broken = mutated(&mut random, REAL[4].as_bytes());
        server.send_bytes(&[&broken[..], b"\n"].concat());
        server.call("echo_big", json!({ "bytes": 100_000 }));
        server.call("echo_fail", json!({ "code": "internal", "message": "\n{\"jsonrpc\":\"2.0\"}\n" }));
        server.call("traps_run", json!({ "n": 1 + random.below(6) }));
        assert!(server.messages().iter().all(|message| message["id"] != "forged"));
        lines += server.forget_messages();
    }
    // It fails where a line was anything else.
    lines += server.end().messages.len();
    kept(
        "P09",
        format_args!(
            "{lines} lines of standard output: all JSON-RPC, and none of {printed} that guests printed"
        ),
    );
}
