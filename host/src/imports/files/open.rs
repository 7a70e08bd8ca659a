//! The directories of a plugin, opened and looked at once, when it is loaded.
//!
//! Invariant: what is opened here is what every call works in: no path is resolved again, so that a link
//! that is swapped later leads nowhere else.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use wasmtime_wasi::filesystem::Dir;
use wasmtime_wasi::{FsPerms, OpenMode};

use crate::imports::files::usage::{Size, Usage};
use crate::imports::files::walk::{Bounds, Found, Stopped, walk};
use crate::imports::files::{Directories, Granted};
use crate::model::PluginId;
use crate::policy::FileGrant;

/// Files, directories and links in a directory that may be written to, and as many are looked at in one
/// that is only read.
pub(super) const MAX_ENTRIES: u64 = 100_000;
/// Longest that looking at one directory may take.
const SCAN_DEADLINE: Duration = Duration::from_secs(5);
const DIRECTORY: i32 = OFlags::DIRECTORY.bits() as i32;

impl Directories {
    /// Opens what a plugin is granted. Takes a moment: never on the way of a call.
    ///
    /// # Errors
    /// Which directory cannot be used and why, in words for the operator.
    pub(crate) async fn open(plugin: &PluginId, grants: &[FileGrant]) -> Result<Arc<Self>, String> {
        let mut opened = Vec::new();
        for grant in grants {
            let directory = open_in_time(plugin, grant, SCAN_DEADLINE).await;
            opened.push(directory.map_err(|why| {
                format!(
                    "bad directory: {} {why}; it is granted as `files.{}` under [plugins.{plugin}.grant] in hubcap.toml",
                    grant.path.display(),
                    grant.name
                )
            })?);
        }
        Ok(Arc::new(Self(opened)))
    }
}

/// Opens beside the runtime's own threads.
async fn open_in_time(plugin: &PluginId, grant: &FileGrant, time: Duration) -> Result<Arc<Granted>, String> {
    let (plugin, grant) = (plugin.clone(), grant.clone());
    let opening = tokio::task::spawn_blocking(move || open(&plugin, &grant, time));
    // A disk that answers nothing at all holds up the thread, but nobody waits for it.
    let opened = tokio::time::timeout(time + Duration::from_secs(1), opening).await;
    match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(_)) => Err("cannot be looked at: that crashed".into()),
        Err(_) => Err(too_slow()),
    }
}

fn open(plugin: &PluginId, grant: &FileGrant, time: Duration) -> Result<Arc<Granted>, String> {
    let opened = OpenOptions::new().read(true).custom_flags(DIRECTORY).open(&grant.path);
    let opened = opened.map_err(|error| why_not(&error))?;
    let found = walk(&opened, grant.write, Bounds { entries: MAX_ENTRIES, until: Instant::now() + time });
    refuse(&found, grant)?;
    warn(plugin, grant, &found);
    let (perms, mode) = if grant.write {
        (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE)
    } else {
        (FsPerms::ReadOnly, OpenMode::READ)
    };
    let directory = Dir::new(opened, perms, mode, false);
    let usage = grant.write.then(|| usage(plugin, grant, &directory.dir, &found));
    Ok(Arc::new(Granted { guest_path: format!("/{}", grant.name), directory, usage }))
}

fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there: make it, or correct the path".into(),
        io::ErrorKind::NotADirectory => "is not a directory".into(),
        _ => format!("cannot be opened: {error}"),
    }
}

fn too_slow() -> String {
    format!("takes longer than {} s to look at", SCAN_DEADLINE.as_secs())
}

/// Whatever makes the directory unfit. One that is only read may have more in it than is looked at: that
/// bounds the look and nothing else, because what is no file is refused when it is opened, too. In one
/// that is written to it would leave the quota without a beginning.
fn refuse(found: &Found, grant: &FileGrant) -> Result<(), String> {
    if let Some((path, what)) = &found.special {
        return Err(format!("has {what} in it: {}; take it out", path.display()));
    }
    match &found.stopped {
        None => Ok(()),
        Some(Stopped::System(path)) => {
            Err(format!("belongs to the system and cannot be granted: {}", grant.path.join(path).display()))
        }
        Some(Stopped::Failed(path, error)) => {
            Err(format!("cannot be read: {}: {error}", grant.path.join(path).display()))
        }
        Some(_) if !grant.write => Ok(()),
        Some(Stopped::TooMany) => Err(format!(
            "has more than {MAX_ENTRIES} files in it, too many to be written to; grant a smaller one, or only to read"
        )),
        Some(Stopped::TooSlow) => Err(too_slow()),
        Some(Stopped::TooDeep(path)) => Err(format!("is too deep to be written to: {}", path.display())),
    }
}

