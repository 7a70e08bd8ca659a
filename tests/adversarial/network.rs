//! A guest that asks for the inside of the network, in a network namespace where all of it is there: each
//! private address has a canary that counts who comes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use super::tools;
use crate::support::guests::wasm;
use crate::support::home::Home;
use crate::support::message::{assert_failed, code};

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

#[test]
fn no_address_inside_the_network_is_reached_by_literal_or_by_name() {
    if tools::inside() {
        return inside();
    }
    tools::need(&["unshare", "ip", "mount"]);
    // Built outside, where there is a network for cargo.
    drop(wasm("requests"));
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let mut file = fs::File::create(&hosts).unwrap();
    writeln!(file, "127.0.0.1 localhost loopback.test").unwrap();
    for (number, address) in INSIDE.iter().enumerate() {
        writeln!(file, "{address} name{number}.test mixed.test").unwrap();
    }
    let addresses: String = INSIDE
        .iter()
        .map(|address| {
            let bits = if address.contains(':') { 128 } else { 32 };
            format!("ip addr add {address}/{bits} dev lo nodad 2>/dev/null || ip addr add {address}/{bits} dev lo\n")
        })
        .collect();
    let script = format!("ip link set lo up\n{addresses}mount --bind {} /etc/hosts", hosts.display());
    tools::run_inside(
        "network::no_address_inside_the_network_is_reached_by_literal_or_by_name",
        &["--net", "--mount"],
        &script,
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
    let others = ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.5"];
    let names = (0..INSIDE.len()).map(|number| format!("http://name{number}.test:{port}"));
    let more = ["localhost", "loopback.test", "mixed.test"].map(|name| format!("http://{name}:{port}"));
    let urls: Vec<String> = INSIDE.iter().chain(&others).map(literal).chain(names).chain(more).collect();
    let mut server = home(&urls, "").serve();
    for url in &urls {
        assert_failed(&server.call("requests_one", json!({ "url": url })), "denied", "policy");
    }
    server.end();
    assert_eq!(count.load(Ordering::SeqCst), 0, "a canary was reached");
    // The canaries sing where they are granted, each by its own address.
    let granted: Vec<String> = INSIDE.iter().map(|address| format!("\"{address}\"")).collect();
    let mut server = home(&urls, &granted.join(", ")).serve();
    let reached =
        urls.iter().filter(|url| code(&server.call("requests_one", json!({ "url": url }))).is_empty());
    // Every address, every name, and the name that has them all.
    assert_eq!(reached.count(), 2 * INSIDE.len() + 1);
    server.end();
    assert_eq!(count.load(Ordering::SeqCst), 2 * INSIDE.len() + 1);
}
