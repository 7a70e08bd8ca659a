//! Source files of a directory, as the demo sends them to a tool.
//!
//! Invariant: what `.gitignore` leaves out, what is binary and what is too large stays out, and each
//! batch fits into one call.

use std::path::Path;

use ignore::WalkBuilder;
use serde_json::{Value, json};

/// A file that is larger is no source that a person wrote.
const MAX_FILE: u64 = 256 << 10;
/// Bytes of text in one call: far below a line's bound, and quick to answer.
const MAX_BATCH: usize = 512 << 10;

/// The files of a directory, in batches.
pub(super) struct Sources {
    /// Arguments of one call each: `{"path": …, "text": …}`.
    pub(super) batches: Vec<Vec<Value>>,
    /// Files in all.
    pub(super) files: usize,
    /// Bytes in all.
    pub(super) bytes: usize,
}

/// Reads the sources below a directory, in the order of their paths.
pub(super) fn read(root: &Path) -> Sources {
    let mut sources = Sources { batches: Vec::new(), files: 0, bytes: 0 };
    let mut batch = (Vec::new(), 0);
    let walk = WalkBuilder::new(root).sort_by_file_path(Ord::cmp).build();
    for entry in walk.filter_map(Result::ok) {
        let Some(text) = read_text(entry.path()) else { continue };
        if batch.1 + text.len() > MAX_BATCH && !batch.0.is_empty() {
            sources.batches.push(std::mem::take(&mut batch).0);
        }
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
        sources.files += 1;
        sources.bytes += text.len();
        batch.1 += text.len();
        batch.0.push(json!({ "path": path, "text": text }));
    }
    if !batch.0.is_empty() {
        sources.batches.push(batch.0);
    }
    sources
}

/// The text of an ordinary file that is UTF-8, not empty and not too large.
fn read_text(path: &Path) -> Option<String> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_file() || metadata.len() == 0 || metadata.len() > MAX_FILE {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MAX_BATCH, MAX_FILE, read};

    #[test]
    fn files_up_to_the_bound_are_read_and_larger_binary_or_ignored_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let full = "x".repeat(usize::try_from(MAX_FILE).unwrap());
        for (name, text) in
            [("full.rs", full.as_str()), ("larger.rs", &format!("{full}x")), ("binary", "a\0"), ("empty", "")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join(".ignore"), "ignored.rs").unwrap();
        fs::write(folder.path().join("ignored.rs"), "x").unwrap();
        let sources = read(folder.path());
        assert_eq!((sources.files, sources.bytes), (1, full.len()));
        assert_eq!(sources.batches[0][0]["path"], "full.rs");
    }

    #[test]
    fn a_batch_holds_what_fits_and_the_rest_goes_into_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let half = "x".repeat(MAX_BATCH / 2);
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), &half).unwrap();
        }
        let sizes: Vec<usize> = read(folder.path()).batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
