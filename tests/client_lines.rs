//! Clients whose lines are no messages: broken, endless, too deep, without a usable id, or many in one.
//!
//! Invariant: each such line is refused in one short line, and after it the next request works.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::short_or_long;
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

/// Answers without a readable id, in order.
fn refusals(server: &mut Server) -> Vec<Value> {
    let is_refusal = |message: &&Value| message["id"].is_null() && message.get("error").is_some();
    server.messages().iter().filter(is_refusal).cloned().collect()
}

/// Sends a line that has no readable id, waits for its refusal and gives the words of that.
#[track_caller]
fn assert_refused(server: &mut Server, line: &[u8], expected: i64) -> String {
    let before = refusals(server).len();
    server.send_bytes(line);
    server.send_bytes(b"\n");
    let shown = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
    assert!(holds_within(SOON, || refusals(server).len() > before), "no answer to {shown:?}");
    let refusal = refusals(server).pop().unwrap();
    assert_eq!(refusal["error"]["code"], expected, "{shown:?}: {refusal:#}");
    assert!(refusal.to_string().len() < 1_024, "{refusal:#}");
    assert_says(&server.call("plain_run", json!({})), "done");
    refusal["error"]["message"].as_str().unwrap().to_owned()
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":901,"method":"tools/list"}"#;

#[test]
fn a_line_that_is_no_json_is_answered_and_the_next_one_works() {
    let mut server = Home::new().wat("plain").serve();
    let lines: [&[u8]; 5] = [
        b"hello",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"tools/list\"} and more",
        b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"tools/list\"}{}",
        b"\0",
        b"{\"jsonrpc\":\"2.0\",\0\"id\":901,\"method\":\"tools/list\"}",
    ];
    let broken_off = (1..LIST.len()).map(|end| &LIST.as_bytes()[..end]);
    let mut refused = 0;
    for line in lines.into_iter().chain(broken_off) {
        assert_refused(&mut server, line, -32_700);
        refused += 1;
    }
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 901));
    observed(
        "D01",
        format_args!("{refused} lines: {refused} times -32700, and the next call works each time"),
    );
}

#[test]
fn a_line_that_is_no_utf8_is_refused_like_one_that_is_no_json() {
    let mut server = Home::new().wat("plain").serve();
    let wrong: [&[u8]; 9] = [
        b"\xff\xfe",
        b"\x80",
        b"\xc3",
        b"\xc0\x80",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\\udc00\\ud800",
    ];
    let mut refused = 0;
    for bytes in wrong {
        let line = [&b"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\""[..], bytes, b"\"}"].concat();
        assert_refused(&mut server, &line, -32_700);
        refused += 1;
    }
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 901));
    observed("D04", format_args!("{refused} lines that are no text: {refused} times -32700"));
}

#[test]
fn empty_lines_a_byte_order_mark_and_carriage_returns_are_tolerated() {
    let home = Home::new().wat("plain");
    let mut server = home.serve_to(Era::Raw);
    server.send_bytes(b"\xef\xbb\xbf");
    server.initialize("2025-11-25");
    server.send_bytes(b"\n\r\n\n");
    let id = json!("crlf");
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"crlf\",\"method\":\"tools/list\"}\r\n");
    assert_eq!(server.result(&id)["tools"][0]["name"], "plain_run");
    let ended = server.end();
    assert!(ended.messages.iter().all(|message| message.get("error").is_none()), "{:#?}", ended.messages);
    let answers = ended.messages.len();
    observed("D01", format_args!("with a mark, empty lines and CRLF: {answers} requests, {answers} results"));
}

/// A call whose message is this deep.
fn nested(id: u32, depth: usize) -> String {
    let inside = depth - 3;
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"plain_run","arguments":{{"x":{}{}}}}}}}"#,
        "[".repeat(inside),
        "]".repeat(inside)
    )
}

#[test]
fn a_message_is_at_most_64_deep() {
    let mut server = Home::new().wat("plain").serve();
    server.send_line(&nested(902, 64));
    assert_says(&server.result(&json!(902)), "done");
    server.forget_peak();
    let before = server.facts();
    let mut lines: Vec<String> = [65, 127, 128, 200, 100_000].map(|depth| nested(903, depth)).into();
    lines.extend(["[", "{\"a\":", "[{\"a\":"].map(|open| open.repeat(100_000)));
    let mut refused = 0;
    for line in &lines {
        let words = assert_refused(&mut server, line.as_bytes(), -32_700);
        assert!(words.contains("64") || words.contains("recursion"), "{words}");
        refused += 1;
    }
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib);
    server.end();
    observed(
        "D02",
        format_args!("64 deep: served; {refused} lines 65 to 200,000 deep: -32700, {growth} KiB grown"),
    );
}

/// A call whose line has about this many bytes.
fn long_call(id: u32, bytes: usize) -> String {
    let arguments = json!({ "x": "x".repeat(bytes - 100) });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": "plain_run", "arguments": arguments } })
    .to_string()
}

