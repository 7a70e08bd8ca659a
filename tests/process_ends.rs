//! Programs end: by themselves, at their deadline, with their handle, with their call and with the host; and
//! whatever came of them ends with them.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, code, text};
use crate::support::programs::{Stage, children_of};
use crate::support::promises::kept;
use crate::support::server::Era;
use crate::support::{SOON, holds_within};

/// How long a program has that is asked to end, and what the host may take beyond that.
const GRACE: Duration = Duration::from_millis(5_250);

/// Says that it runs, and starts what is hard to get rid of: each way is a line of its own.
const FAMILY: &str = "echo started
sleep 1000 &
(sleep 1000 &) &
setsid sleep 1000 &
setsid sh -c 'setsid sleep 1000 & setsid sh -c \"sleep 1000 & wait\" & wait' &
(trap '' TERM HUP INT; setsid sh -c 'while :; do sleep 1000; done') &
nohup sleep 1000 >/dev/null 2>&1 &
sh -c 'kill -STOP $$' &
sleep 1000";

/// Processes of the family once all are there: the script and what stands in each of its lines.
const MEMBERS: usize = 13;

fn family(budget: &str) -> Stage {
    Stage::with_budget(budget).script("family", FAMILY)
}

/// Nothing of the programs is left, and nothing of what watched over them: no process and no zombie.
#[track_caller]
fn assert_clean(case: &Case, stage: &Stage, time: Duration) {
    stage.assert_gone_within(time);
    let host = u32::try_from(case.server.pid().as_raw_pid()).unwrap();
    assert!(holds_within(SOON, || children_of(host).is_empty()), "{:?}", children_of(host));
}

#[test]
fn a_cancelled_call_leaves_nothing_of_its_programs() {
    let stage = family("deadline = \"60s\"").script("sleep", "echo started; exec sleep 1000");
    let mut case = stage.case();
    // What hears that it should end does so at once.
    let id = case.server.send_running_call("programs_hold", stage.arguments("sleep", &[]));
    case.server.cancel(&id);
    let cancelled = Instant::now();
    stage.assert_gone_within(Duration::from_secs(2));
    eprintln!("cancelled: a program that listens is gone after {:.1?}", cancelled.elapsed());
    let id = case.server.send_running_call("programs_hold", stage.arguments("family", &[]));
    stage.assert_running(MEMBERS);
    let members = stage.running().len();
    case.server.cancel(&id);
    let cancelled = Instant::now();
    assert_clean(&case, &stage, GRACE);
    let gone = cancelled.elapsed();
    eprintln!("cancelled: all {MEMBERS} processes gone after {gone:.1?}");
    case.end();
    observed(
        "C27",
        format_args!(
            "cancelled: {members} processes, forked, in sessions of their own, stopped: gone after {gone:.1?}"
        ),
    );
}

#[test]
fn a_call_ends_at_its_deadline_and_its_programs_with_it() {
    let stage = family("deadline = \"2s\"");
    let mut case = stage.case();
    let begun = Instant::now();
    let result = case.call("programs_hold", stage.arguments("family", &[]));
    assert_guest_failed(&result, "deadline");
    let answered = begun.elapsed();
    assert!(answered < Duration::from_millis(2_250 + 500), "{answered:?}");
    assert_clean(&case, &stage, GRACE);
    let gone = begun.elapsed() - answered;
    case.end();
    observed(
        "C27",
        format_args!("a deadline of 2 s: answered after {answered:.2?}, all gone {gone:.1?} later"),
    );
    kept(
        "P25",
        format_args!("a family of {MEMBERS} processes: none and no zombie {gone:.1?} after its deadline"),
    );
}

#[test]
fn a_program_ends_with_its_handle_and_with_a_call_that_returns_or_crashes() {
    let stage = family("deadline = \"60s\"");
    let mut case = stage.case();
    for (tool, said) in [("drop", Some("dropped")), ("leave", Some("left")), ("crash", None)] {
        let result = case.call(&format!("programs_{tool}"), stage.arguments("family", &[]));
        match said {
            Some(said) => assert_says(&result, said),
            None => assert_guest_failed(&result, "trap"),
        }
        assert_clean(&case, &stage, GRACE);
    }
    case.end();
}

