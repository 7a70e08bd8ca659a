//! A case as it is written: read with its contradictions found.
//!
//! Invariant: an error is raised while the case is being read, so that the parser knows its place.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::cli::cases::file::{Ask, Case, Want, WantedFinding};
use crate::error::Code;
use crate::model::text;
use crate::toml_file;

/// Values as a format of files has them.
pub(super) trait Data: DeserializeOwned {
    /// The same as JSON.
    fn json(self) -> Value;
}

impl Data for Value {
    fn json(self) -> Value {
        self
    }
}

impl Data for toml::Value {
    fn json(self) -> Value {
        toml_file::to_json(self)
    }
}

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "V: Data")]
pub(super) struct File<V> {
    pub(super) config: Option<Config<V>>,
    #[serde(rename = "case")]
    pub(super) cases: Option<List<V>>,
}

/// The configuration.
pub(super) struct Config<V>(pub(super) Map<String, Value>, PhantomData<V>);

impl<V> Default for Config<V> {
    fn default() -> Self {
        Self(Map::new(), PhantomData)
    }
}

impl<'de, V: Data> Deserialize<'de> for Config<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = table("config", V::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Ok(Self(config, PhantomData))
    }
}

fn table<V: Data>(key: &str, value: V) -> Result<Map<String, Value>, String> {
    match value.json() {
        Value::Object(map) => Ok(map),
        _ => Err(format!("`{key}` has to be a table")),
    }
}

/// The cases, each of its own name.
pub(super) struct List<V>(pub(super) Vec<Case>, PhantomData<V>);

impl<V> Default for List<V> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<'de, V: Data> Deserialize<'de> for List<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de, V: Data> Visitor<'de> for List<V> {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of cases: `[[case]]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(case) = list.next_element_seed(Next { before: &self.0, data: PhantomData::<V> })? {
            self.0.push(case);
        }
        Ok(self)
    }
}

/// Reads the case after these.
struct Next<'a, V> {
    before: &'a [Case],
    data: PhantomData<V>,
}

impl<'de, V: Data> DeserializeSeed<'de> for Next<'_, V> {
    type Value = Case;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Case, D::Error> {
        // As a newtype, so that what is wrong with the whole of a case has the place of the case.
        deserializer.deserialize_newtype_struct("case", self)
    }
}

impl<'de, V: Data> Visitor<'de> for Next<'_, V> {
    type Value = Case;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a case")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Case, D::Error> {
        let written = Written::<V>::deserialize(deserializer)?;
        let name = written.name.clone();
        if name.trim().is_empty() {
            return Err(D::Error::custom("a case needs a name"));
        }
        let case = match self.before.iter().any(|case| case.name == name) {
            true => Err("there is one of this name before it".into()),
            false => written.check(),
        };
        case.map_err(|what| D::Error::custom(format!("case \"{}\": {what}", text::one_line(&name))))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "V: Data")]
struct Written<V> {
    name: String,
    call: Option<String>,
    arguments: Option<V>,
    validate: Option<String>,
    path: Option<String>,
    language: Option<String>,
    complete: Option<String>,
    model: Option<String>,
    text: Option<String>,
    structured: Option<V>,
    findings: Option<Vec<WantedFinding>>,
    error: Option<String>,
    message: Option<String>,
}

/// Keys with what they belong to.
const BELONGING: [(&str, &[&str]); 7] = [
    ("arguments", &["call"]),
    ("path", &["validate"]),
    ("language", &["validate"]),
    ("model", &["complete"]),
    ("text", &["call", "complete"]),
    ("structured", &["call"]),
    ("findings", &["validate"]),
];
/// Those among them that say what has to come back.
const RESULTS: [&str; 3] = ["text", "structured", "findings"];

impl<V: Data> Written<V> {
    fn check(mut self) -> Result<Case, String> {
        let kind = self.kind()?;
        self.find_misplaced(kind)?;
        let want = self.want(kind)?;
        let ask = match kind {
            "call" => {
                let arguments = self.arguments.map(|arguments| table("arguments", arguments)).transpose()?;
                Ask::Call { tool: self.call.unwrap_or_default(), arguments: arguments.unwrap_or_default() }
            }
            "validate" => {
                let text = self.validate.unwrap_or_default();
                Ask::Validate { text, path: self.path, language: self.language }
            }
            _ => Ask::Complete { prompt: self.complete.unwrap_or_default(), model: self.model },
        };
        Ok(Case { name: self.name, ask, want })
    }

    fn has(&self, key: &str) -> bool {
        match key {
            "call" => self.call.is_some(),
            "validate" => self.validate.is_some(),
            "complete" => self.complete.is_some(),
            "arguments" => self.arguments.is_some(),
            "path" => self.path.is_some(),
            "language" => self.language.is_some(),
            "model" => self.model.is_some(),
            "text" => self.text.is_some(),
            "structured" => self.structured.is_some(),
            "findings" => self.findings.is_some(),
            _ => false,
        }
    }

    /// The one thing that is asked.
    fn kind(&self) -> Result<&'static str, String> {
        let asked: Vec<&str> =
            ["call", "validate", "complete"].into_iter().filter(|kind| self.has(kind)).collect();
        match asked.as_slice() {
            [kind] => Ok(kind),
            [] => Err("it asks nothing: give one of `call`, `validate` and `complete`".into()),
            several => Err(format!("it has {}: keep one", listed(several, "and"))),
        }
    }

    fn find_misplaced(&self, kind: &str) -> Result<(), String> {
        match BELONGING.iter().find(|(key, kinds)| self.has(key) && !kinds.contains(&kind)) {
            Some((key, kinds)) => {
                Err(format!("`{key}` belongs to {}, and this case has `{kind}`", listed(kinds, "or")))
            }
            None => Ok(()),
        }
    }

    fn want(&mut self, kind: &str) -> Result<Want, String> {
        let result = RESULTS.into_iter().find(|key| self.has(key));
        match (self.error.take(), result, self.message.take()) {
            (Some(_), Some(result), _) => {
                Err(format!("it has `error` and `{result}`: what fails returns nothing else"))
            }
            (Some(error), None, message) => Ok(Want::Error { code: code(&error)?, message }),
            (None, _, Some(_)) => {
                Err("`message` is a part of an error's text: it needs `error` beside it".into())
            }
            (None, None, None) => Err(cannot_fail(kind)),
            (None, Some(_), None) => Ok(Want::Result {
                text: self.text.take(),
                structured: self.structured.take().map(Data::json),
                findings: self.findings.take(),
            }),
        }
    }
}

fn cannot_fail(kind: &str) -> String {
    let fitting = BELONGING.iter().filter(|(key, kinds)| RESULTS.contains(key) && kinds.contains(&kind));
    let keys: Vec<&str> = fitting.map(|(key, _)| *key).chain(["error"]).collect();
    format!("nothing has to come back, so it cannot fail: give {}", listed(&keys, "or"))
}

fn code(written: &str) -> Result<Code, String> {
    Code::parse(written).ok_or_else(|| {
        let known = || Code::ALL.iter().map(|code| code.as_str());
        let nearest = text::nearest(written, known());
        let offer = nearest.map(|code| format!("; did you mean \"{code}\"?")).unwrap_or_default();
        let shown = text::one_line(text::truncate(written, 100));
        format!(
            "\"{shown}\" is no code of an error{offer} (codes: {})",
            known().collect::<Vec<_>>().join(", ")
        )
    })
}

/// Keys in a sentence.
fn listed(keys: &[&str], joint: &str) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} {joint} {last}", before.join(", ")),
        None => String::new(),
    }
}
