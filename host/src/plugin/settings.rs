//! The operator's configuration of a plugin, against what its author says it takes.
//!
//! Invariant: a plugin with a manifest is started with a configuration that its manifest describes, or
//! not at all.

use serde_json::Value;

use crate::config::PluginConfig;
use crate::manifest::Manifest;
use crate::plugin::Refusal;
use crate::schema::violation;

/// The configuration as `init` gets it.
///
/// # Errors
/// What does not match, at its place in the operator's file.
pub(crate) fn checked(manifest: Option<&Manifest>, given: &PluginConfig) -> Result<String, Refusal> {
    let config = Value::Object(given.config.clone());
    // Without a manifest nobody has said what it takes: the plugin's own check is the only one.
    if let Some(manifest) = manifest {
        check(manifest, given, &config).map_err(|what| format!("bad configuration: {what}"))?;
    }
    Ok(config.to_string())
}

fn check(manifest: &Manifest, given: &PluginConfig, config: &Value) -> Result<(), String> {
    let Some(schema) = &manifest.config else {
        if given.config.is_empty() {
            return Ok(());
        }
        let message = format!("{} takes no configuration: its manifest has no [config]", manifest.id);
        return Err(given.places.error("", message).to_string());
    };
    match violation::first(schema, config) {
        None => Ok(()),
        Some(found) if given.places == Default::default() => Err(format!(
            "the plugin needs `[plugins.{}] config` in hubcap.toml: {}",
            manifest.id, found.message
        )),
        Some(found) => Err(given.places.error(&found.pointer, found.message).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::checked;
    use crate::config::Config;
    use crate::manifest::Manifest;
    use crate::model::PluginId;

    const ID: &str = "id = \"sample\"\nversion = \"1.0.0\"\n";
    const SCHEMA: &str = "[config]\nrequired = [\"url\"]\nadditionalProperties = false\n\
        [config.properties.url]\ntype = \"string\"\n";

    fn outcome(manifest: &str, operator: &str) -> Result<String, String> {
        let manifest = Manifest::parse("plugin.toml", manifest).unwrap();
        let config = Config::parse(Path::new("/etc/hubcap.toml"), operator).unwrap();
        checked(Some(&manifest), &config.of(&PluginId::new("sample").unwrap()))
    }

    #[test]
    fn a_configuration_that_matches_goes_to_the_plugin_as_it_is() {
        let given = outcome(&format!("{ID}{SCHEMA}"), "[plugins.sample]\nconfig = { url = \"x\" }\n");
        assert_eq!(given.unwrap(), r#"{"url":"x"}"#);
        assert_eq!(outcome(ID, "").unwrap(), "{}");
    }

    #[test]
    fn one_that_does_not_is_told_at_its_place_in_the_operators_file() {
        let with = |operator: &str| outcome(&format!("{ID}{SCHEMA}"), operator).unwrap_err();
        let unknown = with("[plugins.sample.config]\nurl = \"x\"\nurrl = \"y\"\n");
        assert!(
            unknown.contains("/etc/hubcap.toml:3:1: unknown key `urrl`; did you mean `url`?"),
            "{unknown}"
        );
        let wrong = with("[plugins.sample]\nconfig = { url = 1 }\n");
        assert!(wrong.contains("/etc/hubcap.toml:2:12: value is not of type"), "{wrong}");
        let missing = with("");
        assert!(missing.contains("[plugins.sample] config") && missing.contains("\"url\""), "{missing}");
    }

    #[test]
    fn a_plugin_that_takes_none_is_given_none() {
        let refused =
            outcome(ID, "[plugins.sample]\nenabled = true\nconfig = { url = \"x\" }\n").unwrap_err();
        assert!(refused.contains("/etc/hubcap.toml:3:1: sample takes no configuration"), "{refused}");
    }
}