fn warn(plugin: &PluginId, grant: &FileGrant, found: &Found) {
    let (path, name) = (grant.path.display(), &grant.name);
    if found.stopped.is_some() {
        let looked_at = found.entries;
        tracing::warn!(
            %plugin,
            "files.{name}: {path} is too large to be looked at whole: {looked_at} files were; what is no file is still not opened"
        );
    }
    if let Some(linked) = &found.linked {
        tracing::warn!(
            %plugin,
            "files.{name}: {path} has a file with another name somewhere, which the plugin may change there too: {}",
            linked.display()
        );
    }
    if grant.write && found.bytes > grant.quota {
        tracing::warn!(
            %plugin,
            "files.{name}: {path} has {} bytes in it, more than its quota of {}: nothing can be added",
            found.bytes,
            grant.quota
        );
    }
}

fn usage(plugin: &PluginId, grant: &FileGrant, directory: &Arc<File>, found: &Found) -> Arc<Usage> {
    let advice = format!(
        "the directory {:?} of {plugin} is full: {} bytes or {MAX_ENTRIES} files; the operator can raise `quota` in `files.{}` under [plugins.{plugin}.grant]",
        grant.name, grant.quota, grant.name
    );
    let used = Size { bytes: found.bytes, entries: found.entries };
    let most = Size { bytes: grant.quota, entries: MAX_ENTRIES };
    Usage::new(Arc::clone(directory), used, most, SCAN_DEADLINE, advice)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::Duration;

    use super::{SCAN_DEADLINE, open_in_time, refuse};
    use crate::imports::files::walk::{Found, Stopped};
    use crate::model::PluginId;
    use crate::policy::FileGrant;

    fn grant(path: &Path, write: bool) -> FileGrant {
        FileGrant { name: "work".into(), path: path.into(), write, quota: 10 }
    }

    async fn refusal(path: &Path, write: bool, time: Duration) -> Option<String> {
        open_in_time(&PluginId::new("some").unwrap(), &grant(path, write), time).await.err()
    }

    #[tokio::test]
    async fn a_directory_is_opened_in_time_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a").unwrap();
        assert_eq!(refusal(folder.path(), true, SCAN_DEADLINE).await, None);
        assert_eq!(refusal(folder.path(), false, SCAN_DEADLINE).await, None);
        let late = refusal(folder.path(), true, Duration::ZERO).await.unwrap();
        assert!(late.contains("takes longer than 5 s"), "{late}");
        // There is nothing to count in one that is only read.
        assert_eq!(refusal(folder.path(), false, Duration::ZERO).await, None);
    }

    #[tokio::test]
    async fn what_is_no_directory_and_what_belongs_to_the_system_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let why = async |path: &Path| refusal(path, false, SCAN_DEADLINE).await.unwrap();
        assert!(why(&path).await.contains("is not there"));
        fs::write(&path, "").unwrap();
        assert!(why(&path).await.contains("is not a directory"));
        // Under another name, which no look at the path can tell.
        symlink("/proc/self", folder.path().join("y")).unwrap();
        assert!(why(&folder.path().join("y")).await.contains("belongs to the system"));
    }

    #[test]
    fn what_was_not_looked_at_whole_can_be_read_and_not_written() {
        let found = || Found { stopped: Some(Stopped::TooMany), ..Found::default() };
        assert!(refuse(&found(), &grant(Path::new("/x"), false)).is_ok());
        let why = refuse(&found(), &grant(Path::new("/x"), true)).unwrap_err();
        assert!(why.contains("more than 100000 files"), "{why}");
    }
}
