//! Requests and answers that do not end as they should, by a guest's fault or a server's.
//!
//! Invariant: what a guest left open is judged at the server: it sees the connection end, and no more of the
//! request than was sent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_guest_failed, assert_says, code, text};
use crate::support::requests::{body, granted, grants, home_of};
use crate::support::web::{Web, closing, ok};

/// The guest that does not end its requests, with a server granted and a deadline of its calls.
fn halves(url: &str, deadline: &str) -> Case {
    let home = home_of("half-requests", &[url], &grants(&[url]));
    Case::of(with_deadline(home, deadline))
}

fn with_deadline(home: Home, deadline: &str) -> Home {
    let config = std::fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    home.config(&format!("{config}[plugins.fetch.budget]\ndeadline = \"{deadline}\"\n"))
}

/// Waits until a server has seen all its connections end; says how long that took.
#[track_caller]
fn closed(web: &Web) -> Duration {
    let start = Instant::now();
    web.until_over(web.accepted());
    let time = start.elapsed();
    assert!(time < Duration::from_secs(1), "{time:?}");
    time
}

/// A server that keeps all that comes, and answers a head at once where it is told to.
fn listening(answer: &'static str) -> Web {
    Web::start(move |peer| {
        if peer.head().is_some() {
            peer.write(answer);
            let rest = String::from_utf8(peer.rest()).unwrap();
            peer.keep(&format!("rest: {rest}"));
        }
    })
}

#[test]
fn an_upload_that_is_never_finished_ends_with_the_call_and_never_looks_whole() {
    let web = listening("");
    let mut case = halves(&web.url("127.0.0.1"), "1s");
    let authority = format!("127.0.0.1:{}", web.port());
    let ended = case.call("fetch_unfinished", json!({ "authority": authority }));
    assert_guest_failed(&ended, "deadline");
    let time = closed(&web);
    assert_eq!(web.heard()[1], "rest: 4\r\npart\r\n");
    case.end();
    observed("A32", format_args!("an unfinished upload: {}, socket closed after {time:.0?}", code(&ended)));
}

#[test]
fn parts_of_a_request_that_are_kept_or_dropped_in_any_order_harm_only_their_call() {
    let web = listening("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx");
    let mut case = halves(&web.url("127.0.0.1"), "5s");
    let authority = format!("127.0.0.1:{}", web.port());
    assert_says(&case.call("fetch_kept", json!({ "authority": authority })), "kept");
    let mut longest = closed(&web);
    let orders = ["request", "request-body", "future", "answer", "answer-body"];
    let mut traps = 0;
    for first in orders {
        let ended = case.call("fetch_order", json!({ "authority": authority, "first": first }));
        assert!(["", "trap"].contains(&code(&ended)), "{first}: {ended:#}");
        traps += u32::from(code(&ended) == "trap");
        longest = longest.max(closed(&web));
    }
    // What was dropped at once need not have come so far.
    assert!(web.accepted() >= 3, "{}", web.accepted());
    let whole = web.heard().iter().filter(|heard| heard.contains("0\r\n\r\n")).count();
    assert_eq!(whole, 0, "{:?}", web.heard());
    case.end();
    observed(
        "A32",
        format_args!("{} wrong orders: {traps} traps, sockets closed within {longest:.0?}", orders.len()),
    );
}

#[test]
fn headers_that_no_request_may_have_reach_no_server() {
    let web = Web::start(|peer| {
        while let Some(head) = peer.head() {
            if head.contains("transfer-encoding: chunked") {
                let mut rest = Vec::new();
                // The last chunk, and what may stand behind it.
                while !(rest.ends_with(b"\r\n\r\n") && rest.windows(3).any(|part| part == b"0\r\n")) {
                    let Some(byte) = peer.byte() else { return };
                    rest.push(byte);
                }
                peer.keep(&format!("rest: {}", String::from_utf8(rest).unwrap()));
            }
            peer.write(&ok(""));
        }
    });
    let mut case = halves(&web.url("127.0.0.1"), "10s");
    let authority = format!("127.0.0.1:{}", web.port());
    let flood = case.call("fetch_headers", json!({ "authority": authority, "count": 100_000 }));
    assert_guest_failed(&flood, "limit");
    let twice = case.call("fetch_headers", json!({ "authority": authority, "twice": "content-length" }));
    let names = ["host", "content-length", "transfer-encoding", "connection", "trailer", "cookie"];
    let mut refused = 0;
    for name in names {
        let said = case.call("fetch_trailer", json!({ "authority": authority, "name": name }));
        refused += u32::from(!text(&said).starts_with("200"));
    }
    // One that is no harm is not sent either: HTTP/1.1 would have to announce it.
    assert_says(&case.call("fetch_trailer", json!({ "authority": authority, "name": "x-harmless" })), "200");
    let heard = web.heard();
    let lengths = heard.iter().map(|head| head.matches("content-length").count()).max();
    assert!(lengths <= Some(1), "{}: {heard:?}", text(&twice));
    assert!(!heard.concat().contains("canary"), "{heard:?}");
    case.end();
    observed(
        "A33",
        format_args!(
            "100000 headers: {}; two lengths: {}; {refused} of {} trailers refused, {} on the wire",
            code(&flood),
            text(&twice),
            names.len(),
            heard.concat().matches("canary").count()
        ),
    );
}

