//! The tools: what they are and what they answer.
//!
//! Invariant: nothing here touches the host; progress goes through a function that the caller hands in.

use hubcap_sdk::{Content, Error, Output, Tool};
use serde::Serialize;

use crate::arguments::Request;
use crate::report::Report;
use crate::rules::RULES;
use crate::scan::Scanner;
use crate::schema;

/// Where a scan is: files done, of how many, and the path of the last.
pub(crate) type Progress<'a> = &'a dyn Fn(usize, usize, &str);

const SCAN: &str = "Finds unfinished or elided code in texts before they land: marker comments (TODO, FIXME), comments \
                    in the place of code (\"... rest of the code unchanged\"), placeholders (\"implement me\", \"in a \
                    real implementation\") and, in Rust, Python, JavaScript and TypeScript, stubs such as todo!(), \
                    NotImplementedError or a body that is only `pass`. Give either `text` (with `path` or `language` \
                    where known) or `files`, not both. Nothing is read from disk. Use it on what you wrote, before \
                    you say that it is done.";

const RULES_TOOL: &str = "Lists the rules of `scan`: id, title, what each one finds and what does not fire, severity, and \
                          the languages that it works in.";

/// The definitions.
pub(crate) fn list() -> Vec<Tool> {
    vec![
        Tool::new("scan", SCAN, &schema::scan_input())
            .title("Scan for placeholders")
            .output_schema(&schema::scan_output())
            .pure(),
        Tool::new("rules", RULES_TOOL, &schema::rules_input())
            .title("List the rules")
            .output_schema(&schema::rules_output())
            .pure(),
    ]
}

/// Runs a tool.
///
/// # Errors
/// `unknown-tool`, or `invalid-arguments` with what to change.
pub fn call(name: &str, arguments: &str, progress: Progress<'_>) -> Result<Output, Error> {
    match name {
        "scan" => scan(&Request::parse(arguments)?, progress),
        "rules" => rules(),
        other => Err(Error::unknown_tool(other)),
    }
}

fn scan(request: &Request, progress: Progress<'_>) -> Result<Output, Error> {
    let scanner = Scanner::new(request.rules, request.min_confidence);
    let sources = request.sources();
    let mut report = Report::new();
    for (index, source) in sources.iter().enumerate() {
        report.add(source, &scanner.scan(source));
        progress(index + 1, sources.len(), source.path.unwrap_or("text"));
    }
    answer(&report, report.to_text())
}

fn rules() -> Result<Output, Error> {
    #[derive(Serialize)]
    struct Listed {
        id: &'static str,
        title: &'static str,
        description: &'static str,
        severity: &'static str,
        languages: &'static [&'static str],
    }
    #[derive(Serialize)]
    struct List {
        rules: Vec<Listed>,
    }
    let listed = RULES.iter().map(|rule| Listed {
        id: rule.name,
        title: rule.title,
        description: rule.description,
        severity: rule.severity.as_str(),
        languages: rule.languages,
    });
    let lines: Vec<String> = RULES.iter().map(|rule| format!("{}: {}", rule.name, rule.title)).collect();
    answer(&List { rules: listed.collect() }, lines.join("\n"))
}

/// Data, with a text of its own for readers.
fn answer<T: Serialize>(data: &T, text: String) -> Result<Output, Error> {
    let mut output = Output::structured(data)?;
    output.content.push(Content::Text(text));
    Ok(output)
}

#[cfg(test)]
#[path = "tests/tools.rs"]
mod tests;
