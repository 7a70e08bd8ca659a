//! `[ask]`: what a plugin wants to be allowed, in its author's words.
//!
//! Invariant: asking gives nothing. Every list is bounded, and each thing is asked for once.

mod hub;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de};

use super::CommandAsk;
use crate::model::text;
use crate::origin::{Method, Origin};
use crate::units::BytesWithin;

pub use hub::HubAsk;

/// Bytes of state that a plugin can ask for, and be granted.
pub const MAX_STATE: usize = 1 << 30;
/// Origins, directories, secrets, commands and callees that a plugin asks for, each.
const MAX_ASKED: usize = 64;
/// Characters of a name of a directory, a secret or a command.
const MAX_NAME: usize = 64;
/// Bytes of a reason.
const MAX_WHY: usize = 1 << 10;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Bytes of state.
    kv: Option<BytesWithin<1, MAX_STATE>>,
    /// Origins that it sends requests to.
    #[serde(default)]
    pub http: Asked<HttpAsk>,
    /// Directories that it works in.
    #[serde(default)]
    pub files: Asked<FileAsk>,
    /// Secrets that its requests need, or that it has to see.
    #[serde(default)]
    pub secrets: Asked<SecretAsk>,
    /// What it calls through the hub.
    #[serde(default)]
    pub hub: Asked<HubAsk>,
    /// Commands that it runs.
    #[serde(default)]
    pub process: Asked<CommandAsk>,
}

impl Ask {
    /// Bytes of state, if it wants any.
    pub fn kv(&self) -> Option<u64> {
        self.kv.map(|bytes| bytes.0 as u64)
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAsk {
    /// Where to.
    pub url: Origin,
    /// What kinds of requests.
    #[serde(default = "only_get")]
    pub methods: BTreeSet<Method>,
    /// What for.
    pub why: Option<Why>,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAsk {
    /// What the plugin calls it: the guest sees it at `/<name>`.
    pub name: Name,
    /// What it does there.
    pub access: Access,
    /// What for.
    pub why: Option<Why>,
}

/// What is done in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Only read.
    Read,
    /// Read and written.
    Write,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretAsk {
    /// What the plugin calls it.
    pub name: Name,
    /// The origin whose requests need it.
    pub url: Option<Origin>,
    /// The header that the host puts it into.
    pub header: Option<HeaderName>,
    /// What stands before it in the header.
    #[serde(default)]
    pub prefix: Prefix,
    /// Whether the plugin has to see it itself.
    #[serde(default)]
    pub reveal: bool,
    /// What for.
    pub why: Option<Why>,
}

fn only_get() -> BTreeSet<Method> {
    [Method::get()].into()
}

/// A name: 1 to 64 of `[a-z0-9-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=MAX_NAME).contains(&written.len()) && written.bytes().all(allowed) {
            return Ok(Self(written));
        }
        let shown = text::one_line(text::truncate(&written, 100)).into_owned();
        Err(de::Error::custom(format!("{shown:?} is no name: 1 to {MAX_NAME} of [a-z0-9-]")))
    }
}

/// Name of a header that a secret can be put into, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(String);

/// Headers that say how a request travels: the host's own.
const HOST_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

impl HeaderName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?.to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let name = (1..=MAX_NAME).contains(&written.len()) && written.bytes().all(allowed);
        if name && !HOST_HEADERS.contains(&written.as_str()) && !written.starts_with("proxy-") {
            return Ok(Self(written));
        }
        let shown = text::one_line(text::truncate(&written, 100)).into_owned();
        Err(de::Error::custom(format!("{shown:?} is no header that a secret can be put into")))
    }
}

/// What stands before a secret in its header: up to 64 characters of visible ASCII and spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        if written.len() <= MAX_NAME && written.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Ok(Self(written));
        }
        Err(de::Error::custom(format!("a prefix has at most {MAX_NAME} characters of visible ASCII")))
    }
}

/// A reason for people, cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why(String);

impl Why {
    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Why {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = text::one_line(&text::clean_owned(String::deserialize(deserializer)?)).into_owned();
        if written.len() > MAX_WHY {
            return Err(de::Error::custom(format!("a reason has at most {MAX_WHY} bytes")));
        }
        Ok(Self(written))
    }
}

/// A bounded list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<T>(Vec<T>);

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Asked<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Something that is asked for once.
pub(super) trait Once {
    /// What no other may be called.
    fn key(&self) -> String;

    /// Why it makes no sense, if it does not.
    fn nonsense(&self) -> Option<&'static str> {
        None
    }
}

impl Once for HttpAsk {
    fn key(&self) -> String {
        self.url.to_string()
    }

    fn nonsense(&self) -> Option<&'static str> {
        self.methods.is_empty().then_some("it asks for no method")
    }
}

impl Once for FileAsk {
    fn key(&self) -> String {
        self.name.0.clone()
    }
}

impl Once for SecretAsk {
    fn key(&self) -> String {
        self.name.0.clone()
    }

