//! Edges: what a plugin may call through the hub.

use std::collections::BTreeSet;

use super::missing::{Missing, Wanted, why};
use crate::config::Grant;
use crate::manifest::{Ask, HubAsk};
use crate::model::{Callee, CalleeKind};

/// Stands where the operator has to write a name.
const NAME: &str = "name-of-one";

/// What was asked for and is granted. Whether it is there is another question.
pub(super) fn edges(ask: &Ask, grant: &Grant) -> BTreeSet<Callee> {
    let asked = |callee: &&Callee| ask.hub.iter().any(|asked| asked.covers(callee));
    grant.hub.callees().filter(asked).cloned().collect()
}

/// What was asked for and is not granted. An author who leaves it to the operator has all with one.
pub(super) fn missing(ask: &Ask, edges: &BTreeSet<Callee>) -> impl Iterator<Item = Missing> {
    ask.hub.iter().filter(|asked| !edges.iter().any(|edge| asked.covers(edge))).map(wanted)
}

/// All that is asked for, as it would be if none of it were granted.
pub(super) fn wanted(asked: &HubAsk) -> Missing {
    let HubAsk { kind, callee, .. } = asked;
    let (what, line) = match callee {
        Some(callee) => (format!("calls of {callee}"), line(*kind, callee.name())),
        None => (format!("calls of {}, which you name", kind.plural()), line(*kind, NAME)),
    };
    let wanted = Wanted::Hub { kind: *kind, callee: callee.clone() };
    Missing { what, why: why(asked.why.as_ref()), line, wanted }
}

/// What the operator writes under `[plugins.<id>.grant]`.
fn line(kind: CalleeKind, name: &str) -> String {
    format!("hub.{} = [\"{name}\"]", kind.plural())
}

/// Why a call of something that is not granted is denied, and what to write for it. The same words whether it
/// is there or not.
pub(crate) fn denied(caller: &str, kind: CalleeKind, callee: Option<&Callee>, is_asked: bool) -> String {
    let name = callee.map_or(NAME, Callee::name);
    let author = match is_asked {
        true => String::new(),
        false => format!("its author adds `[[ask.hub]]` with `{kind} = \"{name}\"` to plugin.toml, then "),
    };
    let line = line(kind, name);
    let what = callee.map_or_else(|| format!("any {kind}"), ToString::to_string);
    format!(
        "to call {what} is not granted; {author}the operator adds `{line}` under [plugins.{caller}.grant] in hubcap.toml"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{denied, missing, wanted};
    use crate::config::Config;
    use crate::manifest::Manifest;
    use crate::model::{Callee, CalleeKind, PluginId};
    use crate::policy::Grants;

    const ASK: &str = "id = \"x\"\nversion = \"1.0.0\"\n\
        [[ask.hub]]\ntool = \"github_search\"\nwhy = \"finds code\"\n[[ask.hub]]\nprovider = \"*\"\n";

    fn both(grant: &str) -> (Vec<String>, Vec<String>) {
        let ask = Manifest::parse("plugin.toml", ASK).unwrap().ask;
        let content = format!("[plugins.x.grant]\n{grant}");
        let config = Config::parse(Path::new("hubcap.toml"), &content).unwrap();
        let grant = config.of(&PluginId::new("x").unwrap()).grant;
        let grants = Grants::of(&ask, &grant);
        let missing = missing(&ask, &grants.hub).map(|missing| missing.line).collect();
        (grants.hub.iter().map(ToString::to_string).collect(), missing)
    }

    #[test]
    fn an_edge_is_what_was_asked_for_by_name_or_left_open_and_granted_by_name() {
        let (edges, missing) = both("");
        assert!(edges.is_empty());
        assert_eq!(missing, ["hub.tools = [\"github_search\"]", "hub.providers = [\"name-of-one\"]"]);
        let (edges, missing) = both(
            "hub.tools = [\"github_search\", \"github_delete\"]\nhub.validators = [\"other\"]\nhub.providers = [\"one\", \"two\"]\n",
        );
        assert_eq!(edges, ["the tool \"github_search\"", "the provider \"one\"", "the provider \"two\""]);
        assert!(missing.is_empty(), "{missing:?}");
        let ask = Manifest::parse("plugin.toml", ASK).unwrap().ask;
        let shown: Vec<_> = ask.hub.iter().map(|asked| wanted(asked).what).collect();
        assert_eq!(shown, ["calls of the tool \"github_search\"", "calls of providers, which you name"]);
    }

    #[test]
    fn what_is_denied_is_told_with_what_author_and_operator_write() {
        let callee = Callee::new(CalleeKind::Tool, "github_search").unwrap();
        assert_eq!(
            denied("x", CalleeKind::Tool, Some(&callee), true),
            "to call the tool \"github_search\" is not granted; the operator adds `hub.tools = [\"github_search\"]` under [plugins.x.grant] in hubcap.toml"
        );
        let told = denied("x", CalleeKind::Tool, Some(&callee), false);
        assert!(told.contains(
            "its author adds `[[ask.hub]]` with `tool = \"github_search\"` to plugin.toml, then the operator"
        ));
    }
}
