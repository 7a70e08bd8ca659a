//! What the paths on the command line stand for: files, in the order in which they are told.
//!
//! Invariant: each file is there once, and a path that cannot be used is there, too, with the reason.

use std::fs;
use std::path::{Component, Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::cli::sources::{MAX_FILE, MAX_NAMED, walk};
use crate::model::text;

/// What stdin is called on the command line.
const STDIN: &str = "-";

/// Something to validate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it is, without `./`; nowhere for stdin.
    pub(super) path: Option<PathBuf>,
    /// What people read of that.
    pub(super) shown: String,
    /// What validators are told of where it is: nothing of what lies around the place that was named.
    pub(super) hint: Option<String>,
    /// Where its text comes from.
    pub(super) origin: Origin,
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From stdin.
    Stdin,
    /// From a file of at most so many bytes.
    File(u64),
    /// From nowhere, because of this.
    Nowhere(String),
}

/// Everything below these paths, by what it is called; what was found so far where `stop` fires.
pub(super) fn find(paths: &[PathBuf], stop: &CancellationToken) -> Vec<Source> {
    let mut sources: Vec<Source> =
        paths.iter().flat_map(|path| below(path).take_while(|_| !stop.is_cancelled())).collect();
    // A file that was named as well as found counts as named: it stands first.
    sources.sort_by(|a, b| (&a.shown, &a.path, a.rank()).cmp(&(&b.shown, &b.path, b.rank())));
    sources.dedup_by(|later, first| later.path == first.path);
    sources
}

fn below(path: &Path) -> Box<dyn Iterator<Item = Source>> {
    if path == Path::new(STDIN) {
        let stdin = Source { path: None, shown: "<stdin>".into(), hint: None, origin: Origin::Stdin };
        return Box::new(std::iter::once(stdin));
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let root = path.to_owned();
            Box::new(walk(path).map(move |found| match found {
                Ok(path) => source(&path, &root, MAX_FILE),
                Err(error) => broken(&root, &error),
            }))
        }
        Ok(_) => Box::new(std::iter::once(source(path, path, MAX_NAMED))),
        Err(error) => Box::new(std::iter::once(nowhere(path, error.to_string()))),
    }
}

fn source(path: &Path, root: &Path, most: u64) -> Source {
    Source { hint: Some(hint(path, root)), origin: Origin::File(most), ..nowhere(path, String::new()) }
}

fn nowhere(path: &Path, reason: String) -> Source {
    let path = plain(path);
    let shown = text::one_line(&path.to_string_lossy()).into_owned();
    Source { path: Some(path), shown, hint: None, origin: Origin::Nowhere(reason) }
}

/// Where a file is, as far as it is below here, else from the name of `root` on.
fn hint(path: &Path, root: &Path) -> String {
    let below_here = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let base = match root.parent() {
        _ if below_here => Path::new("."),
        Some(parent) if root.file_name().is_some() => parent,
        _ => root,
    };
    path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned()
}

/// An error of the walk, with the place that it is about.
fn broken(root: &Path, error: &ignore::Error) -> Source {
    match error {
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => broken(root, err),
        ignore::Error::WithPath { path, err } => {
            let reason = err.io_error().map_or_else(|| err.to_string(), ToString::to_string);
            nowhere(path, reason)
        }
        _ => nowhere(root, error.to_string()),
    }
}

/// A path without what says nothing.
fn plain(path: &Path) -> PathBuf {
    let plain: PathBuf = path.strip_prefix(".").unwrap_or(path).components().collect();
    if plain.as_os_str().is_empty() { path.to_owned() } else { plain }
}

impl Source {
    fn rank(&self) -> u64 {
        match self.origin {
            Origin::File(most) => u64::MAX - most,
            Origin::Stdin | Origin::Nowhere(_) => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use tokio_util::sync::CancellationToken;

    use super::{MAX_NAMED, Origin, Source, find, hint, nowhere};

    fn all(paths: &[PathBuf]) -> Vec<Source> {
        find(paths, &CancellationToken::new())
    }

    #[test]
    fn a_file_that_is_named_and_found_is_there_once_and_counts_as_named() {
        let folder = tempfile::tempdir().unwrap();
        let (named, found) = (folder.path().join("b.rs"), folder.path().join("a.rs"));
        for path in [&named, &found] {
            fs::write(path, "").unwrap();
        }
        let sources = all(&[folder.path().to_owned(), named.clone(), PathBuf::from("-"), PathBuf::from("-")]);
        let names: Vec<_> = sources.iter().map(|source| source.shown.as_str()).collect();
        assert_eq!(names, [found.to_str().unwrap(), named.to_str().unwrap(), "<stdin>"]);
        assert_eq!((&sources[1].path, &sources[1].origin), (&Some(named), &Origin::File(MAX_NAMED)));
    }

    #[test]
    fn a_path_that_is_not_there_is_told_with_the_reason() {
        let sources = all(&[PathBuf::from("/nowhere/at/all")]);
        assert_eq!(sources[0].shown, "/nowhere/at/all");
        assert!(matches!(&sources[0].origin, Origin::Nowhere(reason) if reason.contains("No such file")));
    }

    #[test]
    fn nothing_more_is_found_after_the_stop() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rs"), "").unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(find(&[folder.path().to_owned()], &stop), []);
    }

    #[test]
    fn paths_are_shown_without_what_says_nothing_or_acts_on_a_terminal() {
        for (path, expected) in [
            ("./src/a.rs", "src/a.rs"),
            ("src//b.rs", "src/b.rs"),
            ("/a", "/a"),
            ("a\u{1b}[1m\n", "a\\u{1b}[1m\\n"),
        ] {
            assert_eq!(nowhere(Path::new(path), String::new()).shown, expected);
        }
    }

    #[test]
    fn validators_are_told_no_more_of_a_place_than_was_named() {
        for (path, root, expected) in [
            ("./src/a.rs", "./src", "src/a.rs"),
            ("src/a.rs", "src/a.rs", "src/a.rs"),
            ("/home/me/crate/src/a.rs", "/home/me/crate", "crate/src/a.rs"),
            ("/home/me/a.rs", "/home/me/a.rs", "a.rs"),
            ("../other/a.rs", "../other", "other/a.rs"),
            ("../a.rs", "..", "a.rs"),
        ] {
            assert_eq!(hint(Path::new(path), Path::new(root)), expected);
        }
    }
}
