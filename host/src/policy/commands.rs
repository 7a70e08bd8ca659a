//! Commands: what was asked for and is granted, and what is missing of it.
//!
//! Invariant: where the operator says what the arguments look like, that holds; where not, what the author
//! asked for and the operator accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use super::missing::{Missing, Wanted, why};
use crate::config::{Grant, GrantedCommand};
use crate::manifest::CommandAsk;
use crate::program::{Inherited, Shape, Variable};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandGrant {
    /// What the plugin calls it.
    pub name: String,
    /// The program, as the operator named it.
    pub path: std::path::PathBuf,
    /// Its arguments.
    pub shape: Shape,
    /// Variables that the plugin may set.
    pub env: BTreeSet<Variable>,
    /// Variables that pass from hubcap's own environment.
    pub inherit: BTreeSet<Inherited>,
    /// The plugin's name for the directory that it works in.
    pub directory: Option<String>,
    /// Longest that it may run.
    pub deadline: Duration,
    /// How many of it run at once.
    pub at_once: usize,
}

/// What is granted of a command that is asked for.
pub(super) fn granted(asked: &CommandAsk, grant: &Grant) -> Option<CommandGrant> {
    let granted: &GrantedCommand = grant.process.get(&asked.command)?;
    let env = match &granted.env {
        Some(env) => asked.env.intersection(env).cloned().collect(),
        None => asked.env.clone(),
    };
    Some(CommandGrant {
        name: asked.command.as_str().to_owned(),
        path: granted.path.clone(),
        shape: granted.args.clone().unwrap_or_else(|| asked.args.clone()),
        env,
        inherit: granted.inherit.clone(),
        directory: granted.directory.as_ref().map(|name| name.as_str().to_owned()),
        deadline: granted.deadline,
        at_once: granted.at_once,
    })
}

/// Whether all that is asked of a command is granted; how its arguments look is the operator's.
pub(super) fn is_granted(asked: &CommandAsk, grants: &[CommandGrant]) -> bool {
    grants.iter().any(|granted| granted.name == asked.command.as_str() && asked.env.is_subset(&granted.env))
}

pub(super) fn missing(asked: &CommandAsk) -> Missing {
    let name = asked.command.as_str();
    Missing {
        what: format!("to run {name:?} with {}{}", asked.args, sets(&asked.env)),
        why: why(asked.why.as_ref()),
        line: format!("process.{name} = \"/path/to/the/program\""),
        wanted: Wanted::Command {
            name: name.to_owned(),
            args: asked.args.clone(),
            env: asked.env.iter().map(|name| name.as_str().to_owned()).collect(),
        },
    }
}

pub(super) fn describe(grant: &CommandGrant) -> String {
    let CommandGrant { name, path, shape, env, inherit, directory, deadline, at_once } = grant;
    let place = directory.as_ref().map(|name| format!(", in the directory {name:?}")).unwrap_or_default();
    let passes: Vec<&str> = inherit.iter().map(Inherited::as_str).collect();
    let passes = if passes.is_empty() { String::new() } else { format!(", given {}", passes.join(", ")) };
    format!(
        "to run {name:?}: {} with {shape}{}{passes}{place}, for at most {deadline:?}, {at_once} at once",
        path.display(),
        sets(env)
    )
}

/// The variables that a plugin sets, in words.
fn sets(env: &BTreeSet<Variable>) -> String {
    let names: Vec<&str> = env.iter().map(Variable::as_str).collect();
    if names.is_empty() { String::new() } else { format!(", setting {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;
    use crate::manifest::Manifest;
    use crate::model::PluginId;
    use crate::policy::{Grants, asked, missing};

    const ASK: &str = "id = \"x\"\nversion = \"1.0.0\"\n[[ask.process]]\ncommand = \"log\"\n\
        args = [\"log\", { slot = \"paths\", repeat = 9 }]\nenv = [\"LANG\", \"TZ\"]\nwhy = \"reads history\"\n";

    fn both(grant: &str) -> (Grants, Vec<String>) {
        let ask = Manifest::parse("plugin.toml", ASK).unwrap().ask;
        let written = format!("[plugins.x.grant]\n{grant}");
        let config = Config::parse(Path::new("/etc/hubcap.toml"), &written).unwrap();
        let grant = config.of(&PluginId::new("x").unwrap()).grant;
        (Grants::of(&ask, &grant), missing(&ask, &grant).into_iter().map(|missing| missing.what).collect())
    }

    #[test]
    fn a_command_is_run_as_the_operator_says_and_else_as_the_author_asked() {
        let (grants, missing) = both("process.log = \"/usr/bin/git\"\n");
        let granted = &grants.process[0];
        assert_eq!(granted.shape.to_string(), "[\"log\", { slot = \"paths\", repeat = 9 }]");
        assert_eq!((granted.env.len(), missing.len()), (2, 0));
        let narrower = "process.log = { path = \"/usr/bin/git\", args = [\"log\"], env = [\"LANG\", \"HTML\"], inherit = [\"HOME\"], directory = \"d\" }\n";
        let (grants, missing) = both(narrower);
        assert_eq!(
            grants.describe(),
            [
                "to run \"log\": /usr/bin/git with [\"log\"], setting LANG, given HOME, in the directory \"d\", for at most 120s, 4 at once"
            ]
        );
        assert_eq!(missing.len(), 1, "TZ is missing: {missing:?}");
    }

    #[test]
    fn a_command_that_is_only_asked_for_or_only_granted_is_none() {
        let (grants, missing) = both("process.other = \"/bin/ls\"\n");
        assert!(grants.is_empty());
        let shown = "to run \"log\" with [\"log\", { slot = \"paths\", repeat = 9 }], setting LANG, TZ";
        assert_eq!(missing, [shown]);
        let ask = Manifest::parse("plugin.toml", ASK).unwrap().ask;
        assert!(asked(&ask).contains(shown));
    }
}
