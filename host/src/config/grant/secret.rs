//! A secret of a grant: where its value is, and where it goes.
//!
//! Invariant: a value itself is never taken here, and no error repeats what may be one.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use crate::manifest::{HeaderName, Prefix};
use crate::origin::Origin;

/// A secret: where it comes from and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedSecret {
    /// Where it comes from.
    pub source: Source,
    /// The origin whose requests get it; the one that is asked for, where absent.
    pub url: Option<Origin>,
    /// The header, likewise.
    pub header: Option<HeaderName>,
    /// What stands before it in the header, likewise.
    pub prefix: Option<Prefix>,
    /// Whether the plugin may see it.
    pub reveal: bool,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A variable of the host's environment.
    Env(String),
    /// A file that only its owner can read.
    File(PathBuf),
    /// What a command prints: the program's absolute path and its arguments.
    Command(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSecret {
    env: Option<String>,
    file: Option<PathBuf>,
    command: Option<Vec<String>>,
    url: Option<Origin>,
    header: Option<HeaderName>,
    prefix: Option<Prefix>,
    #[serde(default)]
    reveal: bool,
}

impl<'de> Deserialize<'de> for GrantedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenSecret { env, file, command, url, header, prefix, reveal } =
            WrittenSecret::deserialize(deserializer)?;
        if url.as_ref().is_some_and(|url| url.host.is_none()) {
            return Err(de::Error::custom("a secret goes to one host; `*` is every host there is"));
        }
        let variable = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let source = match (env, file, command) {
            (Some(name), None, None) if !name.is_empty() && variable(&name) => Source::Env(name),
            // Not repeated: it may be the secret itself.
            (Some(_), None, None) => return Err(de::Error::custom("that is no name of a variable")),
            (None, Some(path), None) => Source::File(path),
            (None, None, Some(command))
                if command.first().is_some_and(|program| program.starts_with('/')) =>
            {
                Source::Command(command)
            }
            (None, None, Some(_)) => {
                return Err(de::Error::custom("a command starts with the absolute path of a program"));
            }
            _ => return Err(de::Error::custom("a secret comes from one of `env`, `file` and `command`")),
        };
        Ok(Self { source, url, header, prefix, reveal })
    }
}
