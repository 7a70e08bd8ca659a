//! What of the network a plugin may reach: requests against grants, addresses against a grant.
//!
//! Invariant: without a grant that names scheme, host, port and method nothing is resolved and nothing is
//! connected to; an address that is not of the internet needs to be named itself.

use std::net::{IpAddr, SocketAddr};

use http::Method;
use url::Host;

use super::address;
use super::dial::MAX_ADDRESSES;
use super::target::Target;
use crate::origin::Origin;
use crate::policy::HttpGrant;

/// Whether a grant covers a request.
pub(super) fn covers(grant: &HttpGrant, target: &Target, method: &Method) -> bool {
    is_at(&grant.origin, target) && grant.methods.iter().any(|granted| granted.as_str() == method.as_str())
}

/// Whether an origin is that of a request. Where it means every host it means names: an address is only
/// meant where it is written.
fn is_at(origin: &Origin, target: &Target) -> bool {
    let host = match &origin.host {
        Some(host) => *host == target.host,
        None => matches!(target.host, Host::Domain(_)),
    };
    host && origin.scheme == target.scheme && origin.port == target.port
}

/// The addresses that may be connected to; where there are none, those that were dropped, with what they
/// are.
pub(super) fn vet(grant: &HttpGrant, found: &[IpAddr], port: u16) -> Result<Vec<SocketAddr>, Vec<Dropped>> {
    let (mut vetted, mut dropped) = (Vec::new(), Vec::new());
    for address in found {
        match address::special(*address) {
            Some(what) if !grant.addresses.contains(address) => dropped.push((*address, what)),
            _ => vetted.push(SocketAddr::new(*address, port)),
        }
        if vetted.len() == MAX_ADDRESSES {
            break;
        }
    }
    if vetted.is_empty() { Err(dropped) } else { Ok(vetted) }
}

