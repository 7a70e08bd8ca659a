//! What nobody accepted or signed is not even compiled, where the operator wants that.

use serde_json::{Value, json};

use crate::support::guests::plugin_with;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says};
use crate::support::promises::kept;
use crate::support::server::{Ended, Server};

/// Plugins that whoever compiles or starts them refuses in words of its own.
fn strangers(home: Home) -> Home {
    home.wat("sockets")
        .wat("foreign-import")
        .wat("multi-memory")
        .wat("huge-table")
        .guest("looping-init")
        .guest("looping-list")
        .file("threads.wasm", &plugin_with("(core module (memory 1 1 shared))"))
}

const STRANGERS: [&str; 7] =
    ["foreign-import", "huge-table", "looping-init", "looping-list", "multi-memory", "sockets", "threads"];

/// A home whose good plugin is pinned, with the strangers beside it and more in its configuration.
fn home(config: &str) -> Home {
    let home = Home::new().wat("plain");
    assert_eq!(home.run(&["tools"]).code, Some(0));
    strangers(home).config(config)
}

/// The log's words on each of the strangers.
fn said(ended: &Ended) -> Vec<String> {
    let of = |line: &str| -> Option<(String, String)> {
        let record: Value = serde_json::from_str(line).unwrap();
        Some((record["plugin"].as_str()?.to_owned(), record["message"].as_str()?.to_owned()))
    };
    let said = ended.stderr.lines().filter_map(of).filter(|(plugin, _)| STRANGERS.contains(&plugin.as_str()));
    said.map(|(_, message)| message).collect()
}

fn serve(home: &Home) -> Ended {
    let mut server: Server = home.serve();
    server.tool_names();
    for stranger in STRANGERS {
        let result = server.call(&format!("{stranger}_run"), json!({}));
        assert!(result["isError"] == true, "{result:#}");
    }
    server.end()
}

#[test]
fn what_is_not_pinned_or_not_signed_is_never_compiled_where_that_is_asked_for() {
    // Elsewhere they are looked at, and each is refused for what compiling or starting it showed.
    let looked_at = said(&serve(&home("")));
    assert_eq!(
        looked_at.iter().filter(|said| said.starts_with("refused: ")).count(),
        STRANGERS.len(),
        "{looked_at:#?}"
    );
    let locked = home("[trust]\nmode = \"locked\"\n");
    let not_pinned = said(&serve(&locked));
    let reason = "withheld: it is new, and [trust] mode is \"locked\"; ";
    assert_eq!(
        not_pinned.iter().filter(|said| said.starts_with(reason)).count(),
        STRANGERS.len(),
        "{not_pinned:#?}"
    );
    let mut server = locked.serve();
    assert_says(&server.call("plain_run", json!({})), "done");
    assert_failed(&server.call("sockets_run", json!({})), "quarantined", "policy");
    server.end();
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let signing = format!("[trust]\nrequire-signature = true\npublishers = {{ someone = \"{key}\" }}\n");
    let not_signed = said(&serve(&home(&signing)));
    let is_unsigned = |said: &&String| said.starts_with("refused: ") && said.contains("sign");
    assert_eq!(not_signed.iter().filter(is_unsigned).count(), STRANGERS.len(), "{not_signed:#?}");
    kept(
        "P27",
        format_args!(
            "of {0} plugins that compiling would refuse, {1} not pinned and {2} not signed were compiled 0 times",
            looked_at.len(),
            not_pinned.len(),
            not_signed.len()
        ),
    );
}

#[test]
fn what_changed_since_it_was_pinned_is_not_compiled_where_only_what_is_pinned_runs() {
    let home = Home::new().wat("plain").file("threads.wasm", &plugin_with(""));
    assert_eq!(home.run(&["tools"]).code, Some(0));
    let home = strangers(home).config("[trust]\nmode = \"locked\"\n");
    let said = said(&serve(&home));
    assert!(said.iter().any(|said| said.starts_with("withheld: digest changed; ")), "{said:#?}");
}
