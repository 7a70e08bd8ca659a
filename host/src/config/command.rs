//! `[plugins.<id>.grant.process]`: programs that the operator lets a plugin run.
//!
//! Invariant: a program is named by its whole path, and no variable is granted that makes one run other code.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::grant::{SYSTEM, TextOr, lexical};
use super::{MAX_DEADLINE_MS, SpanWithin, Within};
use crate::manifest::Name;
use crate::program::{Inherited, Shape, Variable};

/// How long a program may run, where the operator says nothing.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(120);
/// How many of one command run at once, where the operator says nothing.
const DEFAULT_AT_ONCE: usize = 4;
/// How many of one command can be let run at once.
const MAX_AT_ONCE: usize = 64;

/// A command: the path of its program, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedCommand {
    /// The program.
    pub path: PathBuf,
    /// Its arguments; as they are asked for, where absent.
    pub args: Option<Shape>,
    /// Variables that the plugin may set; all that are asked for, where absent.
    pub env: Option<BTreeSet<Variable>>,
    /// Variables that pass from hubcap's own environment.
    pub inherit: BTreeSet<Inherited>,
    /// The plugin's name for the directory that it works in; one of its own, where absent.
    pub directory: Option<Name>,
    /// Longest that it may run.
    pub deadline: Duration,
    /// How many of it run at once.
    pub at_once: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    path: PathBuf,
    args: Option<Shape>,
    env: Option<BTreeSet<Variable>>,
    #[serde(default)]
    inherit: BTreeSet<Inherited>,
    directory: Option<Name>,
    deadline: Option<SpanWithin<1, MAX_DEADLINE_MS>>,
    at_once: Option<Within<1, MAX_AT_ONCE>>,
}

impl<'de> Deserialize<'de> for GrantedCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of_text = |path: &str| {
            let (args, env, directory, deadline, at_once) = (None, None, None, None, None);
            Ok(Written {
                path: path.into(),
                args,
                env,
                inherit: BTreeSet::new(),
                directory,
                deadline,
                at_once,
            })
        };
        let written = deserializer.deserialize_any(TextOr::<Written>::new(of_text))?;
        let Written { path, args, env, inherit, directory, deadline, at_once } = written;
        let shown = path.display();
        if !path.is_absolute() {
            return Err(de::Error::custom(format!("{shown} is not the absolute path of a program")));
        }
        if SYSTEM.iter().any(|system| lexical(&path).starts_with(system)) {
            return Err(de::Error::custom(format!("{shown} belongs to the system and cannot be granted")));
        }
        let deadline = deadline.map_or(DEFAULT_DEADLINE, |deadline| deadline.0);
        let at_once = at_once.map_or(DEFAULT_AT_ONCE, |n| n.0);
        Ok(Self { path, args, env, inherit, directory, deadline, at_once })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{DEFAULT_AT_ONCE, DEFAULT_DEADLINE};
    use crate::config::Grant;
    use crate::toml_file;

    fn grant(content: &str) -> Result<Grant, String> {
        toml_file::parse("hubcap.toml", content).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_read_in_their_short_and_their_long_form() {
        let grant = grant(
            "process.date = \"/bin/date\"\n[process.git-log]\npath = \"/usr/bin/git\"\nargs = [\"log\"]\nenv = [\"LANG\"]\n\
             inherit = [\"HOME\", \"PATH\"]\ndirectory = \"project\"\ndeadline = \"5m\"\nat-once = 2\n",
        )
        .unwrap();
        let [date, git]: [_; 2] = grant.process.into_values().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((date.path.as_path(), &date.args, &date.env), (Path::new("/bin/date"), &None, &None));
        assert_eq!((date.deadline, date.at_once), (DEFAULT_DEADLINE, DEFAULT_AT_ONCE));
        assert_eq!((git.deadline, git.at_once), (Duration::from_secs(300), 2));
        assert_eq!(git.args.unwrap().to_string(), "[\"log\"]");
        assert_eq!((git.env.unwrap().len(), git.inherit.len()), (1, 2));
        assert_eq!(git.directory.unwrap().as_str(), "project");
    }

    #[test]
    fn what_is_wrong_in_a_command_is_told_with_its_place() {
        for (content, why) in [
            ("process.x = \"git\"", "hubcap.toml:1:13: git is not the absolute path of a program"),
            ("process.x = \"/tmp/../proc/self/exe\"", "belongs to the system"),
            ("process.x = { path = \"/bin/ls\", env = [\"BASH_ENV\"] }", "BASH_ENV is never given"),
            ("process.x = { path = \"/bin/ls\", env = [\"HOME\"] }", "HOME is set by no plugin"),
            ("process.x = { path = \"/bin/ls\", inherit = [\"LD_PRELOAD\"] }", "LD_PRELOAD is never given"),
            ("process.x = { path = \"/bin/ls\", arg = [] }", "unknown key `arg`; did you mean `args`?"),
            ("process.x = { args = [] }", "missing field `path`"),
            ("process.X = \"/bin/ls\"", "is no name"),
        ] {
            let error = grant(content).unwrap_err();
            assert!(error.contains(why), "{content}: {error}");
        }
    }

    #[test]
    fn a_program_may_run_an_hour_and_64_of_it_at_once_and_no_more() {
        let with = |key: &str| grant(&format!("process.x = {{ path = \"/bin/ls\", {key} }}"));
        assert!(with("deadline = \"1h\"").is_ok() && with("at-once = 64").is_ok());
        assert!(with("deadline = \"3601s\"").unwrap_err().contains("is not between 1 ms and 3600000 ms"));
        assert!(with("deadline = \"0ms\"").is_err());
        assert!(with("at-once = 65").unwrap_err().contains("65 is not between 1 and 64"));
        assert!(with("at-once = 0").is_err());
    }
}
