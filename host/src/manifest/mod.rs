//! `plugin.toml`: what the author says of a plugin. `hubcap plugin build` embeds it in the component.
//!
//! Invariant: parsed and checked once; whoever has a [`Manifest`] has a valid one.

mod ask;
mod command;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{PLUGIN_ID_RULE, PluginId, text};
use crate::schema::{self, Checker};
use crate::toml_file::{self, FileError};

pub use ask::{Access, Ask, FileAsk, HeaderName, HttpAsk, HubAsk, MAX_STATE, Name, Prefix, SecretAsk, Why};
pub use command::CommandAsk;

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
    /// JSON Schema of the configuration that it takes; it takes none where this is absent.
    pub config: Option<Arc<Map<String, Value>>>,
    /// What it wants to be allowed.
    pub ask: Ask,
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
    config: Option<toml::Spanned<toml::Table>>,
    #[serde(default)]
    ask: Ask,
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
        let config = written.config.map(|table| {
            let offset = table.span().start;
            config_schema(table.into_inner())
                .map_err(|what| at(offset, format!("the schema in [config] {what}")))
        });
        let clean = |given: Option<String>| given.map(text::clean_owned);
        Ok(Self {
            id,
            version: written.version.into_inner(),
            title: clean(written.title),
            description: clean(written.description),
            license: clean(written.license),
            homepage: clean(written.homepage),
            config: config.transpose()?.map(Arc::new),
            ask: written.ask,
        })
    }
}

/// Reads the schema of the configuration, which is an object whether the author says so or not.
fn config_schema(mut table: toml::Table) -> Result<Map<String, Value>, String> {
    table.entry("type").or_insert_with(|| "object".into());
    let schema = schema::read(&toml_file::to_json(toml::Value::Table(table)).to_string())?;
    if schema.get("type") != Some(&Value::from("object")) {
        return Err("needs `type = \"object\"` at its root, or no type there".into());
    }
    Checker::new(&schema)?;
    Ok(schema)
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

    #[test]
    fn the_schema_of_the_configuration_is_read_and_a_wrong_one_is_told_with_its_place() {
        let with = |config: &str| format!("id = \"a\"\nversion = \"1.0.0\"\n[config]\n{config}");
        let manifest = Manifest::parse("plugin.toml", &with("properties.url.type = \"string\"")).unwrap();
        let schema = serde_json::Value::Object((*manifest.config.unwrap()).clone());
        assert_eq!(
            schema,
            serde_json::json!({ "type": "object", "properties": { "url": { "type": "string" } } })
        );
        for (wrong, why) in [
            ("type = \"string\"", "at its root"),
            ("properties.url.type = \"strnig\"", "is no JSON Schema"),
            ("properties.url.\"$ref\" = \"https://example.org/x\"", "only paths inside"),
        ] {
            let told = error(&with(wrong));
            assert!(
                told.starts_with("plugin.toml:3:1: the schema in [config]") && told.contains(why),
                "{told}"
            );
        }
    }
}
