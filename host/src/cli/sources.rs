//! Source files: which of a directory count, and how one is read.
//!
//! Invariant: a text that leaves here is UTF-8 without NUL and within its bound, and no more than that
//! was read for it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde::Serialize;

/// Bytes of a file that was found in a directory: a larger one is no source that a person wrote.
pub(super) const MAX_FILE: u64 = 1 << 20;
/// Bytes of a file that was named, and of stdin: somebody wants it read, within reason.
pub(super) const MAX_NAMED: u64 = 16 << 20;

/// Why a file is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Skip {
    /// It has a NUL, or is not UTF-8.
    Binary,
    /// It has more bytes than its bound.
    TooLarge,
}

/// Why there is no text of a file.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is left out.
    Skipped(Skip),
    /// It cannot be read.
    Failed(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The ordinary files below a directory, in the order of their paths, as ripgrep finds them: what
/// ignore files leave out and what is hidden is not there, and links are not followed.
pub(super) fn walk(root: &Path) -> impl Iterator<Item = Result<PathBuf, ignore::Error>> + use<> {
    let entries = WalkBuilder::new(root).sort_by_file_path(Ord::cmp).build();
    entries.filter_map(|entry| match entry {
        Ok(entry) => entry.file_type().is_some_and(|kind| kind.is_file()).then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(error)),
    })
}

/// The text of a file that an author wrote, of at most [`MAX_FILE`].
///
/// # Errors
/// Why it cannot be read, in words.
pub(super) fn read_authored(path: &Path) -> Result<String, String> {
    read(path, MAX_FILE).map_err(|unread| {
        let why = match unread {
            Unread::Skipped(Skip::Binary) => "it has a NUL, or is not UTF-8".to_owned(),
            Unread::Skipped(Skip::TooLarge) => format!("it has more than {} MiB", MAX_FILE >> 20),
            Unread::Failed(error) => error.to_string(),
        };
        format!("cannot read {}: {why}", path.display())
    })
}

/// The text of an ordinary file of at most `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<String, Unread> {
    // Asked before it is opened: opening a pipe would wait for whoever writes to it.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is neither a file nor a directory").into());
    }
    if metadata.len() > most {
        return Err(Unread::Skipped(Skip::TooLarge));
    }
    read_from(File::open(path)?, most)
}

/// The text that comes from `reader`, of at most `most` bytes.
pub(super) fn read_from(reader: impl Read, most: u64) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    // One byte more tells a text that fills its bound from one that goes beyond.
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Unread::Skipped(Skip::TooLarge));
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Unread::Skipped(Skip::Binary)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{MAX_FILE, MAX_NAMED, Skip, Unread, read, read_from, walk};

    fn skip(read: Result<String, Unread>) -> Option<Skip> {
        match read {
            Err(Unread::Skipped(skip)) => Some(skip),
            _ => None,
        }
    }

    #[test]
    fn a_file_up_to_its_bound_is_read_and_a_larger_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rs");
        for most in [MAX_FILE, MAX_NAMED] {
            let full = "x".repeat(usize::try_from(most).unwrap());
            fs::write(&path, &full).unwrap();
            assert!(read(&path, most).unwrap() == full);
            assert!(read_from(full.as_bytes(), most).unwrap() == full);
            fs::write(&path, full.clone() + "x").unwrap();
            assert_eq!(skip(read(&path, most)), Some(Skip::TooLarge));
            assert_eq!(skip(read_from((full + "x").as_bytes(), most)), Some(Skip::TooLarge));
        }
    }

    #[test]
    fn what_has_a_nul_or_is_not_utf8_is_binary() {
        for binary in [&b"a\0b"[..], b"\xff\xfe", b"caf\xe9"] {
            assert_eq!(skip(read_from(binary, MAX_FILE)), Some(Skip::Binary));
        }
        assert_eq!(read_from("café".as_bytes(), MAX_FILE).unwrap(), "café");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path(), MAX_FILE).unwrap_err();
        assert!(matches!(error, Unread::Failed(error) if error.to_string().contains("neither")));
        assert!(matches!(read(&folder.path().join("none"), MAX_FILE), Err(Unread::Failed(_))));
    }

    #[test]
    fn ignored_and_hidden_files_and_links_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join(".git")).unwrap();
        fs::create_dir(root.join("deep")).unwrap();
        for (file, text) in [
            (".gitignore", "by-git.rs"),
            (".ignore", "by-ignore.rs"),
            ("by-git.rs", ""),
            ("by-ignore.rs", ""),
            ("deep/b.rs", ""),
            ("c.rs", ""),
        ] {
            fs::write(root.join(file), text).unwrap();
        }
        symlink(root.join("c.rs"), root.join("link.rs")).unwrap();
        symlink(root.join("deep"), root.join("link")).unwrap();
        let found: Vec<_> = walk(root).map(Result::unwrap).collect();
        assert_eq!(found, [root.join("c.rs"), root.join("deep/b.rs")]);
    }
}
