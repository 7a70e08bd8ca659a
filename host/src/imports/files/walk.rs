//! What is in a directory: its entries and bytes, and what must not be there.
//!
//! Invariant: bounded in entries, depth and time, and no symbolic link is followed.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

/// Directories in one another that are looked into. Each is open while those in it are looked at.
const MAX_DEPTH: usize = 64;

/// Where a look at a directory ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most entries.
    pub(super) entries: u64,
    /// Latest time.
    pub(super) until: Instant,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Lengths of all files and links together, where they were asked for.
    pub(super) bytes: u64,
    /// Files, directories and links.
    pub(super) entries: u64,
    /// A file that has another name somewhere, where sizes were asked for.
    pub(super) linked: Option<PathBuf>,
    /// Something that is no file, directory or link, and what it is.
    pub(super) special: Option<(PathBuf, &'static str)>,
    /// Why there may be more.
    pub(super) stopped: Option<Stopped>,
}

/// Why a look at a directory ended before its end.
#[derive(Debug)]
pub(super) enum Stopped {
    TooMany,
    TooSlow,
    TooDeep(PathBuf),
    /// Here begins a file system that is the kernel talking about itself.
    System(PathBuf),
    Failed(PathBuf, io::Error),
}

/// Looks at everything in a directory; with `sizes` at each file too, which costs more.
pub(super) fn walk(root: &File, sizes: bool, bounds: Bounds) -> Found {
    let mut walk = Walk { found: Found::default(), path: PathBuf::new(), sizes, bounds };
    let opened = openat(root, c".", OPEN, Mode::empty());
    walk.found.stopped = match opened {
        Ok(opened) => walk.directory(opened, 1).err(),
        Err(error) => Some(walk.failed(error)),
    };
    walk.found
}

const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

struct Walk {
    found: Found,
    /// Where the walk is, from the root.
    path: PathBuf,
    sizes: bool,
    bounds: Bounds,
}

impl Walk {
    fn directory(&mut self, opened: OwnedFd, depth: usize) -> Result<(), Stopped> {
        if depth > MAX_DEPTH {
            return Err(Stopped::TooDeep(self.path.clone()));
        }
        if is_systems(&opened) {
            return Err(Stopped::System(self.path.clone()));
        }
        let mut entries = Dir::new(opened).map_err(|error| self.failed(error))?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(|error| self.failed(error))?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.count()?;
            self.path.push(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())));
            let directory = entries.fd().map_err(|error| self.failed(error))?;
            self.entry(directory, name, entry.file_type(), depth)?;
            self.path.pop();
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Stopped> {
        if self.found.entries == self.bounds.entries {
            return Err(Stopped::TooMany);
        }
        if Instant::now() >= self.bounds.until {
            return Err(Stopped::TooSlow);
        }
        self.found.entries += 1;
        Ok(())
    }

    fn entry(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        told: FileType,
        depth: usize,
    ) -> Result<(), Stopped> {
        let kind = match told {
            FileType::Directory => told,
            told if !self.sizes && told != FileType::Unknown => told,
            _ => match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => {
                    self.measure(&stat);
                    FileType::from_raw_mode(stat.st_mode)
                }
                // Gone already.
                Err(Errno::NOENT) => return Ok(()),
                Err(error) => return Err(self.failed(error)),
            },
        };
        match kind {
            FileType::RegularFile | FileType::Symlink => {}
            FileType::Directory => self.below(directory, name, depth)?,
            other => {
                self.found.special.get_or_insert_with(|| (self.path.clone(), what_it_is(other)));
            }
        }
        Ok(())
    }

    fn measure(&mut self, stat: &rustix::fs::Stat) {
        let kind = FileType::from_raw_mode(stat.st_mode);
        if matches!(kind, FileType::RegularFile | FileType::Symlink) {
            self.found.bytes = self.found.bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
        }
        if kind == FileType::RegularFile && stat.st_nlink > 1 {
            self.found.linked.get_or_insert_with(|| self.path.clone());
        }
    }

    fn below(&mut self, directory: BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<(), Stopped> {
        match openat(directory, name, OPEN, Mode::empty()) {
            Ok(opened) => self.directory(opened, depth + 1),
            // Gone or swapped already, or closed to us and so to the plugin.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: Errno) -> Stopped {
        Stopped::Failed(self.path.clone(), error.into())
    }
}

fn what_it_is(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::BlockDevice | FileType::CharacterDevice => "a device",
        _ => "no file",
    }
}

