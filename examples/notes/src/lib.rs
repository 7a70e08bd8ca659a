//! Notes: each is a file in a directory that the operator grants.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use hubcap_sdk::{Code, Error, files, tool};

/// Keeps a note, in place of the one that has its title.
#[tool(title = "Keep a note")]
fn keep(
    /// Letters, digits and `-`.
    title: String,
    /// What to keep.
    text: String,
) -> Result<String, Error> {
    let path = path(&title)?;
    // A full directory is the likely reason, and the only one that an operator can do something about.
    fs::write(path, text).map_err(|error| {
        Error::new(Code::Unavailable, format!("{title} was not kept ({error}); the directory may be full"))
    })?;
    Ok(format!("kept {title}"))
}

/// Reads a note.
#[tool(title = "Read a note", read_only)]
fn read(
    /// The title that it was kept under.
    title: String,
) -> Result<String, Error> {
    fs::read_to_string(path(&title)?).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Error::invalid_arguments(format!("there is no note {title:?}; list them first"))
        }
        _ => error.into(),
    })
}

/// Lists the titles of all notes.
#[tool(title = "List notes", read_only)]
fn list() -> Result<String, Error> {
    let mut titles = Vec::new();
    for entry in fs::read_dir(files::writable("notes")?)? {
        let name = entry?.file_name();
        titles.extend(name.to_str().and_then(|name| name.strip_suffix(".txt")).map(str::to_owned));
    }
    titles.sort();
    Ok(titles.join("\n"))
}

/// Where a note is. hubcap lets no path out of the directory; this keeps titles to plain names in it.
fn path(title: &str) -> Result<PathBuf, Error> {
    let plain = |c: char| c.is_alphanumeric() || c == '-';
    if title.is_empty() || !title.chars().all(plain) {
        return Err(Error::invalid_arguments("a title is made of letters, digits and `-`"));
    }
    Ok(files::writable("notes")?.join(format!("{title}.txt")))
}

hubcap_sdk::plugin!(tools: [keep, read, list]);