#[test]
fn a_program_ends_at_its_deadline_and_the_call_goes_on() {
    let stage = Stage::new()
        .script_with("short", "echo started; sleep 1000", "deadline = \"1s\"")
        .script("long", "echo started; trap 'echo heard; exit 3' TERM; sleep 1000 & wait");
    let mut case = stage.case();
    for (arguments, expected) in [
        (stage.arguments("short", &[]), json!([null, 15, true])),
        // No guest gets more time than the grant says.
        (stage.arguments_with("short", &[], json!({ "deadline-ms": 60_000 })), json!([null, 15, true])),
        // Who ends by itself when it is asked to says so.
        (stage.arguments_with("long", &[], json!({ "deadline-ms": 300 })), json!([3, null, true])),
    ] {
        let (result, time) = case.timed("programs_run", arguments);
        let ended = &result["structuredContent"];
        assert_eq!(json!([ended["code"], ended["signal"], ended["timedOut"]]), expected, "{result:#}");
        assert!(time < Duration::from_secs(4), "{time:?}");
        if expected[0] == 3 {
            assert_eq!(ended["stdout"], "started\nheard\n");
        }
        stage.assert_gone_within(SOON);
    }
    assert_clean(&case, &stage, SOON);
    case.end();
}

#[test]
fn a_program_that_hears_nothing_is_killed_after_its_grace() {
    let stage = Stage::new()
        .script("deaf", "trap '' TERM; echo started; while :; do sleep 1000; done")
        .script("stopped", "echo started; kill -STOP $$; sleep 1000")
        .script("mute", "echo started; exec >&- 2>&-; trap '' TERM; while :; do sleep 1000; done");
    let mut case = stage.case();
    let mut saw = Vec::new();
    for (name, signal, least) in [("deaf", 9, 5_000), ("mute", 9, 5_000), ("stopped", 15, 0)] {
        let arguments = stage.arguments_with(name, &[], json!({ "deadline-ms": 500 }));
        let (result, time) = case.timed("programs_run", arguments);
        let ended = &result["structuredContent"];
        assert_eq!(
            (&ended["signal"], &ended["timedOut"]),
            (&json!(signal), &json!(true)),
            "{name}: {result:#}"
        );
        let (least, most) = (Duration::from_millis(least + 500), Duration::from_millis(least + 2_500));
        assert!((least..most).contains(&time), "{name}: {time:?}");
        saw.push(format!("{name}: signal {} after {time:.1?}", ended["signal"]));
    }
    assert_clean(&case, &stage, Duration::ZERO);
    case.end();
    observed("C29", format_args!("{}; no zombie", saw.join(", ")));
}

#[test]
fn what_a_program_leaves_behind_when_it_ends_is_ended() {
    let stage = Stage::new().script(
        "leaves",
        "setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 &) ; (setsid sh -c 'sleep 1000 & sleep 1000' &); echo done",
    );
    let mut case = stage.case();
    let (result, time) = case.timed("programs_run", stage.arguments("leaves", &[]));
    let ended = &result["structuredContent"];
    assert_eq!((&ended["code"], &ended["stdout"]), (&json!(0), &json!("done\n")), "{result:#}");
    assert_clean(&case, &stage, Duration::ZERO);
    assert!(time < Duration::from_secs(3), "{time:?}");
    case.end();
    observed(
        "C27",
        format_args!("a program that ends and leaves daemons: code 0 after {time:.1?}, 0 processes left"),
    );
}

