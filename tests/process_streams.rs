//! What goes into programs and comes out of them: all of it, in time, within bounds, and never anywhere else.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::run;
use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, code, text};
use crate::support::programs::Stage;
use crate::support::promises::kept;
use crate::support::{SOON, holds_within};

const MIB: u64 = 1 << 20;

#[track_caller]
fn told(result: &Value) -> &Value {
    assert_ne!(result["isError"], true, "{result:#}");
    &result["structuredContent"]
}

#[test]
fn floods_are_taken_whole_in_bounded_memory_and_never_reach_the_hosts_output() {
    let stage = Stage::new()
        .script("out", "head -c $1 /dev/zero")
        .script("err", "head -c $1 /dev/zero >&2")
        .script("both", "head -c $1 /dev/zero & head -c $1 /dev/zero >&2; wait")
        .script("forged", "yes '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}' | head -c $1");
    let mut case = stage.case();
    let mut taken = 0;
    for (name, stdout, stderr) in [("out", 1, 0), ("err", 0, 1), ("both", 1, 1), ("forged", 1, 0)] {
        let bytes = 256 * MIB;
        let result = case.call("programs_flood", stage.arguments(name, &[&bytes.to_string()]));
        let ended = told(&result);
        assert_eq!((&ended["stdout"], &ended["stderr"]), (&json!(stdout * bytes), &json!(stderr * bytes)));
        assert_eq!(ended["code"], 0, "{ended:#}");
        taken += ended["stdout"].as_u64().unwrap() + ended["stderr"].as_u64().unwrap();
    }
    let grew = case.growth_mib();
    assert!(grew < 48, "{grew} MiB");
    // One that would go on for ever ends with its handle.
    let stage = stage.script("endless", "cat /dev/zero & cat /dev/zero >&2");
    let mut endless = stage.case();
    let result =
        endless.call("programs_flood", stage.arguments_with("endless", &[], json!({ "most": 64 * MIB })));
    assert!(told(&result)["stdout"].as_u64().unwrap() > 0);
    stage.assert_gone_within(Duration::from_millis(5_250));
    assert!(endless.growth_mib() < 48, "{} MiB", endless.growth_mib());
    endless.end();
    case.end();
    observed(
        "C30",
        format_args!(
            "{} MiB of output taken whole, {grew} MiB more memory, none on the host's own",
            taken / MIB
        ),
    );
}

/// Writes blocks of 64 KiB for ever, and says in a file how many it got rid of.
const BLOCKS: &str = "n=0; while head -c 65536 /dev/zero; do n=$((n + 1)); echo $n > \"$1\"; done";

#[test]
fn a_program_whose_output_is_not_taken_waits_after_4_mib() {
    let stage = Stage::new().script("blocks", BLOCKS);
    let mut case = stage.case();
    let count = stage.at("count");
    let arguments = stage.arguments("blocks", &[count.to_str().unwrap()]);
    let id = case.server.send_running_call("programs_hold", arguments);
    let written = || fs::read_to_string(&count).ok().and_then(|n| n.trim().parse().ok()).unwrap_or(0_u64);
    // What the host keeps, what the guest took to see that it runs, and what the pipe holds.
    let full = 64;
    assert!(holds_within(SOON, || written() >= full - 1), "{}", written());
    assert!(!holds_within(Duration::from_secs(1), || written() > full + 3), "{}", written());
    assert!(case.growth_mib() < 32, "{} MiB", case.growth_mib());
    case.server.cancel(&id);
    stage.assert_gone_within(Duration::from_millis(5_250));
    case.end();
}

#[test]
fn what_was_printed_before_the_end_is_all_there_however_late_it_is_taken() {
    let stage =
        Stage::new().script("prints", "head -c 3000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3");
    let mut case = stage.case();
    for pause in [0, 500] {
        let arguments = stage.arguments_with("prints", &[], json!({ "pause-ms": pause }));
        let result = case.call("programs_flood", arguments);
        let ended = told(&result);
        assert_eq!(
            (&ended["stdout"], &ended["stderr"], &ended["code"]),
            (&json!(3_000_000), &json!(1_000_000), &json!(3))
        );
    }
    // And who does not want it gets the end all the same.
    let result = case.call("programs_finish", stage.arguments("prints", &[]));
    assert_eq!(told(&result)["code"], 3, "{result:#}");
    case.end();
}

