//! A person is asked before a call runs: in both eras, for this one call, and nobody's silence is a yes.
//!
//! Invariant: a call that was not approved has no receipt, and the counter of the plugin does not move.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, receipt, text};
use crate::support::promises::kept;
use crate::support::server::{Era, Server};

const LEGACY: [Era; 2] = [Era::Legacy("2025-06-18"), Era::Legacy("2025-11-25")];
const ALL: [Era; 3] = [LEGACY[0], LEGACY[1], Era::Modern];

const ASK: &str = "[[policy]]\ntools = [\"*\"]\naction = \"ask\"\n";

/// What a client sends for a form that was filled in.
fn accept(decision: &str) -> Value {
    json!({ "action": "accept", "content": { "decision": decision } })
}

/// A home with the guest that answers, and one that counts; every call is asked for.
fn home(more: &str) -> Home {
    let manifest = "id = \"kv\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n";
    let home = Home::new().guest("echo").guest("kv").file("kv.toml", manifest.as_bytes());
    home.config(&format!("{more}\n{ASK}[plugins.kv.grant]\nkv = \"1MiB\"\n")).accept("kv")
}

/// A call that is under way, up to the question.
struct Pending {
    id: Value,
    /// The whole question.
    question: Value,
    call: Value,
    /// What the first call came back with, where that is how the question comes.
    state: Option<Value>,
}

impl Pending {
    /// Makes a call, and waits for the question: the first of this server is number 0.
    #[track_caller]
    fn new(server: &mut Server, era: Era, number: usize, tool: &str, arguments: &Value) -> Self {
        let call = json!({ "name": tool, "arguments": arguments });
        let id = server.send_request("tools/call", call.clone());
        if era != Era::Modern {
            return Self { id, question: server.asked(number), call, state: None };
        }
        let asked = server.result(&id);
        assert_eq!(asked["resultType"], "input_required", "{asked:#}");
        assert!(asked["_meta"]["io.modelcontextprotocol/serverInfo"].is_object(), "{asked:#}");
        let question = asked["inputRequests"]["approval"].clone();
        Self { id, question, call, state: Some(asked["requestState"].clone()) }
    }

    /// The call that brings an answer.
    fn retry(&self, answer: &Value) -> Value {
        let mut call = self.call.clone();
        call["inputResponses"] = json!({ "approval": answer });
        call["requestState"] = self.state.clone().expect("a question of 2026-07-28");
        call
    }

    /// Answers, and gives the result of the call.
    #[track_caller]
    fn answer(&self, server: &mut Server, answer: &Value) -> Value {
        let id = match self.state {
            Some(_) => server.send_request("tools/call", self.retry(answer)),
            None => {
                server.reply(&self.question, answer);
                self.id.clone()
            }
        };
        server.result(&id)
    }

    /// What the person reads.
    fn message(&self) -> &str {
        self.question["params"]["message"].as_str().unwrap_or_else(|| panic!("{:#}", self.question))
    }
}

/// The call did not run, and these words say why.
#[track_caller]
fn assert_refused(result: &Value, words: &str) {
    assert_failed(result, "approval", "policy");
    assert!(text(result).contains(words), "{}", text(result));
    assert!(result["_meta"].get("hubcap/receipt").is_none(), "{result:#}");
}

fn count(home: &Home) -> String {
    home.run(&["call", "kv_increment", "{\"key\": \"n\", \"by\": 0}", "--approve"]).stdout
}

#[test]
fn a_call_runs_once_a_person_has_approved_it() {
    let home = home("");
    for era in ALL {
        let mut server = home.serve_asking(era);
        let pending = Pending::new(&mut server, era, 0, "echo_say", &json!({ "text": "hello" }));
        let message = pending.message();
        for part in
            ["plugin: echo (SHA-256 ", "tool: echo_say\n", "\"test\"", "arguments, 16 bytes:", "\"hello\""]
        {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("Says the text again") && !message.contains("WARNING"), "{message}");
        let schema = &pending.question["params"]["requestedSchema"];
        assert_eq!(schema["required"], json!(["decision"]), "{schema:#}");
        assert_eq!(schema["properties"]["decision"]["enum"], json!(["approve", "decline"]), "{schema:#}");
        let result = pending.answer(&mut server, &accept("approve"));
        assert_says(&result, "hello");
        receipt(&result);
        // The next one is asked for anew.
        let pending = Pending::new(&mut server, era, 1, "echo_say", &json!({ "text": "hello" }));
        assert_refused(&pending.answer(&mut server, &accept("decline")), "declined");
        server.end();
    }
}

