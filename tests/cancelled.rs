//! Calls that are cancelled while they run, wait and are asked for: they stop, and the audit log says so.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::audit::{assert_intact, calls};
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::programs::Stage;
use crate::support::requests::granted;
use crate::support::server::Era;
use crate::support::web::Web;
use crate::support::{SOON, holds_within};

/// The records of calls of a tool.
fn of_tool(home: &Home, tool: &str) -> Vec<Value> {
    calls(home).into_iter().filter(|record| record["tool"] == tool).collect()
}

/// So many calls of a tool have a record soon, all of them with this code.
#[track_caller]
fn assert_cancelled(home: &Home, tool: &str, count: usize) {
    let all = || of_tool(home, tool).len() == count;
    assert!(holds_within(SOON, all), "{:#?}", of_tool(home, tool));
    let is_it = |record: &Value| record["outcome"]["code"] == "cancelled";
    assert!(of_tool(home, tool).iter().all(is_it), "{:#?}", of_tool(home, tool));
}

#[test]
fn a_call_that_is_cancelled_while_it_runs_waits_or_is_asked_for_has_its_record() {
    let home = Home::new().guest("echo").config(
        "[[policy]]\ntools = [\"echo_say\"]\naction = \"ask\"\n\
         [limits]\ncalls = 1\ncalls-per-plugin = 1\nqueue-wait = \"20s\"\n",
    );
    let mut server = home.serve_asking(Era::Legacy("2025-11-25"));
    server.tool_names();
    let running = server.send_running_call("echo_sleep", json!({ "ms": 25_000 }));
    let queued = server.send_call("echo_structured", json!({ "n": 1 }));
    let asked = server.send_call("echo_say", json!({ "text": "x" }));
    let question = server.asked(0);
    let begun = Instant::now();
    for id in [&queued, &asked, &running] {
        server.cancel(id);
    }
    // The place of the one that ran is free again at once.
    assert_says(&server.call("echo_log", json!({ "lines": 0 })), "0");
    let time = begun.elapsed();
    // The promise is 500 ms; the rest is for a machine that runs other tests.
    assert!(time < Duration::from_secs(5), "{time:?}");
    for tool in ["sleep", "structured", "say"] {
        assert_cancelled(&home, tool, 1);
    }
    // A yes that comes now is nobody's.
    server.reply(&question, &json!({ "action": "accept", "content": { "decision": "approve" } }));
    let ended = server.end();
    let answered = |message: &Value| [&running, &queued, &asked].contains(&&message["id"]);
    assert!(!ended.messages.iter().any(answered), "{:#?}", ended.messages);
    assert_eq!(calls(&home).len(), 4);
    assert_intact(&home);
    observed(
        "D13",
        format_args!(
            "running, queued, asked: the next call was done {time:.0?} later; 3 records `cancelled`"
        ),
    );
}

#[test]
fn a_call_that_is_cancelled_while_its_program_runs_has_its_record() {
    let stage = Stage::new().script("sleep", "echo started; exec sleep 1000");
    let home = stage.home();
    let mut server = home.serve();
    let id = server.send_running_call("programs_hold", stage.arguments("sleep", &[]));
    let begun = Instant::now();
    server.cancel(&id);
    stage.assert_gone_within(SOON);
    let time = begun.elapsed();
    assert_cancelled(&home, "hold", 1);
    assert_eq!(of_tool(&home, "hold")[0]["grants"], json!(["process"]));
    server.end();
    observed("D13", format_args!("a program: gone after {time:.0?}, recorded as `cancelled`"));
}

#[test]
fn a_call_that_is_cancelled_while_its_request_waits_has_its_record() {
    let web = Web::stalling();
    let url = web.url("127.0.0.1");
    let home = granted(&[&url]);
    let mut server = home.serve();
    let id = server.send_running_call("fetch_hold", json!({ "url": url }));
    let begun = Instant::now();
    server.cancel(&id);
    web.until_over(1);
    let time = begun.elapsed();
    assert_cancelled(&home, "hold", 1);
    server.end();
    observed("D13", format_args!("a request: its socket closed after {time:.0?}, recorded as `cancelled`"));
}
