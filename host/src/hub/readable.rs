//! The directories that the operator lets the hub read for agents.
//!
//! Invariant: pinned when the hub starts; nothing outside of them is opened, and nobody learns whether
//! it is there.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::config::lexical;
use crate::directory::{Directory, Unread};
use crate::error::{Blame, CallError, Code};
use crate::hub::reads::Reads;
use crate::model::text;

/// Bytes of a file that is read for an agent: a larger one is no source that a person wrote.
const MAX_FILE: usize = 1 << 20;

/// The directories, in the operator's order.
#[derive(Clone, Default)]
pub(super) struct Readable {
    roots: Arc<[Root]>,
    reads: Reads,
}

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
        let roots = paths.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { roots, reads: Reads::default() })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Reads the file at a path: an absolute one, or one in the first directory that has it.
    pub(super) async fn text(&self, path: String, cancel: &CancellationToken) -> Result<Text, CallError> {
        let (readable, asked) = (self.clone(), path.clone());
        self.reads.run(&path, cancel, move || readable.read(&asked)).await
    }

    fn read(&self, path: &str) -> Result<Text, CallError> {
        let asked = Path::new(path);
        let (mut missing, mut refused) = (None, None);
        for root in self.roots.iter() {
            let Some(inner) = root.inner(asked) else { continue };
            match root.directory.read(&inner, MAX_FILE) {
                Ok(bytes) => {
                    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                    let text = text.ok_or_else(|| wrong(path, "it is no text: hubcap reads UTF-8"))?;
                    return Ok(Text { path: inner.to_string_lossy().into_owned(), text });
                }
                // The path itself stays inside: a link does not.
                Err(Unread::Outside) if stays_inside(&inner) => refused = Some(LINK),
                Err(Unread::Outside) => refused = refused.or(Some(NOWHERE)),
                // Whatever is there says more than that nothing is.
                Err(unread) => missing = missing.filter(|before| !is_missing(before)).or(Some(unread)),
            }
        }
        let missing = missing.filter(|_| refused.is_none());
        let denied = || denied(path, refused.unwrap_or(NOWHERE));
        Err(missing.map_or_else(denied, |unread| unreadable(path, &unread)))
    }
}

impl Root {
    /// The path inside of this directory, if it can be there.
    fn inner(&self, asked: &Path) -> Option<PathBuf> {
        if asked.is_relative() {
            return Some(asked.to_owned());
        }
        let inside = |path: &Path| {
            let inner = self.names.iter().find_map(|name| path.strip_prefix(name).ok())?;
            Some(if inner.as_os_str().is_empty() { PathBuf::from(".") } else { inner.to_owned() })
        };
        // A `..` that leads out may lead in again: that is told from its words, without a look outside.
        inside(asked).filter(|inner| stays_inside(inner)).or_else(|| inside(&lexical(asked)))
    }
}

/// Why a path is not read that is in no directory.
const NOWHERE: &str = "it is in no directory of `validate-dirs` in hubcap.toml; \
    send the text itself, or ask the operator to add the directory";
/// Why a path in a directory is not read.
const LINK: &str = "a symbolic link on its way leads out of its directory of `validate-dirs`, to nothing or to itself, \
    or names an absolute path; name what it leads to, or send the text itself";

/// Whether the words of a path lead out of where it starts.
fn stays_inside(inner: &Path) -> bool {
    lexical(inner).components().all(|part| part != Component::ParentDir)
}

fn is_missing(unread: &Unread) -> bool {
    matches!(unread, Unread::Failed(error) if error.kind() == std::io::ErrorKind::NotFound)
}

fn denied(path: &str, why: &str) -> CallError {
    let message = format!("hubcap may not read {:?}: {why}", text::truncate(path, 200));
    CallError::new(Code::Denied, Blame::Policy, message).private()
}

fn unreadable(path: &str, unread: &Unread) -> CallError {
    match unread {
        unread if is_missing(unread) => {
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
    fn a_link_that_is_not_followed_is_told_as_one_wherever_it_leads() {
        let (folder, readable) = two();
        let links = [
            (folder.path().join("a/src/one.rs"), "a/absolute"),
            (folder.path().join("no-such"), "a/nowhere"),
            ("loop".into(), "a/loop"),
            ("../../secret".into(), "a/src/out"),
        ];
        for (leads_to, link) in links {
            symlink(leads_to, folder.path().join(link)).unwrap();
            let error = readable.read(folder.path().join(link).to_str().unwrap()).unwrap_err();
            assert_eq!(error.code, Code::Denied);
            assert!(error.message().contains("a symbolic link on its way"), "{error}");
        }
        for outside in ["../secret", "/etc/passwd", "src/../../secret"] {
            let error = readable.read(outside).unwrap_err();
            assert!(error.message().contains("it is in no directory"), "{error}");
        }
    }

    #[test]
    fn an_absolute_path_may_lead_out_of_one_directory_and_into_another() {
        let (folder, readable) = two();
        for path in ["a/../b/two.rs", "a/src/../../b/two.rs", "none/../b/./two.rs"] {
            let path = folder.path().join(path);
            assert_eq!(readable.read(path.to_str().unwrap()).unwrap().path, "two.rs");
        }
        assert_eq!(readable.read("src/../src/one.rs").unwrap().text, "one");
    }

    #[test]
    fn a_directory_is_told_as_one_by_each_of_its_names() {
        let (folder, readable) = two();
        fs::create_dir(folder.path().join("b/only-there")).unwrap();
        let absolute = folder.path().join("a");
        for path in [absolute.to_str().unwrap(), ".", "src", "only-there"] {
            let error = readable.read(path).unwrap_err();
            assert!(error.message().contains("a directory; name a file"), "{error}");
        }
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