#[test]
fn whatever_is_no_clear_yes_is_a_no() {
    let home = home("");
    let answers = [
        (json!({ "action": "decline" }), "declined"),
        (json!({ "action": "cancel" }), "put away"),
        (accept("Approve"), "none of the answers"),
        (json!({ "action": "accept" }), "none of the answers"),
        (json!({ "action": "accept", "content": { "decision": true } }), "none of the answers"),
        (json!({}), "none of the answers"),
    ];
    for era in ALL {
        let mut server = home.serve_asking(era);
        for (number, (answer, words)) in answers.iter().enumerate() {
            let pending =
                Pending::new(&mut server, era, number, "kv_increment", &json!({ "key": "n", "by": 1 }));
            assert_refused(&pending.answer(&mut server, answer), words);
        }
        server.end();
    }
    let ran = count(&home);
    assert_eq!(ran, "0\n");
    kept(
        "P13",
        format_args!("{} answers that are no clear yes: {} ran", ALL.len() * answers.len(), ran.trim()),
    );
}

#[test]
fn nobody_is_asked_where_the_client_cannot_ask() {
    let home = home("");
    let form = json!({ "elicitation": { "form": {} } });
    for (era, capabilities, words) in [
        (ALL[0], json!({}), "does not say that it can ask"),
        (ALL[1], json!({}), "does not say that it can ask"),
        (ALL[1], json!({ "elicitation": { "url": {} } }), "does not say that it can ask"),
        (ALL[2], json!({}), "does not say that it can ask"),
        (ALL[2], json!({ "elicitation": { "url": {} } }), "does not say that it can ask"),
        (Era::Legacy("2025-03-26"), form.clone(), "MCP 2025-03-26, which the client speaks"),
        (Era::Legacy("2024-11-05"), form, "MCP 2024-11-05, which the client speaks"),
    ] {
        let mut server = home.serve_able(&mut home.command(&["serve"]), era, capabilities);
        assert_refused(&server.call("echo_say", json!({ "text": "hello" })), words);
        assert!(server.messages().iter().all(|message| message.get("method").is_none()));
        server.end();
    }
}

#[test]
fn an_answer_that_comes_too_late_is_a_no() {
    let home = home("[approval]\nwait = \"1s\"\n");
    for era in LEGACY {
        let mut server = home.serve_asking(era);
        let pending = Pending::new(&mut server, era, 0, "echo_say", &json!({ "text": "hello" }));
        assert_refused(&server.result(&pending.id), "nobody answered within 1000 ms");
        let taken_back = |message: &Value| {
            message["method"] == "notifications/cancelled"
                && message["params"]["requestId"] == pending.question["id"]
        };
        assert!(server.messages().iter().any(taken_back), "{:#?}", server.messages());
        server.reply(&pending.question, &accept("approve"));
        assert!(server.request("tools/list", json!({})).get("result").is_some());
        server.end();
    }
    let home = home.config(&format!("[approval]\nwait = \"1ms\"\n{ASK}"));
    let mut server = home.serve_asking(Era::Modern);
    let pending = Pending::new(&mut server, Era::Modern, 0, "echo_say", &json!({ "text": "hello" }));
    assert!(server.wait_until(Duration::from_millis(5), |_| false).is_none());
    assert_refused(&pending.answer(&mut server, &accept("approve")), "the question has expired");
    server.end();
}

