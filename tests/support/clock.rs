//! A wall clock that a test moves while the server runs.
//!
//! Invariant: how often the moved clock was asked is counted where it is asked, so that a jump that nobody
//! saw fails its test.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::guests::root;

/// A day, in seconds.
pub(crate) const DAY: i64 = 86_400;

/// The clock of one server.
pub(crate) struct Clock {
    folder: TempDir,
    file: File,
}

impl Clock {
    /// One that shows the real time.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("clock"), [0; 16]).unwrap();
        let file = File::options().read(true).write(true).open(folder.path().join("clock")).unwrap();
        Self { folder, file }
    }

    /// The command, by this clock.
    pub(crate) fn applied_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", library()).env("HUBCAP_TEST_CLOCK", self.folder.path().join("clock"))
    }

    /// Jumps to so many seconds from the real time.
    pub(crate) fn jump(&self, seconds: i64) {
        self.file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// How often it was asked so far.
    pub(crate) fn asked(&self) -> i64 {
        let mut count = [0; 8];
        self.file.read_exact_at(&mut count, 8).unwrap();
        i64::from_ne_bytes(count)
    }
}

/// The library, built once for each run.
fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libclock.so");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-C", "panic=abort", "-O", "-o"]);
        let ran = rustc.arg(&library).arg(root().join("tests/fixtures/clock.rs")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        library
    };
    BUILT.get_or_init(build).clone()
}
