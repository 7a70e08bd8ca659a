//! Time that jumps or stands still: the wall clock is moved, the process is stopped.
//!
//! Invariant: nothing but the time that is written down follows the wall clock, and what fell due while the
//! server stood still falls due once.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::audit::log;
use crate::support::cases::observed;
use crate::support::clock::{Clock, DAY};
use crate::support::guests::wat;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::promises::{kept, short_or_long};
use crate::support::server::{Era, Server};
use crate::support::{SOON, holds_within};

const CONFIG: &str = "[plugins.echo]\nbudget = { deadline = \"1s\" }\n\
    [[policy]]\ntools = [\"asked_*\"]\naction = \"ask\"\n[approval]\nwait = \"1m\"\n";

/// Where the clock goes: a day on, a day back, to 1970, into the far future, and back.
fn jumps() -> [i64; 6] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    [DAY, -DAY, -now + 1, 100 * 365 * DAY, -1, 0]
}

/// A call that waits for its deadline of 1 s while the clock jumps; says how long it took.
fn deadline_across(server: &mut Server, clock: &Clock, jump: i64) -> Duration {
    let start = Instant::now();
    let id = server.send_running_call("echo_sleep", json!({ "ms": 20_000 }));
    clock.jump(jump);
    let result = server.result(&id);
    let waited = start.elapsed();
    assert_failed(&result, "deadline", "plugin");
    assert!((Duration::from_secs(1)..Duration::from_secs(5)).contains(&waited), "{jump}: {waited:?}");
    waited
}

/// A call that a person is asked about; the clock jumps before the answer.
fn approval_across(server: &mut Server, clock: &Clock, number: usize, jump: i64) {
    let id = server.send_call("asked_run", json!({}));
    let question = server.asked(number);
    clock.jump(jump);
    server.reply(&question, &json!({ "action": "accept", "content": { "decision": "approve" } }));
    assert_says(&server.result(&id), "done");
}

#[test]
fn no_jump_of_the_wall_clock_changes_a_deadline_a_decision_or_the_order_of_the_log() {
    let home = Home::new().guest("echo").wat("plain").file("asked.wasm", &wat("plain"));
    let home = home.config(CONFIG);
    let clock = Clock::new();
    let capabilities = json!({ "elicitation": { "form": {} } });
    let mut serve = home.command(&["serve"]);
    let mut server = home.serve_able(clock.applied_to(&mut serve), Era::Legacy("2025-11-25"), capabilities);
    server.tool_names();
    let rounds = short_or_long(1, 20);
    let (mut made, mut longest) = (0, Duration::ZERO);
    for _ in 0..rounds {
        for jump in jumps() {
            longest = longest.max(deadline_across(&mut server, &clock, jump));
            approval_across(&mut server, &clock, made, -jump);
            assert_says(&server.call("echo_sleep", json!({ "ms": 50 })), "slept");
            assert_says(&server.call("plain_run", json!({})), "done");
            made += 1;
        }
    }
    server.end();
    let asked = clock.asked();
    let years = years_of(&home);
    assert!(asked >= made as i64 && years.len() >= 3, "the jumps were not seen: {asked}, {years:?}");
    let verified = home.run(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    let records = records_in_order(&home);
    let measured = format!(
        "{} jumps of the clock to {} years: deadlines of 1 s took {longest:.1?} at most, {made} approvals held, {records} records in order",
        2 * made,
        years.len()
    );
    observed("E12", &measured);
    kept("P33", measured);
}

/// The records of the log, in the order in which they lie there.
fn records(home: &Home) -> Vec<Value> {
    let log = fs::read_to_string(log(home).join("000001.jsonl")).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The years that stand in the log.
fn years_of(home: &Home) -> std::collections::BTreeSet<String> {
    let year = |record: &Value| record["time"].as_str().map(|time| time[..4].to_owned());
    records(home).iter().filter_map(year).collect()
}

/// How many records there are, whose numbers go up by one.
fn records_in_order(home: &Home) -> usize {
    let numbers: Vec<u64> = records(home).iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    numbers.len()
}

/// The letter of the state in which the kernel says the server is.
fn state(server: &Server) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid().as_raw_pid())).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn what_falls_due_while_the_server_is_stopped_falls_due_once_when_it_goes_on() {
    let home =
        Home::new().guest("echo").wat("plain").config("[plugins.echo]\nbudget = { deadline = \"1s\" }\n");
    let mut server = home.serve();
    server.tool_names();
    let (rounds, time) = short_or_long((2, 2), (3, 60));
    let (mut stops, mut ids, mut longest) = (0, Vec::new(), Duration::ZERO);
    for _ in 0..rounds {
        let running: Vec<Value> =
            (0..4).map(|_| server.send_running_call("echo_sleep", json!({ "ms": 20_000 }))).collect();
        server.signal(Signal::STOP);
        assert!(holds_within(SOON, || state(&server) == 'T'), "{}", state(&server));
        // What comes meanwhile waits in the pipe.
        let waiting = server.send_call("plain_run", json!({}));
        // The time that the server stands still is the fault itself.
        std::thread::sleep(Duration::from_secs(time));
        let stopped = state(&server) == 'T' && server.wait_for(&waiting, Duration::ZERO).is_none();
        stops += usize::from(stopped);
        server.signal(Signal::CONT);
        let start = Instant::now();
        for id in &running {
            assert_eq!(code(&server.result(id)), "deadline");
        }
        assert_says(&server.result(&waiting), "done");
        longest = longest.max(start.elapsed());
        assert!(longest < Duration::from_secs(5), "{longest:?}");
        assert_says(&server.call("echo_say", json!({ "text": "on" })), "on");
        ids.extend(running);
    }
    assert_eq!(stops, rounds, "it was not stopped");
    let ended = server.end();
    let answers = ended.messages.iter().filter(|message| ids.contains(&message["id"])).count();
    assert_eq!(answers, ids.len());
    let said = ended.messages.iter().filter(|message| message["result"]["isError"] == true);
    let late = said.filter(|message| text(&message["result"]).starts_with("deadline: ")).count();
    observed(
        "E12",
        format_args!(
            "{stops} stops of {time} s: {late} deadlines of {} calls, {longest:.0?} after it went on",
            ids.len()
        ),
    );
}
