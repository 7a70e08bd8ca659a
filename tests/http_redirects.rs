//! Redirects of all kinds, to wherever a server may send a plugin.
//!
//! Invariant: what is not granted has a server of its own there, which counts who comes.

use serde_json::{Value, json};

use crate::support::case::Case;
use crate::support::cases::observed;
use crate::support::message::{assert_failed, code, text};
use crate::support::requests::{body, granted, home};
use crate::support::web::{Web, closing, ok, redirect};

const KINDS: [u16; 5] = [301, 302, 303, 307, 308];

/// A server that redirects `/<status>/<rest>` to the URL in the header `x-to`, whatever the method.
fn redirecting() -> impl Fn(&str) -> String + Send + Sync + 'static {
    |head| {
        let status = head.split(['/', ' ']).find_map(|part| part.parse().ok()).filter(|s| KINDS.contains(s));
        let to = head.lines().find_map(|line| line.strip_prefix("x-to: "));
        closing(&match (status, to) {
            (Some(status), Some(to)) => redirect(status, to),
            _ => ok("here"),
        })
    }
}

/// Sends a guest to where a redirect of this kind leads.
fn follow(case: &mut Case, url: &str, kind: u16, to: &str) -> Value {
    let headers = json!({ "x-to": to, "authorization": "Bearer canary" });
    let request =
        json!({ "url": format!("{url}/{kind}"), "method": "POST", "body": "x", "headers": headers });
    case.call("fetch_one", request)
}

#[test]
fn no_redirect_leads_to_what_is_not_granted() {
    let canary = Web::answering(|_| ok("reached"));
    let web = Web::answering(redirecting());
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    let denied = [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        canary.url("127.0.0.1"),
        canary.url("localhost"),
        url.replace("http://", "https://"),
        url.replace("127.0.0.1", "localhost"),
        url.replace("http://", "//").replace(&web.port().to_string(), &canary.port().to_string()),
    ];
    for (kind, to) in KINDS.iter().flat_map(|kind| denied.iter().map(move |to| (*kind, to))) {
        assert_failed(&follow(&mut case, &url, kind, to), "denied", "policy");
    }
    let others = ["file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x", "ftp://127.0.0.1/"];
    for (kind, to) in KINDS.iter().flat_map(|kind| others.map(|to| (*kind, to))) {
        let failed = follow(&mut case, &url, kind, to);
        assert_failed(&failed, "upstream", "upstream");
        assert!(text(&failed).contains("no URL of HTTP"), "{}", text(&failed));
    }
    assert_eq!(canary.accepted(), 0);
    let (hops, refused) = (web.heard().len(), KINDS.len() * (denied.len() + others.len()));
    assert_eq!(hops, refused, "only the first hops went out");
    case.end();
    observed(
        "C15",
        format_args!(
            "{refused} redirects of {} kinds refused, {} canary connections",
            KINDS.len(),
            canary.accepted()
        ),
    );
}

#[test]
fn a_redirect_from_tls_to_plain_text_needs_a_grant_of_its_own() {
    let plain = Web::answering(|_| ok("reached"));
    let to = plain.url("localhost");
    let (web, pem) = Web::secure("localhost", move |peer| peer.answer_all(&|_: &str| redirect(307, &to)));
    let url = web.url("localhost");
    let here = "addresses = [\"127.0.0.1\", \"::1\"]";
    let home = home(&[&url], &format!("http = [{{ url = \"{url}\", ca = \"ca.pem\", {here} }}]"));
    std::fs::write(home.path().join("ca.pem"), pem).unwrap();
    let mut case = Case::of(home);
    let refused = case.call("fetch_one", json!({ "url": url }));
    assert_failed(&refused, "denied", "policy");
    assert_eq!((web.heard().len(), plain.accepted()), (1, 0));
    case.end();
    observed(
        "C15",
        format_args!("https to http: {}, {} plain connections", code(&refused), plain.accepted()),
    );
}

#[test]
fn what_proves_an_identity_goes_to_no_other_origin() {
    let other = Web::answering(|_| closing(&ok("there")));
    let web = Web::answering(redirecting());
    let (url, there) = (web.url("127.0.0.1"), other.url("127.0.0.1"));
    let mut case = Case::of(granted(&[&url, &there]));
    for kind in KINDS {
        let answer = follow(&mut case, &url, kind, &there);
        assert_eq!(body(&answer), "there", "{answer:#}");
    }
    let heard = other.heard();
    assert_eq!(heard.len(), KINDS.len());
    assert!(heard.iter().all(|head| head.contains("x-to: ")), "{heard:?}");
    let told = heard.iter().filter(|head| head.contains("canary") || head.contains("authorization")).count();
    assert_eq!(told, 0, "{heard:?}");
    // 307 and 308 bring method and body along, the others make it a GET.
    let posts = heard.iter().filter(|head| head.starts_with("POST ")).count();
    assert_eq!(posts, 2, "{heard:?}");
    assert!(web.heard().iter().all(|head| head.contains("authorization: Bearer canary")));
    case.end();
    observed(
        "C15",
        format_args!("{} followed to another granted origin, {told} with the identity", heard.len()),
    );
}

#[test]
fn a_loop_of_redirects_ends_after_five() {
    let web = Web::answering(|_| redirect(302, "/again"));
    let url = web.url("127.0.0.1");
    let mut case = Case::of(granted(&[&url]));
    let failed = case.call("fetch_one", json!({ "url": url }));
    assert_failed(&failed, "upstream", "upstream");
    assert!(text(&failed).contains("redirects once more after 5 times"), "{}", text(&failed));
    let sent = web.heard().len();
    assert_eq!(sent, 6);
    case.end();
    observed("C15", format_args!("an endless loop ended after {sent} requests"));
}
