//! As much of a URL as a client needs: its parts, and where a redirect leads.
//!
//! Invariant: the host decides what may be reached and reads the parts by itself; where two spellings of an
//! origin differ here, they count as two, and nothing that proves an identity goes from one to the other.

use std::fmt;

use crate::Error;

/// An absolute URL of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) secure: bool,
    /// Host and port, in lower case.
    pub(super) authority: String,
    /// Path and query, from the first `/`.
    pub(super) path: String,
}

impl Url {
    /// Reads an absolute URL.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text.trim()).ok_or_else(|| {
            Error::invalid_arguments(format!("{:?} is no URL: write `https://host/path`", shown(text)))
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let own_port = if secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(own_port).unwrap_or(&authority).to_owned();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (!authority.is_empty()).then_some(Self { secure, authority, path: encoded(&path, is_plain) })
    }

    /// Where a `location` leads that came from here.
    pub(super) fn join(&self, location: &str) -> Option<Self> {
        let location = location.trim();
        let scheme = if self.secure { "https" } else { "http" };
        let directory =
            || self.path.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |at| at.0);
        let full = match location.as_bytes() {
            [] | [b'#', ..] => return Some(self.clone()),
            [b'/', b'/', ..] => format!("{scheme}:{location}"),
            [b'/', ..] => format!("{scheme}://{}{location}", self.authority),
            [b'?', ..] => format!("{self}{location}").replacen(&self.path, self.path.split('?').next()?, 1),
            _ if has_scheme(location) => location.to_owned(),
            _ => format!("{scheme}://{}{}/{location}", self.authority, directory()),
        };
        let mut url = Self::read(&full)?;
        url.path = without_dots(&url.path);
        Some(url)
    }

    /// Whether both have the same scheme, host and port.
    pub(super) fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.authority == other.authority
    }

    /// Scheme, host and port, as a grant has them.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    pub(super) fn add_query(&mut self, key: &str, value: &str) {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        let [key, value] = [key, value].map(|part| encoded(part, is_unreserved));
        self.path.push_str(&format!("{mark}{key}={value}"));
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

/// A URL in a message, cut where it is long.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// `scheme:` in front, and not just a `:` somewhere in a path.
fn has_scheme(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    scheme.len() < text.len()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may stand in a path and query as it is. A `%` may: what is encoded stays so.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'\\' | b'{' | b'}' | b'|' | b'^')
}

fn encoded(text: &str, plain: fn(u8) -> bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            ".." => drop(kept.pop()),
            "." => {}
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if at == last {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::Url;

    fn parse(text: &str) -> String {
        Url::parse(text).unwrap().to_string()
    }

    #[test]
    fn the_parts_of_a_url_are_found() {
        assert_eq!(parse("https://Example.org"), "https://example.org/");
        assert_eq!(parse(" HTTPS://example.org:443/a?b#c "), "https://example.org/a?b");
        assert_eq!(parse("http://example.org:80?q"), "http://example.org/?q");
        assert_eq!(parse("http://[::1]:8080/x"), "http://[::1]:8080/x");
        assert_eq!(parse("https://example.org/ä b%20c"), "https://example.org/%C3%A4%20b%20c");
        for wrong in ["", "example.org", "ftp://example.org", "https:///x", "file:///etc/passwd", "https://"]
        {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_redirect_leads_where_its_location_says() {
        let from = Url::parse("https://example.org/a/b/c?d=e").unwrap();
        for (location, to) in [
            ("https://other.example/x", "https://other.example/x"),
            ("HTTP://example.org/x", "http://example.org/x"),
            ("//other.example/x", "https://other.example/x"),
            ("/x?y#z", "https://example.org/x?y"),
            ("x", "https://example.org/a/b/x"),
            ("./x:y", "https://example.org/a/b/x:y"),
            ("../x", "https://example.org/a/x"),
            ("../../../../x/.", "https://example.org/x/"),
            ("?f=g", "https://example.org/a/b/c?f=g"),
            ("", "https://example.org/a/b/c?d=e"),
        ] {
            assert_eq!(from.join(location).unwrap().to_string(), to, "{location}");
        }
        for nowhere in ["file:///etc/passwd", "javascript:alert(1)", "mailto:a@example.org", "https:"] {
            assert_eq!(from.join(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let here = Url::parse("https://example.org/a").unwrap();
        assert!(here.same_origin(&Url::parse("https://EXAMPLE.org:443/b").unwrap()));
        for other in ["http://example.org", "https://example.org:8443", "https://a.example.org"] {
            assert!(!here.same_origin(&Url::parse(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn what_is_special_in_a_query_is_encoded() {
        let mut url = Url::parse("https://example.org").unwrap();
        url.add_query("q", "a&b=c d/ä");
        url.add_query("page", "2");
        assert_eq!(url.to_string(), "https://example.org/?q=a%26b%3Dc%20d%2F%C3%A4&page=2");
    }
}
