//! Directories, pinned by a handle when they are opened; files in them, read whole and bounded.
//!
//! Invariant: no path leads out of a directory, and whatever is no ordinary file is refused without
//! being opened for long: a FIFO blocks nobody. The only place that names `cap_std`.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileTypeExt, Metadata, OpenOptions, OpenOptionsExt};

const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

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

impl Directory {
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
