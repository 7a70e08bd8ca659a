//! A start beside plugins that are broken in every way.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::guests::{plugin_with, wat};
use crate::support::home::Home;
use crate::support::message::assert_says;
use crate::support::promises::{kept, short_or_long};

/// The longest that the good one may be waited for.
const CALLABLE: Duration = Duration::from_secs(2);

/// Nine that are broken, each in its own way, and what its reason says.
const BROKEN: [(&str, &str); 9] = [
    ("empty.wasm", "empty"),
    ("picture.wasm", "WebAssembly"),
    ("cut.wasm", "not a valid component"),
    ("elf.wasm", "precompiled"),
    ("sockets.wasm", "missing import"),
    ("threads.wasm", "thread"),
    ("manifest.wasm", "manifest.toml:2:1"),
    ("looping-init.wasm", "init"),
    ("looping-list.wasm", "list"),
];

fn home() -> Home {
    let component = wat("traps");
    let home = Home::new().wat("plain").wat("sockets").guest("looping-init").guest("looping-list");
    home.file("empty.wasm", b"")
        .file("picture.wasm", b"\xff\xd8\xff\xe0\0\x10JFIF")
        .file("cut.wasm", &component[..component.len() / 2])
        .file("elf.wasm", &[b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 4_096]].concat())
        .file("threads.wasm", &plugin_with("(core module (memory 1 1 shared))"))
        .file("manifest.wasm", &component)
        .file("manifest.toml", b"id = \"manifest\"\nversoin = \"1\"\n")
}

/// From the start of the process to the first answer of the good one.
fn callable_after(home: &Home) -> Duration {
    let start = Instant::now();
    let mut server = home.serve();
    assert_says(&server.call("plain_run", json!({})), "done");
    let time = start.elapsed();
    server.end();
    time
}

#[test]
fn nine_broken_plugins_of_ten_do_not_delay_the_tenth_and_each_has_its_own_reason() {
    let home = home();
    let list = home.plugin_list();
    assert_eq!(list.len(), BROKEN.len() + 1);
    let mut reasons = std::collections::BTreeSet::new();
    for (file, words) in BROKEN {
        let plugin = list.iter().find(|plugin| plugin["file"] == file).unwrap();
        let reason = plugin["reason"].as_str().unwrap_or_default();
        assert!(plugin["state"] == "refused" && reason.contains(words), "{plugin:#}");
        reasons.insert(reason.to_owned());
    }
    assert_eq!(reasons.len(), BROKEN.len(), "{reasons:#?}");
    // The machine runs other tests, too: one start of a few has to be undisturbed.
    let time = (0..short_or_long(3, 30)).map(|_| callable_after(&home)).min().unwrap();
    assert!(time <= CALLABLE, "{time:?}");
    fs::remove_file(home.plugins().join("plain.wasm")).unwrap();
    assert_eq!(home.serve().tool_names(), [""; 0]);
    kept(
        "P21",
        format_args!(
            "beside {} broken plugins with {} reasons the tenth answers {time:.0?} after the start",
            BROKEN.len(),
            reasons.len()
        ),
    );
}
