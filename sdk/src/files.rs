//! Directories that the operator lets the plugin work in. They are there for [`std::fs`], each as `/<name>`;
//! what this module adds is the right error where one is not.
//!
//! The plugin asks for a directory by a name of its own in `plugin.toml`, and the operator says which one
//! it is:
//!
//! ```toml
//! [[ask.files]]
//! name = "notes"
//! access = "write"   # or "read"
//! why = "keeps notes there"
//! ```
//!
//! ```no_run
//! use hubcap_sdk::{Error, files, tool};
//!
//! /// Keeps a note.
//! #[tool]
//! fn keep(note: String) -> Result<String, Error> {
//!     let notes = files::writable("notes")?;
//!     std::fs::write(notes.join("latest.txt"), note)?;
//!     Ok("kept".into())
//! }
//! ```
//!
//! Nothing leads out of a directory: neither `..` nor a symbolic link, and the error is the same whether
//! there is something outside or not. A file cannot be moved or linked from one directory to another, only
//! copied. A call holds at most 64 files and listings open at once; one more ends it with the code `limit`.
//!
//! A directory that may be written to has a quota. Beyond it a new length or a new file fails with
//! `Quota exceeded (os error 19)`, but a write, of which the standard library does not ask the reason, only with
//! `I/O error (os error 29)`. The operator's log has the reason in both cases.
//!
//! # Denied
//! A directory that is not granted is not there. [`readable`] and [`writable`] then fail with
//! [`Code::Denied`] and the line that the operator would add; the standard library only says that there is
//! no such file. Outside of WebAssembly, as in unit tests, both look for the directory where the machine has it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::{Code, Error};

/// The path of a directory to read in.
///
/// # Errors
/// [`Code::Denied`] where it is not granted.
pub fn readable(name: &str) -> Result<PathBuf, Error> {
    let path = path(name).filter(|path| fs::metadata(path).is_ok_and(|found| found.is_dir()));
    path.ok_or_else(|| denied("to read", name, &format!("files.{name} = \"/path/to/it\"")))
}

/// The path of a directory to read and write in.
///
/// # Errors
/// [`Code::Denied`] where it is not granted, or only to be read.
pub fn writable(name: &str) -> Result<PathBuf, Error> {
    let path = path(name).filter(|path| {
        // It is there already, and that is the answer unless nothing may be made in it at all.
        let made = fs::create_dir(path.join("."));
        !made.is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied))
    });
    let line = format!("files.{name} = {{ path = \"/path/to/it\", write = true }}");
    path.ok_or_else(|| denied("to write", name, &line))
}

fn path(name: &str) -> Option<PathBuf> {
    // A name is one part of a path; whatever else it looks like is no grant.
    let plain = !name.is_empty() && !name.contains(['/', '.', '\0']);
    plain.then(|| PathBuf::from(format!("/{name}")))
}

fn denied(what: &str, name: &str, line: &str) -> Error {
    let message = format!(
        "{what} the directory {name:?} is not granted; the operator adds `{line}` under [plugins.<id>.grant] in hubcap.toml"
    );
    Error::new(Code::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::{readable, writable};
    use crate::Code;

    #[test]
    fn what_is_not_there_is_denied_with_the_line_that_would_grant_it() {
        let error = readable("no-such-directory").unwrap_err();
        assert_eq!(error.code(), Code::Denied);
        assert!(error.message().contains("`files.no-such-directory = \"/path/to/it\"`"), "{error}");
        let error = writable("no-such-directory").unwrap_err();
        assert!(error.message().contains("write = true"), "{error}");
    }

    #[test]
    fn what_is_no_name_is_no_directory() {
        for name in ["", "..", "a/../..", "/", "."] {
            assert_eq!(readable(name).unwrap_err().code(), Code::Denied, "{name}");
            assert_eq!(writable(name).unwrap_err().code(), Code::Denied, "{name}");
        }
    }
}