    fn nonsense(&self) -> Option<&'static str> {
        match (&self.url, &self.header) {
            (Some(url), _) if url.host.is_none() => Some("a secret goes to one host"),
            (Some(_), None) | (None, Some(_)) => Some("`url` and `header` say together where a secret goes"),
            (None, None) if !self.reveal => Some(
                "it goes nowhere: add `url` and `header`, or `reveal = true` where the plugin has to see it",
            ),
            _ => None,
        }
    }
}

impl<'de, T: Deserialize<'de> + Once> Deserialize<'de> for Asked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<T>::deserialize(deserializer)?;
        if list.len() > MAX_ASKED {
            return Err(de::Error::custom(format!("{} are asked for, more than {MAX_ASKED}", list.len())));
        }
        if let Some((one, why)) = list.iter().find_map(|one| Some((one, one.nonsense()?))) {
            return Err(de::Error::custom(format!("{:?}: {why}", one.key())));
        }
        let mut seen = BTreeSet::new();
        match list.iter().map(Once::key).find(|key| !seen.insert(key.clone())) {
            Some(twice) => Err(de::Error::custom(format!("{twice:?} is asked for twice"))),
            None => Ok(Self(list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ask, MAX_ASKED, MAX_NAME, MAX_STATE, MAX_WHY};
    use crate::origin::Method;
    use crate::toml_file;

    fn ask(content: &str) -> Result<Ask, String> {
        toml_file::parse("plugin.toml", content).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_asked_is_read_with_its_defaults() {
        let ask = ask("kv = \"1GiB\"\n[[http]]\nurl = \"https://api.github.com\"\n[[files]]\nname = \"project\"\naccess = \"write\"\n[[secrets]]\nname = \"token\"\nurl = \"https://api.github.com\"\nheader = \"Authorization\"\n").unwrap();
        assert_eq!(ask.kv(), Some(MAX_STATE as u64));
        assert_eq!(ask.http[0].methods.iter().map(Method::as_str).collect::<Vec<_>>(), ["GET"]);
        assert_eq!(ask.secrets[0].header.as_ref().unwrap().as_str(), "authorization");
        assert!(!ask.secrets[0].reveal && Ask::default().is_empty() && !ask.is_empty());
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_its_place() {
        for (content, why) in [
            (
                "[[http]]\nurl = \"https://a.example/x\"",
                "plugin.toml:2:7: \"https://a.example/x\" is no origin",
            ),
            (
                "[[http]]\nurl = \"https://a.example\"\nmethods = [\"GET\", \"CONNECT\"]",
                "plugin.toml:3:11: \"CONNECT\" is no method",
            ),
            ("[[files]]\nname = \"../x\"\naccess = \"read\"", "plugin.toml:2:8: \"../x\" is no name"),
            ("[[files]]\nname = \"x\"\naccess = \"wriet\"", "plugin.toml:3:10: "),
            ("[[secrets]]\nname = \"x\"\nheader = \"host\"", "plugin.toml:3:10: \"host\" is no header"),
            (
                "[[secrets]]\nname = \"x\"\nreveal = true\n[[secrets]]\nname = \"x\"\nreveal = true",
                "\"x\" is asked for twice",
            ),
            ("[[secrets]]\nname = \"x\"", "\"x\": it goes nowhere"),
            ("[[secrets]]\nname = \"x\"\nurl = \"https://a.example\"", "`url` and `header` say together"),
            ("[[secrets]]\nname = \"x\"\nurl = \"https://*\"\nheader = \"x\"", "one host"),
            ("[[secrets]]\nname = \"x\"\nreveal = true\nprefix = \"a\\r\\nb\"", "at most 64 characters"),
            ("[[http]]\nurl = \"https://a.example\"\nmethods = []", "it asks for no method"),
            ("kv = \"2GiB\"", "plugin.toml:1:6: 2 GiB is not between 1 bytes and 1 GiB"),
            ("[[htttp]]\nurl = \"x\"", "unknown key `htttp`; did you mean `http`?"),
        ] {
            let error = ask(content).unwrap_err();
            assert!(error.contains(why), "{content}: {error}");
        }
    }

    #[test]
    fn lists_names_and_reasons_have_their_bounds() {
        let many = |n: usize| {
            ask(&(0..n)
                .map(|i| format!("[[files]]\nname = \"n{i}\"\naccess = \"read\"\n"))
                .collect::<String>())
        };
        assert_eq!(many(MAX_ASKED).unwrap().files.len(), MAX_ASKED);
        assert!(many(MAX_ASKED + 1).unwrap_err().contains("65 are asked for, more than 64"));
        let one = |name: usize, why: usize| {
            ask(&format!(
                "[[files]]\nname = \"{}\"\naccess = \"read\"\nwhy = \"{}\"",
                "n".repeat(name),
                "w".repeat(why)
            ))
        };
        assert!(one(MAX_NAME, MAX_WHY).is_ok());
        assert!(one(MAX_NAME + 1, 1).unwrap_err().contains("is no name"));
        assert!(one(1, MAX_WHY + 1).unwrap_err().contains("at most 1024 bytes"));
    }
}
