//! What the operator allows of what is asked for: by options, or asked on the terminal.

use std::io::{BufRead, Write};
use std::path::Path;

use crate::cli::Failure;
use crate::cli::grant::{Options, callees};
use crate::model::Callee;
use crate::origin::Method;
use crate::policy::{Missing, Wanted};
use crate::program::Program;

/// Something that is allowed.
pub(super) struct Choice {
    pub(super) wanted: Wanted,
    /// Path of a directory or a program, source of a secret, or names of callees: what only the operator knows.
    pub(super) given: String,
}

impl Choice {
    /// For people.
    pub(super) fn line(&self) -> String {
        match &self.wanted {
            Wanted::State(bytes) => format!("  {bytes} bytes of state\n"),
            Wanted::Http { origin, methods } => {
                let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
                format!("  {} requests to {origin}\n", methods.join(", "))
            }
            Wanted::Files { name, write: false } => format!("  to read {name}: {}\n", self.given),
            Wanted::Files { name, write: true } => format!("  to read and write {name}: {}\n", self.given),
            Wanted::Secret { name, .. } => format!("  the secret {name}, from {}\n", self.given),
            Wanted::Hub { callee: Some(callee), .. } => format!("  calls of {callee}\n"),
            Wanted::Hub { kind, callee: None } => format!("  calls of {}: {}\n", kind.plural(), self.given),
            Wanted::Command { name, .. } => format!("  to run {name}: {}\n", self.given),
        }
    }
}

/// Reads `NAME=VALUE`.
pub(super) fn named(written: &str) -> Result<(String, String), String> {
    let (name, value) = written.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What is allowed.
///
/// # Errors
/// Where an option names what is not asked for, or a source that is none.
pub(super) fn from(missing: &[Missing], options: &Options) -> Result<Vec<Choice>, Failure> {
    check_names(missing, options)?;
    let mut chosen = Vec::new();
    for missing in missing {
        let named = given(&missing.wanted, options);
        let allowed = match (options.yes, named) {
            (true, named) => named,
            (false, named) => ask(missing, named)?,
        };
        if let Some(given) = allowed {
            let given = checked(&missing.wanted, given)?;
            chosen.push(Choice { wanted: missing.wanted.clone(), given });
        }
    }
    Ok(chosen)
}

/// What an option says of it; nothing has to be said of state, requests and callees that the author names.
fn given(wanted: &Wanted, options: &Options) -> Option<String> {
    let of = |list: &[(String, String)], name: &str| {
        list.iter().find(|(named, _)| named == name).map(|(_, value)| value.clone())
    };
    match wanted {
        Wanted::State(_) | Wanted::Http { .. } | Wanted::Hub { callee: Some(_), .. } => Some(String::new()),
        Wanted::Hub { kind, callee: None } => callees::given(*kind, &options.callee),
        Wanted::Files { name, .. } => of(&options.file, name),
        Wanted::Secret { name, .. } => of(&options.secret, name),
        Wanted::Command { name, .. } => of(&options.program, name),
    }
}

/// Asks on the terminal. Nothing but a clear yes, or a path or source, allows anything.
fn ask(missing: &Missing, named: Option<String>) -> Result<Option<String>, Failure> {
    let question = match (&missing.wanted, &named) {
        (_, Some(_)) => format!("Allow {}? [y/N] ", missing.what),
        (Wanted::Files { .. }, None) => format!("Allow {}? Its path, or nothing for no: ", missing.what),
        (Wanted::Hub { .. }, None) => {
            format!("Allow {}? Their names, with commas between, or nothing for no: ", missing.what)
        }
        (Wanted::Command { .. }, None) => {
            format!("Allow {}? The program's path, or nothing for no: ", missing.what)
        }
        (_, None) => format!("Allow {}? `env:VARIABLE` or `file:PATH`, or nothing for no: ", missing.what),
    };
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot ask on the terminal: {error}"));
    let mut stderr = std::io::stderr();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    let answer = line.trim();
    Ok(match named {
        Some(given) => matches!(answer, "y" | "Y" | "yes").then_some(given),
        None => (!answer.is_empty()).then(|| answer.to_owned()),
    })
}

/// What an option names: the kind of thing, and the plugin's name for it.
type Named<'a> = (&'static str, &'a str);

fn check_names(missing: &[Missing], options: &Options) -> Result<(), Failure> {
    let asked = |(kind, name): &Named<'_>| {
        missing.iter().any(|missing| match &missing.wanted {
            Wanted::Files { name: known, .. } => *kind == "directory" && known == name,
            Wanted::Secret { name: known, .. } => *kind == "secret" && known == name,
            Wanted::Command { name: known, .. } => *kind == "command" && known == name,
            Wanted::State(_) | Wanted::Http { .. } | Wanted::Hub { .. } => false,
        })
    };
    let lists = [("directory", &options.file), ("secret", &options.secret), ("command", &options.program)];
    let all: Vec<Named<'_>> = lists
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |(name, _)| (kind, name.as_str())))
        .collect();
    if let Some((_, name)) = all.iter().find(|one| all.iter().filter(|other| other == one).count() > 1) {
        return Err(Failure::Usage(format!("{name:?} is named twice")));
    }
    check_callees(missing, &options.callee)?;
    match all.into_iter().find(|one| !asked(one)) {
        Some((kind, name)) => {
            Err(Failure::Usage(format!("no {kind} {name:?} is missing; what is asked for stands above")))
        }
        None => Ok(()),
    }
}

