//! The case file: what a plugin is asked, and what has to come back.
//!
//! Invariant: every case that is read can fail, asks one thing, and has a name of its own; whatever is
//! wrong with the file is told with its place.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::cli::Failure;
use crate::cli::cases::written;
use crate::cli::sources;
use crate::error::Code;
use crate::model::{Severity, text};
use crate::toml_file::{self, FileError, Places};

/// The names that a case file can have.
const NAMES: [&str; 2] = ["cases.toml", "cases.json"];

/// A case file that does something.
const EXAMPLE: &str = "[[case]]
name = \"greets by name\"
call = \"greet\"                  # a tool's name inside the plugin; or `validate`, or `complete`
arguments = { name = \"Ada\" }
text = \"Hello, Ada!\"            # what has to come back; or `structured`, `findings`, `error`
";

/// What is in a case file.
#[derive(Debug, PartialEq)]
pub(super) struct Cases {
    /// What `init` gets in every case.
    pub(super) config: Map<String, Value>,
    /// Where that is written.
    pub(super) places: Places,
    /// In the order of the file; at least one.
    pub(super) cases: Vec<Case>,
}

/// One question and its answer.
#[derive(Debug, PartialEq)]
pub(super) struct Case {
    /// Unique in the file.
    pub(super) name: String,
    pub(super) ask: Ask,
    pub(super) want: Want,
}

/// What is asked.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    /// A tool, by its name inside the plugin.
    Call { tool: String, arguments: Map<String, Value> },
    /// The validator.
    Validate { text: String, path: Option<String>, language: Option<String> },
    /// The provider.
    Complete { prompt: String, model: Option<String> },
}

/// What has to come back.
#[derive(Debug, PartialEq)]
pub(super) enum Want {
    /// A result.
    Result { text: Option<String>, structured: Option<Value>, findings: Option<Vec<WantedFinding>> },
    /// A failure of this code, with this in its text.
    Error { code: Code, message: Option<String> },
}

/// What is asked of a finding: only what is given.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedFinding {
    pub(super) rule: Option<String>,
    pub(super) line: Option<std::num::NonZeroUsize>,
    pub(super) column: Option<std::num::NonZeroUsize>,
    pub(super) severity: Option<Severity>,
    /// A part of the message.
    pub(super) message: Option<String>,
}

/// Reads the case file of a folder.
pub(super) fn read(folder: &Path) -> Result<Cases, Failure> {
    let file = find(folder)?;
    let name = file.display().to_string();
    let content = sources::read_authored(&file).map_err(Failure::Usage)?;
    let cases = parse(&name, &content).map_err(|error| Failure::Usage(error.to_string()))?;
    if cases.cases.is_empty() {
        return Err(Failure::Usage(format!("{name} has no case; add one such as\n\n{EXAMPLE}")));
    }
    Ok(cases)
}

fn find(folder: &Path) -> Result<PathBuf, Failure> {
    if !folder.is_dir() {
        return Err(Failure::Usage(format!("{} is not a folder with a plugin's crate", folder.display())));
    }
    let found: Vec<PathBuf> =
        NAMES.map(|name| folder.join(name)).into_iter().filter(|file| file.exists()).collect();
    match found.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(Failure::Usage(format!(
            "there is no cases.toml (or cases.json) in {}; a small one:\n\n{EXAMPLE}",
            folder.display()
        ))),
        _ => Err(Failure::Usage(format!(
            "there are both cases.toml and cases.json in {}; keep one",
            folder.display()
        ))),
    }
}

fn parse(name: &str, content: &str) -> Result<Cases, FileError> {
    if Path::new(name).extension().is_some_and(|extension| extension == "json") {
        let file = parse_json::<written::File<Value>>(name, content)?;
        return Ok(cases(file, Places::of(name, "", &[])));
    }
    let file = toml_file::parse::<written::File<toml::Value>>(name, content)?;
    Ok(cases(file, Places::of(name, content, &["config"])))
}

fn cases<V>(file: written::File<V>, places: Places) -> Cases {
    let config = file.config.unwrap_or_default().0;
    Cases { config, places, cases: file.cases.unwrap_or_default().0 }
}