#[test]
fn programs_die_with_a_host_that_is_killed() {
    let stage = family("deadline = \"60s\"").script("sleep", "echo started; exec sleep 1000");
    let home = stage.home();
    let mut server = home.serve();
    for name in ["family", "sleep", "sleep"] {
        server.send_running_call("programs_hold", stage.arguments(name, &[]));
    }
    stage.assert_running(MEMBERS + 2);
    // A supervisor that a program has stopped wakes up for this.
    let host = u32::try_from(server.pid().as_raw_pid()).unwrap();
    let supervisors = children_of(host);
    assert_eq!(supervisors.len(), 3);
    kill_process(Pid::from_raw(supervisors[0]).unwrap(), Signal::STOP).unwrap();
    let running = stage.running().len();
    server.signal(Signal::KILL);
    let killed = Instant::now();
    stage.assert_gone_within(Duration::from_secs(2));
    let gone = killed.elapsed();
    let exists = |pid: &i32| fs::exists(format!("/proc/{pid}")).unwrap();
    assert!(holds_within(SOON, || !supervisors.iter().any(exists)));
    observed(
        "C34",
        format_args!("{running} processes under 3 supervisors, one of them stopped: gone after {gone:.2?}"),
    );
    kept("P24", format_args!("SIGKILL of the host: {running} processes gone after {gone:.2?}"));
}

#[test]
fn a_host_that_ends_leaves_no_programs() {
    let stage = family("deadline = \"3s\"");
    let home = stage.home();
    let mut server = home.serve();
    server.send_running_call("programs_hold", stage.arguments("family", &[]));
    stage.assert_running(MEMBERS);
    server.end();
    stage.assert_gone_within(Duration::from_secs(2));
    // At once, where somebody wants that.
    let mut server = home.serve();
    server.send_running_call("programs_hold", stage.arguments("family", &[]));
    stage.assert_running(MEMBERS);
    for signal in [Signal::TERM, Signal::TERM] {
        server.signal(signal);
        std::thread::yield_now();
    }
    let pid = server.pid();
    holds_within(Duration::from_secs(5), || kill_process(pid, Signal::TERM).is_err());
    server.wait();
    stage.assert_gone_within(Duration::from_secs(2));
}

#[test]
fn a_program_that_kills_or_stops_its_supervisor_dies_too() {
    let stage = Stage::new()
        .script("kills", "echo started; sleep 1000 & kill -KILL $PPID; sleep 1000")
        .script("stops", "echo started; sleep 1000 & kill -STOP $PPID; sleep 1000")
        // Over and over, because a thread of the host's that ends wakes the supervisors that it started.
        .script("keeps", "echo started; while :; do kill -STOP $PPID; sleep 0.1; done");
    let mut case = stage.case();
    let result = case.call("programs_run", stage.arguments("kills", &[]));
    assert_failed(&result, "internal", "plugin");
    assert!(text(&result).contains("was ended from outside, with its supervisor"), "{}", text(&result));
    assert_clean(&case, &stage, Duration::from_secs(2));
    // The host has a clock of its own for what its supervisor does not do.
    let arguments = stage.arguments_with("keeps", &[], json!({ "deadline-ms": 2_000 }));
    let (result, time) = case.timed("programs_run", arguments);
    assert_eq!(code(&result), "internal", "{result:#}");
    assert!((8_800..20_000).contains(&time.as_millis()), "{time:?}");
    assert_clean(&case, &stage, Duration::from_secs(2));
    // And asks again where somebody gives up.
    let id = case.server.send_running_call("programs_hold", stage.arguments("stops", &[]));
    stage.assert_running(3);
    case.server.cancel(&id);
    assert_clean(&case, &stage, GRACE);
    case.end();
    observed(
        "C33",
        format_args!(
            "it kills its supervisor: it is ended too; it stops it: the host ends both after {time:.1?}"
        ),
    );
}