/// Whether each callee is of a kind that is left to the operator.
fn check_callees(missing: &[Missing], named: &[Callee]) -> Result<(), Failure> {
    let open = |callee: &&Callee| {
        let kind = callee.kind();
        missing.iter().any(|missing| missing.wanted == Wanted::Hub { kind, callee: None })
    };
    match named.iter().find(|callee| !open(callee)) {
        Some(callee) => Err(Failure::Usage(format!(
            "no {} is left to be named; what is asked for stands above",
            callee.kind()
        ))),
        None => Ok(()),
    }
}

/// What was given, with whole paths: what is checked here is what the file will mean.
fn checked(wanted: &Wanted, given: String) -> Result<String, Failure> {
    let whole = |path: &str| {
        std::path::absolute(path)
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_else(|_| path.to_owned())
    };
    match wanted {
        Wanted::Files { .. } if !Path::new(&given).is_dir() => {
            Err(Failure::Usage(format!("{given:?} is not a directory")))
        }
        Wanted::Files { .. } => Ok(whole(&given)),
        Wanted::Command { .. } => match Program::find(Path::new(&whole(&given))) {
            Ok(program) => Ok(program.named.to_string_lossy().into_owned()),
            Err(why) => Err(Failure::Usage(format!("{given} {why}"))),
        },
        Wanted::Secret { .. } => match source(&given) {
            Some(("file", path)) => Ok(format!("file:{}", whole(path))),
            Some(_) => Ok(given),
            None => Err(Failure::Usage(
                "a secret comes from `env:VARIABLE` or `file:PATH`; the secret itself has no place in the file".into(),
            )),
        },
        Wanted::Hub { kind, callee: None } => {
            callees::list(*kind, &given).map(|_| given).map_err(Failure::Usage)
        }
        Wanted::State(_) | Wanted::Http { .. } | Wanted::Hub { callee: Some(_), .. } => Ok(given),
    }
}

/// The key and the value of a source that is written on the command line.
pub(super) fn source(given: &str) -> Option<(&str, &str)> {
    given.split_once(':').filter(|(kind, value)| matches!(*kind, "env" | "file") && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{named, source};

    #[test]
    fn options_are_a_name_and_a_value() {
        assert_eq!(named("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(named("a").is_err());
    }

    #[test]
    fn a_source_is_a_variable_or_a_file() {
        assert_eq!(source("env:TOKEN"), Some(("env", "TOKEN")));
        assert_eq!(source("file:/a:b"), Some(("file", "/a:b")));
        for wrong in ["TOKEN", "env:", "command:x", ""] {
            assert_eq!(source(wrong), None, "{wrong:?}");
        }
    }
}
