//! Where a new plugin has the SDK from.
//!
//! Invariant: a folder that is named in a dependency holds the crate; one that the user did not name is in
//! a checkout that only the user or root could put there, as its macros run in a build.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

const CRATE: &str = "hubcap-sdk";
/// The crate around it in a checkout.
const HOST: &str = "hubcap";
/// The bit of a mode by which everybody may write.
const ALL_WRITE: u32 = 0o002;

/// Where the SDK is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sdk {
    /// In this folder, as the user says.
    Given(PathBuf),
    /// In the checkout that the new folder is in, and so many folders above that.
    Around(PathBuf, usize),
    /// In the checkout that this program was built from.
    BuiltFrom(PathBuf),
    /// In the registry.
    Registry,
}

impl Sdk {
    /// The SDK for a folder that will be made in `here`, an absolute path without links. `built_from` is
    /// the checkout that this program was built from.
    ///
    /// # Errors
    /// Where the given folder does not hold it.
    pub(super) fn find(given: Option<&Path>, here: &Path, built_from: &Path) -> Result<Self, Failure> {
        if let Some(folder) = given {
            return match look(folder, CRATE) {
                Ok(folder) => Ok(Self::Given(folder)),
                Err(reason) => Err(Failure::Usage(format!(
                    "--sdk: {} does not hold the crate {CRATE}: {reason}",
                    folder.display()
                ))),
            };
        }
        let around = here
            .ancestors()
            .enumerate()
            .find_map(|(above, folder)| Some(Self::Around(in_checkout(folder)?, above + 1)));
        let built_from = || in_checkout(built_from).map(Self::BuiltFrom);
        Ok(around.or_else(built_from).unwrap_or(Self::Registry))
    }

    /// The line of `Cargo.toml`.
    ///
    /// # Errors
    /// Where the path cannot stand in it.
    pub(super) fn dependency(&self) -> Result<String, Failure> {
        let path = match self {
            Self::Given(folder) | Self::BuiltFrom(folder) => folder.to_str().map(str::to_owned),
            // Wherever the checkout goes, the plugin goes with it.
            Self::Around(_, above) => Some(format!("{}sdk", "../".repeat(*above))),
            Self::Registry => return Ok(format!("{CRATE} = \"{}\"", env!("CARGO_PKG_VERSION"))),
        };
        let path = path.ok_or_else(|| {
            Failure::Usage(format!(
                "{self} is not UTF-8, and Cargo.toml cannot name it: use --sdk with another path to it"
            ))
        })?;
        Ok(format!("{CRATE} = {{ path = {} }}", toml::Value::String(path)))
    }
}

