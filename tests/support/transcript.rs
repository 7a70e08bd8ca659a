//! A guide as a test: its files are written and its commands run in a scratch folder, as a reader would.
//!
//! Invariant: every fence of a guide is a file that a later command reads, a console that is run, or says
//! why it is neither.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::shell::Shell;

/// Stands in expected output for anything within a line, and alone for any number of lines.
const ANYTHING: char = '…';

/// A guide, read.
pub(crate) struct Guide {
    name: String,
    steps: Vec<Step>,
}

/// What a fence asks for.
enum Step {
    /// To write a file.
    File { line: usize, path: PathBuf, text: String },
    /// To run commands, each of which ends with `code`.
    Console { commands: Vec<Shown>, code: i32 },
}

/// A command and the output that is shown for it.
struct Shown {
    line: usize,
    command: String,
    /// Each with the number of its line.
    output: Vec<(usize, String)>,
}

/// A comment in front of a fence.
enum Mark {
    File(PathBuf),
    Exit(i32),
    NotRun,
}

/// A fence: where it starts, its language, its lines.
struct Fence<'a> {
    line: usize,
    language: &'a str,
    lines: Vec<&'a str>,
}

impl Guide {
    /// Reads a guide; the faults name it and its lines.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let (mut steps, mut mark) = (Vec::new(), None);
        let mut lines = (1..).zip(text.lines());
        while let Some((line, shown)) = lines.next() {
            let at = |what: String| format!("{name}:{line}: {what}");
            if let Some(language) = shown.trim_start().strip_prefix("```") {
                let inside: Vec<&str> =
                    lines.by_ref().map(|(_, line)| line).take_while(|l| *l != "```").collect();
                let fence = Fence { line, language, lines: inside };
                match step(&fence, mark.take()) {
                    _ if shown.starts_with(' ') => faults.push(at("a fence is indented".into())),
                    Ok(step) => steps.extend(step),
                    Err(what) => faults.push(at(what)),
                }
            } else if !shown.is_empty() {
                if mark.take().is_some() {
                    faults.push(at("no fence after the comment above".into()));
                }
                mark = read_mark(shown).unwrap_or_else(|what| {
                    faults.push(at(what));
                    None
                });
            }
        }
        faults.extend(unread(name, &steps));
        if faults.is_empty() { Ok(Self { name: name.to_owned(), steps }) } else { Err(faults) }
    }

    /// Does what the guide says, to its end, and tells where something else came of it.
    pub(crate) fn replay(&self, shell: &mut Shell) -> Result<(), Vec<String>> {
        let mut faults = Vec::new();
        for step in &self.steps {
            match step {
                Step::File { path, text, .. } => shell.write(path, text),
                Step::Console { commands, code } => {
                    faults.extend(commands.iter().filter_map(|shown| self.run(shell, shown, *code)));
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn run(&self, shell: &mut Shell, shown: &Shown, code: i32) -> Option<String> {
        let ran = shell.run(&shown.command);
        let actual: Vec<&str> = ran.output.trim_end().lines().map(str::trim_end).collect();
        let expected: Vec<&str> = shown.output.iter().map(|(_, line)| line.as_str()).collect();
        let (line, difference) = match differs(&expected, &actual) {
            Some((wrong, of)) => (
                shown.output.get(wrong).map_or(shown.line, |(line, _)| *line),
                format!(
                    "expected: {}\n  actual:   {}",
                    expected.get(wrong).unwrap_or(&"(the end)"),
                    actual.get(of).unwrap_or(&"(the end)")
                ),
            ),
            None if ran.code != Some(code) => {
                (shown.line, format!("expected: exit code {code}\n  actual:   {:?}", ran.code))
            }
            None => return None,
        };
        Some(format!(
            "{}:{line}: `{}`\n  {difference}\n  whole output:\n{}",
            self.name, shown.command, ran.output
        ))
    }
}

fn read_mark(line: &str) -> Result<Option<Mark>, String> {
    let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) else {
        return Ok(None);
    };
    match comment.split_once(": ") {
        Some(("file", path)) => {
            let path = PathBuf::from(path);
            let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
            inside.then_some(Some(Mark::File(path))).ok_or_else(|| "the file is outside of the folder".into())
        }
        Some(("exit", code)) => {
            code.parse().map(|code| Some(Mark::Exit(code))).map_err(|_| "no exit code".into())
        }
        Some(("not run", reason)) if !reason.trim().is_empty() => Ok(Some(Mark::NotRun)),
        _ => Err(format!("the comment `{comment}` is none of `file: …`, `exit: …` and `not run: …`")),
    }
}

fn step(fence: &Fence<'_>, mark: Option<Mark>) -> Result<Option<Step>, String> {
    if fence.language == "json" {
        let text = fence.lines.join("\n");
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|error| format!("no JSON: {error}"))?;
    }
    let code = match mark {
        Some(Mark::File(path)) => {
            let text = fence.lines.join("\n") + "\n";
            return Ok(Some(Step::File { line: fence.line, path, text }));
        }
        Some(Mark::NotRun) => return Ok(None),
        Some(Mark::Exit(code)) => code,
        None => 0,
    };
    if fence.language != "console" {
        return Err(format!("`{}` is neither a file nor a console, nor marked as not run", fence.language));
    }
    Ok(Some(Step::Console { commands: commands(fence)?, code }))
}

/// The commands of a console; one that ends with a backslash goes on in the next line.
fn commands(fence: &Fence<'_>) -> Result<Vec<Shown>, String> {
    let mut commands: Vec<Shown> = Vec::new();
    for (line, text) in (fence.line + 1..).zip(&fence.lines) {
        let last = commands.last_mut();
        if let Some(command) = text.strip_prefix("$ ") {
            commands.push(Shown { line, command: command.to_owned(), output: Vec::new() });
        } else if let Some(last) = last {
            if last.output.is_empty() && last.command.ends_with('\\') {
                last.command += &format!("\n{text}");
            } else {
                last.output.push((line, text.trim_end().to_owned()));
            }
        } else {
            return Err("a console starts with `$ ` and a command".into());
        }
    }
    for shown in &mut commands {
        while shown.output.last().is_some_and(|(_, line)| line.is_empty()) {
            shown.output.pop();
        }
    }
    if commands.is_empty() { Err("a console without a command".into()) } else { Ok(commands) }
}

/// Files that no command reads before the end or before they are replaced.
fn unread(name: &str, steps: &[Step]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let Step::File { line, path, .. } = step else { continue };
        let replaces = |step: &&Step| matches!(step, Step::File { path: other, .. } if other == path);
        let mut commands =
            steps[at + 1..].iter().take_while(|step| !replaces(step)).flat_map(|step| match step {
                Step::Console { commands, .. } => commands.as_slice(),
                Step::File { .. } => &[],
            });
        if !commands.any(|shown| reads(&shown.command, path)) {
            faults.push(format!("{name}:{line}: no command after it reads {}", path.display()));
        }
    }
    faults
}