#[test]
fn input_goes_in_while_output_comes_out() {
    let stage = Stage::new()
        .script("cat", "exec cat")
        .script("count", "wc -c")
        .script("slow", "sleep 0.3; wc -c")
        .script("first", "head -c 10; exec <&-; sleep 0.2; echo done")
        .script("ends", "exit 4");
    let mut case = stage.case();
    let large = 10 * MIB;
    let with = |name: &str, bytes: u64| stage.arguments_with(name, &[], json!({ "stdin": bytes }));
    let result = case.call("programs_flood", with("cat", large));
    assert_eq!(told(&result)["stdout"], large, "{result:#}");
    let echoed = told(&result)["stdout"].as_u64().unwrap();
    for name in ["count", "slow"] {
        assert_eq!(run(&mut case, with(name, large)).trim(), large.to_string());
    }
    assert_eq!(run(&mut case, with("count", 0)).trim(), "0");
    // A program need not read all, or anything.
    assert_eq!(run(&mut case, with("first", large)), "xxxxxxxxxxdone\n");
    let result = case.call("programs_run", with("ends", large));
    assert_eq!(told(&result)["code"], 4);
    case.end();
    observed(
        "C31",
        format_args!(
            "{echoed} bytes in while they came out; one that reads nothing ends with code {}",
            told(&result)["code"]
        ),
    );
}

#[test]
fn a_program_that_never_reads_its_input_holds_up_nobody() {
    let stage = Stage::with_budget("deadline = \"3s\"").script("deaf", "sleep 1000");
    let mut case = stage.case();
    let arguments = stage.arguments_with("deaf", &[], json!({ "stdin": 10 * MIB, "deadline-ms": 500 }));
    let result = case.call("programs_run", arguments);
    assert_eq!((&told(&result)["signal"], &told(&result)["timedOut"]), (&json!(15), &json!(true)));
    let (result, time) =
        case.timed("programs_run", stage.arguments_with("deaf", &[], json!({ "stdin": 10 * MIB })));
    assert_guest_failed(&result, "deadline");
    assert!(time < Duration::from_millis(3_750), "{time:?}");
    stage.assert_gone_within(Duration::from_millis(5_250));
    case.end();
    observed("C31", format_args!("10 MiB that nobody reads: `{}` after {time:.1?} of 3 s", code(&result)));
}

