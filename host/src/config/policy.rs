//! `[[policy]]`, `[approval]` and the operator's classes of tools.
//!
//! Invariant: a rule says which tools it is about; one that could be about all by leaving that out is refused.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::SpanWithin;

/// Most milliseconds that a question can wait for its answer: an hour.
const MAX_WAIT_MS: u64 = 3_600_000;
/// Characters of a class.
const MAX_CLASS: usize = 32;
/// Characters of a pattern: no tool has a longer name.
const MAX_PATTERN: usize = 64;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It runs.
    Allow,
    /// It runs when a person says yes.
    Ask,
    /// It does not run, and agents do not see the tool.
    Deny,
}

/// One rule: it is about the tools of these names, or of this class; where it has both, about those that
/// have one of the names and the class.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    /// Full names of tools.
    pub tools: Option<Vec<Pattern>>,
    /// A class.
    pub risk: Option<Class>,
    /// What becomes of a call.
    pub action: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tools: Option<Vec<Pattern>>,
    risk: Option<Class>,
    action: Action,
}

impl TryFrom<Written> for Rule {
    type Error = &'static str;

    fn try_from(Written { tools, risk, action }: Written) -> Result<Self, Self::Error> {
        if tools.as_ref().is_some_and(Vec::is_empty) {
            return Err("`tools` names none: name one, such as `tools = [\"github_*\"]`");
        }
        if tools.is_none() && risk.is_none() {
            return Err("a rule needs `tools`, `risk` or both; `tools = [\"*\"]` is all of them");
        }
        Ok(Self { tools, risk, action })
    }
}

/// A name of tools, in which each `*` stands for any part, also none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// Whether a name is one of these.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The first place is as good as any: what follows has the more room.
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*');
        if !written.is_empty() && written.len() <= MAX_PATTERN && written.chars().all(fits) {
            return Ok(Self(written));
        }
        Err(serde::de::Error::custom(format!(
            "{written:?} is no name of tools: 1 to {MAX_PATTERN} letters, digits, `_` and `-`, and `*` for any part"
        )))
    }
}

/// The operator's word for a kind of tools.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class(String);

impl Class {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !written.is_empty() && written.len() <= MAX_CLASS && written.chars().all(fits) {
            return Ok(Self(written));
        }
        Err(serde::de::Error::custom(format!(
            "{written:?} is no class: 1 to {MAX_CLASS} small letters, digits and `-`"
        )))
    }
}

/// How a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// How long an answer may take.
    pub wait: Duration,
}

impl Default for Approval {
    fn default() -> Self {
        Self { wait: Duration::from_secs(120) }
    }
}

impl<'de> Deserialize<'de> for Approval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            wait: Option<SpanWithin<1, MAX_WAIT_MS>>,
        }
        let written = Written::deserialize(deserializer)?;
        Ok(Self { wait: written.wait.map_or(Self::default().wait, |span| span.0) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{Action, Pattern};
    use crate::config::Config;
    use crate::model::PluginId;

    fn parse(content: &str) -> Result<Config, String> {
        Config::parse(Path::new("/etc/hubcap.toml"), content).map_err(|error| error.to_string())
    }

    #[test]
    fn a_star_stands_for_any_part_also_none() {
        let matches = |pattern: &str, name: &str| Pattern(pattern.into()).matches(name);
        for (pattern, name) in [
            ("a_b", "a_b"),
            ("*", ""),
            ("*", "a_b"),
            ("a_*", "a_"),
            ("a_*", "a_b"),
            ("*_b", "a_b"),
            ("a*b*c", "a1b2b3c"),
            ("a**b", "ab"),
            ("*ab*ab", "abab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a_b", "a_bc"),
            ("a_b", "xa_b"),
            ("a_*", "b_a_"),
            ("*ab*ab", "ab"),
            ("a*a", "a"),
            ("a_b", "A_b"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn rules_and_classes_are_read_in_their_order() {
        let config = parse(
            "[[policy]]\ntools = [\"x_*\", \"y_a\"]\naction = \"ask\"\n[[policy]]\nrisk = \"high\"\naction = \"deny\"\n\
             [plugins.x.risk]\n\"del_*\" = \"high\"\n[approval]\nwait = \"5s\"\n",
        )
        .unwrap();
        assert_eq!(
            config.policy.iter().map(|rule| rule.action).collect::<Vec<_>>(),
            [Action::Ask, Action::Deny]
        );
        assert_eq!(config.approval.wait, Duration::from_secs(5));
        let risk = config.of(&PluginId::new("x").unwrap()).risk;
        let risk: Vec<_> = risk.iter().map(|(pattern, class)| (pattern.as_str(), class.as_str())).collect();
        assert_eq!(risk, [("del_*", "high")]);
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_told_with_its_place() {
        for (written, place, words) in [
            ("[[policy]]\naction = \"ask\"", "1:", "needs `tools`, `risk` or both"),
            ("[[policy]]\ntools = []\naction = \"ask\"", "1:", "names none"),
            ("[[policy]]\ntools = [\"*\"]\naction = \"perhaps\"", "3:10:", "perhaps"),
            ("[[policy]]\ntools = [\"*\"]", "1:", "action"),
            ("[[policy]]\ntool = [\"*\"]\naction = \"ask\"", "2:1:", "did you mean `tools`?"),
            ("[[policy]]\ntools = [\"a b\"]\naction = \"ask\"", "2:9:", "is no name of tools"),
            ("[[policy]]\nrisk = \"Höchst\"\naction = \"ask\"", "2:8:", "is no class"),
            ("[plugins.x.risk]\n\"a.b\" = \"high\"", "2:1:", "is no name of tools"),
            ("[approval]\nwiat = \"1s\"", "2:1:", "did you mean `wait`?"),
        ] {
            let error = parse(written).unwrap_err();
            assert!(error.starts_with(&format!("/etc/hubcap.toml:{place}")), "{error}");
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn an_answer_may_take_up_to_an_hour_and_names_have_their_bounds() {
        assert_eq!(parse("").unwrap().approval.wait, Duration::from_secs(120));
        let rule = |tools: usize, risk: usize| {
            let (tools, risk) = ("x".repeat(tools), "x".repeat(risk));
            format!("[[policy]]\ntools = [\"{tools}\"]\nrisk = \"{risk}\"\naction = \"ask\"")
        };
        let wait = |wait: &str| format!("[approval]\nwait = \"{wait}\"");
        for fine in [wait("1ms"), wait("1h"), rule(1, 1), rule(64, 32)] {
            assert!(parse(&fine).is_ok(), "{fine}: {:?}", parse(&fine));
        }
        for wrong in [wait("0ms"), wait("3601s"), rule(0, 1), rule(1, 0), rule(65, 32), rule(64, 33)] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
