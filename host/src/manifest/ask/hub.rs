//! `[[ask.hub]]`: what a plugin wants to call through the hub.
//!
//! Invariant: one entry asks for one thing by its name, or for whichever the operator names.

use serde::{Deserialize, Deserializer, de};

use super::{Once, Why};
use crate::model::{Callee, CalleeKind, text};

/// Calls of one thing, or of those of a kind that the operator names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAsk {
    /// What sort of thing.
    pub kind: CalleeKind,
    /// Which one; whichever the operator names, where absent.
    pub callee: Option<Callee>,
    /// What for.
    pub why: Option<Why>,
}

/// What stands for whichever the operator names.
const ANY: &str = "*";

impl HubAsk {
    /// Whether this asks for that callee.
    pub fn covers(&self, callee: &Callee) -> bool {
        self.kind == callee.kind() && self.callee.as_ref().is_none_or(|asked| asked == callee)
    }
}

impl Once for HubAsk {
    fn key(&self) -> String {
        format!("{} {}", self.kind, self.callee.as_ref().map_or(ANY, Callee::name))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tool: Option<Tool>,
    validator: Option<Validator>,
    provider: Option<Provider>,
    why: Option<Why>,
}

/// The name that was written for one kind, or [`ANY`].
macro_rules! written {
    ($name:ident) => {
        struct $name(Option<Callee>);

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

fn named(kind: CalleeKind, written: &str) -> Result<Option<Callee>, String> {
    if written == ANY {
        return Ok(None);
    }
    Callee::new(kind, written).map(Some).ok_or_else(|| {
        let shown = text::one_line(text::truncate(written, 100)).into_owned();
        format!("{shown:?} is no {kind}: {}, or \"{ANY}\" for whichever the operator names", kind.rule())
    })
}

impl<'de> Deserialize<'de> for HubAsk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { tool, validator, provider, why } = Written::deserialize(deserializer)?;
        let (kind, callee) = match (tool, validator, provider) {
            (Some(Tool(callee)), None, None) => (CalleeKind::Tool, callee),
            (None, Some(Validator(callee)), None) => (CalleeKind::Validator, callee),
            (None, None, Some(Provider(callee))) => (CalleeKind::Provider, callee),
            _ => {
                return Err(de::Error::custom(
                    "one entry asks for one of `tool`, `validator` and `provider`",
                ));
            }
        };
        Ok(Self { kind, callee, why })
    }
}

#[cfg(test)]
mod tests {
    use super::HubAsk;
    use crate::manifest::Ask;
    use crate::model::{Callee, CalleeKind};
    use crate::toml_file;

    fn ask(content: &str) -> Result<Vec<HubAsk>, String> {
        let ask: Result<Ask, _> = toml_file::parse("plugin.toml", content);
        ask.map(|ask| ask.hub.to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_callee_is_asked_for_by_its_name_or_left_to_the_operator() {
        let asked =
            ask("[[hub]]\ntool = \"github_search\"\nwhy = \"finds code\"\n[[hub]]\nprovider = \"*\"\n")
                .unwrap();
        let callee = |kind, name| Callee::new(kind, name).unwrap();
        let search = callee(CalleeKind::Tool, "github_search");
        assert_eq!((asked[0].kind, asked[0].callee.as_ref()), (CalleeKind::Tool, Some(&search)));
        assert_eq!(asked[0].why.as_ref().unwrap().as_str(), "finds code");
        assert!(asked[0].covers(&search));
        assert!(!asked[0].covers(&callee(CalleeKind::Tool, "github_delete")));
        assert!(asked[1].covers(&callee(CalleeKind::Provider, "any")));
        assert!(!asked[1].covers(&callee(CalleeKind::Validator, "any")));
    }

    #[test]
    fn an_entry_that_asks_for_nothing_or_for_more_than_one_is_told_with_its_place() {
        for (content, why) in [
            ("[[hub]]\nwhy = \"x\"", "plugin.toml:1:1: one entry asks for one of"),
            ("[[hub]]\ntool = \"a_b\"\nprovider = \"a\"", "one entry asks for one of"),
            ("[[hub]]\ntool = \"a\"", "plugin.toml:2:8: \"a\" is no tool: a tool's full name is"),
            ("[[hub]]\ntool = \"hubcap_complete\"", "is no tool"),
            ("[[hub]]\nvalidator = \"a_b\"", "plugin.toml:2:13: \"a_b\" is no validator"),
            ("[[hub]]\nprovider = \"A\"", "is no provider"),
            ("[[hub]]\ntool = \"*\"\n[[hub]]\ntool = \"*\"", "\"tool *\" is asked for twice"),
            ("[[hub]]\ntol = \"*\"", "unknown key `tol`; did you mean `tool`?"),
        ] {
            let error = ask(content).unwrap_err();
            assert!(error.contains(why), "{content}: {error}");
        }
    }
}