fn parse_json<T: DeserializeOwned>(name: &str, content: &str) -> Result<T, FileError> {
    serde_json::from_str(content).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        // The parser counts bytes.
        let before = content.lines().nth(line.saturating_sub(1)).map(|line| text::truncate(line, column));
        let position = before.map(|before| (line, before.chars().count()));
        let told = error.to_string();
        let message = told.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&told);
        FileError { file: name.to_owned(), position, message: toml_file::explain(message, None) }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Ask, Cases, Want, find, parse, read};
    use crate::cli::Failure;
    use crate::error::Code;

    fn toml(content: &str) -> Result<Cases, String> {
        parse("cases.toml", content).map_err(|error| error.to_string())
    }

    fn json(content: &str) -> Result<Cases, String> {
        parse("cases.json", content).map_err(|error| error.to_string())
    }

    /// The error of a file with one case of these lines.
    fn wrong(lines: &str) -> String {
        toml(&format!("[[case]]\nname = \"n\"\n{lines}\n")).unwrap_err()
    }

    #[test]
    fn both_forms_say_the_same() {
        let from_toml = toml(
            "[config]\nmodels = [\"a\"]\n\n[[case]]\nname = \"one\"\ncall = \"t\"\narguments = { when = 2024-01-02, n = 1.5 }\nstructured = { a = [1, true] }\n\n[[case]]\nname = \"two\"\nvalidate = \"x\\n\"\npath = \"a.rs\"\nfindings = [{ rule = \"r\", line = 1, column = 2, severity = \"note\", message = \"m\" }]\n\n[[case]]\nname = \"three\"\ncomplete = \"Hi\"\nmodel = \"a\"\nerror = \"upstream\"\nmessage = \"order\"\n",
        );
        let from_json = json(
            &json!({ "config": { "models": ["a"] }, "case": [
                { "name": "one", "call": "t", "arguments": { "when": "2024-01-02", "n": 1.5 },
                  "structured": { "a": [1, true] } },
                { "name": "two", "validate": "x\n", "path": "a.rs", "findings": [
                    { "rule": "r", "line": 1, "column": 2, "severity": "note", "message": "m" }] },
                { "name": "three", "complete": "Hi", "model": "a", "error": "upstream", "message": "order" },
            ] })
            .to_string(),
        );
        let (cases, from_json) = (from_toml.unwrap(), from_json.unwrap());
        assert_eq!((&cases.config, &cases.cases), (&from_json.config, &from_json.cases));
        assert_eq!(json!(cases.config), json!({ "models": ["a"] }));
        let names: Vec<&str> = cases.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["one", "two", "three"]);
        assert!(matches!(&cases.cases[0].ask, Ask::Call { tool, arguments } if tool == "t"
            && json!(arguments) == json!({ "when": "2024-01-02", "n": 1.5 })));
        assert!(matches!(&cases.cases[1].want, Want::Result { findings: Some(findings), .. }
            if findings[0].column.map(Into::into) == Some(2_usize)));
        assert!(matches!(cases.cases[2].want, Want::Error { code: Code::Upstream, .. }));
    }

    #[test]
    fn an_unknown_key_is_told_with_its_place_and_the_nearest() {
        let error = toml("[[case]]\nname = \"n\"\ncal = \"t\"\n").unwrap_err();
        assert!(
            error.starts_with("cases.toml:3:1: unknown key `cal`; did you mean `call`? (valid here: "),
            "{error}"
        );
        let error = toml("[confg]\n").unwrap_err();
        assert!(error.starts_with("cases.toml:1:2: unknown key `confg`; did you mean `config`?"), "{error}");
        let error = wrong("validate = \"\"\nfindings = [{ lin = 1 }]");
        assert!(error.starts_with("cases.toml:4:15: unknown key `lin`; did you mean `line`?"), "{error}");
        let error = json("{ \"case\": [\n  { \"name\": \"é\", \"cal\": \"t\" }] }").unwrap_err();
        assert!(error.starts_with("cases.json:2:22: unknown key `cal`; did you mean `call`?"), "{error}");
    }

    #[test]
    fn what_contradicts_itself_is_told_with_the_case_and_its_place() {
        for (lines, words) in [
            ("text = \"\"", "asks nothing: give one of `call`, `validate` and `complete`"),
            ("call = \"a\"\nvalidate = \"b\"\ntext = \"\"", "has `call` and `validate`: keep one"),
            (
                "call = \"a\"\nvalidate = \"b\"\ncomplete = \"c\"",
                "has `call`, `validate` and `complete`: keep one",
            ),
            (
                "call = \"a\"",
                "nothing has to come back, so it cannot fail: give `text`, `structured` or `error`",
            ),
            (
                "call = \"a\"\nmessage = \"b\"",
                "`message` is a part of an error's text: it needs `error` beside it",
            ),
            ("validate = \"a\"", "it cannot fail: give `findings` or `error`"),
            ("complete = \"a\"", "it cannot fail: give `text` or `error`"),
            (
                "validate = \"a\"\narguments = {}\nfindings = []",
                "`arguments` belongs to `call`, and this case has `validate`",
            ),
            (
                "call = \"a\"\npath = \"b\"\ntext = \"\"",
                "`path` belongs to `validate`, and this case has `call`",
            ),
            ("complete = \"a\"\nlanguage = \"b\"\ntext = \"\"", "`language` belongs to `validate`, and"),
            ("call = \"a\"\nmodel = \"b\"\ntext = \"\"", "`model` belongs to `complete`, and"),
            ("complete = \"a\"\nstructured = 1", "`structured` belongs to `call`, and"),
            ("call = \"a\"\nfindings = []", "`findings` belongs to `validate`, and"),
            ("validate = \"a\"\ntext = \"\"", "`text` belongs to `call` or `complete`, and"),
            (
                "call = \"a\"\nerror = \"trap\"\ntext = \"\"",
                "has `error` and `text`: what fails returns nothing else",
            ),
            (
                "call = \"a\"\nerror = \"trop\"",
                "\"trop\" is no code of an error; did you mean \"trap\"? (codes: ",
            ),
            ("call = \"a\"\ntext = \"\"\narguments = [1]", "`arguments` has to be a table"),
        ] {
            let error = wrong(lines);
            assert!(error.starts_with("cases.toml:1:1: case \"n\": "), "{error}");
            assert!(error.contains(words), "{words:?} is not in {error}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_told_with_its_place() {
        assert!(
            wrong("call = 1").starts_with("cases.toml:3:8: invalid type: integer `1`, expected a string")
        );
        let error = wrong("validate = \"\"\nfindings = [{ line = 0 }]");
        assert!(error.starts_with("cases.toml:4:22: invalid value: integer `0`"), "{error}");
        let error = wrong("validate = \"\"\nfindings = [{ severity = \"bad\" }]");
        assert!(error.contains("expected one of `note`, `warning`, `error`"), "{error}");
        assert!(toml("config = 1").unwrap_err().contains("`config` has to be a table"));
        assert!(json("{ \"case\": [}").unwrap_err().starts_with("cases.json:1:12: "));
    }

    #[test]
    fn two_cases_of_one_name_are_told_at_the_second() {
        let case = "[[case]]\nname = \"same\"\ncall = \"t\"\ntext = \"\"\n";
        let error = toml(&format!("{case}\n{case}")).unwrap_err();
        assert_eq!(error, "cases.toml:6:1: case \"same\": there is one of this name before it");
        let error = json(
            r#"{"case":[{"name":"same","call":"t","text":""},
            {"name":"same","call":"t","text":""}]}"#,
        );
        assert!(error.unwrap_err().starts_with("cases.json:2:"));
        assert!(toml(&case.replace("same", " ")).unwrap_err().contains("a case needs a name"));
        assert!(toml("[[case]]\ncall = \"t\"\ntext = \"\"\n").unwrap_err().contains("missing field `name`"));
    }

    #[test]
    fn a_folder_has_one_case_file_with_a_case_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &std::path::Path| match read(folder) {
            Err(Failure::Usage(message)) => message,
            _ => panic!("it is taken"),
        };
        assert!(error(folder.path()).contains("there is no cases.toml"));
        assert!(error(folder.path()).contains("[[case]]\nname = "));
        let file = folder.path().join("cases.toml");
        std::fs::write(&file, "[config]\n").unwrap();
        assert!(error(folder.path()).contains("cases.toml has no case; add one"));
        std::fs::write(&file, super::EXAMPLE).unwrap();
        assert_eq!(read(folder.path()).map_err(|_| ()).unwrap().cases.len(), 1);
        std::fs::write(&file, b"\xff").unwrap();
        assert!(error(folder.path()).contains("not UTF-8"));
        std::fs::write(folder.path().join("cases.json"), "{}").unwrap();
        assert!(error(folder.path()).contains("keep one"));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(find(folder.path()).map_err(|_| ()).unwrap(), folder.path().join("cases.json"));
    }
}
