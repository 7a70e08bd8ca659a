//! The sources as the tests' tables name them: which files there are, and in which of them a test is.
//!
//! Invariant: a test is found by the words that declare it, so a name in a comment is none.

use std::fs;
use std::path::{Path, PathBuf};

use super::guests::root;

/// All Rust files below a directory.
pub(crate) fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Whether a source has a test of this name.
pub(crate) fn has_test(source: &str, name: &str) -> bool {
    source.contains(&format!("fn {name}()"))
}

/// The file that a test is in, by its whole name: `files::a_test`, or `imports::kv::tests::a_test` of the
/// host's own.
pub(crate) fn file_of(test: &str) -> Option<PathBuf> {
    let (module, name) = test.rsplit_once("::")?;
    let path = module.replace("::", "/");
    // Tests of the host are in a file or a folder of their own, or at the end of what they test.
    let around = path.strip_suffix("/tests").unwrap_or(&path);
    let forms = [&path, around].map(|path| [format!("{path}.rs"), format!("{path}/mod.rs")]);
    let files = forms
        .as_flattened()
        .iter()
        .flat_map(|form| ["tests", "host/src"].map(|folder| root().join(folder).join(form)));
    files.filter(|file| file.is_file()).find(|file| has_test(&fs::read_to_string(file).unwrap(), name))
}