/// Whether a directory belongs to a file system in which the kernel shows itself and its processes.
#[cfg(target_os = "linux")]
fn is_systems(directory: &OwnedFd) -> bool {
    /// proc, sysfs, debugfs, tracefs, securityfs, configfs, cgroup, cgroup2, bpf, efivarfs.
    const SYSTEMS: [i64; 10] = [
        0x9fa0,
        0x6265_6572,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x6265_6570,
        0x27_e0eb,
        0x6367_7270,
        0xcafe_4a11,
        0xde5e_81e4,
    ];
    rustix::fs::fstatfs(directory).is_ok_and(|stat| SYSTEMS.contains(&stat.f_type))
}

#[cfg(not(target_os = "linux"))]
fn is_systems(_directory: &OwnedFd) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{Bounds, Found, MAX_DEPTH, Stopped, walk};

    fn found_in(path: &Path, sizes: bool, entries: u64, time: Duration) -> Found {
        let until = Instant::now() + time;
        walk(&File::open(path).unwrap(), sizes, Bounds { entries, until })
    }

    fn found(path: &Path) -> Found {
        found_in(path, true, 1_000, Duration::from_secs(60))
    }

    #[test]
    fn files_and_links_are_counted_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("below")).unwrap();
        fs::write(path.join("below/a"), [0; 100]).unwrap();
        fs::write(path.join("b"), [0; 20]).unwrap();
        symlink("/usr", path.join("link")).unwrap();
        let found = found(path);
        assert!(found.stopped.is_none() && found.special.is_none() && found.linked.is_none(), "{found:?}");
        assert_eq!((found.entries, found.bytes), (4, 124));
    }

    #[test]
    fn what_is_no_file_and_what_has_a_second_name_is_found_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("below")).unwrap();
        let _listener = UnixListener::bind(path.join("below/socket")).unwrap();
        fs::write(path.join("a"), "a").unwrap();
        fs::hard_link(path.join("a"), path.join("below/b")).unwrap();
        let found = found(path);
        assert_eq!(found.special, Some(("below/socket".into(), "a socket")));
        assert!(found.linked.is_some());
        // Types are told without a look at each file.
        let quick = found_in(path, false, 1_000, Duration::from_secs(60));
        assert_eq!((quick.special, quick.linked), (Some(("below/socket".into(), "a socket")), None));
    }

    #[test]
    fn a_look_ends_at_its_bounds_of_entries_and_time() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let minute = Duration::from_secs(60);
        assert!(found_in(folder.path(), true, 3, minute).stopped.is_none());
        let most = found_in(folder.path(), true, 2, minute);
        assert!(matches!(most.stopped, Some(Stopped::TooMany)) && most.entries == 2, "{most:?}");
        let late = found_in(folder.path(), true, 3, Duration::ZERO);
        assert!(matches!(late.stopped, Some(Stopped::TooSlow)), "{late:?}");
    }

    #[test]
    fn sixty_four_directories_in_one_another_are_looked_into_and_not_one_more() {
        let folder = tempfile::tempdir().unwrap();
        let deep = |levels: usize| folder.path().join(vec!["d"; levels].join("/"));
        fs::create_dir_all(deep(MAX_DEPTH - 1)).unwrap();
        assert!(found(folder.path()).stopped.is_none());
        fs::create_dir_all(deep(MAX_DEPTH)).unwrap();
        assert!(matches!(found(folder.path()).stopped, Some(Stopped::TooDeep(_))));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_own_file_systems_are_known_by_what_they_are() {
        for path in ["/proc", "/proc/self/fd", "/sys"] {
            assert!(matches!(found(Path::new(path)).stopped, Some(Stopped::System(_))), "{path}");
        }
    }
}
