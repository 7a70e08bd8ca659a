//! Directories, pinned by a handle when they are opened; files in them, read whole and bounded.
//!
//! Invariant: no path leads out of a directory, and whatever is no ordinary file is refused without
//! being opened for long: a FIFO blocks nobody. The only place that names `cap_std`.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt as _, OpenOptionsExt as _, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{
    Dir, File, FileTypeExt, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt, PermissionsExt as _,
};
use rustix::fs::OFlags;

const NONBLOCK: i32 = OFlags::NONBLOCK.bits() as i32;
/// A file itself, not what a link of its name leads to, and without waiting.
const ITSELF: i32 = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).bits() as i32;
/// A directory itself, not what a link of its name leads to.
const DIRECTORY: i32 = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).bits() as i32;
/// The bits of a mode by which others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// An open directory.
#[derive(Clone)]
pub struct Directory(Arc<Dir>);

/// Why there are no bytes of a file.
#[derive(Debug)]
pub enum Unread {
    /// The path leads out of the directory, or is a link that leads nowhere.
    Outside,
    /// It is something else than an ordinary file: what, in words.
    NoFile(&'static str),
    /// It has more bytes than its bound: how many.
    TooLarge(u64),
    /// It is not there, or cannot be read.
    Failed(io::Error),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str(
                "not a file: a symbolic link that leads nowhere or out of its directory; copy the file instead",
            ),
            Self::NoFile(what) => write!(f, "not a file: {what}"),
            Self::TooLarge(bytes) => write!(f, "too large: {bytes} bytes"),
            Self::Failed(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// Why a directory or a file of the host's own is not used.
#[derive(Debug)]
pub enum NotOwn {
    /// It is a symbolic link.
    Link,
    /// Others than its owner may write to it: its mode.
    Shared(u32),
    /// It is something else than it should be: what, in words.
    Other(&'static str),
    /// It is not there, and cannot be made or opened.
    Failed(io::Error),
}

impl fmt::Display for NotOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("it is a symbolic link; put what it leads to in its place"),
            Self::Shared(mode) => {
                write!(f, "others than its owner may write to it (mode {mode:o}); `chmod go-w` ends that")
            }
            Self::Other(what) => write!(f, "it is {what}"),
            Self::Failed(error) => write!(f, "it cannot be made or opened: {error}"),
        }
    }
}

impl Directory {
    /// Opens a directory of the host's own, which nobody else may write to. Where it is missing it is
    /// made, for its owner alone.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn own(path: &Path) -> Result<Self, NotOwn> {
        let made = !path.is_dir();
        // What is there in its place shows itself when it is opened.
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        let directory = Self::owned(path).map_err(|refused| match (refused, created) {
            (NotOwn::Failed(_), Err(error)) => NotOwn::Failed(error),
            (refused, _) => refused,
        })?;
        if let Some(parent) = path.parent().filter(|_| made) {
            sync(parent).map_err(NotOwn::Failed)?;
        }
        Ok(directory)
    }

