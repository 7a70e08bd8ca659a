//! The host never dies, whatever is in its plugin directory.

use std::fs;

use serde_json::{Map, Value, json};

use crate::support::guests::{root, wat};
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};
use crate::support::server::Server;

/// Components with a flipped bit: some of them still are plugins.
const FLIPPED: usize = 60;

/// So little that each call ends soon, and enough to do harm with.
const CONFIG: &str = "[defaults]\nfuel = 20_000_000\ndeadline = \"500ms\"\n[limits]\nqueue-wait = \"30s\"\n";

/// The names of the guests in a folder, by the end of their files.
fn names(folder: &str, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let of = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
    of.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// All guests there are, and damaged ones.
fn corpus() -> Home {
    let home = names("tests/guests/src/bin", "rs")
        .iter()
        .fold(Home::new().config(CONFIG), |home, name| home.guest(name));
    let home = names("tests/guests/wat", "wat").iter().fold(home, |home, name| home.wat(name));
    let whole = wat("traps");
    (0..FLIPPED).fold(home, |home, n| {
        let mut flipped = whole.clone();
        let at = 8 + n * (whole.len() - 8) / FLIPPED;
        flipped[at] ^= 1 << (n % 8);
        home.file(&format!("flipped-{n}.wasm"), &flipped)
    })
}

/// Arguments with whatever makes one of the guests do its worst.
fn worst() -> Value {
    let numbers = [
        "n",
        "ms",
        "bytes",
        "mebibytes",
        "pieces",
        "times",
        "lines",
        "steps",
        "keys",
        "count",
        "by",
        "seconds",
        "nanos",
        "size",
        "at",
        "tries",
        "pause-ms",
        "listings",
    ];
    let mut arguments: Map<String, Value> =
        numbers.map(|name| (name.to_owned(), json!(100_000_000))).into_iter().collect();
    let texts = [
        ("text", "x"),
        ("message", "\u{1b}[2J\u{202e}"),
        ("code", "no-such"),
        ("op", "read"),
        ("path", "/proc/self/environ"),
        ("to", "../.."),
        ("key", "../other"),
        ("url", "http://127.0.0.1:9/"),
        ("method", "CONNECT"),
        ("command", "sh"),
        ("name", "token"),
        ("dir", ".."),
        ("prefix", ""),
        ("tool", "corpus_run"),
    ];
    arguments.extend(texts.map(|(name, text)| (name.to_owned(), json!(text))));
    arguments.into()
}

/// Calls every tool in both ways, all at once; says how many answers there were, and how many were errors.
fn call_all(server: &mut Server, tools: &[String]) -> (usize, usize) {
    let all = tools.iter().flat_map(|tool| [(tool, json!({})), (tool, worst())]);
    let ids: Vec<Value> = all.map(|(tool, arguments)| server.send_call(tool, arguments)).collect();
    let answers: Vec<Value> = ids.iter().map(|id| server.answer(id)).collect();
    let failed =
        answers.iter().filter(|answer| answer.get("error").is_some() || answer["result"]["isError"] == true);
    (answers.len(), failed.count())
}

#[test]
fn no_guest_of_the_whole_corpus_ends_the_host() {
    let home = corpus();
    let rounds = short_or_long(1, 20);
    let mut server = home.serve();
    let tools = server.tool_names();
    let (mut calls, mut failed, mut guests, mut refused) = (0, 0, 0, 0);
    for _ in 0..rounds {
        let (answered, errors) = call_all(&mut server, &tools);
        (calls, failed) = (calls + answered, failed + errors);
        assert_says(&server.call("plain_run", json!({})), "done");
        // Compiled, started and asked for their tools once more, each time.
        let list = home.plugin_list();
        guests = list.len();
        refused = list.iter().filter(|plugin| plugin["state"] != "ready").count();
    }
    // An end without a fault, and nothing but records in the log: a panic of the host would be no record.
    let ended = server.end();
    let odd: Vec<&str> =
        ended.stderr.lines().filter(|line| serde_json::from_str::<Value>(line).is_err()).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    assert!(guests >= 100 && failed > tools.len() / 2 && refused > 10, "{guests} {failed} {refused}");
    kept(
        "P01",
        format_args!(
            "{rounds} rounds of {guests} guests, {refused} refused: {calls} calls, {failed} failed, all answered; 0 ends"
        ),
    );
}
