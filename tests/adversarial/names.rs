//! Names that lie or do not answer: in a namespace, the machine's own resolver asks a DNS server of the test's.
//!
//! Invariant: the canaries tell which address was connected to; nothing else counts as not reached.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::tools;
use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::guests::wasm;
use crate::support::message::{assert_failed, code, text};
use crate::support::requests::home;

/// An address of the internet, which in the namespace is here.
const OUTSIDE: &str = "93.184.215.14";
/// Where a cloud keeps its secrets.
const METADATA: &str = "169.254.169.254";
const PRIVATE: &str = "10.0.0.5";

/// What the server says of a name that it was asked for so many times before.
fn answer(name: &str, turn: usize) -> Option<Answer> {
    let found = |addresses: &[&str]| Answer { code: 0, alias: false, addresses: parse(addresses) };
    Some(match (name, turn) {
        ("missing.test", _) | ("late.test", 0) => Answer { code: 3, ..found(&[]) },
        ("failing.test", _) => Answer { code: 2, ..found(&[]) },
        ("silent.test", _) => return None,
        ("alias.test", _) => Answer { alias: true, ..found(&[METADATA]) },
        ("mixed.test", _) => found(&[METADATA, PRIVATE, OUTSIDE]),
        ("flip.test", 0) | ("late.test", _) => found(&[OUTSIDE]),
        ("flip.test", _) => found(&[METADATA]),
        _ => found(&[]),
    })
}

struct Answer {
    code: u8,
    /// By way of another name.
    alias: bool,
    addresses: Vec<Ipv4Addr>,
}

fn parse(addresses: &[&str]) -> Vec<Ipv4Addr> {
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

/// Answers questions over UDP, each with a time to live of 0.
fn serve_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the namespace has the port to itself");
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            let question = Question::read(&packet[..length]);
            let turn = turns.entry(question.name.clone()).or_default();
            let said = answer(&question.name, *turn).map(|answer| question.answered(&answer));
            *turn += usize::from(question.is_of_addresses());
            if let Some(said) = said {
                socket.send_to(&said, from).unwrap();
            }
        }
    });
}

struct Question {
    id: [u8; 2],
    /// As it came, from the name on.
    bytes: Vec<u8>,
    name: String,
}

impl Question {
    fn read(packet: &[u8]) -> Self {
        let (mut at, mut labels) = (12, Vec::new());
        while packet[at] > 0 {
            let end = at + 1 + usize::from(packet[at]);
            labels.push(String::from_utf8(packet[at + 1..end].to_vec()).unwrap());
            at = end;
        }
        // The end of the name, a type and a class.
        let bytes = packet[12..at + 5].to_vec();
        Self { id: [packet[0], packet[1]], bytes, name: labels.join(".").to_lowercase() }
    }

    /// Whether it is for addresses of four bytes: the others have none here.
    fn is_of_addresses(&self) -> bool {
        self.bytes.ends_with(&[0, 1, 0, 1])
    }

    fn answered(&self, answer: &Answer) -> Vec<u8> {
        let known = self.is_of_addresses();
        let (owner, alias) = (&[0xc0, 12][..], b"\x08metadata\x08internal\x00");
        let mut records = Vec::new();
        if answer.alias {
            records.push(record(owner, 5, alias));
        }
        let owner = if answer.alias { &alias[..] } else { owner };
        records.extend(answer.addresses.iter().filter(|_| known).map(|ip| record(owner, 1, &ip.octets())));
        let counts = [0, 1, 0, records.len() as u8, 0, 0, 0, 0];
        [&self.id[..], &[0x81, 0x80 | answer.code], &counts, &self.bytes, &records.concat()].concat()
    }
}

fn record(owner: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    [owner, &[0, kind, 0, 1, 0, 0, 0, 0, 0, data.len() as u8], data].concat()
}

/// Keeps the addresses that were connected to, whatever they are.
fn canaries() -> (u16, Arc<Mutex<Vec<IpAddr>>>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reached = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reached);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.lock().unwrap().push(stream.local_addr().unwrap().ip());
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (port, reached)
}

#[test]
fn a_name_that_lies_or_does_not_answer_leads_nowhere_and_is_told() {
    if tools::inside() {
        return inside();
    }
    drop(wasm("requests"));
    let folder = tempfile::tempdir().unwrap();
    let file =
        |path: &str, name: &str, content: &str| tools::in_place_of(path, &folder.path().join(name), content);
    tools::run_with_network(
        "names::a_name_that_lies_or_does_not_answer_leads_nowhere_and_is_told",
        &[OUTSIDE, METADATA, PRIVATE],
        &(file("/etc/resolv.conf", "resolv.conf", "nameserver 127.0.0.1\n")
            + &file("/etc/nsswitch.conf", "nsswitch.conf", "hosts: files dns\n")),
    );
}

fn inside() {
    serve_names();
    let (port, reached) = canaries();
    let names = ["missing", "failing", "empty", "silent", "alias", "mixed", "flip", "late"];
    let urls = names.map(|name| format!("http://{name}.test:{port}"));
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let listed: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
    let mut case = Case::of(home(&urls, &format!("http = [{}]", listed.join(", "))));
    let get = |case: &mut Case, name: &str| {
        case.timed("fetch_one", json!({ "url": format!("http://{name}.test:{port}") }))
    };
    for name in ["missing", "failing", "empty", "late"] {
        let (failed, _) = get(&mut case, name);
        assert_failed(&failed, "upstream", "upstream");
        assert!(text(&failed).contains("its name has no address"), "{name}: {}", text(&failed));
    }
    let (silent, waited) = get(&mut case, "silent");
    assert_failed(&silent, "upstream", "upstream");
    assert!(text(&silent).contains("its name was not resolved in time"), "{}", text(&silent));
    assert!((2_900..6_000).contains(&waited.as_millis()), "{waited:?}");
    assert!(reached.lock().unwrap().is_empty());
    let answered = |result: &Value| assert_eq!(result["structuredContent"]["status"], 200, "{result:#}");
    // What did not exist a moment ago is not remembered.
    answered(&get(&mut case, "late").0);
    answered(&get(&mut case, "mixed").0);
    answered(&get(&mut case, "flip").0);
    let codes = ["alias", "flip"].map(|name| {
        let (denied, _) = get(&mut case, name);
        assert_failed(&denied, "denied", "policy");
        code(&denied).to_owned()
    });
    let reached = reached.lock().unwrap().clone();
    assert_eq!(reached, [OUTSIDE; 3].map(|address| address.parse::<IpAddr>().unwrap()));
    let log = case.server.end().stderr;
    assert!(log.contains("169.254.169.254 (link-local)"), "{log}");
    let inner = reached.iter().filter(|address| address.to_string() != OUTSIDE).count();
    observed(
        "C14",
        format_args!(
            "alias to the metadata service, flip with TTL 0: {}; mixed: {inner} inner connections",
            codes.join(", ")
        ),
    );
    observed(
        "F14",
        format_args!("NXDOMAIN, SERVFAIL, empty: {}; silence: after {waited:.1?}", code(&silent)),
    );
}