#[test]
fn a_program_is_talked_to_line_by_line() {
    let stage =
        Stage::new().script("echo", "while read -r line; do echo \"heard $line\"; done; echo over >&2");
    let mut case = stage.case();
    let result = case.call("programs_talk", stage.arguments_with("echo", &[], json!({ "n": 50 })));
    let ended = told(&result);
    let heard: Vec<&str> =
        ended["heard"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!((heard.len(), heard[0], heard[49]), (50, "heard line 0", "heard line 49"));
    assert_eq!(ended["ended"]["code"], 0);
    case.end();
}

#[test]
fn lines_have_a_bound_and_the_stream_has_none() {
    let stage = Stage::new()
        .script("lines", "yes 0123456789 | head -c $1")
        .script("long", "head -c $1 /dev/zero | tr '\\0' x; echo; echo after; sleep $2");
    let mut case = stage.case();
    let result = case.call("programs_lines", stage.arguments("lines", &["44000000"]));
    assert_eq!((&told(&result)["lines"], &told(&result)["longest"]), (&json!(4_000_000), &json!(10)));
    let result = case.call("programs_lines", stage.arguments("long", &["1048576", "0"]));
    assert_eq!((&told(&result)["lines"], &told(&result)["longest"]), (&json!(2), &json!(1_048_576)));
    let result = case.call("programs_lines", stage.arguments("long", &["1048577", "1000"]));
    assert_guest_failed(&result, "limit");
    assert!(text(&result).contains("a line has more than 1048576 bytes"), "{}", text(&result));
    stage.assert_gone_within(Duration::from_millis(5_250));
    case.end();
    observed("C30", format_args!("a line of 1 MiB and a byte: `{}`, and the program is gone", code(&result)));
}

#[test]
fn four_mib_of_output_are_collected_and_256_kib_of_errors_kept() {
    let stage = Stage::new()
        .script("out", "head -c $1 /dev/zero; sleep $2")
        .script("err", "yes 0123456789abcde | head -c $1 >&2; printf 'the last words' >&2; exit 9");
    let mut case = stage.case();
    let result = case.call("programs_collect", stage.arguments("out", &["4194304", "0"]));
    assert_eq!(told(&result)["stdout"], 4_194_304, "{result:#}");
    let over = stage.arguments("out", &["4194305", "1000"]);
    let result = case.call("programs_collect", over);
    assert_guest_failed(&result, "limit");
    assert!(text(&result).contains("\"out\" prints more than 4194304 bytes"), "{}", text(&result));
    stage.assert_gone_within(Duration::from_millis(5_250));
    let cut = text(&result).to_owned();
    let result = case.call("programs_collect", stage.arguments("err", &["16000000"]));
    let ended = told(&result);
    assert_eq!((&ended["stderr"], &ended["code"]), (&json!(256 << 10), &json!(9)));
    assert!(ended["words"].as_str().unwrap().ends_with("abcde\nthe last words"), "{ended:#}");
    case.end();
    kept(
        "P25",
        format_args!("output is capped: {cut}; of 16 MB of errors {} bytes were kept", ended["stderr"]),
    );
}

#[test]
fn whatever_a_program_prints_is_no_more_than_bytes() {
    let stage =
        Stage::new().script("odd", "printf '\\377\\033[2J\\001a\\r\\nb\\000c'; printf '\\033]0;x\\007' >&2");
    let mut case = stage.case();
    let result = case.call("programs_run", stage.arguments("odd", &[]));
    let ended = told(&result);
    assert_eq!((&ended["stdout"], &ended["stderr"]), (&json!("\u{fffd}[2Ja\r\nbc"), &json!("]0;x")));
    let shown = ended["stdout"].to_string();
    let result = case.call("programs_lines", stage.arguments("odd", &[]));
    assert_eq!(told(&result)["lines"], 2);
    case.end();
    observed("C30", format_args!("bad UTF-8, escapes and NUL come to the agent as {shown}"));
}

#[test]
fn a_program_is_started_in_milliseconds() {
    let stage = Stage::new().program("true", std::path::Path::new("/bin/true"), "");
    let mut case = stage.case();
    // The first one waits until the plugin is loaded.
    run(&mut case, stage.arguments("true", &[]));
    let times: Vec<Duration> =
        (0..20).map(|_| case.timed("programs_run", stage.arguments("true", &[])).1).collect();
    let mut sorted = times.clone();
    sorted.sort();
    eprintln!("a program that does nothing, by its call: p50 {:.1?}, slowest {:.1?}", sorted[10], sorted[19]);
    assert!(sorted[10] < Duration::from_millis(500), "{sorted:?}");
    case.end();
}

/// A call whose programs ran beside each other.
#[track_caller]
fn many(case: &mut Case, arguments: Value) -> (Vec<Value>, u64) {
    let result = case.call("programs_many", arguments);
    let ended = told(&result);
    (ended["ended"].as_array().unwrap().clone(), ended["ms"].as_u64().unwrap())
}

#[test]
fn of_twenty_programs_four_run_at_once_and_the_time_is_near_the_ideal() {
    let script = "echo x >> \"$1\"; n=$(wc -l < \"$1\"); m=$(wc -l < \"$2\"); echo $((n - m)); sleep 0.5; echo x >> \"$2\"";
    let stage = Stage::new().script_with("work", script, "at-once = 4");
    let mut case = stage.case();
    let (begun, over) = (stage.at("begun"), stage.at("over"));
    fs::write(&over, "").unwrap();
    let args = [begun.to_str().unwrap(), over.to_str().unwrap()];
    let (ended, ms) = many(&mut case, stage.arguments_with("work", &args, json!({ "n": 20 })));
    assert_eq!(ended.len(), 20);
    let at_once = ended.iter().map(|ended| {
        assert_eq!(ended["code"], 0, "{ended:#}");
        ended["stdout"].as_str().unwrap().trim().parse::<i64>().unwrap()
    });
    let at_once = at_once.max().unwrap();
    eprintln!("20 programs of 500 ms, 4 at once: {ms} ms, and the ideal is 2500; most at once {at_once}");
    assert!((2..=4).contains(&at_once), "{at_once}");
    assert!((2_500..10_000).contains(&ms), "{ms}");
    stage.assert_gone_within(Duration::ZERO);
    case.end();
}

#[test]
fn the_hub_runs_only_so_many_programs_at_once_and_a_full_queue_is_overloaded() {
    let stage = Stage::new()
        .script_with("sleep", "echo started; exec sleep 1000", "at-once = 3")
        .script_with("other", "echo started; exec sleep 1000", "at-once = 3")
        .script_with("quick", "echo done", "at-once = 1")
        .granting("[limits]\nprograms = 4\n");
    let mut case = stage.case();
    let hold =
        |case: &mut Case, name| case.server.send_running_call("programs_hold", stage.arguments(name, &[]));
    let mut ids: Vec<Value> = (0..3).map(|_| hold(&mut case, "sleep")).collect();
    ids.push(hold(&mut case, "other"));
    // The hub is full: one more waits although its command has a seat for it.
    let waiting = case.server.send_call("programs_run", stage.arguments("quick", &[]));
    assert!(case.server.wait_for(&waiting, Duration::from_millis(500)).is_none());
    assert_eq!(stage.running().len(), 4);
    case.server.cancel(&ids.pop().unwrap());
    assert_eq!(told(&case.server.result(&waiting))["stdout"], "done\n");
    // Of one command 32 wait, and the next is turned away at once.
    let (result, time) = case.timed("programs_fill", stage.arguments("sleep", &[]));
    assert_says(
        &result,
        "32 overloaded: 32 programs of \"sleep\" are waiting already; try again when one has ended",
    );
    assert!(time < Duration::from_secs(2), "{time:?}");
    for id in &ids {
        case.server.cancel(id);
    }
    stage.assert_gone_within(Duration::from_millis(5_250));
    case.end();
}

#[test]
fn a_plugin_that_fills_its_seats_costs_its_neighbour_nothing() {
    let stage = Stage::new().script("spin", "echo started; while :; do :; done");
    let mut case = stage.case();
    let ids: Vec<Value> = (0..4)
        .map(|_| case.server.send_running_call("programs_hold", stage.arguments("spin", &[])))
        .collect();
    for _ in 0..20 {
        let (result, time) = case.timed("plain_run", json!({}));
        assert_says(&result, "done");
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
    for id in &ids {
        case.server.cancel(id);
    }
    stage.assert_gone_within(Duration::from_millis(5_250));
    case.end();
}

#[test]
fn variables_together_have_128_kib() {
    let names: Vec<String> = (0..5).map(|n| format!("V{n}")).collect();
    let list = format!("{names:?}");
    let stage = Stage::new()
        .asking(&format!("[[ask.process]]\ncommand = \"env\"\nenv = {list}\n"))
        .granting("[plugins.programs.grant.process.env]\npath = \"/usr/bin/env\"\n");
    let mut case = stage.case();
    let set = |n: usize| {
        let value = "x".repeat(32 << 10);
        let env: serde_json::Map<String, Value> =
            names.iter().take(n).map(|name| (name.clone(), json!(value))).collect();
        json!({ "command": "env", "env": env })
    };
    assert_eq!(run(&mut case, set(3)).len(), 3 * ((32 << 10) + 4));
    let result = case.call("programs_run", set(4));
    assert_failed(&result, "invalid-arguments", "caller");
    assert!(text(&result).contains("the variables have 131080 bytes, more than 131072"), "{}", text(&result));
    case.end();
}