#[test]
fn a_program_has_256_processes_at_once_and_a_bomb_is_ended() {
    // A bomb with an end, for the machine's sake: 2 to the power of what it is given.
    let bomb = "[ \"$1\" -eq 0 ] && exec sleep 1000\n\"$0\" $(($1 - 1)) & \"$0\" $(($1 - 1)) & wait";
    let stage = Stage::new()
        .script("bomb", bomb)
        .script("crowd", "i=1; while [ $i -lt $1 ]; do sleep 2 & i=$((i+1)); done; echo all; wait");
    let mut case = stage.case();
    let result = case.call("programs_run", stage.arguments("crowd", &["256"]));
    assert_eq!(result["structuredContent"]["stdout"], "all\n", "{result:#}");
    let mut saw = Vec::new();
    for arguments in [stage.arguments("bomb", &["10"]), stage.arguments("crowd", &["300"])] {
        let name = arguments["command"].as_str().unwrap().to_owned();
        let (result, time) = case.timed("programs_run", arguments);
        assert_guest_failed(&result, "limit");
        assert!(text(&result).contains("had more than 256 processes at once"), "{}", text(&result));
        assert!(time < Duration::from_secs(10), "{time:?}");
        assert_clean(&case, &stage, Duration::ZERO);
        assert_says(&case.call("plain_run", json!({})), "done");
        saw.push(format!("{name}: `{}` after {time:.1?}", code(&result)));
    }
    case.end();
    observed("C28", format_args!("{}; 0 processes left, the neighbour serves", saw.join(", ")));
}

#[test]
fn a_program_that_cannot_be_started_is_told_with_the_systems_reason() {
    let stage = Stage::new().script("tool", "true").script("none", "true");
    fs::write(stage.at("tool"), "no program at all").unwrap();
    fs::write(stage.at("none"), "#!/no/such/interpreter\n").unwrap();
    let mut case = stage.case();
    for (name, why) in [("tool", "Exec format error"), ("none", "No such file or directory")] {
        let result = case.call("programs_run", json!({ "command": name }));
        assert_failed(&result, "unavailable", "upstream");
        let said = text(&result);
        assert!(said.contains(&format!("{name:?} could not be started: {why}")), "{said}");
        assert!(!said.contains(stage.folder.path().to_str().unwrap()), "no path for an agent: {said}");
    }
    case.end();
}

#[test]
fn a_program_that_waits_for_its_turn_leaves_the_queue_with_its_call() {
    let stage = Stage::new().script_with("sleep", "echo started; exec sleep 1000", "at-once = 1");
    let mut case = stage.case();
    let first = case.server.send_running_call("programs_hold", stage.arguments("sleep", &[]));
    let waits: Vec<Value> =
        (0..3).map(|_| case.server.send_call("programs_hold", stage.arguments("sleep", &[]))).collect();
    for id in &waits {
        case.server.cancel(id);
    }
    case.server.cancel(&first);
    assert_clean(&case, &stage, GRACE);
    // The seat is free again.
    let id = case.server.send_running_call("programs_hold", stage.arguments("sleep", &[]));
    case.server.cancel(&id);
    assert_clean(&case, &stage, GRACE);
    case.end();
}

#[test]
fn nothing_is_left_of_the_directories_of_programs() {
    let stage = Stage::new()
        .script("makes", "mkdir -p a/b; echo x > a/b/c; echo started; sleep $1")
        .script("kills", "echo x > made; echo started; kill -KILL $PPID; sleep 1000");
    let temporary = stage.at("temporary");
    fs::create_dir(&temporary).unwrap();
    let home = stage.home();
    let mut command = home.command(&["serve"]);
    let mut server = home.serve_as(command.env("TMPDIR", &temporary), Era::Legacy("2025-11-25"));
    let entries = || fs::read_dir(&temporary).unwrap().count();
    let result = server.call("programs_run", stage.arguments("makes", &["0"]));
    assert_eq!((&result["structuredContent"]["code"], entries()), (&json!(0), 0));
    let result = server.call("programs_run", stage.arguments("kills", &[]));
    assert_eq!((code(&result), entries()), ("internal", 0));
    server.send_running_call("programs_hold", stage.arguments("makes", &["1000"]));
    assert_eq!(entries(), 1);
    server.signal(Signal::KILL);
    assert!(holds_within(SOON, || entries() == 0));
}
