//! Where a request goes: scheme, host and port in one canonical form.
//!
//! Invariant: what is compared with the grants is what is resolved, connected to, verified by TLS and sent
//! as `host`. The text that the guest wrote is read once, here, and used nowhere else.

use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;
use url::Host;

use crate::origin::{Origin, Scheme};

/// Scheme, host and port of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) scheme: Scheme,
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Target {
    /// Where the URI points; nothing where it has another scheme, a user name, or no host and port that
    /// can be.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = match uri.scheme_str()? {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return None,
        };
        let (host, port) = split(uri.authority()?.as_str())?;
        let port = match port {
            None => own_port(scheme),
            Some(digits) => port_of(digits)?,
        };
        Some(Self { scheme, host: canonical(host)?, port })
    }

    /// The same as grants write it.
    pub(crate) fn origin(&self) -> Origin {
        Origin { scheme: self.scheme, host: Some(self.host.clone()), port: self.port }
    }

    /// The value of the header `host`.
    pub(crate) fn authority(&self) -> String {
        if self.port == own_port(self.scheme) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

fn own_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
    }
}

/// Host and port as they are written. An `@` is in neither: whatever stands before one is a user name.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.contains(['@', '%', '\\', '/', '?', '#']) {
        return None;
    }
    let after_literal = authority.find(']').map_or(0, |end| end + 1);
    match authority[after_literal..].find(':') {
        None => Some((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at(after_literal + colon);
            Some((host, Some(&port[1..])))
        }
    }
}

fn port_of(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port != 0)
}

/// The one form of a host: lower case, punycode, addresses in their usual notation, no dot at the end.
fn canonical(host: &str) -> Option<Host<String>> {
    match Host::parse(host).ok()? {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            // In a grant `*` is any host: what the log offers for one of that name would open all of them.
            let fits = !name.is_empty() && name.len() <= 253 && !name.ends_with('.') && !name.contains('*');
            fits.then(|| Host::Domain(name.to_owned()))
        }
        address => Some(address),
    }
}

/// The path as it goes out; nothing where it could be read as another host or as no path.
pub(crate) fn path(uri: &Uri) -> Option<PathAndQuery> {
    match uri.path_and_query().map_or("", PathAndQuery::as_str) {
        "" => Some(PathAndQuery::from_static("/")),
        query if query.starts_with('?') => PathAndQuery::try_from(format!("/{query}")).ok(),
        path if path.starts_with('/') && !path.starts_with("//") => uri.path_and_query().cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Uri;
    use url::Host;

    use super::{Target, canonical, path, split};
    use crate::observed::observed;

    fn target(scheme: &str, authority: &str) -> Option<String> {
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()?;
        Target::of(&uri).map(|target| target.to_string())
    }

    #[test]
    fn ways_to_write_one_host_have_one_form() {
        for (written, meant) in [
            ("granted.com", "https://granted.com"),
            ("GRANTED.com", "https://granted.com"),
            ("granted.com.", "https://granted.com"),
            ("granted.com:443", "https://granted.com"),
            ("granted.com:00443", "https://granted.com"),
            ("granted.com:8443", "https://granted.com:8443"),
            ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
            ("[::1]:8443", "https://[::1]:8443"),
            ("[0:0::1]", "https://[::1]"),
        ] {
            assert_eq!(target("https", written).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(target("http", "granted.com:80").as_deref(), Some("http://granted.com"));
        assert_eq!(target("http", "granted.com:443").as_deref(), Some("http://granted.com:443"));
        assert_eq!(canonical("bücher.example"), Some(Host::Domain("xn--bcher-kva.example".into())));
    }

    #[test]
    fn every_way_to_write_an_address_is_that_address() {
        let forms = ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0x7f000001", "127.0.0.1."];
        for written in forms {
            assert_eq!(target("https", written).as_deref(), Some("https://127.0.0.1"), "{written}");
        }
        for (written, meant) in [
            ("0", "https://0.0.0.0"),
            ("0.0.0.0", "https://0.0.0.0"),
            ("[::]", "https://[::]"),
            ("[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]"),
            ("[64:ff9b::7f00:1]", "https://[64:ff9b::7f00:1]"),
        ] {
            assert_eq!(target("https", written).as_deref(), Some(meant), "{written}");
        }
        let one = target("https", forms[3]).unwrap();
        observed("C13", format_args!("{} ways to write an address are one: {one}", forms.len()));
    }

    #[test]
    fn what_is_no_host_or_hides_another_is_refused() {
        let tricks = [
            "granted.com@127.0.0.1",
            "granted.com:80@evil.com",
            "user:pass@granted.com",
            "@granted.com",
            "granted%2ecom",
            "granted.com%00",
            "granted.com:0",
            "granted.com:99999",
            "granted.com:",
            "granted.com:+80",
            "granted.com:80:80",
            "granted.com..",
            ".",
            "[::1",
            "[fe80::1%lo]",
            "1.2.3.4.5",
            "256.256.256.256",
            "granted.com\\evil.com",
            "*",
            "*.granted.com",
        ];
        for written in tricks {
            assert_eq!(target("https", written), None, "{written}");
            let host = split(written).filter(|(_, port)| port.is_none()).map(|(host, _)| host);
            assert_eq!(host.and_then(canonical), None, "{written}");
        }
        assert_eq!(canonical("granted.com\0"), None);
        assert_eq!(canonical(""), None);
        assert_eq!(canonical(&format!("{}.com", "a.".repeat(125))), None);
        for scheme in ["ftp", "file", "ws", "httpss"] {
            assert_eq!(target(scheme, "granted.com"), None, "{scheme}");
        }
        let taken = tricks.iter().filter(|written| target("https", written).is_some()).count();
        observed("C16", format_args!("{} tricks in an authority: {taken} taken for a host", tricks.len()));
    }

    #[test]
    fn a_path_that_could_be_a_host_does_not_go_out() {
        let of = |uri: &str| path(&uri.parse::<Uri>().unwrap()).map(|path| path.to_string());
        assert_eq!(of("https://a.com").as_deref(), Some("/"));
        assert_eq!(of("https://a.com?q=1").as_deref(), Some("/?q=1"));
        assert_eq!(of("https://a.com/b/../c?d").as_deref(), Some("/b/../c?d"));
        assert_eq!(of("https://a.com//evil.com/"), None);
        assert_eq!(of("*"), None);
    }
}
