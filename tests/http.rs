//! Requests of a real guest through the real binary, to servers in this process.
//!
//! Invariant: what the guest could not do is judged by what reached the server, not only by what it was told.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::home::Home;
use crate::support::message::{assert_failed, assert_says, code, text};
use crate::support::requests::{body, granted, home};
use crate::support::server::Era;
use crate::support::web::{Web, closing, ok, redirect};
use crate::support::{SOON, holds_within};

#[test]
fn without_a_grant_nothing_goes_out_and_the_line_that_would_grant_it_is_told() {
    let web = Web::answering(|_| ok("reached"));
    let url = web.url("127.0.0.1");
    let mut case = Case::of(home(&[&url], ""));
    let mut words = Vec::new();
    for url in [url.as_str(), "https://does-not-exist.example"] {
        let refused = case.call("fetch_one", json!({ "url": format!("{url}/path?secret=1") }));
        assert_failed(&refused, "denied", "policy");
        let told = text(&refused);
        assert!(told.contains(&format!("`http = [\"{url}\"]`")) && !told.contains("secret"), "{told}");
        words.push(told.replace(url, "URL"));
    }
    let ended = case.end();
    let line =
        format!("the operator adds `http = [\\\"{url}\\\"]` under [plugins.fetch.grant] in hubcap.toml");
    assert!(ended.stderr.contains(&line), "{line} in {}", ended.stderr);
    assert!(!ended.stderr.contains("secret=1"), "{}", ended.stderr);
    assert_eq!((web.accepted(), &words[0]), (0, &words[1]));
    observed(
        "C38",
        format_args!(
            "requests: {} hosts, there and not, got {} text; {} connections",
            words.len(),
            BTreeSet::from_iter(&words).len(),
            web.accepted()
        ),
    );
}

#[test]
fn what_is_granted_is_answered_and_what_is_only_granted_is_not() {
    let web = Web::answering(|_| ok("hello"));
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    let answer =
        case.call("fetch_one", json!({ "url": format!("{url}/a b?c=d"), "headers": { "x-own": "1" } }));
    assert_eq!(body(&answer), "hello", "{answer:#}");
    assert_eq!(answer["structuredContent"]["type"], "text/plain");
    let expected = format!("GET /a%20b?c=d HTTP/1.1\r\nx-own: 1\r\nhost: 127.0.0.1:{}\r\n\r\n", web.port());
    assert_eq!(web.heard(), [expected]);
    let post = case.call("fetch_upload", json!({ "url": url, "method": "POST", "bytes": 3_000_000 }));
    assert_says(&post, "hello");
    assert_failed(&case.call("fetch_one", json!({ "url": url, "method": "DELETE" })), "denied", "policy");
    let other = format!("http://localhost:{}", web.port());
    assert_failed(&case.call("fetch_one", json!({ "url": other })), "denied", "policy");
    case.end();
    // The address itself has to be granted, too.
    let mut case = Case::of(home(&[&url], &format!("http = [\"{url}\"]")));
    let refused = case.call("fetch_one", json!({ "url": url }));
    assert_failed(&refused, "denied", "policy");
    let ended = case.end();
    assert!(ended.stderr.contains("addresses = [\\\"127.0.0.1\\\"]"), "{}", ended.stderr);
    assert_eq!(web.accepted(), 1);
    // Who does not ask does not get.
    let mut case = Case::of(home(&[], &format!("http = [\"{url}\"]")));
    assert_failed(&case.call("fetch_one", json!({ "url": url })), "denied", "policy");
    case.end();
}

#[test]
fn a_second_call_to_an_origin_pays_no_handshake() {
    let (web, pem) = Web::secure("localhost", |peer| peer.answer_all(&|_: &str| ok("secret")));
    let url = web.url("localhost");
    let grant =
        format!("http = [{{ url = \"{url}\", ca = \"ca.pem\", addresses = [\"127.0.0.1\", \"::1\"] }}]");
    let home = home(&[&url], &grant);
    std::fs::write(home.path().join("ca.pem"), pem).unwrap();
    let mut case = Case::of(home);
    for _ in 0..5 {
        let answer = case.call("fetch_one", json!({ "url": url }));
        assert_eq!(body(&answer), "secret", "{answer:#}");
    }
    assert_eq!(web.accepted(), 1);
    case.end();
    let mut case = Case::of(granted(&[&url]));
    let refused = case.call("fetch_one", json!({ "url": url }));
    assert_failed(&refused, "upstream", "upstream");
    assert!(text(&refused).contains("TLS: its certificate is not trusted"), "{}", text(&refused));
    case.end();
}

