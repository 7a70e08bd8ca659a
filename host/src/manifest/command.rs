//! `[[ask.process]]`: commands that a plugin wants to run.
//!
//! Invariant: a command is a name and a shape. Which program it is, only the operator says.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::ask::{Name, Once, Why};
use crate::program::{Shape, Variable};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandAsk {
    /// What the plugin calls it.
    pub command: Name,
    /// Its arguments.
    #[serde(default)]
    pub args: Shape,
    /// Environment variables that the plugin sets.
    #[serde(default)]
    pub env: BTreeSet<Variable>,
    /// What for.
    pub why: Option<Why>,
}

impl Once for CommandAsk {
    fn key(&self) -> String {
        self.command.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Ask;
    use crate::toml_file;

    fn ask(content: &str) -> Result<Ask, String> {
        toml_file::parse("plugin.toml", content).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_asked_for_by_its_name_and_its_shape() {
        let ask = ask("[[process]]\ncommand = \"git-log\"\nargs = [\"log\", { slot = \"paths\", repeat = 2 }]\nenv = [\"LANG\"]\nwhy = \"reads history\"\n[[process]]\ncommand = \"date\"\n").unwrap();
        assert_eq!(ask.process[0].args.to_string(), "[\"log\", { slot = \"paths\", repeat = 2 }]");
        assert!(ask.process[1].args.parts().is_empty() && ask.process[1].env.is_empty());
    }

    #[test]
    fn what_cannot_be_asked_of_a_command_is_told_with_its_place() {
        for (written, why) in [
            ("command = \"/bin/sh\"", "plugin.toml:2:11: \"/bin/sh\" is no name"),
            ("command = \"x\"\npath = \"/bin/sh\"", "unknown key `path`"),
            ("command = \"x\"\nargs = [{ slot = \"X\" }]", "plugin.toml:3:9: \"X\" is no name of a slot"),
            ("command = \"x\"\nenv = [\"LD_PRELOAD\"]", "plugin.toml:3:7: LD_PRELOAD is never given"),
            ("command = \"x\"\nenv = [\"PATH\"]", "plugin.toml:3:7: PATH is set by no plugin"),
            ("command = \"x\"\n[[process]]\ncommand = \"x\"", "\"x\" is asked for twice"),
        ] {
            let error = ask(&format!("[[process]]\n{written}")).unwrap_err();
            assert!(error.contains(why), "{written}: {error}");
        }
    }
}
