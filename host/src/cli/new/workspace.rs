//! The workspace around a new crate.

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

/// Whether a workspace takes whatever crate is at `folder`, an absolute path, for its member. Such a crate
/// cannot have a workspace of its own, and any other one needs it.
pub(super) fn takes(folder: &Path) -> bool {
    let around = folder.ancestors().skip(1).find_map(|root| {
        let manifest: toml::Table =
            toml::from_str(&std::fs::read_to_string(root.join("Cargo.toml")).ok()?).ok()?;
        Some((root, manifest.get("workspace")?.as_table()?.clone()))
    });
    let Some((root, workspace)) = around else { return false };
    let Ok(inside) = folder.strip_prefix(root) else { return false };
    let listed = |key: &str| {
        let list = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        list.filter_map(toml::Value::as_str).map(plain).collect::<Vec<_>>()
    };
    let is_member = |pattern: &PathBuf| {
        let glob = GlobBuilder::new(&pattern.to_string_lossy()).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(inside))
    };
    listed("members").iter().any(is_member)
        && !listed("exclude").iter().any(|outside| inside.starts_with(outside))
}

/// Without `.` and a `/` at the end, as cargo takes it.
fn plain(listed: &str) -> PathBuf {
    Path::new(listed).components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::takes;

    #[test]
    fn the_nearest_workspace_takes_what_its_patterns_name_and_does_not_exclude() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let in_workspace = |manifest: &str, folder: &str| {
            fs::write(root.join("Cargo.toml"), manifest).unwrap();
            takes(&root.join(folder))
        };
        let workspace =
            "[workspace]\nmembers = [\"plugins/*\", \"my-*/\", \"one\"]\nexclude = [\"plugins/not\"]\n";
        let dotted =
            "[workspace]\nmembers = [\"./plugins/*\", \"././one/.\"]\nexclude = [\"./plugins/not\"]\n";
        for (folder, is_member) in [("plugins/a", true), ("one", true), ("plugins/not", false)] {
            assert_eq!(in_workspace(dotted, folder), is_member, "{folder}");
        }
        for member in ["plugins/a", "my-plugin", "one"] {
            assert!(in_workspace(workspace, member), "{member}");
        }
        for other in ["a", "plugins/a/b", "plugins/not", "two"] {
            assert!(!in_workspace(workspace, other), "{other}");
        }
        for manifest in ["[workspace]", "[package]\nname = \"a\"", "no toml"] {
            assert!(!in_workspace(manifest, "one"), "{manifest}");
        }
        // A crate in between is no workspace.
        fs::create_dir(root.join("plugins")).unwrap();
        fs::write(root.join("plugins/Cargo.toml"), "[package]\nname = \"a\"\n").unwrap();
        assert!(in_workspace(workspace, "plugins/a"));
        fs::write(root.join("plugins/Cargo.toml"), "[workspace]\n").unwrap();
        assert!(!in_workspace(workspace, "plugins/a"));
    }
}
