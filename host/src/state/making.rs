//! What is left of a database whose making was cut off.
//!
//! Invariant: only a file in which nothing was ever written is emptied, and none that somebody has open.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of redb's header.
const HEADER: usize = 320;
/// Bytes at its start by which redb knows a database. It writes them last, and takes a file without them for
/// somebody else's, its own that it could not finish too.
const MAGIC: usize = 9;
/// More bytes than a new database has.
const NEW: u64 = 1 << 20;

/// Empties what a host left that was ended while it made the database, or found the disk full: redb makes it
/// anew then.
pub(super) fn forget_cut_off(file: &File) -> io::Result<()> {
    // Whoever has it open or makes it holds this lock, and redb takes it again for us.
    if file.try_lock().is_err() {
        return Ok(());
    }
    let len = file.metadata()?.len();
    if (1..=NEW).contains(&len) && is_cut_off(file, len as usize)? { file.set_len(0) } else { Ok(()) }
}

/// Whether there is nothing but a header without its start.
fn is_cut_off(file: &File, len: usize) -> io::Result<bool> {
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    Ok(is_zero(&bytes[..MAGIC.min(len)]) && is_zero(&bytes[HEADER.min(len)..]))
}