    /// The same for one that is there: nothing is made.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn owned(path: &Path) -> Result<Self, NotOwn> {
        let opened = fs::OpenOptions::new().read(true).custom_flags(DIRECTORY).open(path);
        let directory = opened.map_err(|error| match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => NotOwn::Link,
            Ok(metadata) if !metadata.is_dir() => NotOwn::Other("not a directory"),
            _ => NotOwn::Failed(error),
        })?;
        check_mode(directory.metadata().map_err(NotOwn::Failed)?.permissions().mode())?;
        Ok(Self(Arc::new(Dir::from_std_file(directory))))
    }

    /// Opens an ordinary file of the host's own to read and to write. Where it is missing it is made, for
    /// its owner alone.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn own_file(&self, name: &Path) -> Result<fs::File, NotOwn> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let (file, mode) = self.own_with(name, options)?;
        // A new name is on disk before anything is said to be.
        check_mode(mode).and_then(|()| self.sync().map_err(NotOwn::Failed)).map(|()| file)
    }

    /// The same for one that is there: nothing is made.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn owned_file(&self, name: &Path) -> Result<fs::File, NotOwn> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (file, mode) = self.own_with(name, options)?;
        check_mode(mode).map(|()| file)
    }

    /// Makes an ordinary file of the host's own, which nothing may be in the place of.
    ///
    /// # Errors
    /// Why it is not made.
    pub fn new_file(&self, name: &Path) -> Result<fs::File, NotOwn> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(self.own_with(name, options)?.0)
    }

    /// Opens an ordinary file of the host's own to read, and no link.
    ///
    /// # Errors
    /// Why it is not read.
    pub fn file(&self, name: &Path) -> Result<fs::File, NotOwn> {
        Ok(self.own_with(name, OpenOptions::new().read(true).clone())?.0)
    }

    /// Opens an ordinary file, and says its mode.
    fn own_with(&self, name: &Path, mut options: OpenOptions) -> Result<(fs::File, u32), NotOwn> {
        options.custom_flags(ITSELF);
        let file = self.0.open_with(name, &options).map_err(|error| match self.0.symlink_metadata(name) {
            Ok(metadata) if metadata.is_symlink() => NotOwn::Link,
            Ok(metadata) if !metadata.is_file() => NotOwn::Other(what_it_is(&metadata)),
            _ => NotOwn::Failed(error),
        })?;
        let metadata = file.metadata().map_err(NotOwn::Failed)?;
        if !metadata.is_file() {
            return Err(NotOwn::Other(what_it_is(&metadata)));
        }
        Ok((file.into_std(), metadata.permissions().mode()))
    }

    /// Gives a file another name in it, at once and in the place of what had that name.
    ///
    /// # Errors
    /// When it cannot be done; nothing has changed then.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, &self.0, to)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When it is not there or stays.
    pub fn remove(&self, name: &Path) -> io::Result<()> {
        self.0.remove_file(name)
    }

    /// Brings the names in it to the disk.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn sync(&self) -> io::Result<()> {
        self.0.try_clone().and_then(|dir| dir.into_std_file().sync_all())
    }

    /// Which file has this name, as `(device, inode)`; nothing where none has.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn inode(&self, name: &Path) -> io::Result<Option<(u64, u64)>> {
        match self.0.symlink_metadata(name) {
            Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it is still what this path leads to.
    pub fn is_at(&self, path: &Path) -> bool {
        let there = fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
        let own = self.0.dir_metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        matches!((there, own), (Ok(there), Ok(own)) if there == own)
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Dir::open_ambient_dir(path, ambient_authority()).map(|dir| Self(Arc::new(dir)))
    }

    /// The names in it, in no order.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        self.0.entries()?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Whether there is anything of this name, be it a link that leads nowhere.
    pub fn has(&self, name: &Path) -> bool {
        self.0.symlink_metadata(name).is_ok()
    }

    /// Length and time of change of what is there.
    pub fn stamp(&self, name: &Path) -> Option<(u64, SystemTime)> {
        let metadata = self.0.metadata(name).ok()?;
        Some((metadata.len(), metadata.modified().ok()?.into_std()))
    }

    /// Reads a file, if it is an ordinary one of at most `max_bytes`.
    ///
    /// # Errors
    /// Why it is not read.
    pub fn read(&self, name: &Path, max_bytes: usize) -> Result<Vec<u8>, Unread> {
        // The type is asked of the opened handle, so that nothing can be swapped in between; opening
        // without blocking makes that safe for a FIFO.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NONBLOCK);
        let file = self.0.open_with(name, &options).map_err(|error| self.unopened(name, error))?;
        let metadata = file.metadata().map_err(Unread::Failed)?;
        if !metadata.is_file() {
            return Err(Unread::NoFile(what_it_is(&metadata)));
        }
        let bytes = read_at_most(file, max_bytes).map_err(Unread::Failed)?;
        bytes.ok_or(Unread::TooLarge(metadata.len()))
    }

    fn unopened(&self, name: &Path, error: io::Error) -> Unread {
        match self.0.symlink_metadata(name) {
            Ok(metadata) if metadata.is_symlink() => Unread::Outside,
            Ok(metadata) if !metadata.is_file() => Unread::NoFile(what_it_is(&metadata)),
            // The refusal to leave a directory is the library's own, without a number of the system's.
            Err(of_link) if of_link.raw_os_error().is_none() => Unread::Outside,
            _ => Unread::Failed(error),
        }
    }
}

