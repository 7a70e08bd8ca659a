//! The text of `hubcap.lock`.
//!
//! Invariant: the same pins are the same text, byte for byte; a text whose fingerprint does not fit was
//! changed by hand and is refused.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::lock::{Kept, Lock, Part, Pin, fingerprint};
use crate::model::{PluginId, is_tool_name};
use crate::toml_file::{self, FileError};

/// The form of the file.
const VERSION: u32 = 1;

const HEAD: &str =
    "# What was accepted of each plugin. Written by hubcap and not by hand: `hubcap plugin approve`
# accepts a change; removing a plugin's tables forgets it.
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "version")]
    _version: Version,
    #[serde(default)]
    plugins: BTreeMap<PluginId, WrittenPin>,
}

#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            VERSION => Ok(Self),
            _ => Err(format!("form {version} of the file; this hubcap knows form {VERSION}")),
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenPin {
    version: String,
    digest: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    ask: Kept,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<Kept>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    models: Option<Kept>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tools: BTreeMap<ToolName, Kept>,
}

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Hash(String);

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        let is_hex =
            |hex: &&str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let hex = written.strip_prefix("sha256:").filter(is_hex);
        hex.map(|hex| Self(hex.to_owned()))
            .ok_or_else(|| "this is not `sha256:` and 64 lower-case hexadecimal digits".into())
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        format!("sha256:{}", hash.0)
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct ToolName(String);

