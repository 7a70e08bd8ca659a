//! Guests that break off in the middle of a call: traps, recursion, panics, exits, broken pointers.
//!
//! Invariant: the caller learns what kind of end it was and nothing of the inside, and the next call works.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::guests::{root, wat_component};
use crate::support::home::Home;
use crate::support::message::{assert_guest_failed, assert_says, code, cost, text};

#[test]
fn each_trap_is_named() {
    let mut case = Case::wat("traps");
    let traps = [
        (1, "unreachable"),
        (2, "divide by zero"),
        (3, "out of bounds memory"),
        (4, "indirect call"),
        (5, "uninitialized element"),
        (6, "conversion to integer"),
    ];
    for (number, name) in traps {
        let result = case.call("traps_run", json!({ "n": number }));
        assert_guest_failed(&result, "trap");
        assert!(text(&result).contains(name), "{result:#}");
        assert_says(&case.call("traps_run", json!({ "n": 9 })), "done");
    }
    case.end();
    let names: Vec<&str> = traps.iter().map(|(_, name)| *name).collect();
    observed("A14", format_args!("each a trap: {} kinds, {} among them", names.len(), names[..3].join(", ")));
}

#[test]
fn recursion_into_host_calls_ends_with_the_guests_stack() {
    let mut case = Case::wat("recursion");
    assert_says(&case.call("recursion_run", json!({ "n": 1_000 })), "done");
    let result = case.call("recursion_run", json!({ "n": 100_000_000 }));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).contains("stack"), "{result:#}");
    case.end();
    observed("A13", format_args!("a host call at each depth: {}", text(&result)));
}

#[test]
fn recursion_ends_with_the_guests_stack() {
    let mut case = Case::wat("deep");
    let result = case.call("deep_run", json!({ "n": 100_000_000 }));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).contains("stack"), "{result:#}");
    case.end();
    observed("A12", format_args!("{} after {} units of fuel", text(&result), cost(&result, "fuel")));
}

#[test]
fn a_host_call_from_the_last_depth_that_there_is_works() {
    let mut case = Case::wat("deep");
    let mut works = |depth: u32| {
        let result = case.call("deep_run", json!({ "n": depth }));
        match code(&result) {
            "" => true,
            "trap" => false,
            other => panic!("{other}: {result:#}"),
        }
    };
    let (mut last, mut too_deep) = (100, 1_000_000);
    assert!(works(last) && !works(too_deep));
    while too_deep - last > 1 {
        let middle = u32::midpoint(last, too_deep);
        if works(middle) { last = middle } else { too_deep = middle }
    }
    assert!(works(last) && !works(too_deep), "the last depth of {last} moved");
    case.end();
    observed("A13", format_args!("a host call {last} deep works, and {too_deep} deep is a trap"));
}

#[test]
fn a_panic_is_a_trap_and_its_message_is_cut() {
    let mut case = Case::guest("panicking");
    assert_guest_failed(&case.call("panicking_panic", json!({ "bytes": 10 })), "trap");
    let result = case.call("panicking_panic", json!({ "bytes": 10 << 20 }));
    assert_guest_failed(&result, "trap");
    let told = text(&result).len();
    assert!(told < 4_096, "{told} bytes");
    let ended = case.end();
    assert!(ended.stderr.len() < 256 * 1024, "{} bytes of log", ended.stderr.len());
    let longest = ended.stderr.lines().map(str::len).max().unwrap_or(0);
    assert!((2_000..4_096).contains(&longest), "the longest line has {longest} bytes");
    observed("A15", format_args!("the caller reads {told} bytes, the longest log line has {longest}"));
}

#[test]
fn an_exit_ends_the_call_and_not_the_host() {
    let mut case = Case::guest("exiting");
    let mut said = Vec::new();
    for status in [0, 1] {
        let result = case.call("exiting_exit", json!({ "status": status }));
        assert_guest_failed(&result, "trap");
        assert!(text(&result).contains(&format!("exit({status})")), "{result:#}");
        said.push(code(&result).to_owned());
    }
    case.end();
    observed("A16", format_args!("exit(0), exit(1): {}", said.join(", ")));
}

#[test]
fn a_result_that_is_no_utf8_is_a_trap() {
    let mut case = Case::guest("invalid-utf8");
    let result = case.call("invalid-utf8_run", json!({}));
    assert_guest_failed(&result, "trap");
    assert!(text(&result).to_lowercase().contains("utf-8"), "{result:#}");
    case.end();
    observed("A20", text(&result));
}

