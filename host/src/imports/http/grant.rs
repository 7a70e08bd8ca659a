//! What of the network a plugin may reach: requests against grants, addresses against a grant.
//!
//! Invariant: without a grant that names scheme, host, port and method nothing is resolved and nothing is
//! connected to; an address that is not of the internet needs to be named itself.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::Method;
use url::Host;

use super::address;
use super::dial::MAX_ADDRESSES;
use super::origin::{Origin, Scheme};

/// One origin that the operator granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpGrant {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// In upper case.
    pub(crate) methods: Vec<String>,
    /// An authority beside the machine's own.
    pub(crate) ca: Option<PathBuf>,
    /// Addresses that may be connected to although they are not of the internet.
    pub(crate) addresses: Vec<IpAddr>,
}

impl HttpGrant {
    /// Whether it grants this request.
    pub(super) fn covers(&self, origin: &Origin, method: &Method) -> bool {
        self.scheme == origin.scheme
            && self.host == origin.host
            && self.port == origin.port
            && self.methods.iter().any(|granted| granted == method.as_str())
    }

    /// The addresses that may be connected to; where there are none, those that were dropped, with what
    /// they are.
    pub(super) fn vet(&self, found: &[IpAddr], port: u16) -> Result<Vec<SocketAddr>, Vec<Dropped>> {
        let (mut vetted, mut dropped) = (Vec::new(), Vec::new());
        for address in found {
            match address::special(*address) {
                Some(what) if !self.addresses.contains(address) => dropped.push((*address, what)),
                _ => vetted.push(SocketAddr::new(*address, port)),
            }
            if vetted.len() == MAX_ADDRESSES {
                break;
            }
        }
        if vetted.is_empty() { Err(dropped) } else { Ok(vetted) }
    }
}

/// An address that was dropped, and what it is.
pub(super) type Dropped = (IpAddr, &'static str);

/// Methods that no grant can name: they turn a request into a tunnel or an echo.
pub(super) fn is_forbidden(method: &Method) -> bool {
    *method == Method::CONNECT || *method == Method::TRACE
}

/// For the log: what was denied, and the line that would grant it.
pub(super) fn denied(plugin: &str, origin: &Origin, method: &Method) -> String {
    let (method, cut) = short(method);
    let line = match method {
        "GET" => format!("http = [\"{origin}\"]"),
        _ => format!("http = [{{ url = \"{origin}\", methods = [\"{method}\"] }}]"),
    };
    format!(
        "denied: {method}{cut} {origin} is not granted; the operator adds `{line}` under [plugins.{plugin}.grant] in hubcap.toml"
    )
}

/// A method has only letters, digits and marks, but a guest can make it as long as it likes.
fn short(method: &Method) -> (&str, &'static str) {
    let text = method.as_str();
    text.get(..20).map_or((text, ""), |start| (start, "…"))
}

/// For the log: the addresses of a granted host that were dropped, and the line that would grant them.
pub(super) fn prohibited(plugin: &str, origin: &Origin, dropped: &[Dropped]) -> String {
    let shown = dropped.iter().take(4);
    let named: Vec<String> = shown.clone().map(|(address, what)| format!("{address} ({what})")).collect();
    let line: Vec<String> = shown.map(|(address, _)| format!("\"{address}\"")).collect();
    format!(
        "denied: {origin} leads to {}, which is not an address of the internet; the operator adds `addresses = [{}]` to its http grant under [plugins.{plugin}.grant] in hubcap.toml",
        named.join(", "),
        line.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use http::Method;
    use url::Host;

    use super::{HttpGrant, MAX_ADDRESSES, Origin, Scheme, denied, is_forbidden, prohibited};

    fn grant(addresses: &[&str]) -> HttpGrant {
        HttpGrant {
            scheme: Scheme::Https,
            host: Host::Domain("api.example.com".to_owned()),
            port: 443,
            methods: vec!["GET".to_owned(), "PURGE".to_owned()],
            ca: None,
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    fn origin(scheme: Scheme, host: &str, port: u16) -> Origin {
        Origin { scheme, host: Host::Domain(host.to_owned()), port }
    }

    #[test]
    fn a_grant_covers_its_scheme_host_port_and_methods_and_nothing_else() {
        let home = origin(Scheme::Https, "api.example.com", 443);
        let purge = Method::from_bytes(b"PURGE").unwrap();
        assert!(grant(&[]).covers(&home, &Method::GET) && grant(&[]).covers(&home, &purge));
        for method in [Method::POST, Method::HEAD, Method::from_bytes(b"get").unwrap()] {
            assert!(!grant(&[]).covers(&home, &method), "{method}");
        }
        for other in [
            origin(Scheme::Http, "api.example.com", 443),
            origin(Scheme::Https, "api.example.com", 8443),
            origin(Scheme::Https, "example.com", 443),
            origin(Scheme::Https, "x.api.example.com", 443),
        ] {
            assert!(!grant(&[]).covers(&other, &Method::GET), "{other}");
        }
        assert!(is_forbidden(&Method::CONNECT) && is_forbidden(&Method::TRACE) && !is_forbidden(&purge));
    }

    #[test]
    fn private_answers_are_dropped_unless_that_very_address_is_granted() {
        let answers = ["10.0.0.5", "93.184.215.14", "::ffff:10.0.0.5", "10.0.0.6"];
        let answers: Vec<IpAddr> = answers.iter().map(|address| address.parse().unwrap()).collect();
        let vetted = |granted: &[&str]| -> Vec<String> {
            grant(granted).vet(&answers, 8443).unwrap().iter().map(SocketAddr::to_string).collect()
        };
        assert_eq!(vetted(&[]), ["93.184.215.14:8443"]);
        assert_eq!(vetted(&["10.0.0.5"]), ["10.0.0.5:8443", "93.184.215.14:8443"]);
        let dropped = grant(&["10.0.0.9"]).vet(&answers[2..], 443).unwrap_err();
        assert_eq!(dropped, [(answers[2], "IPv4-mapped"), (answers[3], "private")]);
        assert_eq!(grant(&[]).vet(&[], 443), Err(vec![]));
    }

    #[test]
    fn of_ten_thousand_answers_eight_are_kept() {
        let answers: Vec<IpAddr> =
            (0..10_000u32).map(|n| IpAddr::from((0x0101_0000 + n).to_be_bytes())).collect();
        assert_eq!(grant(&[]).vet(&answers, 443).unwrap().len(), MAX_ADDRESSES);
    }

    #[test]
    fn what_is_denied_is_told_with_the_line_that_grants_it() {
        let home = origin(Scheme::Https, "api.example.com", 8443);
        assert_eq!(
            denied("github", &home, &Method::GET),
            "denied: GET https://api.example.com:8443 is not granted; the operator adds `http = [\"https://api.example.com:8443\"]` under [plugins.github.grant] in hubcap.toml"
        );
        let long = Method::from_bytes(&[b'X'; 10_000]).unwrap();
        let told = denied("github", &home, &long);
        assert!(told.contains(&format!("methods = [\"{}\"]", "X".repeat(20))) && told.len() < 300, "{told}");
        let dropped = [("10.0.0.5".parse().unwrap(), "private")];
        let told = prohibited("github", &home, &dropped);
        assert!(
            told.contains("leads to 10.0.0.5 (private)") && told.contains("`addresses = [\"10.0.0.5\"]`"),
            "{told}"
        );
    }
}
