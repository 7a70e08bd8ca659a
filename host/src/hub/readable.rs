//! The directories that the operator lets the hub read for agents.
//!
//! Invariant: pinned when the hub starts; nothing outside of them is opened, and nobody learns whether
//! it is there.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::directory::{Directory, Unread};
use crate::error::{Blame, CallError, Code};
use crate::model::text;

/// Bytes of a file that is read for an agent: a larger one is no source that a person wrote.
const MAX_FILE: usize = 1 << 20;

/// The directories, in the operator's order.
#[derive(Clone, Default)]
pub(super) struct Readable(Vec<Root>);

#[derive(Clone)]
struct Root {
    /// As the operator wrote it, and as the system knows it.
    names: [PathBuf; 2],
    directory: Directory,
}

/// A directory that the operator named and that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    path: PathBuf,
    error: std::io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}, which `validate-dirs` names: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for Unreadable {}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Text {
    /// Its path in its directory.
    pub(super) path: String,
    pub(super) text: String,
}

impl Readable {
    /// Opens the directories.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, Unreadable> {
        let open = |path: &PathBuf| {
            let opened = Directory::open(path).and_then(|directory| {
                let names = [path.clone(), path.canonicalize()?];
                Ok(Root { names, directory })
            });
            opened.map_err(|error| Unreadable { path: path.clone(), error })
        };
        paths.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the file at a path: an absolute one, or one in the first directory that has it. Blocks.
    pub(super) fn read(&self, path: &str) -> Result<Text, CallError> {
        let asked = Path::new(path);
        let (mut missing, mut outside) = (None, false);
        for root in &self.0 {
            let Some(inner) = root.inner(asked) else { continue };
            match root.directory.read(inner, MAX_FILE) {
                Ok(bytes) => {
                    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                    let text = text.ok_or_else(|| wrong(path, "it is no text: hubcap reads UTF-8"))?;
                    return Ok(Text { path: inner.to_string_lossy().into_owned(), text });
                }
                Err(Unread::Outside) => outside = true,
                Err(unread) => missing = missing.or(Some(unread)),
            }
        }
        let missing = missing.filter(|_| !outside);
        Err(missing.map_or_else(|| denied(path), |unread| unreadable(path, &unread)))
    }
}

impl Root {
    /// The path inside of this directory, if it can be there.
    fn inner<'a>(&self, asked: &'a Path) -> Option<&'a Path> {
        if asked.is_relative() {
            return Some(asked);
        }
        self.names.iter().find_map(|name| asked.strip_prefix(name).ok())
    }
}

fn denied(path: &str) -> CallError {
    let message = format!(
        "hubcap may not read {:?}: it is in no directory of `validate-dirs` in hubcap.toml; \
         send the text itself, or ask the operator to add the directory",
        text::truncate(path, 200)
    );
    CallError::new(Code::Denied, Blame::Policy, message).private()
}

fn unreadable(path: &str, unread: &Unread) -> CallError {
    match unread {
        Unread::Failed(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong(path, "there is no such file in the directories of `validate-dirs`")
        }
        Unread::TooLarge(_) => {
            wrong(path, &format!("{unread}, more than {MAX_FILE}; send a part of the text"))
        }
        Unread::NoFile(_) => wrong(path, &format!("{unread}; name a file")),
        _ => wrong(path, &unread.to_string()),
    }
}

fn wrong(path: &str, why: &str) -> CallError {
    let message = format!("{:?}: {why}", text::truncate(path, 200));
    CallError::new(Code::InvalidArguments, Blame::Caller, message).private()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{MAX_FILE, Readable};
    use crate::error::Code;

    fn two() -> (tempfile::TempDir, Readable) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/src", "b"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("a/src/one.rs"), "one").unwrap();
        fs::write(folder.path().join("b/two.rs"), "two").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let readable = Readable::open(&[folder.path().join("a"), folder.path().join("b")]).unwrap();
        (folder, readable)
    }

    fn code(readable: &Readable, path: &str) -> Code {
        readable.read(path).unwrap_err().code
    }

    #[test]
    fn a_file_is_found_by_its_relative_and_its_absolute_path() {
        let (folder, readable) = two();
        assert_eq!(readable.read("src/one.rs").unwrap().text, "one");
        assert_eq!(readable.read("two.rs").unwrap().text, "two");
        let absolute = readable.read(folder.path().join("b/two.rs").to_str().unwrap()).unwrap();
        assert_eq!((absolute.path.as_str(), absolute.text.as_str()), ("two.rs", "two"));
    }

    #[test]
    fn whatever_is_outside_is_denied_whether_it_is_there_or_not() {
        let (folder, readable) = two();
        symlink(folder.path().join("secret"), folder.path().join("a/link")).unwrap();
        symlink(folder.path(), folder.path().join("a/up")).unwrap();
        let absolute = folder.path().join("secret");
        let around = folder.path().join("a/../secret");
        for path in [
            absolute.to_str().unwrap(),
            around.to_str().unwrap(),
            "../secret",
            "../no-such",
            "link",
            "up/secret",
            "up/no-such",
            "/etc/passwd",
        ] {
            assert_eq!(code(&readable, path), Code::Denied, "{path}");
        }
        assert_eq!(code(&Readable::default(), "src/one.rs"), Code::Denied);
    }

    #[test]
    fn what_is_no_text_file_is_told_apart() {
        let (folder, readable) = two();
        fs::write(folder.path().join("a/binary"), b"a\0b").unwrap();
        for (path, why) in [("src", "a directory"), ("binary", "no text"), ("none.rs", "no such file")] {
            let error = readable.read(path).unwrap_err();
            assert_eq!(error.code, Code::InvalidArguments);
            assert!(error.message().contains(why), "{error}");
        }
    }

    #[test]
    fn a_file_of_one_mib_is_read_and_a_larger_one_is_not() {
        let (folder, readable) = two();
        fs::write(folder.path().join("a/full"), "x".repeat(MAX_FILE)).unwrap();
        assert_eq!(readable.read("full").unwrap().text.len(), MAX_FILE);
        fs::write(folder.path().join("a/full"), "x".repeat(MAX_FILE + 1)).unwrap();
        assert!(readable.read("full").unwrap_err().message().contains("more than 1048576"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_told_at_the_start() {
        let error = Readable::open(&["/no/such/folder".into()]).err().unwrap().to_string();
        assert!(error.contains("/no/such/folder") && error.contains("validate-dirs"), "{error}");
    }
}
