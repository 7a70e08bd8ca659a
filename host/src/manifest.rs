//! `plugin.toml`: what the author says of a plugin. `hubcap plugin build` embeds it in the component.
//!
//! Invariant: parsed and checked once; whoever has a [`Manifest`] has a valid one.

use serde::Deserialize;

use crate::model::{PLUGIN_ID_RULE, PluginId, text};
use crate::toml_file::{self, FileError};

/// Name of the custom section of a component that holds the manifest's text.
pub const SECTION: &str = "hubcap:manifest";

/// Bytes of a manifest.
pub const MAX_BYTES: usize = 64 << 10;

/// What the author says of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its id.
    pub id: PluginId,
    /// Its version, as semantic versioning has it.
    pub version: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it is, in a sentence or two.
    pub description: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: toml::Spanned<String>,
    version: toml::Spanned<String>,
    title: Option<String>,
    description: Option<String>,
    license: Option<String>,
    homepage: Option<String>,
}

impl Manifest {
    /// Parses a manifest's text; `file` only names it in errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(file: &str, content: &str) -> Result<Self, FileError> {
        let written: Written = toml_file::parse(file, content)?;
        let at = |offset: usize, message: String| FileError {
            file: file.to_owned(),
            position: Some(text::Positions::of(content).at(offset)),
            message,
        };
        let id = PluginId::new(written.id.get_ref()).ok_or_else(|| {
            let shown = text::one_line(text::truncate(written.id.get_ref(), 100)).into_owned();
            at(written.id.span().start, format!("{shown:?} is no plugin id: {PLUGIN_ID_RULE}"))
        })?;
        if !is_version(written.version.get_ref()) {
            return Err(at(written.version.span().start, "the version is not of the form `1.2.3`".into()));
        }
        let clean = |given: Option<String>| given.map(text::clean_owned);
        Ok(Self {
            id,
            version: written.version.into_inner(),
            title: clean(written.title),
            description: clean(written.description),
            license: clean(written.license),
            homepage: clean(written.homepage),
        })
    }
}

/// Three numbers, then whatever semantic versioning allows behind them, within 64 characters.
fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    version.len() <= 64
        && parts.len() == 3
        && parts.iter().all(number)
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    fn error(content: &str) -> String {
        Manifest::parse("plugin.toml", content).unwrap_err().to_string()
    }

    #[test]
    fn a_manifest_of_id_and_version_is_enough() {
        let manifest = Manifest::parse("plugin.toml", "id = \"echo\"\nversion = \"1.2.3-rc.1\"").unwrap();
        assert_eq!((manifest.id.as_str(), manifest.version.as_str()), ("echo", "1.2.3-rc.1"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(
            error("id = \"a_b\"\nversion = \"1.0.0\"")
                .starts_with("plugin.toml:1:6: \"a_b\" is no plugin id")
        );
        assert!(error("id = \"a\"\nversion = \"1\"").starts_with("plugin.toml:2:11: the version"));
        assert!(
            error("id = \"a\"\nversion = \"1.0.0\"\ntitel = \"x\"")
                .starts_with("plugin.toml:3:1: unknown key `titel`; did you mean `title`?")
        );
        assert!(error("version = \"1.0.0\"").contains("missing field `id`"));
    }
}