#[test]
fn an_approval_is_good_for_one_call() {
    let home = home("");
    let mut server = home.serve_asking(Era::Modern);
    let arguments = json!({ "key": "n", "by": 1 });
    let pending = Pending::new(&mut server, Era::Modern, 0, "kv_increment", &arguments);
    let ids = [0; 8].map(|_| server.send_request("tools/call", pending.retry(&accept("approve"))));
    let results = ids.map(|id| server.result(&id));
    let (ran, refused): (Vec<_>, Vec<_>) = results.iter().partition(|result| result["isError"] != true);
    assert_eq!(ran.len(), 1, "{results:#?}");
    kept("P13", format_args!("one approval for {} calls: {} ran", results.len(), ran.len()));
    refused.iter().for_each(|refused| assert_refused(refused, "it was used already"));
    let (ran, refused) = (ran.len(), refused.len());
    // A no is used up, too: it can't become a yes.
    let pending = Pending::new(&mut server, Era::Modern, 0, "kv_increment", &arguments);
    assert_refused(&pending.answer(&mut server, &accept("decline")), "declined");
    assert_refused(&pending.answer(&mut server, &accept("approve")), "it was used already");
    server.end();
    let era = LEGACY[1];
    let mut server = home.serve_asking(era);
    let first = Pending::new(&mut server, era, 0, "kv_increment", &arguments);
    let second = Pending::new(&mut server, era, 1, "kv_increment", &arguments);
    server.reply(&first.question, &accept("approve"));
    server.reply(&first.question, &accept("approve"));
    assert_says(&server.result(&first.id), "2");
    assert!(server.wait_for(&second.id, Duration::from_millis(200)).is_none(), "one answer, two calls");
    assert_refused(&second.answer(&mut server, &json!({ "action": "decline" })), "declined");
    server.end();
    assert_eq!(count(&home), "2\n");
    observed(
        "C40",
        format_args!("one approval sent 8 times at once: {ran} call ran, {refused} refused as used"),
    );
}

#[test]
fn an_approval_is_good_for_what_was_asked_and_nothing_else() {
    let home = home("");
    let mut server = home.serve_asking(Era::Modern);
    let pending = Pending::new(&mut server, Era::Modern, 0, "kv_increment", &json!({ "key": "n", "by": 1 }));
    let approved = pending.retry(&accept("approve"));
    let state = approved["requestState"].as_str().unwrap();
    let changed = |key: &str, value: Value| {
        let mut call = approved.clone();
        call[key] = value;
        call
    };
    let (none_of_ours, mut refused) = ("not one that hubcap made in this conversation", 0);
    let flipped = format!("{}{}", if state.starts_with('e') { 'f' } else { 'e' }, &state[1..]);
    for (call, words) in [
        (changed("arguments", json!({ "key": "n", "by": 1000 })), "given for other arguments"),
        (changed("arguments", json!({ "key": "n", "by": 1, "more": null })), "given for other arguments"),
        (changed("name", json!("kv_delete")), "given for another tool"),
        (changed("requestState", json!(flipped)), none_of_ours),
        (changed("requestState", json!(state[..state.len() - 1])), none_of_ours),
        (changed("requestState", json!("")), none_of_ours),
    ] {
        let id = server.send_request("tools/call", call);
        assert_refused(&server.result(&id), words);
        refused += 1;
    }
    // Keys in another order are the same arguments; a client that says it can't ask any more is not believed.
    let id = server.send_request("tools/call", changed("arguments", json!({ "by": 1, "key": "n" })));
    assert_says(&server.result(&id), "1");
    server.end();
    let mut other = home.serve_asking(Era::Modern);
    let id = other.send_request("tools/call", approved);
    assert_refused(&other.result(&id), none_of_ours);
    other.end();
    let ran = count(&home);
    assert_eq!(ran, "1\n");
    kept(
        "P13",
        format_args!(
            "an approval for other arguments, tools, states and clients, 8 in all: {} ran, the one asked for",
            ran.trim()
        ),
    );
    observed(
        "C40",
        format_args!(
            "other arguments, another tool, a forged state: {refused} refused; another server's too"
        ),
    );
}

