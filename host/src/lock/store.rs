//! `hubcap.lock` on disk.
//!
//! Invariant: the file is there whole or as it was before, and a change is made to what the file says
//! now, under a lock of the system's, so that two hosts do not lose each other's pins.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::directory::{Directory, Unread};
use crate::lock::{Lock, Pin};
use crate::model::PluginId;
use crate::toml_file::FileError;

/// Bytes of the file.
const MAX_BYTES: usize = 16 << 20;
/// Longest that a change waits for another hubcap's. Each takes a few milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Between two looks whether the other one is done.
const PAUSE: Duration = Duration::from_millis(5);

/// Where the lock is.
#[derive(Clone, Debug)]
pub struct LockFile {
    path: PathBuf,
}

/// Why a pin was not written.
#[derive(Debug)]
pub enum Unwritten {
    /// The file that is there is wrong.
    Bad(FileError),
    /// There is no such home.
    NoHome(PathBuf),
    /// It cannot be written.
    Failed(PathBuf, io::Error),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bad(error) => error.fmt(f),
            Self::NoHome(home) => {
                write!(f, "the home {} is not there: make it, or name another with --home", home.display())
            }
            Self::Failed(path, error) => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for Unwritten {}

impl LockFile {
    /// The file at a path; it need not be there.
    pub fn at(path: &Path) -> Self {
        // A link stays one: what it leads to is replaced.
        Self { path: path.canonicalize().unwrap_or_else(|_| path.to_owned()) }
    }

    /// What it holds; nothing where it is not there.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn read(&self) -> Result<Lock, FileError> {
        let name = self.path.display().to_string();
        let wrong = |message: String| FileError { file: name.clone(), position: None, message };
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(Unread::Failed(error)) if error.kind() == ErrorKind::NotFound => return Ok(Lock::default()),
            Err(unread @ Unread::TooLarge(_)) => {
                return Err(wrong(format!("{unread}, more than {MAX_BYTES}")));
            }
            Err(unread) => return Err(wrong(unread.to_string())),
        };
        let content = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".into()))?;
        Lock::parse(&name, &content)
    }

    fn bytes(&self) -> Result<Vec<u8>, Unread> {
        let directory = Directory::open(self.folder()).map_err(Unread::Failed)?;
        directory.read(Path::new(self.path.file_name().unwrap_or_default()), MAX_BYTES)
    }

    /// Adds pins of ids that have none yet, and says what the lock then holds.
    ///
    /// # Errors
    /// When it cannot be written; nothing has changed then.
    pub fn add(&self, pins: BTreeMap<PluginId, Pin>) -> Result<Lock, Unwritten> {
        self.change(|lock| {
            for (id, pin) in pins {
                lock.0.entry(id).or_insert(pin);
            }
        })
    }

    /// Puts a pin in the place of whatever was there for this id.
    ///
    /// # Errors
    /// When it cannot be written; nothing has changed then.
    pub fn accept(&self, id: PluginId, pin: Pin) -> Result<Lock, Unwritten> {
        self.change(|lock| _ = lock.0.insert(id, pin))
    }

    fn change(&self, change: impl FnOnce(&mut Lock)) -> Result<Lock, Unwritten> {
        let failed = |error| Unwritten::Failed(self.path.clone(), error);
        if !self.folder().is_dir() {
            return Err(Unwritten::NoHome(self.folder().to_owned()));
        }
        let _held = hold(&self.beside("guard"), LOCK_WAIT).map_err(failed)?;
        let before = self.read().map_err(Unwritten::Bad)?;
        let mut lock = before.clone();
        change(&mut lock);
        if lock != before {
            let content = lock.render().map_err(|error| failed(io::Error::other(error)))?;
            self.replace(content.as_bytes()).map_err(failed)?;
        }
        Ok(lock)
    }

    /// The whole content, or nothing of it: written beside, then renamed, both on the disk at the end.
    fn replace(&self, content: &[u8]) -> io::Result<()> {
        if content.len() > MAX_BYTES {
            return Err(io::Error::other(format!(
                "it would have {} bytes, more than {MAX_BYTES}; remove the tables of plugins that are gone",
                content.len()
            )));
        }
        let draft = self.beside("draft");
        // Of a host that was ended in the middle. Nobody else writes it: the guard is ours.
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        File::open(self.folder())?.sync_all()
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn beside(&self, what: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.folder().join(format!(".{name}.{what}"))
    }
}

