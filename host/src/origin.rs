//! Origins and methods of HTTP, as people write them in a file: `https://api.github.com`, `GET`.
//!
//! Invariant: read by the parser that requests are read by, so that no second spelling of a host gets
//! past a rule about the first.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use url::{Host, Url};

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Inside TLS.
    Https,
}

/// Where requests go: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// How they travel.
    pub scheme: Scheme,
    /// The canonical host; any, where absent.
    pub host: Option<Host<String>>,
    /// The port, the scheme's own where none was written.
    pub port: u16,
}

/// A method that a plugin may be granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(String);

/// Methods that mean a request. `CONNECT` opens a tunnel and `TRACE` shows headers: neither is one.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Origin {
    /// Reads `scheme://host[:port]`; the host `*` is any.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(written: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{written:?} is no origin: {why}"));
        let Ok(url) = Url::parse(written) else {
            return wrong("write `https://host` or `https://host:port`");
        };
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return wrong("the scheme is `https` or `http`"),
        };
        if !url.username().is_empty() || url.password().is_some() || written.contains('@') {
            return wrong("it has a user in it");
        }
        if url.path() != "/" || written.ends_with('/') || url.query().is_some() || url.fragment().is_some() {
            return wrong("it ends with the host or the port");
        }
        let host = match url.host() {
            Some(Host::Domain("*")) => None,
            Some(Host::Domain(name)) if name.contains('*') => {
                return wrong("a host is named whole; a part of it cannot be `*`");
            }
            Some(host) => Some(host.to_owned()),
            None => return wrong("it has no host"),
        };
        let port = url.port_or_known_default().filter(|port| *port > 0);
        port.map_or_else(|| wrong("the port is 1 to 65535"), |port| Ok(Self { scheme, host, port }))
    }

    /// What both mean, if there is anything.
    pub fn narrowed(&self, other: &Self) -> Option<Self> {
        let host = match (&self.host, &other.host) {
            (Some(host), None) | (None, Some(host)) => Some(host.clone()),
            (Some(one), Some(two)) if one != two => return None,
            (host, _) => host.clone(),
        };
        let same = self.scheme == other.scheme && self.port == other.port;
        same.then_some(Self { scheme: self.scheme, host, port: self.port })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Some(host) => host.fmt(f)?,
            None => f.write_str("*")?,
        }
        if self.port == own { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Method {
    /// Its name, in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one that only reads.
    pub fn get() -> Self {
        Self("GET".into())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        if METHODS.contains(&written.as_str()) {
            return Ok(Self(written));
        }
        Err(de::Error::custom(format!("{written:?} is no method: there are {}", METHODS.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn one_host_has_one_spelling() {
        let shown = |written: &str| Origin::parse(written).unwrap().to_string();
        assert_eq!(shown("https://API.GitHub.com:443"), "https://api.github.com");
        assert_eq!(shown("http://127.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(shown("https://bücher.example"), "https://xn--bcher-kva.example");
        assert_eq!(shown("https://*"), "https://*");
        assert_eq!(shown("http://[0:0::1]:443"), "http://[::1]:443");
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for wrong in [
            "api.github.com",
            "ftp://a.example",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example?x",
            "https://a.example#x",
            "https://me@a.example",
            "https://a@b.example",
            "https://*.example",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a b",
            "",
        ] {
            assert!(Origin::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn two_origins_narrow_to_what_both_mean() {
        let narrowed = |one: &str, two: &str| {
            let narrowed = Origin::parse(one).unwrap().narrowed(&Origin::parse(two).unwrap());
            narrowed.map(|origin| origin.to_string())
        };
        assert_eq!(narrowed("https://a.example", "https://*").as_deref(), Some("https://a.example"));
        assert_eq!(narrowed("https://*", "https://*").as_deref(), Some("https://*"));
        for (one, two) in [
            ("https://a.example", "https://b.example"),
            ("https://a.example", "http://a.example"),
            ("https://a.example", "https://a.example:8443"),
            ("https://*", "https://a.example:8443"),
        ] {
            assert_eq!(narrowed(one, two), None, "{one} {two}");
        }
    }
}