#[test]
fn an_answer_without_a_question_is_no_approval() {
    let home = home("");
    let mut server = home.serve_asking(Era::Modern);
    let call = json!({ "name": "echo_say", "arguments": { "text": "x" },
        "inputResponses": { "approval": accept("approve") } });
    let id = server.send_request("tools/call", call.clone());
    assert_eq!(server.result(&id)["resultType"], "input_required");
    let pending = Pending::new(&mut server, Era::Modern, 0, "echo_say", &json!({ "text": "x" }));
    let mut unanswered = pending.retry(&json!({}));
    unanswered["inputResponses"] = json!({ "other": accept("approve") });
    let id = server.send_request("tools/call", unanswered);
    assert_refused(&server.result(&id), "has no `approval`");
    for (key, wrong) in [
        ("requestState", json!(1)),
        ("requestState", json!("x".repeat(2_049))),
        ("inputResponses", json!([])),
    ] {
        let mut call = call.clone();
        call[key] = wrong;
        let answer = server.request("tools/call", call);
        assert_eq!(answer["error"]["code"], -32_602, "{answer:#}");
    }
    let mut call = call;
    call["requestState"] = json!("x".repeat(2_048));
    let id = server.send_request("tools/call", call);
    assert_refused(&server.result(&id), "not one that hubcap made");
    server.end();
    // In the older revisions a state is nothing, and an answer that nobody asked for is not heard.
    let mut server = home.serve_asking(LEGACY[1]);
    for id in [json!("hubcap-1"), json!(1), json!("x")] {
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "result": accept("approve") }));
    }
    let pending = Pending::new(&mut server, LEGACY[1], 0, "echo_say", &json!({ "text": "x" }));
    server.send(
        &json!({ "jsonrpc": "2.0", "id": pending.question["id"], "error": { "code": -1, "message": "no" } }),
    );
    assert_refused(&server.result(&pending.id), "answered the question with an error");
    server.end();
}

#[test]
fn a_call_that_is_given_up_while_a_person_is_asked_leaves_nothing() {
    let home = home("[limits]\ncalls = 1\ncalls-per-plugin = 1\nqueue = 0\n");
    for era in LEGACY {
        let mut server = home.serve_asking(era);
        let pendings = [0, 1, 2]
            .map(|number| Pending::new(&mut server, era, number, "echo_say", &json!({ "text": "x" })));
        for pending in &pendings {
            server.cancel(&pending.id);
            let taken_back = server.wait_until(Duration::from_millis(500), |message| {
                message["method"] == "notifications/cancelled"
                    && message["params"]["requestId"] == pending.question["id"]
            });
            assert!(taken_back.is_some(), "the question is still open");
        }
        // Whoever was asked held no place, and neither does whoever is asked now.
        let _open = Pending::new(&mut server, era, 3, "echo_say", &json!({ "text": "x" }));
        let pending = Pending::new(&mut server, era, 4, "echo_say", &json!({ "text": "y" }));
        server.reply(&pendings[0].question, &accept("approve"));
        assert_says(&pending.answer(&mut server, &accept("approve")), "y");
        let answered = |message: &Value| pendings.iter().any(|pending| message["id"] == pending.id);
        assert!(!server.messages().iter().any(answered), "{:#?}", server.messages());
        server.end();
    }
}

#[test]
fn a_client_that_goes_while_a_person_is_asked_ends_the_call_at_once() {
    let home = home("");
    let mut server = home.serve_asking(LEGACY[1]);
    let pending = Pending::new(&mut server, LEGACY[1], 0, "echo_say", &json!({ "text": "x" }));
    let ended = server.end();
    assert!(ended.time < Duration::from_secs(5), "{:?}", ended.time);
    let answer = ended.messages.iter().find(|message| message["id"] == pending.id).unwrap();
    assert_refused(&answer["result"], "the conversation has ended");
}

#[test]
fn the_clock_of_a_call_stands_still_while_a_person_is_asked() {
    let home = home("[defaults]\ndeadline = \"1s\"\n");
    let mut server = home.serve_asking(LEGACY[1]);
    // Waiting for plugins to load counts.
    server.tool_names();
    let pending = Pending::new(&mut server, LEGACY[1], 0, "echo_sleep", &json!({ "ms": 100 }));
    assert!(server.wait_for(&pending.id, Duration::from_secs(2)).is_none(), "nobody has answered yet");
    assert_says(&pending.answer(&mut server, &accept("approve")), "slept");
    // The clock goes on afterwards.
    let pending = Pending::new(&mut server, LEGACY[1], 1, "echo_sleep", &json!({ "ms": 60_000 }));
    assert_failed(&pending.answer(&mut server, &accept("approve")), "deadline", "plugin");
    server.end();
}
