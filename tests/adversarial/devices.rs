//! Devices in a granted directory: a mount of a file's own puts one there without leave to make one.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::namespace::alone;
use crate::support::cases::observed;
use crate::support::ground::{Ground, act, end};
use crate::support::guests::wasm;

/// Puts a device in the place of a file.
fn mount(device: &str, path: &Path) {
    std::fs::write(path, "").unwrap();
    let mounted = Command::new("mount").args(["--bind", device]).arg(path).status().unwrap();
    assert!(mounted.success(), "{device}: {mounted}");
}

#[test]
fn a_device_refuses_the_plugin_and_one_that_comes_later_is_not_opened() {
    let prepare = |_: &Path| {
        drop(wasm("files"));
        String::new()
    };
    let test = "devices::a_device_refuses_the_plugin_and_one_that_comes_later_is_not_opened";
    alone(test, prepare, || {
        let ground = Ground::new();
        let mut case = ground.case();
        let mut said = Vec::new();
        for device in ["zero", "null", "full", "tty"] {
            let (path, name) = (ground.at(&format!("work/{device}")), format!("/work/{device}"));
            mount(&format!("/dev/{device}"), &path);
            for (op, more) in
                [("read", json!({})), ("append", json!({ "text": "x" })), ("truncate", json!({}))]
            {
                said.push(act(&mut case, op, &name, more));
            }
        }
        assert!(said.iter().all(|said| said == "PermissionDenied"), "{said:?}");
        end(case);
        let home = ground.home("1MiB").wat("plain");
        let reason = home.plugin("files.wasm")["reason"].as_str().unwrap_or_default().to_owned();
        assert!(reason.contains("a device"), "{reason}");
        assert_eq!(home.plugin("plain.wasm")["state"], "ready");
        let (tries, kind) = (said.len(), &said[0]);
        observed("C09", format_args!("{tries} uses of devices that came later: {kind}; at load: refused"));
    });
}
