//! The sources of a directory in batches, as the demo sends them to a tool.
//!
//! Invariant: each batch fits into one call.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::sources;

/// Bytes of text in one call: far below a line's bound, and quick to answer. A file that is larger
/// stays out.
const MAX_BATCH: usize = 512 << 10;

/// The files of a directory, in batches.
pub(super) struct Batches {
    /// Arguments of one call each: `{"path": …, "text": …}`.
    pub(super) batches: Vec<Vec<Value>>,
    /// Files in all.
    pub(super) files: usize,
    /// Bytes in all.
    pub(super) bytes: usize,
}

/// Reads the sources below a directory, in the order of their paths.
pub(super) fn read(root: &Path) -> Batches {
    let mut all = Batches { batches: Vec::new(), files: 0, bytes: 0 };
    let mut batch = (Vec::new(), 0);
    for path in sources::walk(root).filter_map(Result::ok) {
        let Ok(text) = sources::read(&path, MAX_BATCH as u64) else { continue };
        if text.is_empty() {
            continue;
        }
        if batch.1 + text.len() > MAX_BATCH && !batch.0.is_empty() {
            all.batches.push(std::mem::take(&mut batch).0);
        }
        let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        all.files += 1;
        all.bytes += text.len();
        batch.1 += text.len();
        batch.0.push(json!({ "path": path, "text": text }));
    }
    if !batch.0.is_empty() {
        all.batches.push(batch.0);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MAX_BATCH, read};

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

    #[test]
    fn a_file_that_fills_a_batch_is_sent_and_larger_binary_or_empty_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let full = "x".repeat(MAX_BATCH);
        let larger = full.clone() + "x";
        for (name, text) in
            [("full.rs", full.as_str()), ("larger.rs", &larger), ("binary", "a\0"), ("empty", "")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let all = read(folder.path());
        assert_eq!((all.files, all.bytes), (1, full.len()));
        assert_eq!(all.batches[0][0]["path"], "full.rs");
    }
}