/// An address that was dropped, and what it is.
pub(super) type Dropped = (IpAddr, &'static str);

/// Methods that are never sent: they turn a request into a tunnel or an echo.
pub(super) fn is_forbidden(method: &Method) -> bool {
    *method == Method::CONNECT || *method == Method::TRACE
}

/// For the log: what was denied, and the line that would grant it.
pub(super) fn denied(plugin: &str, target: &Target, method: &str) -> String {
    let (method, cut) = short(method);
    let line = match method {
        "GET" => format!("http = [\"{target}\"]"),
        _ => format!("http = [{{ url = \"{target}\", methods = [\"{method}\"] }}]"),
    };
    format!(
        "denied: {method}{cut} {target} is not granted; the operator adds `{line}` under [plugins.{plugin}.grant] in hubcap.toml"
    )
}

/// A method has only letters, digits and marks, but a guest can make it as long as it likes.
fn short(method: &str) -> (&str, &'static str) {
    method.get(..20).map_or((method, ""), |start| (start, "…"))
}

/// For the log: the addresses of a granted host that were dropped, and the line that would grant them.
pub(super) fn prohibited(plugin: &str, target: &Target, dropped: &[Dropped]) -> String {
    let shown = dropped.iter().take(4);
    let named: Vec<String> = shown.clone().map(|(address, what)| format!("{address} ({what})")).collect();
    let line: Vec<String> = shown.map(|(address, _)| format!("\"{address}\"")).collect();
    format!(
        "denied: {target} leads to {}, which is not an address of the internet; the operator adds `addresses = [{}]` to its http grant under [plugins.{plugin}.grant] in hubcap.toml",
        named.join(", "),
        line.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use http::Method;

    use super::{HttpGrant, MAX_ADDRESSES, Origin, Target, covers, denied, is_forbidden, prohibited, vet};

    const URL: &str = "https://api.example.com";

    fn grant(url: &str, addresses: &[&str]) -> HttpGrant {
        HttpGrant {
            origin: Origin::parse(url).unwrap(),
            methods: ["GET", "POST"].map(|method| serde_json::from_value(method.into()).unwrap()).into(),
            ca: None,
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    fn target(url: &str) -> Target {
        Target::of(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_grant_covers_its_scheme_host_port_and_methods_and_nothing_else() {
        let granted = grant("https://api.example.com", &[]);
        let home = target("https://api.example.com");
        assert!(covers(&granted, &home, &Method::GET) && covers(&granted, &home, &Method::POST));
        for method in [Method::PUT, Method::HEAD, Method::from_bytes(b"get").unwrap()] {
            assert!(!covers(&granted, &home, &method), "{method}");
        }
        for other in [
            "http://api.example.com:443",
            "https://api.example.com:8443",
            "https://example.com",
            "https://x.api.example.com",
        ] {
            assert!(!covers(&granted, &target(other), &Method::GET), "{other}");
        }
        assert!(is_forbidden(&Method::CONNECT) && is_forbidden(&Method::TRACE));
        assert!(!is_forbidden(&Method::GET));
    }

    #[test]
    fn a_grant_of_every_host_covers_names_and_no_addresses() {
        let broad = grant("https://*", &["10.0.0.5"]);
        assert!(covers(&broad, &target("https://any.example"), &Method::GET));
        for other in ["https://10.0.0.5", "https://8.8.8.8", "https://[2606:4700::1]", "http://any.example"] {
            assert!(!covers(&broad, &target(other), &Method::GET), "{other}");
        }
        assert!(covers(&grant("https://8.8.8.8", &[]), &target("https://8.8.8.8"), &Method::GET));
    }

    #[test]
    fn private_answers_are_dropped_unless_that_very_address_is_granted() {
        let answers = ["10.0.0.5", "93.184.215.14", "::ffff:10.0.0.5", "10.0.0.6"];
        let answers: Vec<IpAddr> = answers.iter().map(|address| address.parse().unwrap()).collect();
        let vetted = |granted: &[&str]| -> Vec<String> {
            vet(&grant(URL, granted), &answers, 8443).unwrap().iter().map(SocketAddr::to_string).collect()
        };
        assert_eq!(vetted(&[]), ["93.184.215.14:8443"]);
        assert_eq!(vetted(&["10.0.0.5"]), ["10.0.0.5:8443", "93.184.215.14:8443"]);
        let dropped = vet(&grant(URL, &["10.0.0.9"]), &answers[2..], 443).unwrap_err();
        assert_eq!(dropped, [(answers[2], "IPv4-mapped"), (answers[3], "private")]);
        assert_eq!(vet(&grant(URL, &[]), &[], 443), Err(vec![]));
    }

    #[test]
    fn of_ten_thousand_answers_eight_are_kept() {
        let answers: Vec<IpAddr> =
            (0..10_000u32).map(|n| IpAddr::from((0x0101_0000 + n).to_be_bytes())).collect();
        assert_eq!(vet(&grant(URL, &[]), &answers, 443).unwrap().len(), MAX_ADDRESSES);
    }

    #[test]
    fn what_is_denied_is_told_with_the_line_that_grants_it() {
        let home = target("https://api.example.com:8443");
        assert_eq!(
            denied("github", &home, "GET"),
            "denied: GET https://api.example.com:8443 is not granted; the operator adds `http = [\"https://api.example.com:8443\"]` under [plugins.github.grant] in hubcap.toml"
        );
        let told = denied("github", &home, &"X".repeat(10_000));
        assert!(told.contains(&format!("methods = [\"{}\"]", "X".repeat(20))) && told.len() < 300, "{told}");
        let dropped = [("10.0.0.5".parse().unwrap(), "private")];
        let told = prohibited("github", &home, &dropped);
        assert!(
            told.contains("leads to 10.0.0.5 (private)") && told.contains("`addresses = [\"10.0.0.5\"]`"),
            "{told}"
        );
    }
}
