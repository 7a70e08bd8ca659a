//! The end of a conversation: what runs is answered, and the server goes by itself.
//!
//! Invariant: a call counts as running when its own progress was seen.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::kills::Random;
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};

#[test]
fn the_end_of_input_and_a_signal_let_what_runs_end_and_then_the_server() {
    let home = Home::new().guest("echo");
    let mut random = Random(1);
    let (mut ends, mut answered, mut longest) = (0, 0, Duration::ZERO);
    for _ in 0..short_or_long(5, 200) {
        for signal in [None, Some(Signal::TERM)] {
            let mut server = home.serve();
            let mut call = || server.send_running_call("echo_sleep", json!({ "ms": 50 + random.below(400) }));
            let ids: Vec<Value> = (0..4).map(|_| call()).collect();
            match signal {
                None => server.close_stdin(),
                Some(signal) => server.signal(signal),
            }
            let ended = server.wait();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            for id in &ids {
                let answers: Vec<_> = ended.messages.iter().filter(|message| message["id"] == *id).collect();
                assert_eq!(answers.len(), 1, "{answers:#?}");
                assert_says(&answers[0]["result"], "slept");
                answered += 1;
            }
            (ends, longest) = (ends + 1, longest.max(ended.time));
        }
    }
    assert!(longest < Duration::from_secs(10), "{longest:?}");
    kept(
        "P24",
        format_args!(
            "{ends} ends by input and signal: exit 0 after {longest:.1?} at most, {answered} of {answered} running calls answered"
        ),
    );
}
