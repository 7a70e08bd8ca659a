//! `[trust]` of `hubcap.toml`: which plugins run before the operator has looked at them, and whose
//! signatures count.
//!
//! Invariant: signatures are only required where there is a publisher whose signature could be right.

pub mod lint;
mod signature;

pub use signature::{Signed, check};

use std::collections::BTreeMap;

use minisign_verify::PublicKey;
use serde::Deserialize;

/// What the operator trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Trust {
    /// What becomes of a plugin that the lock does not hold.
    pub mode: Mode,
    /// A file without a good signature is refused.
    pub require_signature: bool,
    /// The keys whose signatures are good, by the name that the operator gave them.
    pub publishers: BTreeMap<String, PublicKey>,
}

/// What becomes of a plugin that the lock does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It is pinned when it is first seen, unless there is a reason for a look at it.
    #[default]
    FirstUse,
    /// It waits.
    Locked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    mode: Option<Mode>,
    require_signature: Option<bool>,
    #[serde(default)]
    publishers: BTreeMap<String, Key>,
}

/// A public key as minisign writes it: the second line of its `.pub` file.
struct Key(PublicKey);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        PublicKey::from_base64(written.trim()).map(Self).map_err(|_| {
            serde::de::Error::custom(
                "this is no public key of minisign: give the second line of the publisher's `.pub` file",
            )
        })
    }
}

impl TryFrom<Written> for Trust {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let require_signature = written.require_signature.unwrap_or(false);
        if require_signature && written.publishers.is_empty() {
            return Err("`require-signature` needs `publishers`: without a key no signature is a good one");
        }
        let publishers = written.publishers.into_iter().map(|(name, Key(key))| (name, key)).collect();
        Ok(Self { mode: written.mode.unwrap_or_default(), require_signature, publishers })
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Trust};
    use crate::toml_file;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    fn parse(content: &str) -> Result<Trust, String> {
        toml_file::parse("hubcap.toml", content).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_written_is_first_use_without_signatures() {
        assert_eq!(parse("").unwrap(), Trust::default());
        assert_eq!(Trust::default().mode, Mode::FirstUse);
    }

    #[test]
    fn mode_and_publishers_are_read() {
        let trust = parse(&format!(
            "mode = \"locked\"\nrequire-signature = true\npublishers = {{ acme = \"{KEY}\" }}"
        ))
        .unwrap();
        assert_eq!((trust.mode, trust.require_signature), (Mode::Locked, true));
        assert_eq!(trust.publishers.keys().collect::<Vec<_>>(), ["acme"]);
    }

    #[test]
    fn what_cannot_hold_is_told_with_its_place() {
        for (content, told) in [
            ("mode = \"lax\"", "hubcap.toml:1:8: "),
            ("mode = \"locked\"\nmood = 1", "hubcap.toml:2:1: unknown key `mood`; did you mean `mode`?"),
            ("publishers = { acme = \"RWQf\" }", "hubcap.toml:1:23: this is no public key"),
            ("require-signature = true", "`require-signature` needs `publishers`"),
        ] {
            let error = parse(content).unwrap_err();
            assert!(error.contains(told), "{content}: {error}");
        }
    }
}