/// A gzip that unpacks to `1 + 258 * runs` zeros: one block of fixed codes.
fn bomb(runs: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(1, 1); // The last block,
    bits.put(1, 2); // of fixed codes.
    bits.code(0x30, 8); // A zero,
    for _ in 0..runs {
        bits.code(0xc5, 8); // 258 bytes
        bits.code(0, 5); // from one byte before.
    }
    bits.code(0, 7);
    let zeros = 1 + 258 * runs;
    let mut check = !0_u32;
    for _ in 0..8 * u64::from(zeros) {
        check = (check >> 1) ^ (0xedb8_8320 * (check & 1));
    }
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [&head[..], &bits.bytes, &(!check).to_le_bytes(), &zeros.to_le_bytes()].concat()
}

/// Bits as deflate has them: from the lowest on, but codes from their highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> at & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    fn code(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|at| self.put(value >> at & 1, 1));
    }
}

#[test]
fn what_is_packed_stays_packed_and_counts_as_it_came() {
    let runs = 260_000;
    let packed = bomb(runs);
    let (came, unpacked) = (packed.len(), (1 + 258 * runs) >> 20);
    let web = Web::start(move |peer| {
        while peer.head().is_some() {
            let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n";
            peer.write(&format!("{head}content-length: {}\r\n\r\n", packed.len()));
            peer.send(&packed);
        }
    });
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    assert_says(&case.call("fetch_size", json!({ "url": url })), &came.to_string());
    assert!(!web.heard()[0].contains("accept-encoding"), "{:?}", web.heard());
    let growth = case.growth_mib();
    assert!(growth < 16 && unpacked > 60, "{growth} of {unpacked} MiB");
    case.end();
    let saw =
        format!("gzip of {unpacked} MiB: the guest got its {came} bytes, the host grew by {growth} MiB");
    observed("C21", &saw);
    observed("F06", &saw);
}

#[test]
fn a_body_that_drips_for_ever_ends_with_the_call() {
    let web = Web::start(|peer| {
        peer.head();
        peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        while peer.write("1\r\nx\r\n") {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let url = web.url("127.0.0.1");
    let mut case = Case::of(with_deadline(granted(&[&url]), "1s"));
    let (ended, waited) = case.timed("fetch_one", json!({ "url": url }));
    assert_guest_failed(&ended, "deadline");
    let time = closed(&web);
    case.end();
    let saw = format!("a byte each 50 ms: {} after {waited:.1?}, closed {time:.0?} later", code(&ended));
    observed("C21", &saw);
    observed("F06", &saw);
}

#[test]
fn each_way_that_a_server_fails_has_its_own_words() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", deaf.local_addr().unwrap());
    drop(deaf);
    let part = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx";
    // What is left unread when a socket closes resets the connection.
    let reset = Web::bare(move |mut stream| {
        stream.read_exact(&mut [0; 64]).unwrap();
        stream.write_all(part).unwrap();
    });
    let half = Web::bare(move |mut stream| {
        stream.read_exact(&mut [0; 16]).unwrap();
        stream.write_all(part).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let garbage = Web::bare(|mut stream| {
        stream.read_exact(&mut [0; 16]).unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let [reset, half, garbage] = [&reset, &half, &garbage].map(|web| web.url("127.0.0.1"));
    let good = Web::answering(|_| closing(&ok("good")));
    let good = good.url("127.0.0.1");
    let mut case = Case::of(granted(&[&nobody, &reset, &half, &garbage, &good]));
    let mut words = Vec::new();
    for (url, word) in
        [(&nobody, "refused"), (&reset, "cut off"), (&half, "cut off"), (&garbage, "no answer in HTTP/1.1")]
    {
        let upload = json!({ "url": url, "method": "POST", "body": "u".repeat(100_000) });
        let failed = case.call("fetch_one", upload);
        assert_failed(&failed, "upstream", "upstream");
        assert!(text(&failed).contains(word), "{}", text(&failed));
        words.push(word);
    }
    assert_eq!(body(&case.call("fetch_one", json!({ "url": good }))), "good");
    case.end();
    observed("F05", format_args!("refused, reset, half-closed, garbage: {}", words.join(", ")));
}
