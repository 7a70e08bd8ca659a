//! Plugin files, in directories or named one by one.
//!
//! Invariant: a file is read once, whole and bounded.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::directory::{Directory, Unread};
use crate::manifest;

/// Bytes of a signature.
const MAX_SIGNATURE: usize = 4 << 10;

/// A file that may be a plugin.
#[derive(Clone)]
pub struct Candidate {
    /// Its name in the directory.
    pub file: String,
    /// Where it is, for people.
    pub path: PathBuf,
    directory: Directory,
}

/// What changes with a candidate's files: length and time of change, of it and of the manifest and the
/// signature beside it.
pub type Stamp = [Option<(u64, std::time::SystemTime)>; 3];

/// What was read of a candidate.
pub struct Contents {
    /// The component.
    pub bytes: Vec<u8>,
    /// The manifest beside it, `<stem>.toml`, where there is one.
    pub sidecar: Option<String>,
    /// The signature beside it, `<file>.minisig`, where there is one.
    pub signature: Option<String>,
}

/// A plugin directory or file that cannot be read.
#[derive(Debug)]
pub struct ScanError {
    path: PathBuf,
    error: std::io::Error,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the plugins at {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for ScanError {}

impl ScanError {
    /// Whether there is nothing at all.
    pub fn is_missing(&self) -> bool {
        self.error.kind() == std::io::ErrorKind::NotFound
    }
}

/// The candidates at a path: the `*.wasm` of a directory in the order of their names, or one file.
///
/// # Errors
/// When there is nothing, or the directory cannot be read.
pub fn scan(path: &Path) -> Result<Vec<Candidate>, ScanError> {
    let failed = |error| ScanError { path: path.to_owned(), error };
    match std::fs::metadata(path).map_err(failed)?.is_dir() {
        true => scan_directory(path).map_err(failed),
        false => one(path).map(|candidate| vec![candidate]).map_err(failed),
    }
}

/// A file that was named itself: its kind is looked at when it is read.
fn one(path: &Path) -> std::io::Result<Candidate> {
    let name = path.file_name().ok_or(std::io::ErrorKind::NotFound)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Candidate {
        file: name.to_string_lossy().into_owned(),
        path: path.to_owned(),
        directory: Directory::open(parent)?,
    })
}

fn scan_directory(directory: &Path) -> std::io::Result<Vec<Candidate>> {
    let handle = Directory::open(directory)?;
    let is_wasm = |name: &Path| name.extension().is_some_and(|extension| extension == "wasm");
    let names = handle.names()?.into_iter().filter(|name| is_wasm(Path::new(name)));
    let mut found: Vec<Candidate> = names
        .map(|name| Candidate {
            file: name.to_string_lossy().into_owned(),
            path: directory.join(&name),
            directory: handle.clone(),
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Candidate {
    /// How its files look from outside, without reading them.
    pub fn stamp(&self) -> Stamp {
        [self.name().to_owned(), self.sidecar_name(), self.signature_name()]
            .map(|name| self.directory.stamp(&name))
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
        let refused = |unread: Unread| refusal(&unread, max_bytes);
        let bytes = self.directory.read(self.name(), max_bytes).map_err(refused)?;
        let sidecar = self.beside(&self.sidecar_name(), manifest::MAX_BYTES);
        let signature = self.beside(&self.signature_name(), MAX_SIGNATURE);
        Ok(Contents {
            bytes,
            sidecar: sidecar.map_err(|why| format!("bad manifest: {why}"))?,
            signature: signature.map_err(|why| format!("bad signature: {why}"))?,
        })
    }

    fn sidecar_name(&self) -> PathBuf {
        self.name().with_extension("toml")
    }

    fn signature_name(&self) -> PathBuf {
        let mut name = self.name().as_os_str().to_owned();
        name.push(".minisig");
        name.into()
    }

    /// The text of a file beside it, where there is one.
    fn beside(&self, name: &Path, max_bytes: usize) -> Result<Option<String>, String> {
        if !self.directory.has(name) {
            return Ok(None);
        }
        let shown = name.display();
        let bytes = self.directory.read(name, max_bytes);
        let bytes = bytes.map_err(|unread| format!("{shown}: {}", refusal(&unread, max_bytes)))?;
        String::from_utf8(bytes).map(Some).map_err(|_| format!("{shown} is not UTF-8"))
    }

    fn name(&self) -> &Path {
        self.path.file_name().map_or(Path::new(""), Path::new)
    }
}

fn refusal(unread: &Unread, max_bytes: usize) -> String {
    match unread {
        Unread::TooLarge(_) => format!("{unread}, more than {max_bytes}"),
        _ => unread.to_string(),
    }
}
