//! Devices in a granted directory: a mount of a file's own puts one there without leave to make one.
//!
//! Invariant: each device is one that is no harm to open, should it ever be.

use std::fs;

use serde_json::json;

use super::tools;
use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end};
use crate::support::guests::wasm;

#[test]
fn a_device_refuses_the_plugin_and_one_that_comes_later_is_not_opened() {
    if !tools::inside() {
        drop(wasm("files"));
        return tools::run_with_mounts(
            "devices::a_device_refuses_the_plugin_and_one_that_comes_later_is_not_opened",
        );
    }
    let ground = Ground::new();
    let mut case = ground.case();
    let mut said = Vec::new();
    for device in ["zero", "null", "full", "tty"] {
        let (path, name) = (ground.at(&format!("work/{device}")), format!("/work/{device}"));
        fs::write(&path, "").unwrap();
        tools::mount(&["--bind", &format!("/dev/{device}")], &path);
        for (op, more) in [("read", json!({})), ("append", json!({ "text": "x" })), ("truncate", json!({}))] {
            said.push(act(&mut case, op, &name, more));
        }
    }
    assert!(said.iter().all(|said| said == "PermissionDenied"), "{said:?}");
    end(case);
    let home = ground.home("1MiB").wat("plain");
    let plugin = home.plugin("files.wasm");
    let reason = plugin["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("has a device in it"), "{plugin:#}");
    assert_eq!(home.plugin("plain.wasm")["state"], "ready");
    let (tries, kind, state) = (said.len(), &said[0], plugin["state"].as_str().unwrap());
    observed("C09", format_args!("{tries} uses of devices that came later: {kind}; there before: {state}"));
}
