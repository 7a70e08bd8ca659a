//! `validate-dirs`: what the hub may read for agents.
//!
//! Invariant: what belongs to the system is refused, and whatever holds the user's home is only taken where
//! it is named as broad.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::grant::{SYSTEM, TextOr, lexical};

/// A directory: its path, or a table.
pub(super) struct ReadDir(Written);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: PathBuf,
    #[serde(default)]
    broad: bool,
}

impl<'de> Deserialize<'de> for ReadDir {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of_text = |text: &str| Ok(Written { path: text.into(), broad: false });
        deserializer.deserialize_any(TextOr::new(of_text)).map(Self)
    }
}

impl ReadDir {
    /// Where it is, seen from the folder of the file.
    ///
    /// # Errors
    /// Why it is not read.
    pub(super) fn in_folder(self, folder: &Path) -> Result<PathBuf, String> {
        let Self(Written { path: written, broad }) = self;
        let (path, shown) = (folder.join(&written), written.display());
        let place = lexical(&std::path::absolute(&path).unwrap_or_else(|_| path.clone()));
        if SYSTEM.iter().any(|system| place.starts_with(system)) {
            return Err(format!("{shown} belongs to the system and is not read for agents"));
        }
        let holds_home =
            place.parent().is_none() || dirs::home_dir().is_some_and(|home| home.starts_with(&place));
        if holds_home && !broad {
            return Err(format!(
                "{shown} is all of the user's home or more; name a directory in it, or write `{{ path = \"…\", broad = true }}`"
            ));
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn dirs(written: &str) -> Result<Vec<std::path::PathBuf>, String> {
        let content = format!("\nvalidate-dirs = [\"src\", {written}]");
        let parsed = Config::parse(Path::new("/etc/hubcap.toml"), &content);
        parsed.map(|config| config.validate_dirs).map_err(|error| error.to_string())
    }

    #[test]
    fn what_holds_the_users_home_is_read_only_where_it_is_named_as_broad() {
        let home = dirs::home_dir().unwrap();
        for broad in ["/", "..", "/tmp/../.", home.to_str().unwrap()] {
            let error = dirs(&format!("\"{broad}\"")).unwrap_err();
            assert!(
                error.starts_with("/etc/hubcap.toml:2:25: ") && error.contains("broad = true"),
                "{error}"
            );
            let named = dirs(&format!("{{ path = \"{broad}\", broad = true }}")).unwrap();
            assert_eq!(named, [Path::new("/etc/src"), &Path::new("/etc").join(broad)]);
        }
        assert!(dirs("{ path = \"src\", broda = true }").unwrap_err().contains("did you mean `broad`?"));
    }

    #[test]
    fn directories_of_the_system_are_never_read() {
        for system in ["/proc", "/sys/kernel", "/dev/shm", "../proc/self", "/tmp/../dev"] {
            let error = dirs(&format!("{{ path = \"{system}\", broad = true }}")).unwrap_err();
            assert!(error.contains(&format!("{system} belongs to the system")), "{error}");
        }
    }
}