#[test]
fn redirects_are_asked_about_one_by_one_and_what_proves_an_identity_stays_at_home() {
    let other = Web::answering(|_| closing(&ok("there")));
    let there = other.url("127.0.0.1");
    let target = there.clone();
    let web = Web::answering(move |head| {
        closing(&match head.split(' ').nth(1) {
            Some("/away") => redirect(302, &format!("{target}/landed")),
            Some("/denied") => redirect(301, "http://169.254.169.254/latest/meta-data"),
            Some("/file") => redirect(302, "file:///etc/passwd"),
            Some("/loop") => redirect(307, "/loop"),
            Some("/post") => redirect(303, "/got"),
            _ => ok("here"),
        })
    });
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url, &there]));
    let secret = json!({ "authorization": "Bearer canary", "x-harmless": "1" });
    let answer = case.call("fetch_one", json!({ "url": format!("{url}/away"), "headers": secret }));
    assert_eq!(
        (body(&answer), &answer["structuredContent"]["url"]),
        (&json!("there"), &json!(format!("{there}/landed")))
    );
    let heard = other.heard().concat();
    assert!(heard.contains("x-harmless") && !heard.contains("canary"), "{heard}");
    let answer =
        case.call("fetch_one", json!({ "url": format!("{url}/post"), "method": "POST", "body": "x" }));
    assert_eq!(body(&answer), "here");
    assert!(web.heard().iter().any(|head| head.starts_with("GET /got ")), "{:?}", web.heard());
    let denied = case.call("fetch_one", json!({ "url": format!("{url}/denied") }));
    assert_failed(&denied, "denied", "policy");
    assert!(text(&denied).contains("http://169.254.169.254"), "{}", text(&denied));
    for (path, told) in [("file", "no URL of HTTP"), ("loop", "redirects once more after 5 times")] {
        let failed = case.call("fetch_one", json!({ "url": format!("{url}/{path}") }));
        assert_failed(&failed, "upstream", "upstream");
        assert!(text(&failed).contains(told), "{}", text(&failed));
    }
    assert_eq!(web.heard().iter().filter(|head| head.starts_with("GET /loop ")).count(), 6);
    case.end();
}

#[test]
fn a_guest_cannot_smuggle_anything_past_the_host() {
    let web = Web::answering(|_| ok(""));
    let url = web.url("127.0.0.1");
    let authority = format!("127.0.0.1:{}", web.port());
    let mut case = Case::of(granted(&[&url]));
    let mut told = |parts: Value| {
        let mut request = json!({ "authority": authority, "path": "/" });
        request.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        text(&case.call("fetch_bad", request)).to_owned()
    };
    let bad = [
        (json!({ "headers": { "host": "evil.example" } }), "Forbidden"),
        (json!({ "headers": { "connection": "upgrade" } }), "Forbidden"),
        (json!({ "headers": { "upgrade": "websocket" } }), "Forbidden"),
        (json!({ "headers": { "transfer-encoding": "chunked" } }), "Forbidden"),
        (json!({ "headers": { "cookie": "a=b" } }), "Forbidden"),
        (json!({ "headers": { "x-forwarded-for": "1.2.3.4" } }), "Forbidden"),
        (json!({ "headers": { "proxy-authorization": "x" } }), "Forbidden"),
        (json!({ "headers": { "x": "a\r\nhost: evil.example" } }), "InvalidSyntax"),
        (json!({ "headers": { "x\r\ny": "a" } }), "InvalidSyntax"),
        (json!({ "headers": { "content-length": "+5" } }), "InvalidSyntax"),
        (json!({ "headers": { "content-length": "5" } }), "HttpRequestBodySize"),
        (json!({ "path": "http://evil.example/" }), "path"),
        (json!({ "path": "*" }), "path"),
        (json!({ "path": "//evil.example/" }), "HttpRequestUriInvalid"),
        (json!({ "path": "/ HTTP/1.1\r\nhost: evil\r\n\r\n" }), "path"),
        (json!({ "authority": format!("me@{authority}") }), "HttpRequestUriInvalid"),
        (json!({ "authority": "127.0.0.1:0" }), "HttpRequestUriInvalid"),
        (json!({ "authority": "[::1" }), "authority"),
        (json!({ "method": "CONNECT" }), "HttpRequestMethodInvalid"),
        (json!({ "method": "TRACE" }), "HttpRequestMethodInvalid"),
        (json!({ "method": "M".repeat(1 << 20) }), "HttpRequestDenied"),
        (json!({ "method": "GET / HTTP/1.1\r\n" }), "method"),
    ];
    let mut all = Vec::new();
    for (parts, expected) in &bad {
        let shown: String = parts.to_string().chars().take(100).collect();
        let told = told(parts.clone());
        assert!(told.contains(expected), "{shown}: {told}");
        all.push(told);
    }
    let reached = web.accepted();
    assert_eq!(reached, 0);
    // The same guest with nothing bad in it: the clamped times are all that is left of its options.
    let good = told(json!({}));
    assert_eq!(good, "200");
    case.end();
    let refused = |part: &str| {
        let count = bad.iter().filter(|(parts, _)| parts.get(part).is_some()).count();
        format!("{count} bad ones refused, {reached} connections")
    };
    observed("A33", format_args!("headers: {}", refused("headers")));
    observed("A34", format_args!("times of 0 and 2^64-1 ns in a request: {good}"));
    observed("C16", format_args!("authorities: {}", refused("authority")));
    observed("C17", format_args!("paths: {}", refused("path")));
    observed("C18", format_args!("methods: {}; the header upgrade: {}", refused("method"), all[2]));
    observed("C19", format_args!("the header host: {}, {reached} connections", all[0]));
}

