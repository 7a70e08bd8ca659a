//! Files in the plugin directories, read through directory handles.
//!
//! Invariant: a file is read once, whole and bounded; whatever is no ordinary file inside the
//! directory is refused without being opened for long: a FIFO blocks nobody.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt};

use crate::manifest;

/// A `*.wasm` entry of a plugin directory.
#[derive(Clone)]
pub struct Candidate {
    /// Its name in the directory.
    pub file: String,
    /// Where it is, for people.
    pub path: PathBuf,
    directory: Arc<Dir>,
}

/// What changes with a candidate's files: length and time of change, of it and of the manifest beside it.
pub type Stamp = [Option<(u64, SystemTime)>; 2];

/// What was read of a candidate.
pub struct Contents {
    /// The component.
    pub bytes: Vec<u8>,
    /// The manifest beside it, `<stem>.toml`, where there is one.
    pub sidecar: Option<String>,
}

/// A plugin directory that cannot be read.
#[derive(Debug)]
pub struct ScanError {
    directory: PathBuf,
    error: std::io::Error,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the plugin directory {}: {}", self.directory.display(), self.error)
    }
}

impl std::error::Error for ScanError {}

impl ScanError {
    /// Whether the directory is not there at all.
    pub fn is_missing(&self) -> bool {
        self.error.kind() == std::io::ErrorKind::NotFound
    }
}

/// The candidates of a directory, in the order of their names.
///
/// # Errors
/// When the directory itself cannot be read.
pub fn scan(directory: &Path) -> Result<Vec<Candidate>, ScanError> {
    let failed = |error| ScanError { directory: directory.to_owned(), error };
    let handle = Arc::new(Dir::open_ambient_dir(directory, ambient_authority()).map_err(failed)?);
    let mut found = Vec::new();
    for entry in handle.entries().map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "wasm") {
            let path = directory.join(&name);
            found.push(Candidate {
                file: name.to_string_lossy().into_owned(),
                path,
                directory: Arc::clone(&handle),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Candidate {
    /// How its files look from outside, without reading them.
    pub fn stamp(&self) -> Stamp {
        [self.name().to_owned(), self.name().with_extension("toml")].map(|name| {
            let metadata = self.directory.metadata(name).ok()?;
            Some((metadata.len(), metadata.modified().ok()?.into_std()))
        })
    }

    /// The file name without `.wasm`.
    pub fn stem(&self) -> &str {
        self.file.strip_suffix(".wasm").unwrap_or(&self.file)
    }

    /// Reads it, if it is an ordinary file of at most `max_bytes`.
    ///
    /// # Errors
    /// Why it cannot be a plugin, in words.
    pub fn read(&self, max_bytes: usize) -> Result<Contents, String> {
        let bytes = read_bounded(&self.directory, self.name(), max_bytes)?;
        let sidecar = PathBuf::from(self.name()).with_extension("toml");
        let sidecar = match self.directory.symlink_metadata(&sidecar) {
            Ok(_) => Some(
                read_bounded(&self.directory, &sidecar, manifest::MAX_BYTES)
                    .map_err(|why| format!("bad manifest: {}: {why}", sidecar.display()))?,
            ),
            Err(_) => None,
        };
        let sidecar = sidecar
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| format!("bad manifest: {}.toml is not UTF-8", self.stem()))?;
        Ok(Contents { bytes, sidecar })
    }

    fn name(&self) -> &Path {
        self.path.file_name().map_or(Path::new(""), Path::new)
    }
}

fn read_bounded(directory: &Dir, name: &Path, max_bytes: usize) -> Result<Vec<u8>, String> {
    // The type is asked of the opened handle, so that nothing can be swapped in between; opening
    // without blocking makes that safe for a FIFO.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NONBLOCK);
    let file = directory.open_with(name, &options).map_err(|error| cannot_open(directory, name, &error))?;
    let metadata = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("not a file: {}", what_it_is(&metadata)));
    }
    read_at_most(file, max_bytes)
        .map_err(|error| format!("cannot be read: {error}"))?
        .ok_or_else(|| format!("too large: {} bytes, more than {max_bytes}", metadata.len()))
}

const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// The bytes, or nothing where there are more than `max_bytes`.
fn read_at_most(file: File, max_bytes: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= max_bytes).then_some(bytes))
}

fn cannot_open(directory: &Dir, name: &Path, error: &std::io::Error) -> String {
    match directory.symlink_metadata(name) {
        Ok(metadata) if metadata.is_symlink() => {
            "not a file: a symbolic link that leads nowhere or out of the plugin directory; copy the file instead".into()
        }
        Ok(metadata) if !metadata.is_file() => format!("not a file: {}", what_it_is(&metadata)),
        _ => format!("cannot be read: {error}"),
    }
}

fn what_it_is(metadata: &Metadata) -> &'static str {
    use cap_std::fs::FileTypeExt;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "something else",
    }
}
