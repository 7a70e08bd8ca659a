//! `[plugins.<id>.grant.hub]`: what a plugin may call through the hub.
//!
//! Invariant: every callee is named; nothing stands for several.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de};

use crate::model::{Callee, CalleeKind, text};

/// What may be called, edge by edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedHub(BTreeSet<Callee>);

impl GrantedHub {
    /// The callees.
    pub fn callees(&self) -> impl Iterator<Item = &Callee> {
        self.0.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    tools: Vec<Tool>,
    #[serde(default)]
    validators: Vec<Validator>,
    #[serde(default)]
    providers: Vec<Provider>,
}

/// The name that was written for one kind.
macro_rules! written {
    ($name:ident) => {
        struct $name(Callee);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                named(CalleeKind::$name, &String::deserialize(deserializer)?)
                    .map(Self)
                    .map_err(de::Error::custom)
            }
        }
    };
}

written!(Tool);
written!(Validator);
written!(Provider);

fn named(kind: CalleeKind, written: &str) -> Result<Callee, String> {
    Callee::new(kind, written).ok_or_else(|| {
        let shown = text::one_line(text::truncate(written, 100)).into_owned();
        format!("{shown:?} is no {kind} that can be granted: {}; name each one", kind.rule())
    })
}

impl<'de> Deserialize<'de> for GrantedHub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { tools, validators, providers } = Written::deserialize(deserializer)?;
        let tools = tools.into_iter().map(|Tool(callee)| callee);
        let validators = validators.into_iter().map(|Validator(callee)| callee);
        let providers = providers.into_iter().map(|Provider(callee)| callee);
        Ok(Self(tools.chain(validators).chain(providers).collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Grant;
    use crate::toml_file;

    fn grant(content: &str) -> Result<Vec<String>, String> {
        let grant: Result<Grant, _> = toml_file::parse("hubcap.toml", content);
        grant
            .map(|grant| grant.hub.callees().map(ToString::to_string).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn callees_are_granted_by_their_names() {
        let granted =
            grant("hub.tools = [\"github_search\"]\nhub.providers = [\"b\", \"a\", \"b\"]\n").unwrap();
        assert_eq!(granted, ["the tool \"github_search\"", "the provider \"a\"", "the provider \"b\""]);
        assert!(grant("").unwrap().is_empty());
    }

    #[test]
    fn what_stands_for_several_or_is_no_name_is_told_with_its_place() {
        for (content, why) in [
            ("hub.tools = [\"*\"]", "hubcap.toml:1:13: \"*\" is no tool that can be granted"),
            ("hub.tools = [\"github_*\"]", "name each one"),
            ("hub.providers = [\"a_b\"]", "hubcap.toml:1:17: \"a_b\" is no provider"),
            ("hub.tools = [\"hubcap_validate\"]", "is no tool"),
            ("hub.tolls = []", "unknown key `tolls`; did you mean `tools`?"),
            ("hub = true", "hubcap.toml:1:7: invalid type"),
        ] {
            let error = grant(content).unwrap_err();
            assert!(error.contains(why), "{content}: {error}");
        }
    }
}
