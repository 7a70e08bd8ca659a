//! The file of a program: found once, and told apart from any other that is later in its place.
//!
//! Invariant: nobody but root and whoever runs hubcap could have put the file there, or could put another one
//! in its place.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

/// Links behind one another that are followed.
const MAX_LINKS: usize = 40;
/// The bits of a mode by which others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;
/// The bit of a directory in which everybody may make files, and nobody may replace those of others.
const STICKY: u32 = 0o1000;
/// Directories of the system, in which nothing is a program.
const SYSTEM: [&str; 3] = ["/dev", "/proc", "/sys"];

/// A program that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// As it was named: what the program sees as its own name.
    pub named: PathBuf,
    /// Where that leads.
    pub path: PathBuf,
    /// Which file that is.
    pub identity: Identity,
}

/// What tells a file apart from another one, and from itself after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    /// The kernel's own, which nobody can set back.
    changed: (i64, i64),
}

impl Identity {
    /// Of a file that is open, or was looked at.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Program {
    /// Finds the file and looks whether it may be run.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn find(named: &Path) -> Result<Self, String> {
        let path = followed(named)?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| why_not(&error))?;
        if !metadata.is_file() {
            return Err("is not a file".into());
        }
        check_owner("", &metadata, OTHERS_WRITE)?;
        access(&path, Access::EXEC_OK)
            .map_err(|_| "cannot be executed: see its mode and its disk's options")?;
        Ok(Self { named: named.to_owned(), identity: Identity::of(&metadata), path })
    }

    /// Whether the file is still the one that was found.
    pub fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| Identity::of(&metadata) == self.identity)
    }
}

/// Where a path leads, link by link: whoever can write to a directory on the way can lead it elsewhere.
fn followed(named: &Path) -> Result<PathBuf, String> {
    let mut path = named.to_owned();
    for _ in 0..MAX_LINKS {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err("is not a file".into());
        };
        let parent = parent.canonicalize().map_err(|error| why_not(&error))?;
        check_directories(&parent)?;
        path = parent.join(name);
        if SYSTEM.iter().any(|system| path.starts_with(system)) {
            return Err("belongs to the system and cannot be granted".into());
        }
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            // What is no link is where it ends.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(path),
            Err(error) => return Err(why_not(&error)),
        }
    }
    Err(format!("leads over more than {MAX_LINKS} links"))
}

/// The directory, and all those that it is in.
fn check_directories(directory: &Path) -> Result<(), String> {
    for (above, directory) in directory.ancestors().enumerate() {
        let metadata = fs::metadata(directory).map_err(|error| why_not(&error))?;
        let shown = format!("in {}, which is ", directory.display());
        // In one of these further up nobody can replace what is not theirs.
        let forbidden = if above > 0 && metadata.mode() & STICKY != 0 { 0 } else { OTHERS_WRITE };
        check_owner(&shown, &metadata, forbidden)?;
    }
    Ok(())
}

