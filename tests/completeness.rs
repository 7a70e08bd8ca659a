//! What is easily forgotten: a guest without a test, a package without a run, a copy that drifted, an
//! arrow that points up, a file that grew.
//!
//! Invariant: each check reads the tree as it is, and an empty reading is a failure too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::guests::root;

/// All files below a directory with this extension, build output left out.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn toml(path: &str) -> toml::Table {
    read(&root().join(path)).parse().unwrap()
}

/// The text of all files with tests in them: those of this directory itself.
fn test_sources() -> String {
    let directory = root().join("tests");
    files(&directory, "rs")
        .iter()
        .filter(|path| path.parent() == Some(&directory))
        .map(|path| read(path))
        .collect()
}

#[test]
fn every_guest_program_is_named_by_a_test() {
    let sources = test_sources();
    let manifest = toml("tests/guests/Cargo.toml");
    let bins = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap().to_owned());
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let wats = files(&root().join("tests/guests/wat"), "wat").iter().map(stem).collect::<Vec<_>>();
    let names: Vec<String> = bins.chain(wats).collect();
    assert!(names.len() > 20, "{names:?}");
    let unnamed: Vec<_> = names.iter().filter(|name| !sources.contains(&format!("\"{name}\""))).collect();
    assert!(unnamed.is_empty(), "no test names these guests: {unnamed:?}");
}

#[test]
fn every_program_in_the_guests_directory_is_built() {
    let manifest = toml("tests/guests/Cargo.toml");
    let mut listed: Vec<_> = manifest["bin"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["name"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    let programs = files(&root().join("tests/guests/src/bin"), "rs");
    let mut stems: Vec<_> =
        programs.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    stems.sort();
    assert_eq!(stems, listed);
}

/// The directories of the workspace's members, the root included.
fn members() -> Vec<PathBuf> {
    let manifest = toml("Cargo.toml");
    let patterns = manifest["workspace"]["members"].as_array().unwrap();
    let mut members = vec![root().to_owned()];
    for pattern in patterns {
        let pattern = pattern.as_str().unwrap();
        match pattern.strip_suffix("/*") {
            Some(parent) => members.extend(
                fs::read_dir(root().join(parent))
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.join("Cargo.toml").exists()),
            ),
            None => members.push(root().join(pattern)),
        }
    }
    members
}

/// Whether a package has tests. The root package has these.
fn has_tests(member: &Path) -> bool {
    member == root()
        || files(member, "rs").iter().any(|path| {
            let text = read(path);
            text.contains("#[test]") || text.contains("#[tokio::test]")
        })
}

#[test]
fn the_readmes_test_command_runs_every_package_that_has_tests() {
    let readme = read(&root().join("README.md"));
    let commands: Vec<&str> =
        readme.lines().map(str::trim).filter(|line| line.starts_with("cargo test")).collect();
    assert!(!commands.is_empty(), "README.md has no line that starts with `cargo test`");
    let runs = |package: &str| {
        commands.iter().any(|command| {
            let words: Vec<&str> = command.split_whitespace().collect();
            let named =
                words.windows(2).any(|pair| matches!(pair[0], "-p" | "--package") && pair[1] == package);
            let selects = words.iter().any(|word| matches!(*word, "-p" | "--package"));
            named || words.contains(&"--workspace") || (!selects && package == "hubcap")
        })
    };
    let with_tests: Vec<String> = members()
        .iter()
        .filter(|member| has_tests(member))
        .map(|member| {
            let manifest: toml::Table = read(&member.join("Cargo.toml")).parse().unwrap();
            manifest["package"]["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(with_tests.len() > 1, "{with_tests:?}");
    let left_out: Vec<_> = with_tests.iter().filter(|package| !runs(package)).collect();
    assert!(left_out.is_empty(), "{commands:?} leaves out {left_out:?}");
}

#[test]
fn the_sdk_carries_the_same_wit() {
    let contents = |directory: &str| -> BTreeMap<String, String> {
        let directory = root().join(directory);
        let direct = |path: &PathBuf| path.parent() == Some(&directory);
        let found = files(&directory, "wit");
        let pair = |path: &PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), read(path));
        found.iter().filter(|path| direct(path)).map(pair).collect()
    };
    for (original, copy) in [("wit/plugin", "sdk/wit"), ("wit/deps", "sdk/wit/deps")] {
        let (original_files, copies) = (contents(original), contents(copy));
        assert!(!original_files.is_empty(), "{original} is empty");
        assert_eq!(original_files.keys().collect::<Vec<_>>(), copies.keys().collect::<Vec<_>>());
        for (name, text) in original_files {
            assert!(copies[&name] == text, "{copy}/{name} differs from {original}: run wit/vendor.sh");
        }
    }
}

/// The layers of `host/src` as `lib.rs` lists them, lowest first: a blank line ends a layer, and a
/// module uses its own layer and those before it.
fn layers() -> Vec<Vec<String>> {
    let declared = |line: &str| {
        let name = line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?;
        Some(name.to_owned())
    };
    let list = read(&root().join("host/src/lib.rs"));
    let layers = list.split("\n\n").map(|group| group.lines().filter_map(declared).collect::<Vec<_>>());
    layers.filter(|layer| !layer.is_empty()).collect()
}

/// The modules that a text names by `crate::`, comments left out.
fn uses(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.match_indices("crate::").map(move |(at, found)| &line[at + found.len()..]))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap())
        .filter(|module| module.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}

#[test]
fn modules_of_the_host_use_only_what_lies_below_them() {
    let source = root().join("host/src");
    let layers = layers();
    assert!(layers.len() > 8, "{layers:?}");
    let layer = |module: &str| {
        let found = layers.iter().position(|layer| layer.iter().any(|known| known == module));
        found.unwrap_or_else(|| panic!("`{module}` is not in the list of modules in lib.rs"))
    };
    let mut upward = Vec::new();
    for path in files(&source, "rs") {
        let inner = path.strip_prefix(&source).unwrap();
        let module = inner.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        for used in uses(&read(&path)).into_iter().filter(|used| layer(used) > layer(module)) {
            upward.push(format!("{}: {module} uses {used}", inner.display()));
        }
    }
    assert!(upward.is_empty(), "arrows that point up:\n{}", upward.join("\n"));
}

#[test]
fn the_protocol_library_is_named_by_one_folder_only() {
    let source = root().join("host/src");
    let naming: Vec<_> = files(&source, "rs")
        .into_iter()
        .filter(|path| !path.starts_with(source.join("mcp")))
        .filter(|path| {
            read(path).lines().any(|line| !line.trim_start().starts_with("//") && line.contains("rmcp::"))
        })
        .collect();
    assert!(naming.is_empty(), "{naming:?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<String> = ["host", "sdk", "plugins", "tests"]
        .iter()
        .flat_map(|directory| files(&root().join(directory), "rs"))
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, path)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}