/// Whether a command reads this file: the crate of a source, the home of a configuration, or by its name.
fn reads(command: &str, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.iter().next().unwrap_or_default().to_string_lossy();
    let any = |parts: &[&str]| parts.iter().any(|part| command.contains(part));
    match name.as_ref() {
        "hubcap.toml" => {
            any(&["hubcap call ", "hubcap tools", "hubcap serve", "hubcap validate ", "plugin list"])
        }
        "plugin.toml" | "Cargo.toml" => {
            any(&[&format!("plugin build {folder}"), &format!("plugin test {folder}")])
        }
        "cases.toml" => any(&[&format!("plugin test {folder}")]),
        source if source.ends_with(".rs") => {
            any(&[&format!("plugin build {folder}"), &format!("plugin test {folder}")])
        }
        other => command.contains(other),
    }
}

/// Where the output is not what was expected: the index of the expected line and of the actual one.
fn differs(expected: &[&str], actual: &[&str]) -> Option<(usize, usize)> {
    // How many actual lines the expected lines up to here can stand for.
    let mut reached = vec![0];
    for (at, line) in expected.iter().enumerate() {
        let first = reached[0];
        let next: Vec<usize> = if *line == ANYTHING.to_string() {
            (first..=actual.len()).collect()
        } else {
            let fits = |from: &&usize| actual.get(**from).is_some_and(|actual| fits(line, actual));
            reached.iter().filter(fits).map(|from| from + 1).collect()
        };
        if next.is_empty() {
            return Some((at, first));
        }
        reached = next;
    }
    (!reached.contains(&actual.len())).then(|| (expected.len(), reached[reached.len() - 1]))
}

/// Whether a line is as expected.
fn fits(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split(ANYTHING);
    let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The guides of `host/docs`, by name.
pub(crate) fn guides(root: &Path) -> Vec<(String, String)> {
    let folder = root.join("host/docs");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}
