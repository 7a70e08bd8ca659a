//! Where a new plugin has the SDK from.
//!
//! Invariant: a folder that is named in a dependency holds the crate.

use std::path::{Path, PathBuf};

use crate::cli::Failure;

const CRATE: &str = "hubcap-sdk";

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
            return match look(folder) {
                Ok(folder) => Ok(Self::Given(folder)),
                Err(reason) => Err(Failure::Usage(format!(
                    "--sdk: {} does not hold the crate {CRATE}: {reason}",
                    folder.display()
                ))),
            };
        }
        let around = here.ancestors().enumerate().find_map(|(above, folder)| {
            let folder = look(&folder.join("sdk")).ok()?;
            Some(Self::Around(folder, above + 1))
        });
        let built_from = || look(&built_from.join("sdk")).ok().map(Self::BuiltFrom);
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

/// The folder without links, if it holds the crate; else why not.
fn look(folder: &Path) -> Result<PathBuf, String> {
    let manifest = folder.join("Cargo.toml");
    let text =
        std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    match manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str) {
        Some(CRATE) => folder.canonicalize().map_err(|error| error.to_string()),
        Some(other) => Err(format!("it holds `{other}`")),
        None => Err("its Cargo.toml has no package".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
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