impl TryFrom<String> for ToolName {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        match is_tool_name(&written) {
            true => Ok(Self(written)),
            false => Err("a tool's name is 1 to 40 of [a-zA-Z0-9_-]".into()),
        }
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> Self {
        name.0
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenKept {
    hash: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl TryFrom<WrittenKept> for Kept {
    type Error = String;

    fn try_from(written: WrittenKept) -> Result<Self, String> {
        let Hash(sha256) = written.hash;
        match &written.text {
            Some(text) if fingerprint(text) != sha256 => Err(format!(
                "this was changed by hand: the hash of the text is sha256:{}, and sha256:{sha256} is written \
                 here; remove the plugin's tables to have it looked at again",
                fingerprint(text)
            )),
            _ => Ok(Self { sha256, text: written.text }),
        }
    }
}

impl From<Kept> for WrittenKept {
    fn from(kept: Kept) -> Self {
        Self { hash: Hash(kept.sha256), text: kept.text }
    }
}

impl Lock {
    /// Parses the file's text; `file` names it in errors. Line ends of other systems are taken as ours.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub(super) fn parse(file: &str, content: &str) -> Result<Self, FileError> {
        // A carriage return of a text itself is written as an escape.
        let content = content.replace("\r\n", "\n");
        let written: Written = toml_file::parse(file, &content)?;
        Ok(Self(written.plugins.into_iter().map(|(id, pin)| (id, pin.into())).collect()))
    }

    /// The file's text.
    ///
    /// # Errors
    /// When the serializer refuses, which no pin has made it do.
    pub(super) fn render(&self) -> Result<String, toml::ser::Error> {
        let mut content = format!("{HEAD}version = {VERSION}\n");
        for (id, pin) in &self.0 {
            let tables = BTreeMap::from([("plugins", BTreeMap::from([(id, WrittenPin::from(pin))]))]);
            let _ = write!(content, "\n{}", toml::to_string(&tables)?);
        }
        Ok(content)
    }
}

impl From<WrittenPin> for Pin {
    fn from(written: WrittenPin) -> Self {
        let tools = written.tools.into_iter().map(|(name, kept)| (Part::Tool(name.0), kept));
        let rules = written.rules.map(|kept| (Part::Rules, kept));
        let models = written.models.map(|kept| (Part::Models, kept));
        Self {
            version: written.version,
            digest: written.digest.0,
            publisher: written.publisher,
            ask: written.ask,
            parts: tools.chain(rules).chain(models).collect(),
        }
    }
}

impl From<&Pin> for WrittenPin {
    fn from(pin: &Pin) -> Self {
        let tools = pin.parts.iter().filter_map(|(part, kept)| match part {
            Part::Tool(name) => Some((ToolName(name.clone()), kept.clone())),
            Part::Rules | Part::Models => None,
        });
        Self {
            version: pin.version.clone(),
            digest: Hash(pin.digest.clone()),
            publisher: pin.publisher.clone(),
            ask: pin.ask.clone(),
            rules: pin.parts.get(&Part::Rules).cloned(),
            models: pin.parts.get(&Part::Models).cloned(),
            tools: tools.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Lock;
    use crate::lock::tests::{lock, pin};
    use crate::lock::{Part, Pin};
    use crate::observed::observed;

    fn parse(content: &str) -> Result<Lock, String> {
        Lock::parse("hubcap.lock", content).map_err(|error| error.to_string())
    }

    /// One with everything in it, in texts that are hard to write down.
    fn sample() -> Lock {
        let hard = "line\r\nnext\tline\nquotes \" ' ''' \"\"\" \\ é\u{301} 👩\u{200d}💻 # [x]\n";
        let ask = ["http GET https://api.github.com".to_owned(), "kv 1MiB".to_owned()];
        let full = Pin::new("1.2.3".into(), "ab".repeat(32), Some("acme".into()), ask.into()).with_parts([
            (Part::Tool("say".into()), json!({ "description": hard })),
            (Part::Tool("Say-2".into()), json!({ "description": "x".repeat(70 << 10) })),
            (Part::Rules, json!([{ "id": "a" }])),
            (Part::Models, json!([])),
        ]);
        let mut lock = lock("echo", full);
        lock.0.extend(super::super::tests::lock("plain", pin("0.0.0", json!({}))).0);
        lock
    }

    #[test]
    fn what_is_written_is_read_again_and_written_the_same() {
        let written = sample().render().unwrap();
        let read = parse(&written).unwrap();
        assert_eq!(read, sample());
        assert_eq!(read.render().unwrap(), written);
        assert_eq!(parse(&Lock::default().render().unwrap()).unwrap(), Lock::default());
    }

    #[test]
    fn line_ends_of_another_system_change_nothing() {
        let written = sample().render().unwrap().replace('\n', "\r\n");
        assert_eq!(parse(&written).unwrap(), sample());
    }

    #[test]
    fn what_was_changed_by_hand_is_refused_with_its_place() {
        let written = lock("echo", pin("1.0.0", json!({ "description": "Says it." }))).render().unwrap();
        let line = |words: &str| 1 + written.lines().position(|line| line.contains(words)).unwrap();
        let tool = line("[plugins.echo.tools.say]");
        let edits = [
            ("Says it.", "Says IT.", tool, "changed by hand"),
            ("digest = \"sha256:", "digest = \"sha256:0", line("digest ="), "64 lower-case"),
            ("version = 1\n", "version = 2\n", line("version = 1"), "form 2"),
            ("[plugins.echo.tools.say]", "[plugins.echo.tools.\"a b\"]", tool, "1 to 40"),
            ("[plugins.echo]", "[plugins.Echo]", line("[plugins.echo]"), "no plugin id"),
            ("digest =", "digset =", line("digest ="), "did you mean `digest`?"),
            ("[plugins.echo]", "[plugins.echo", line("[plugins.echo]"), ""),
        ];
        for (from, to, place, told) in edits {
            let error = parse(&written.replacen(from, to, 1)).unwrap_err();
            let in_place = error.starts_with(&format!("hubcap.lock:{place}:"))
                || error.starts_with(&format!("hubcap.lock:{}:", place + 1));
            assert!(in_place && error.contains(told), "{to}: {error}\n{written}");
        }
        observed("E19", format_args!("{} edits by hand refused with their line", edits.len()));
    }
}