impl std::fmt::Display for Sdk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(folder) => write!(f, "{} (--sdk)", folder.display()),
            Self::Around(folder, _) => {
                write!(f, "{} (the checkout that the new folder is in)", folder.display())
            }
            Self::BuiltFrom(folder) => {
                write!(f, "{} (the checkout that this program was built from)", folder.display())
            }
            Self::Registry => write!(f, "version {} from the registry", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// The SDK in a checkout, if the folder is one.
fn in_checkout(folder: &Path) -> Option<PathBuf> {
    let sdk = look(&folder.join("sdk"), CRATE).ok()?;
    look(folder, HOST).ok().filter(|folder| is_trusted(folder) && is_trusted(&sdk)).map(|_| sdk)
}

/// Whether nobody but the user and root can have put the folder and its files there.
fn is_trusted(folder: &Path) -> bool {
    let owners = [0, rustix::process::geteuid().as_raw()];
    std::fs::metadata(folder)
        .is_ok_and(|folder| owners.contains(&folder.uid()) && folder.mode() & ALL_WRITE == 0)
}

/// The folder without links, if it holds the crate of this name; else why not.
fn look(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let manifest = folder.join("Cargo.toml");
    let text =
        std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    match manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str) {
        Some(own) if own == name => folder.canonicalize().map_err(|error| error.to_string()),
        Some(other) => Err(format!("it holds `{other}`")),
        None => Err("its Cargo.toml has no package".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::Sdk;
    use crate::cli::Failure;

    /// A folder with a crate of this name in it.
    fn crate_in(folder: &Path, name: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("Cargo.toml"), format!("[package]\nname = {name:?}\n")).unwrap();
    }

    fn find(given: Option<&Path>, here: &Path, built_from: &Path) -> Result<Sdk, String> {
        Sdk::find(given, here, built_from).map_err(|failure| match failure {
            Failure::Failed(message) | Failure::Usage(message) => message,
        })
    }

    #[test]
    fn what_is_given_stands_before_what_is_around_before_what_this_was_built_from() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let (checkout, source, given) = (root.join("checkout"), root.join("source"), root.join("given"));
        let inside = checkout.join("plugins/mine");
        fs::create_dir_all(&inside).unwrap();
        let registry = find(None, &inside, &source).unwrap();
        assert_eq!(
            registry.dependency().ok().unwrap(),
            concat!("hubcap-sdk = \"", env!("CARGO_PKG_VERSION"), "\"")
        );
        crate_in(&source.join("sdk"), "hubcap-sdk");
        crate_in(&source, "hubcap");
        crate_in(&checkout, "hubcap");
        assert_eq!(find(None, &inside, &source), Ok(Sdk::BuiltFrom(source.join("sdk"))));
        crate_in(&checkout.join("sdk"), "another-sdk");
        assert_eq!(find(None, &inside, &source), Ok(Sdk::BuiltFrom(source.join("sdk"))));
        crate_in(&checkout.join("sdk"), "hubcap-sdk");
        let around = find(None, &inside, &source).unwrap();
        assert_eq!(around, Sdk::Around(checkout.join("sdk"), 3));
        assert_eq!(around.dependency().ok().unwrap(), "hubcap-sdk = { path = \"../../../sdk\" }");
        crate_in(&given, "hubcap-sdk");
        assert_eq!(find(Some(&given), &inside, &source), Ok(Sdk::Given(given)));
    }

    #[test]
    fn an_sdk_around_the_new_folder_counts_only_in_a_checkout_that_not_everybody_can_write_to() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let (checkout, source) = (root.join("checkout"), root.join("none"));
        crate_in(&checkout.join("sdk"), "hubcap-sdk");
        assert_eq!(find(None, &checkout, &source), Ok(Sdk::Registry));
        crate_in(&checkout, "another");
        assert_eq!(find(None, &checkout, &source), Ok(Sdk::Registry));
        crate_in(&checkout, "hubcap");
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        for open in [checkout.clone(), checkout.join("sdk")] {
            mode(&open, 0o777);
            assert_eq!(find(None, &checkout, &source), Ok(Sdk::Registry), "{}", open.display());
            mode(&open, 0o755);
            assert_eq!(find(None, &checkout, &source), Ok(Sdk::Around(checkout.join("sdk"), 1)));
        }
    }

    #[test]
    fn a_folder_that_does_not_hold_the_sdk_is_refused_with_the_reason() {
        let place = tempfile::tempdir().unwrap();
        let refused =
            |folder: &str| find(Some(&place.path().join(folder)), place.path(), place.path()).unwrap_err();
        assert!(
            refused("nothing").contains("nothing does not hold the crate hubcap-sdk: "),
            "{}",
            refused("nothing")
        );
        crate_in(&place.path().join("other"), "other");
        assert!(refused("other").ends_with("it holds `other`"), "{}", refused("other"));
        fs::write(place.path().join("Cargo.toml"), "[workspace]").unwrap();
        assert!(refused("").ends_with("has no package"), "{}", refused(""));
        fs::write(place.path().join("Cargo.toml"), "[").unwrap();
        assert!(refused("").contains("does not hold the crate hubcap-sdk: "), "{}", refused(""));
    }

    #[test]
    fn any_path_comes_out_as_toml() {
        for path in
            ["/with spaces", r#"/with "double" and 'single' quotes"#, r"/with\backslash", "/with\nline"]
        {
            let line = Sdk::Given(path.into()).dependency().ok().unwrap();
            let read: toml::Table = toml::from_str(&line).unwrap();
            assert_eq!(read["hubcap-sdk"]["path"].as_str(), Some(path), "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_toml_cannot_hold_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/not\xffutf-8"));
        assert!(
            matches!(Sdk::Given(path.into()).dependency(), Err(Failure::Usage(reason)) if reason.contains("UTF-8"))
        );
    }
}
