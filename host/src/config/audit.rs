//! `[audit]`: what is written down of calls.
//!
//! Invariant: nothing that a caller sent is written whole unless the operator says so.

use serde::Deserialize;

use crate::units::BytesWithin;

/// What is written down of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Audit {
    /// Whether anything is.
    pub enabled: bool,
    /// How arguments are.
    pub arguments: Arguments,
    /// Bytes of the log that are kept.
    pub keep: usize,
}

/// How the arguments of a call are written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arguments {
    /// Their SHA-256 and their length.
    #[default]
    Hash,
    /// As they are, where they are not too long.
    Whole,
}

impl Default for Audit {
    fn default() -> Self {
        Self { enabled: true, arguments: Arguments::Hash, keep: 256 << 20 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    enabled: Option<bool>,
    arguments: Option<Arguments>,
    keep: Option<BytesWithin<{ 64 << 20 }, { 1 << 40 }>>,
}

impl From<Written> for Audit {
    fn from(written: Written) -> Self {
        let default = Self::default();
        Self {
            enabled: written.enabled.unwrap_or(default.enabled),
            arguments: written.arguments.unwrap_or(default.arguments),
            keep: written.keep.map_or(default.keep, |bytes| bytes.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Arguments, Audit};
    use crate::config::Config;

    fn parse(content: &str) -> Result<Audit, String> {
        let parsed = Config::parse(Path::new("hubcap.toml"), content);
        parsed.map(|config| config.audit).map_err(|error| error.to_string())
    }

    #[test]
    fn calls_are_written_down_with_hashes_unless_the_operator_says_otherwise() {
        assert_eq!(parse("").unwrap(), Audit::default());
        let audit = parse("[audit]\nenabled = false\narguments = \"whole\"\nkeep = \"1GiB\"").unwrap();
        assert_eq!(audit, Audit { enabled: false, arguments: Arguments::Whole, keep: 1 << 30 });
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (content, told) in [
            ("[audit]\narguments = \"all\"", "hubcap.toml:2:13: unknown variant `all`"),
            ("[audit]\nenable = true", "hubcap.toml:2:1: unknown key `enable`; did you mean `enabled`?"),
            ("[audit]\nkeep = \"63MiB\"", "hubcap.toml:2:8: 63 MiB is not between 64 MiB and 1024 GiB"),
        ] {
            let error = parse(content).unwrap_err();
            assert!(error.starts_with(told), "{content}: {error}");
        }
        assert!(parse("[audit]\nkeep = \"64MiB\"").is_ok());
    }
}