fn check_owner(shown: &str, metadata: &Metadata, forbidden: u32) -> Result<(), String> {
    let mode = metadata.mode();
    if mode & forbidden != 0 {
        return Err(format!(
            "is {shown}writable by others than its owner (mode {:o}); `chmod go-w` ends that",
            mode & 0o7777
        ));
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != 0 && metadata.uid() != user {
        return Err(format!("is {shown}owned by another user ({}), who could change it", metadata.uid()));
    }
    Ok(())
}

fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there: install it, or correct the path".into(),
        _ => format!("cannot be looked at: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::Path;

    use tempfile::TempDir;

    use super::{MAX_LINKS, Program};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run"), "#!/bin/sh\n").unwrap();
        set_mode(&folder.path().join("run"), 0o755);
        folder
    }

    fn refused(path: &Path) -> String {
        Program::find(path).unwrap_err()
    }

    #[test]
    fn a_program_is_found_where_its_links_lead() {
        let folder = folder();
        let real = folder.path().canonicalize().unwrap().join("run");
        symlink("run", folder.path().join("link")).unwrap();
        let found = Program::find(&folder.path().join("link")).unwrap();
        assert_eq!((found.path.as_path(), found.named.file_name()), (real.as_path(), Some("link".as_ref())));
        assert!(found.is_there());
        assert!(Program::find(Path::new("/bin/sh")).is_ok());
    }

    #[test]
    fn what_others_could_change_or_nobody_could_run_is_refused() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        assert!(refused(&at("none")).contains("is not there"));
        fs::create_dir(at("below")).unwrap();
        assert!(refused(&at("below")).contains("is not a file"));
        assert!(refused(Path::new("/")).contains("is not a file"));
        assert!(refused(Path::new("/proc/self/exe")).contains("belongs to the system"));
        for mode in [0o775, 0o757] {
            set_mode(&at("run"), mode);
            assert!(refused(&at("run")).contains("writable by others"), "{mode:o}");
        }
        set_mode(&at("run"), 0o644);
        assert!(refused(&at("run")).contains("cannot be executed"));
        set_mode(&at("run"), 0o755);
        for mode in [0o1777, 0o770, 0o707] {
            set_mode(folder.path(), mode);
            let why = refused(&at("run"));
            assert!(why.contains("writable by others") && why.contains("chmod go-w"), "{mode:o}: {why}");
        }
        set_mode(folder.path(), 0o755);
        fs::rename(at("run"), at("below/run")).unwrap();
        assert!(Program::find(&at("below/run")).is_ok());
        set_mode(folder.path(), 0o777);
        assert!(refused(&at("below/run")).contains("writable by others"));
    }

    #[test]
    fn a_link_in_a_directory_of_others_leads_nowhere() {
        let folder = folder();
        let (open, real) = (folder.path().join("open"), folder.path().join("run"));
        fs::create_dir(&open).unwrap();
        symlink(&real, open.join("link")).unwrap();
        symlink(open.join("link"), folder.path().join("over")).unwrap();
        assert!(Program::find(&folder.path().join("over")).is_ok());
        set_mode(&open, 0o777);
        for way in [open.join("link"), folder.path().join("over")] {
            assert!(refused(&way).contains("open, which is writable by others"), "{way:?}");
        }
        if rustix::process::geteuid().is_root() {
            set_mode(&open, 0o755);
            chown(&open, Some(65_534), None).unwrap();
            assert!(refused(&open.join("link")).contains("owned by another user (65534)"));
        }
    }

    #[test]
    fn forty_links_are_followed_and_one_more_is_not() {
        let folder = folder();
        let at = |n: usize| folder.path().join(format!("l{n}"));
        symlink("run", at(1)).unwrap();
        for n in 2..=MAX_LINKS {
            symlink(format!("l{}", n - 1), at(n)).unwrap();
        }
        assert!(Program::find(&at(MAX_LINKS - 1)).is_ok());
        assert!(refused(&at(MAX_LINKS)).contains("more than 40 links"));
    }

    #[test]
    fn a_file_that_was_changed_or_replaced_is_another_one() {
        let folder = folder();
        let path = folder.path().join("run");
        let find = || Program::find(&path).unwrap();
        let found = find();
        let times = fs::metadata(&path).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        // As if nothing had been: the same file, length and time of change. The kernel's own clock may need a
        // moment to move on.
        let noticed = (0..1_000).any(|_| {
            fs::write(&path, "#!/bin/SH\n").unwrap();
            file.set_modified(times.modified().unwrap()).unwrap();
            std::thread::yield_now();
            !found.is_there()
        });
        assert!(noticed);
        let found = find();
        fs::copy(&path, folder.path().join("copy")).unwrap();
        fs::rename(folder.path().join("copy"), &path).unwrap();
        assert!(!found.is_there());
        let found = find();
        fs::remove_file(&path).unwrap();
        assert!(!found.is_there());
    }
}