#[test]
fn headers_beyond_the_bound_end_the_call_and_not_the_host() {
    let web = Web::answering(|_| ok(""));
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    let many: serde_json::Map<_, _> = (0..2_000).map(|n| (format!("x-{n}"), json!("v"))).collect();
    let mut codes = Vec::new();
    for headers in [json!({ "x": "v".repeat(1 << 20) }), json!(many)] {
        let refused = case.call("fetch_bad", json!({ "authority": "a", "path": "/", "headers": headers }));
        assert_failed(&refused, "limit", "plugin");
        codes.push(code(&refused).to_owned());
    }
    let fits = json!({ "url": url, "headers": { "x": "v".repeat(60 << 10) } });
    assert_eq!(code(&case.call("fetch_one", fits)), "");
    case.assert_alive();
    case.end();
    observed("A33", format_args!("a header of 1 MiB and {} headers: {}", many.len(), codes.join(", ")));
}

#[test]
fn a_flood_of_requests_reaches_the_server_in_sixes_and_sixty_fours() {
    let web = Web::answering(|_| {
        thread::sleep(Duration::from_millis(20));
        closing(&ok(""))
    });
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    assert_says(
        &case.call("fetch_several", json!({ "url": url, "count": 6 })),
        "[200, 200, 200, 200, 200, 200]",
    );
    let authority = format!("127.0.0.1:{}", web.port());
    let flood = json!({ "authority": authority, "path": "/", "count": 100_000 });
    let ended = case.call("fetch_flood", flood);
    assert!(text(&ended).contains("6 answered, 94 limited") || code(&ended) == "fuel", "{ended:#}");
    let (sent, sockets) = (web.heard().len() - 6, web.accepted());
    assert!(sent <= 64, "{sent}");
    assert!(sockets <= 12, "{sockets}");
    case.assert_alive();
    case.end();
    let end = if code(&ended).is_empty() { text(&ended) } else { code(&ended) };
    observed("A31", format_args!("of 100000 requests {sent} were sent, over {} sockets: {end}", sockets - 6));
}

