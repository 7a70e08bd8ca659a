//! The arguments of `scan`, checked beyond what their schema says. The validator checks its options here too.
//!
//! Invariant: a request has either one text or files, never both.

use hubcap_sdk::Error;
use serde::Deserialize;

use crate::rules::{RULES, RuleId, Selection};
use crate::scan::Source;

/// What a caller may send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    text: Option<String>,
    path: Option<String>,
    language: Option<String>,
    files: Option<Vec<File>>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    min_confidence: f64,
}

/// One of several texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    text: String,
    language: Option<String>,
}

/// A checked request.
#[derive(Debug)]
pub(crate) struct Request {
    input: Input,
    /// Which rules are wanted.
    pub(crate) rules: Selection,
    /// Findings below are left out.
    pub(crate) min_confidence: f64,
}

#[derive(Debug)]
enum Input {
    One { text: String, path: Option<String>, language: Option<String> },
    Files(Vec<File>),
}

impl Request {
    /// Checks the arguments.
    ///
    /// # Errors
    /// `invalid-arguments`, with what to send instead.
    pub(crate) fn parse(arguments: &str) -> Result<Self, Error> {
        let sent: Sent = hubcap_sdk::arguments(arguments)?;
        let rules = select(&sent.rules)?;
        let min_confidence = confidence(sent.min_confidence)?;
        Ok(Self { input: input(sent)?, rules, min_confidence })
    }

    /// The texts, in the order that they were sent.
    pub(crate) fn sources(&self) -> Vec<Source<'_>> {
        match &self.input {
            Input::One { text, path, language } => {
                vec![Source { text, path: path.as_deref(), language: language.as_deref() }]
            }
            Input::Files(files) => files.iter().map(File::source).collect(),
        }
    }
}

impl File {
    fn source(&self) -> Source<'_> {
        Source { text: &self.text, path: Some(&self.path), language: self.language.as_deref() }
    }
}

fn input(sent: Sent) -> Result<Input, Error> {
    match sent {
        Sent { text: Some(_), files: Some(_), .. } => {
            Err(Error::invalid_arguments("got both `text` and `files`: give one of them"))
        }
        Sent { text: None, files: None, .. } => Err(Error::invalid_arguments(
            "got nothing to scan: give `text`, or `files` as a list of {\"path\", \"text\"}",
        )),
        Sent { path: Some(_), files: Some(_), .. } | Sent { language: Some(_), files: Some(_), .. } => {
            Err(Error::invalid_arguments(
                "`path` and `language` belong to `text`: with `files`, give each file its own",
            ))
        }
        Sent { text: Some(text), path, language, .. } => Ok(Input::One { text, path, language }),
        Sent { files: Some(files), .. } => Ok(Input::Files(files)),
    }
}

/// Checks how sure a finding has to be at least.
///
/// # Errors
/// `invalid-arguments`.
pub(crate) fn confidence(least: f64) -> Result<f64, Error> {
    if (0.0..=1.0).contains(&least) {
        return Ok(least);
    }
    Err(Error::invalid_arguments(format!("`min_confidence` is {least}: give a number from 0 to 1")))
}

/// The rules of these names; all where there are none.
///
/// # Errors
/// `invalid-arguments`, with the nearest name.
pub(crate) fn select(names: &[String]) -> Result<Selection, Error> {
    let rules: Result<Vec<RuleId>, Error> =
        names.iter().map(|name| RuleId::named(name).ok_or_else(|| unknown(name))).collect();
    Ok(Selection::of(&rules?))
}

fn unknown(name: &str) -> Error {
    let names = RULES.iter().map(|rule| rule.name);
    let nearest =
        names.clone().max_by(|one, two| strsim::jaro(name, one).total_cmp(&strsim::jaro(name, two)));
    let all = names.collect::<Vec<_>>().join(", ");
    // A name is a few words; what is longer is not repeated.
    let shown: String = name.chars().take(64).collect();
    Error::invalid_arguments(format!(
        "there is no rule {shown:?}; the nearest is {:?}. All rules: {all}",
        nearest.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::Request;
    use hubcap_sdk::Code;

    fn refused(arguments: &str) -> String {
        let error = Request::parse(arguments).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArguments);
        error.message().to_owned()
    }

    #[test]
    fn one_text_and_several_files_are_both_taken() {
        let one = Request::parse(r#"{"text": "x", "path": "a.rs", "min_confidence": 0.5}"#).unwrap();
        assert_eq!(one.sources()[0].path, Some("a.rs"));
        let files =
            r#"{"files": [{"path": "a", "text": "x"}, {"path": "b", "text": "y", "language": "go"}]}"#;
        let many = Request::parse(files).unwrap();
        assert_eq!(many.sources()[1].language, Some("go"));
    }

    #[test]
    fn a_wrong_call_is_told_what_to_send() {
        assert!(refused("{}").contains("nothing to scan"));
        assert!(refused(r#"{"text": "", "files": []}"#).contains("give one of them"));
        assert!(refused(r#"{"files": [], "path": "a"}"#).contains("give each file its own"));
        assert!(refused(r#"{"text": "", "min_confidence": 2}"#).contains("from 0 to 1"));
        assert!(refused(r#"{"text": "", "txt": ""}"#).contains("txt"));
        assert!(refused("[").contains("EOF"));
    }

    #[test]
    fn an_unknown_rule_is_answered_with_the_nearest() {
        let message = refused(r#"{"text": "", "rules": ["stub-macros"]}"#);
        assert!(message.contains("\"stub-macros\"; the nearest is \"stub-macro\""), "{message}");
        assert!(message.contains("elided-code, marker-comment"), "{message}");
        assert!(refused(&format!(r#"{{"text": "", "rules": ["{}"]}}"#, "x".repeat(9_999))).len() < 400);
    }
}