#[test]
fn a_line_over_the_operators_bound_is_refused_and_the_next_one_works() {
    let mut server = Home::new().wat("plain").config("[limits]\nline-bytes = 65536\n").serve();
    server.send_line(&long_call(904, 10_000));
    assert_says(&server.result(&json!(904)), "done");
    assert_refused(&mut server, long_call(905, 70_000).as_bytes(), -32_600);
    assert_refused(&mut server, long_call(905, 1 << 20).as_bytes(), -32_600);
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 905));
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_no_memory() {
    let mut server = Home::new().wat("plain").serve();
    assert_says(&server.call("plain_run", json!({})), "done");
    let before = server.facts();
    server.forget_peak();
    let piece = vec![b'x'; 1 << 20];
    let endless = |server: &mut Server, so_far: usize| {
        (0..100).for_each(|_| server.send_bytes(&piece));
        // The answer does not wait for the end of the line.
        assert!(holds_within(SOON, || refusals(server).len() > so_far), "no answer");
    };
    endless(&mut server, 0);
    server.send_bytes(b"\n");
    assert_says(&server.call("plain_run", json!({})), "done");
    endless(&mut server, 1);
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib);
    // A line at its limit, and 1 MiB.
    assert!(growth <= 5 * 1024, "{growth} KiB");
    let ended = server.end();
    let refused: Vec<_> = ended.messages.iter().filter(|message| message["id"].is_null()).collect();
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused.iter().all(|refusal| refusal["error"]["code"] == -32_600), "{refused:#?}");
    let logged = ended.stderr.matches("longer than the limit").count();
    assert_eq!(logged, 2, "{}", ended.stderr);
    observed(
        "D03",
        format_args!(
            "100 MiB with and without an end: {} refused, {logged} logged, {growth} KiB grown",
            refused.len()
        ),
    );
}

#[test]
fn half_a_line_waits_for_its_rest() {
    let pause = short_or_long(Duration::from_millis(100), Duration::from_secs(60));
    let mut server = Home::new().wat("plain").serve();
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":906,\"meth");
    // The server has nothing to say until the line is whole.
    assert!(server.wait_until(pause, |message| message["id"] == 906 || message["id"].is_null()).is_none());
    server.send_bytes(b"od\":\"tools/list\"}\n");
    assert_eq!(server.result(&json!(906))["tools"][0]["name"], "plain_run");
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":907,");
    let ended = server.end();
    let last = ended.messages.last().unwrap();
    assert_eq!((&last["id"], &last["error"]["code"]), (&Value::Null, &json!(-32_700)), "{last:#}");
    observed(
        "D05",
        format_args!(
            "the rest after {pause:?}: served; no rest: {}, exit 0 after {:.0?}",
            last["error"]["code"], ended.time
        ),
    );
}

#[test]
fn a_batch_is_refused() {
    let mut server = Home::new().wat("plain").serve();
    let call = r#"{"jsonrpc":"2.0","id":909,"method":"tools/call","params":{"name":"plain_run"}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let of = |n: usize, entry: &str| format!("[{}]", vec![entry; n].join(","));
    let before = server.facts();
    server.forget_peak();
    let mut refused = 0;
    let mut longest = Duration::ZERO;
    for batch in [
        "[]".to_owned(),
        "[[]]".into(),
        "[1,null,\"x\",{}]".into(),
        of(1, call),
        of(1_000, call),
        of(2, note),
        of(100_000, r#"{"id":909,"method":"ping"}"#),
        of(100_000, "{}"),
    ] {
        let begun = Instant::now();
        let words = assert_refused(&mut server, batch.as_bytes(), -32_600);
        assert!(words.contains("batch"), "{words}");
        longest = longest.max(begun.elapsed());
        refused += 1;
    }
    // One that is longer than any line.
    assert_refused(&mut server, of(100_000, call).as_bytes(), -32_600);
    let growth = server.facts().peak_kib.saturating_sub(before.rss_kib) / 1024;
    assert!(growth <= 16, "{growth} MiB");
    let ended = server.end();
    assert!(!ended.messages.iter().any(|message| message["id"] == 909));
    observed(
        "D08",
        format_args!(
            "{refused} batches of 0 to 100,000: -32600, nothing run, {longest:.0?} at most, {growth} MiB grown"
        ),
    );
}

#[test]
fn an_id_of_a_wrong_type_is_refused_and_never_repeated_at_length() {
    let mut server = Home::new().wat("plain").serve();
    let of = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
    let long = [257, 1 << 20].map(|bytes| format!("\"{}\"", "i".repeat(bytes)));
    let wrong = [
        "null",
        "{}",
        "[1]",
        "[]",
        "true",
        "false",
        "1.5",
        "1.0",
        "-0.5",
        "1e2",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "-9223372036854775809",
        &long[0],
        &long[1],
    ];
    for id in wrong {
        assert_refused(&mut server, of(id).as_bytes(), -32_600);
    }
    let sound = [json!(-5), json!(i64::MIN), json!(i64::MAX), json!(""), json!("\u{0}\r\n")];
    for id in &sound {
        server.send_line(&of(&id.to_string()));
        assert_eq!(server.result(id)["tools"][0]["name"], "plain_run");
    }
    let longest = server.messages().iter().map(|message| message.to_string().len()).max().unwrap();
    server.end();
    observed(
        "D06",
        format_args!(
            "{} refused, {} odd but sound ones answered; longest answer {longest} bytes",
            wrong.len(),
            sound.len()
        ),
    );
}
