//! Counts words by a program of the operator's choice: each file is an argument, a text is its input.

use hubcap_sdk::process::Command;
use hubcap_sdk::{Error, tool};

/// Counts the words of files.
#[tool(title = "Count words of files", read_only)]
fn files(
    /// Names of files, at least one.
    #[schemars(length(min = 1))]
    names: Vec<String>,
) -> Result<String, Error> {
    Command::new("wc").slot("files", names).run()?.ok()?.text()
}

/// Counts the words of a text.
#[tool(title = "Count words of a text", pure)]
fn text(
    /// Any text.
    text: String,
) -> Result<u64, Error> {
    // Without a file, the program reads its input.
    let counted = Command::new("wc").stdin(text).run()?.ok()?.text()?;
    Ok(counted.trim().parse()?)
}

hubcap_sdk::plugin!(tools: [files, text]);