#[test]
fn a_result_at_a_broken_address_is_a_trap() {
    let mut case = Case::wat("bad-pointer");
    assert_says(&case.call("bad-pointer_run", json!({ "n": 0 })), "done");
    // Not aligned; over the end of memory; just before it; the last address there is.
    let addresses = [513u32, 65_536, 65_532, u32::MAX - 3];
    for address in addresses {
        assert_guest_failed(&case.call("bad-pointer_run", json!({ "n": address })), "trap");
    }
    case.end();
    observed("A17", format_args!("{} broken addresses of a result: trap", addresses.len()));
}

#[test]
fn arguments_of_a_host_call_that_cannot_be_are_a_trap() {
    let mut case = Case::wat("bad-arguments");
    let mut reasons = BTreeSet::new();
    for fault in 1..=15 {
        let result = case.call("bad-arguments_run", json!({ "n": fault }));
        assert_guest_failed(&result, "trap");
        assert!(!text(&result).contains("unreachable"), "{fault}: {result:#}");
        reasons.insert(text(&result).to_owned());
        assert_says(&case.call("bad-arguments_run", json!({ "n": 0 })), "done");
    }
    assert!(reasons.len() > 4, "{reasons:#?}");
    let ended = case.end();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    observed("A17", format_args!("15 broken arguments of host calls: trap, for {} reasons", reasons.len()));
}

#[test]
fn a_place_that_the_guest_gives_for_a_result_is_not_trusted() {
    let mut case = Case::wat("bad-realloc");
    assert_says(&case.call("bad-realloc_run", json!({ "n": 0 })), "done");
    let faults = [(1, "trap"), (2, "trap"), (3, "trap"), (4, "fuel"), (5, "trap"), (6, "trap")];
    let mut codes = Vec::new();
    for (fault, expected) in faults {
        let result = case.call("bad-realloc_run", json!({ "n": fault }));
        assert_guest_failed(&result, expected);
        codes.push(code(&result).to_owned());
        assert_says(&case.call("bad-realloc_run", json!({ "n": 0 })), "done");
    }
    let ended = case.end();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    observed("A18", format_args!("for a host call: {}", codes.join(", ")));
}

#[test]
fn a_plugin_that_gives_no_place_for_its_arguments_is_refused() {
    let part = fs::read_to_string(root().join("tests/guests/wat/plugin.part")).unwrap();
    let sound = "(global.set $free (i32.add (local.get $at) (local.get 3)))";
    assert!(part.contains(sound));
    let with = |fault: &str| wat_component(&part.replacen(sound, fault, 1));
    let faults = [
        ("beyond", "(local.set $at (i32.const 65535))"),
        ("last", "(local.set $at (i32.const -1))"),
        ("endless", "(loop $again (br $again))"),
        ("trap", "(unreachable)"),
    ];
    let home = faults.iter().fold(Home::new().wat("plain"), |home, (name, fault)| {
        home.file(&format!("{name}.wasm"), &with(fault))
    });
    let list = home.plugin_list();
    let mut codes = Vec::new();
    for (name, _) in faults {
        let plugin = list.iter().find(|plugin| plugin["id"] == name).unwrap();
        assert_eq!(plugin["state"], "refused", "{plugin:#}");
        let reason = plugin["reason"].as_str().unwrap().strip_prefix("failed in init: ").unwrap();
        codes.push(reason.split(':').next().unwrap());
    }
    assert_eq!(codes, ["trap", "trap", "fuel", "trap"]);
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    assert_says(&server.call("plain_run", json!({})), "done");
    server.end();
    observed("A18", format_args!("for its own arguments: refused in init, {}", codes.join(", ")));
}

#[test]
fn a_text_that_claims_two_gibibytes_costs_the_host_nothing() {
    let mut case = Case::guest("huge");
    let result = case.call("huge_claim", json!({}));
    assert!(["trap", "limit"].contains(&code(&result)), "{result:#}");
    assert_guest_failed(&result, code(&result));
    let growth = case.growth_mib();
    assert!(growth <= 24, "{growth} MiB");
    case.end();
    observed(
        "A19",
        format_args!("a text of 2 GiB that is not there: {}; host grew {growth} MiB", code(&result)),
    );
}

#[test]
fn a_thousand_traps_leave_the_host_as_it_was() {
    let mut case = Case::wat("traps");
    for _ in 0..1_000 {
        assert_guest_failed(&case.call("traps_run", json!({ "n": 1 })), "trap");
    }
    case.end();
}
