//! A guest that asks for the inside of the network, in a network namespace where all of it is there: each
//! private address has a canary that counts who comes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::tools;
use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_failed, code, text};
use crate::support::promises::kept;

/// Addresses that are on the loopback device of the namespace.
const INSIDE: [&str; 12] = [
    "10.0.0.5",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "fd00:ec2::254",
    "fec0::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
];

/// Addresses that are there without being added, and some where nobody can be.
const OTHERS: [&str; 12] = [
    "127.0.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.5",
    "fe80::1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "ff02::1",
];

/// Other ways to write 127.0.0.1, 0.0.0.0 and ::1.
const SPELLINGS: [&str; 11] = [
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "0",
    "0x0",
    "[0:0:0::1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
];

#[test]
fn no_address_inside_the_network_is_reached_by_literal_or_by_name() {
    if tools::inside() {
        return inside();
    }
    // Built outside, where there is a network for cargo.
    drop(wasm("requests"));
    let mut hosts = "127.0.0.1 localhost loopback.test\n".to_owned();
    for (number, address) in INSIDE.iter().enumerate() {
        hosts.push_str(&format!("{address} name{number}.test mixed.test\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    tools::run_with_network(
        "network::no_address_inside_the_network_is_reached_by_literal_or_by_name",
        &INSIDE,
        &tools::in_place_of("/etc/hosts", &folder.path().join("hosts"), &hosts),
    );
}

/// Counts connections to a port on all addresses.
fn canary() -> (u16, Arc<AtomicUsize>) {
    let six = TcpListener::bind("[::]:0").expect("the namespace has IPv6");
    let port = six.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    // Linux takes IPv4 on it too.
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in six.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            // What is left unread when a socket closes resets the connection.
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (port, count)
}

fn home(urls: &[String], addresses: &str) -> Home {
    let asks: String = urls.iter().map(|url| format!("[[ask.http]]\nurl = \"{url}\"\n")).collect();
    let grants: Vec<String> =
        urls.iter().map(|url| format!("{{ url = \"{url}\", addresses = [{addresses}] }}")).collect();
    Home::new()
        .file("requests.wasm", &wasm("requests"))
        .file("requests.toml", format!("id = \"requests\"\nversion = \"1.0.0\"\n{asks}").as_bytes())
        .config(&format!("[plugins.requests.grant]\nhttp = [{}]\n", grants.join(", ")))
        .accept("requests")
}

/// What runs in the namespace.
fn inside() {
    let (port, count) = canary();
    let literal = |address: &&str| match address.contains(':') {
        true => format!("http://[{address}]:{port}"),
        false => format!("http://{address}:{port}"),
    };
    let names = (0..INSIDE.len()).map(|number| format!("http://name{number}.test:{port}"));
    let more = ["localhost", "loopback.test", "mixed.test"].map(|name| format!("http://{name}:{port}"));
    let urls: Vec<String> = INSIDE.iter().chain(&OTHERS).map(literal).chain(names).chain(more).collect();
    // They are granted by their one form, and asked for by others.
    let spelled = SPELLINGS.map(|host| format!("http://{host}:{port}"));
    let mut server = home(&urls, "").serve();
    for url in urls.iter().chain(&spelled) {
        assert_failed(&server.call("requests_one", json!({ "url": url })), "denied", "policy");
    }
    let zoned = server.call("requests_one", json!({ "url": format!("http://[fe80::1%25lo]:{port}") }));
    assert_failed(&zoned, "invalid-arguments", "caller");
    server.end();
    let reached = count.load(Ordering::SeqCst);
    assert_eq!(reached, 0, "a canary was reached");
    // The canaries sing where they are granted, each by its own address.
    let granted: Vec<String> = INSIDE.iter().map(|address| format!("\"{address}\"")).collect();
    let mut server = home(&urls, &granted.join(", ")).serve();
    let heard =
        urls.iter().filter(|url| code(&server.call("requests_one", json!({ "url": url }))).is_empty());
    // Every address, every name, and the name that has them all.
    assert_eq!(heard.count(), 2 * INSIDE.len() + 1);
    server.end();
    let sung = count.load(Ordering::SeqCst);
    assert_eq!(sung, 2 * INSIDE.len() + 1);
    let denied = urls.len() + spelled.len();
    observed(
        "C13",
        format_args!("{denied} URLs inside denied, {reached} connections; granted one by one, {sung} came"),
    );
    kept("P07", format_args!("{denied} URLs that are not granted: {reached} connections"));
}

/// A network whose packets nobody answers.
const HOLE: &str = "10.99.0.1";

#[test]
fn a_host_that_answers_no_packet_is_given_up_in_time_and_holds_up_nobody() {
    if !tools::inside() {
        drop(wasm("requests"));
        return tools::run_with_network(
            "network::a_host_that_answers_no_packet_is_given_up_in_time_and_holds_up_nobody",
            &[],
            // Out by the loopback device, where what is for no address of its own is dropped.
            "ip route add 10.99.0.0/16 dev lo",
        );
    }
    let url = format!("http://{HOLE}");
    let mut case = Case::of(home(std::slice::from_ref(&url), &format!("{HOLE:?}")));
    let (failed, waited) = case.timed("requests_one", json!({ "url": url }));
    assert_failed(&failed, "upstream", "upstream");
    assert!(text(&failed).contains("timed out: it could not be connected to"), "{}", text(&failed));
    assert!((4_900..8_000).contains(&waited.as_millis()), "{waited:?}");
    let late = case.server.send_call("requests_hold", json!({ "url": url }));
    let (said, neighbour) = case.timed("plain_run", json!({}));
    assert_eq!(text(&said), "done");
    assert!(neighbour < Duration::from_secs(1), "{neighbour:?}");
    assert_failed(&case.server.result(&late), "upstream", "upstream");
    case.end();
    observed(
        "F05",
        format_args!("every packet dropped: {} after {waited:.1?}, neighbour {neighbour:.0?}", code(&failed)),
    );
}