/// Opens a directory that is below another one, and nothing that is not.
///
/// # Errors
/// When it is not there, is no directory, or lies outside.
pub fn below(directory: &fs::File, path: &Path) -> io::Result<fs::File> {
    Dir::from_std_file(directory.try_clone()?).open_dir(path).map(Dir::into_std_file)
}

fn check_mode(mode: u32) -> Result<(), NotOwn> {
    if mode & OTHERS_WRITE == 0 { Ok(()) } else { Err(NotOwn::Shared(mode & 0o7777)) }
}

/// Brings the names in a directory to the disk.
fn sync(directory: &Path) -> io::Result<()> {
    // The path of a file in the working directory has an empty parent.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    fs::File::open(directory)?.sync_all()
}

/// The bytes, or nothing where there are more than `max_bytes`.
fn read_at_most(file: File, max_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= max_bytes).then_some(bytes))
}

fn what_it_is(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "something else",
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::Directory;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn refused<T>(result: Result<T, super::NotOwn>) -> String {
        result.err().expect("refused").to_string()
    }

    #[test]
    fn a_directory_and_a_file_of_the_hosts_own_are_made_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home/state");
        let directory = Directory::own(&path).unwrap();
        drop(directory.own_file(Path::new("kv")).unwrap());
        assert_eq!((mode(&path), mode(&path.join("kv"))), (0o700, 0o600));
        assert!(Directory::own(&path).unwrap().own_file(Path::new("kv")).is_ok());
    }

    #[test]
    fn what_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("state"), Path::new("kv"));
        let directory = Directory::own(&path).unwrap();
        drop(directory.own_file(file).unwrap());
        for writable in [0o770, 0o702] {
            fs::set_permissions(path.join(file), Permissions::from_mode(writable)).unwrap();
            assert!(refused(directory.own_file(file)).contains(&format!("mode {writable:o}")));
            assert!(refused(directory.owned_file(file)).contains(&format!("mode {writable:o}")));
            fs::set_permissions(&path, Permissions::from_mode(writable)).unwrap();
            assert!(refused(Directory::own(&path)).contains("`chmod go-w`"));
        }
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(path.join(file), Permissions::from_mode(0o644)).unwrap();
        assert!(Directory::own(&path).unwrap().own_file(file).is_ok());
    }

    #[test]
    fn links_and_other_things_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        let directory = Directory::own(&real).unwrap();
        for (name, leads_to) in [("link", real.as_path()), ("nowhere", Path::new("/no/such/place"))] {
            symlink(leads_to, folder.path().join(name)).unwrap();
            assert!(refused(Directory::own(&folder.path().join(name))).contains("symbolic link"), "{name}");
        }
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(refused(Directory::own(&folder.path().join("file"))).contains("not a directory"));
        symlink(folder.path().join("file"), real.join("out")).unwrap();
        drop(directory.own_file(Path::new("kv")).unwrap());
        symlink("kv", real.join("in")).unwrap();
        for link in ["out", "in"] {
            assert!(refused(directory.own_file(Path::new(link))).contains("symbolic link"), "{link}");
            assert!(refused(directory.file(Path::new(link))).contains("symbolic link"), "{link}");
            assert!(refused(directory.owned_file(Path::new(link))).contains("symbolic link"), "{link}");
        }
        fs::create_dir(real.join("folder")).unwrap();
        assert!(refused(directory.own_file(Path::new("folder"))).contains("a directory"));
    }

    #[test]
    fn a_new_file_takes_the_place_of_nothing_and_looking_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own");
        assert!(Directory::owned(&path).is_err() && !path.exists());
        let directory = Directory::own(&path).unwrap();
        assert!(directory.file(Path::new("a")).is_err() && directory.owned_file(Path::new("a")).is_err());
        drop(directory.new_file(Path::new("a")).unwrap());
        assert_eq!(mode(&path.join("a")), 0o600);
        assert!(directory.new_file(Path::new("a")).is_err() && directory.file(Path::new("a")).is_ok());
        let inode = |name: &str| directory.inode(Path::new(name)).unwrap();
        let before = inode("a");
        directory.rename(Path::new("a"), Path::new("b")).unwrap();
        assert_eq!((inode("a"), inode("b")), (None, before));
        assert!(directory.is_at(&path));
        fs::rename(&path, folder.path().join("moved")).unwrap();
        assert!(!directory.is_at(&path));
    }
}