/// Holds a file against other processes until it is dropped. The file stays: whoever removed it could
/// take it from somebody who waits.
fn hold(path: &Path, wait: Duration) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let end = Instant::now() + wait;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < end => std::thread::sleep(PAUSE),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(io::Error::other("another hubcap has held it for too long"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    use serde_json::json;

    use super::{LOCK_WAIT, LockFile, MAX_BYTES, Unwritten, hold};
    use crate::lock::tests::{lock, pin};

    fn file() -> (tempfile::TempDir, LockFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = LockFile::at(&folder.path().join("hubcap.lock"));
        (folder, file)
    }

    #[test]
    fn a_pin_is_added_once_and_replaced_only_where_it_is_accepted() {
        let (_folder, file) = file();
        assert!(file.read().unwrap().0.is_empty());
        let (first, second) = (lock("echo", pin("1.0.0", json!(1))), lock("echo", pin("2.0.0", json!(2))));
        assert_eq!(file.add(first.0.clone()).unwrap(), first);
        assert_eq!(file.add(second.0.clone()).unwrap(), first);
        let (id, pin) = second.0.clone().pop_first().unwrap();
        assert_eq!(file.accept(id, pin).unwrap(), second);
        assert_eq!(file.read().unwrap(), second);
    }

    #[test]
    fn hosts_at_once_lose_no_pin() {
        let (_folder, file) = file();
        std::thread::scope(|threads| {
            for host in 0..8 {
                let file = &file;
                threads.spawn(move || {
                    for n in 0..8 {
                        file.add(lock(&format!("p{host}-{n}"), pin("1.0.0", json!(n))).0).unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().unwrap().0.len(), 64);
    }

    #[test]
    fn whoever_waits_for_another_hubcap_waits_within_bounds() {
        let (folder, _file) = file();
        let path = folder.path().join("guard");
        let held = hold(&path, LOCK_WAIT).unwrap();
        assert!(hold(&path, Duration::from_millis(20)).unwrap_err().to_string().contains("another hubcap"));
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || hold(&path, LOCK_WAIT).is_ok()
        });
        drop(held);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_lock_of_16_mib_is_read_and_nothing_larger_is_read_or_written() {
        let (folder, file) = file();
        let path = folder.path().join("hubcap.lock");
        let head = "version = 1\n#";
        fs::write(&path, format!("{head}{}", "x".repeat(MAX_BYTES - head.len()))).unwrap();
        assert!(file.read().is_ok());
        fs::write(&path, format!("{head}{}", "x".repeat(MAX_BYTES + 1 - head.len()))).unwrap();
        assert!(file.read().unwrap_err().to_string().contains("more than 16777216"));
        fs::write(&path, "version = 1\n").unwrap();
        assert!(file.replace(&vec![b'#'; MAX_BYTES + 1]).is_err());
        assert!(file.replace(&vec![b'#'; MAX_BYTES]).is_ok());
    }

    #[test]
    fn a_link_to_the_lock_stays_a_link() {
        let (folder, _file) = file();
        let (kept, link) = (folder.path().join("kept.lock"), folder.path().join("hubcap.lock"));
        fs::write(&kept, "version = 1\n").unwrap();
        symlink(&kept, &link).unwrap();
        LockFile::at(&link).add(lock("echo", pin("1.0.0", json!(1))).0).unwrap();
        assert!(link.is_symlink() && fs::read_to_string(kept).unwrap().contains("[plugins.echo]"));
    }

    #[test]
    fn a_folder_that_is_not_there_or_a_bad_file_is_told_and_nothing_is_made() {
        let (folder, _file) = file();
        let missing = LockFile::at(&folder.path().join("none/hubcap.lock"));
        assert!(missing.read().unwrap().0.is_empty());
        let error = missing.add(lock("echo", pin("1.0.0", json!(1))).0).unwrap_err();
        assert!(matches!(&error, Unwritten::NoHome(home) if home.ends_with("none")), "{error}");
        assert!(!folder.path().join("none").exists());
        let path = folder.path().join("hubcap.lock");
        fs::write(&path, "nonsense").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let bad = LockFile::at(&path).add(lock("echo", pin("1.0.0", json!(1))).0).unwrap_err();
        assert!(matches!(bad, Unwritten::Bad(_)), "{bad}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense");
    }
}
