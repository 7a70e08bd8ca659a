//! A file system with the plugins on it that goes away under a running hub.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::tools::{inside, mount, run_with_mounts};
use crate::support::cases::observed;
use crate::support::guests::wat;
use crate::support::home::{Home, finish};
use crate::support::message::assert_says;

fn unmount(at: &Path) {
    let unmounted = finish(Command::new("umount").arg("--lazy").arg(at), b"");
    assert_eq!(unmounted.code, Some(0), "{}", unmounted.stderr);
}

#[test]
fn a_hub_whose_plugins_are_unmounted_serves_on_and_the_next_one_has_none() {
    if !inside() {
        return run_with_mounts(
            "unmounted::a_hub_whose_plugins_are_unmounted_serves_on_and_the_next_one_has_none",
        );
    }
    let home = Home::new();
    mount(&["-t", "tmpfs", "tmpfs"], &home.plugins());
    let home = home.file("plain.wasm", &wat("plain"));
    let mut server = home.serve();
    assert_eq!(server.tool_names(), ["plain_run"]);
    unmount(&home.plugins());
    let gone = !home.plugins().join("plain.wasm").exists();
    assert!(gone, "it is still mounted");
    let mut calls = 0;
    for _ in 0..10 {
        assert_says(&server.call("plain_run", json!({})), "done");
        calls += 1;
    }
    server.end();
    let next = home.plugin_list().len();
    assert_eq!(next, 0);
    observed(
        "E08",
        format_args!("unmounted under a running hub: {calls} calls served, the next one has {next} plugins"),
    );
}