#[test]
fn what_a_body_ends_with_is_told_in_words() {
    let web = Web::answering(|head| match head.split(' ').nth(1) {
        Some("/endless") => {
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}",
                9 << 20,
                "x".repeat(9 << 20)
            )
        }
        _ => "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nx".to_owned(),
    });
    let short = Web::start(|peer| {
        peer.head();
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx");
    });
    let (url, cut) = (web.url("127.0.0.1"), short.url("127.0.0.1"));
    let mut case = Case::of(granted(&[&url, &cut]));
    let endless = case.call("fetch_one", json!({ "url": format!("{url}/endless") }));
    assert_failed(&endless, "limit", "plugin");
    assert!(text(&endless).contains("more than 8 MiB"), "{}", text(&endless));
    let cut = case.call("fetch_one", json!({ "url": cut }));
    assert_failed(&cut, "upstream", "upstream");
    assert!(text(&cut).contains("cut off: the answer ended too early"), "{}", text(&cut));
    let late = case.call("fetch_one", json!({ "url": format!("{url}/late"), "timeout-ms": 150 }));
    assert!(text(&late).contains("timed out: it took longer than the plugin waits"), "{}", text(&late));
    case.end();
    let saw = format!("a chunk of 9 MiB: {}; 9 bytes announced and 1 sent: {}", code(&endless), code(&cut));
    observed("C21", &saw);
    observed("F06", &saw);
}

#[test]
fn the_end_of_a_call_closes_its_sockets() {
    let web = Web::stalling();
    let url = web.url("127.0.0.1");
    let home = granted(&[&url]);
    let mut server = home.serve();
    let cancelled = server.send_running_call("fetch_hold", json!({ "url": url }));
    assert_eq!((web.accepted(), web.over()), (1, 0));
    let start = Instant::now();
    server.cancel(&cancelled);
    web.until_over(1);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    server.end();
    let config = std::fs::read_to_string(home.path().join("hubcap.toml")).unwrap();
    let mut case = Case::of(home.config(&format!("{config}[plugins.fetch.budget]\ndeadline = \"2s\"\n")));
    let ended = case.call("fetch_hold", json!({ "url": url }));
    assert_failed(&ended, "deadline", "plugin");
    let start = Instant::now();
    web.until_over(2);
    let closed = start.elapsed();
    assert!(closed < Duration::from_secs(1), "{closed:?}");
    case.assert_alive();
    case.end();
    observed("A32", format_args!("an unread answer: {}, socket closed {closed:.0?} later", code(&ended)));
}

#[test]
fn a_guest_that_crashes_while_it_sends_leaves_no_whole_request_behind() {
    let web = Web::start(|peer| {
        if peer.head().is_some() {
            let rest = String::from_utf8(peer.rest()).unwrap();
            peer.keep(&format!("rest: {rest}"));
        }
    });
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    let authority = format!("127.0.0.1:{}", web.port());
    let crashed = case.call("fetch_crash", json!({ "authority": authority, "path": "/" }));
    assert_failed(&crashed, "trap", "plugin");
    assert!(holds_within(SOON, || web.heard().len() == 2), "{:?}", web.heard());
    let heard = web.heard();
    assert!(heard[0].contains("transfer-encoding: chunked"), "{heard:?}");
    assert_eq!(heard[1], "rest: 4\r\npart\r\n");
    case.end();
    observed(
        "A32",
        format_args!("a crash while sending: {}, the server got {:?}", code(&crashed), &heard[1][6..]),
    );
}

#[test]
fn a_proxy_in_the_environment_is_not_asked() {
    let proxy = Web::answering(|_| ok("proxy"));
    let web = Web::answering(|_| ok("direct"));
    let url = web.url("127.0.0.1");
    let home = granted(&[&url]);
    let mut command = home.command(&["serve"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, proxy.url("127.0.0.1"));
    }
    let mut server = home.serve_as(&mut command, Era::Legacy("2025-11-25"));
    assert_eq!(body(&server.call("fetch_one", json!({ "url": url }))), "direct");
    server.end();
    assert_eq!(proxy.accepted(), 0);
    observed(
        "C23",
        format_args!("6 proxy variables: {} direct, {} through the proxy", web.accepted(), proxy.accepted()),
    );
}

#[test]
fn only_who_sends_requests_imports_them() {
    let imports = |name: &str| {
        let inspected = Home::new().guest(name).run(&["plugin", "inspect", name, "--json"]);
        let inspected: Value = serde_json::from_str(&inspected.stdout).expect(&inspected.stderr);
        inspected["imports"].to_string()
    };
    assert!(imports("requests").contains("wasi:http/outgoing-handler"), "{}", imports("requests"));
    assert!(
        imports("echo").contains("wasi:io") && !imports("echo").contains("wasi:http"),
        "{}",
        imports("echo")
    );
}
