//! Clients that are killed in the middle of a call.
//!
//! Invariant: nothing of what ran for them outlives them, and the server ends as it does by itself.

use std::fs;
use std::io::pipe;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::programs::Stage;
use crate::support::promises::{kept, short_or_long};
use crate::support::{SOON, holds_within};

/// A client that sends these lines and then reads for ever, and its server. Nobody else has an end of their
/// pipes.
fn client_and_server(home: &Home, lines: &Path) -> (Child, Child) {
    let ((from_client, to_server), (from_server, to_client)) = (pipe().unwrap(), pipe().unwrap());
    let mut serve = home.command(&["serve"]);
    let server = serve.stdin(from_client).stdout(to_client).stderr(Stdio::null()).spawn().unwrap();
    let mut client = Command::new("sh");
    client.args(["-c", "cat \"$0\"; while read -r line; do :; done"]).arg(lines);
    let client = client.stdin(from_server).stdout(to_server).spawn().unwrap();
    (client, server)
}

#[test]
fn a_client_that_is_killed_in_a_call_takes_the_server_and_its_programs_with_it() {
    let stage = Stage::new().script("sleep", "echo started; exec sleep 1000");
    let home = stage.home();
    let lines = home.path().join("lines");
    let client = json!({ "name": "test", "version": "1" });
    let call = json!({ "name": "programs_hold", "arguments": stage.arguments("sleep", &[]) });
    let text = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params":
            { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }),
    ]
    .map(|line| format!("{line}\n"));
    fs::write(&lines, text.concat()).unwrap();
    let (mut longest, mut killed) = (Duration::ZERO, 0);
    // Each takes the drain: the end of input says that nothing more comes, and not that nobody listens.
    for _ in 0..short_or_long(1, 20) {
        let (mut client, mut server) = client_and_server(&home, &lines);
        stage.assert_running(1);
        client.kill().unwrap();
        let since = Instant::now();
        assert_eq!(client.wait().unwrap().signal(), Some(9));
        killed += 1;
        let mut status = None;
        let ended = holds_within(SOON, || {
            status = server.try_wait().unwrap();
            status.is_some()
        });
        longest = longest.max(since.elapsed());
        server.kill().ok();
        server.wait().unwrap();
        assert!(ended, "the server is still there after {longest:?}");
        assert_eq!(status.and_then(|status| status.code()), Some(0));
        stage.assert_gone_within(Duration::from_secs(2));
    }
    let saw = format!(
        "{killed} clients killed in a call: server gone with exit 0 after {longest:.1?} at most, no program left"
    );
    observed("D15", &saw);
    kept("P24", &saw);
}
