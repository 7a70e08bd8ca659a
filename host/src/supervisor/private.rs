//! A directory of a program's own, for as long as it runs.
//!
//! Invariant: nobody else can look into it, it is empty at the start, and it is gone when this is dropped.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// A directory that goes with this value.
pub(super) struct Private(PathBuf);

impl Private {
    /// A new one, in a directory that may be everybody's.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        // Made here and now or not at all: whatever is there already is somebody else's.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Makes a directory in it.
    pub(super) fn make(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Nobody is left who could use it, and nobody could be told.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::Private;

    #[test]
    fn a_private_directory_is_the_owners_alone_and_goes_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let one = Private::new(folder.path().join("one")).unwrap();
        assert!(Private::new(folder.path().join("one")).is_err(), "it is somebody's already");
        let inside = one.make("a").unwrap();
        for made in [&one.0, &inside] {
            assert_eq!(fs::metadata(made).unwrap().permissions().mode() & 0o7777, 0o700);
        }
        fs::create_dir(inside.join("b")).unwrap();
        std::os::unix::fs::symlink(folder.path(), inside.join("out")).unwrap();
        drop(one);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Private::new(folder.path().join("none/two")).is_err());
    }
}
