//! Runs cargo to compile a plugin's crate.
//!
//! Invariant: guests have a profile and a target directory of their own, so that a build of theirs
//! never waits for a build of the host.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::say;
use serde::Deserialize;
use serde_json::Value;

/// What plugins compile to.
const TARGET: &str = "wasm32-wasip2";

/// The profile `guest`, for crates whose workspace has none: small, and fast enough.
const PROFILE: [&str; 6] = [
    "profile.guest.inherits=\"release\"",
    "profile.guest.opt-level=\"s\"",
    "profile.guest.lto=true",
    "profile.guest.codegen-units=1",
    "profile.guest.panic=\"abort\"",
    "profile.guest.strip=true",
];

/// Where cargo keeps what it builds for the crate in `folder`.
///
/// # Errors
/// When cargo cannot be run or does not find the crate.
pub(super) fn target_directory(folder: &Path) -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = cargo(folder)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| no_cargo(&error))?;
    if !output.status.success() {
        return Err(format!("cargo finds no crate in {}", folder.display()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata said something else: {error}"))?;
    Ok(metadata.target_directory)
}

/// Compiles the crate in `folder` and says where its component is. cargo's own words go to stderr.
///
/// # Errors
/// When it does not compile, or makes no component.
pub(super) fn build(folder: &Path, target_directory: &Path) -> Result<PathBuf, String> {
    let mut command = cargo(folder);
    command.args([
        "build",
        "--target",
        TARGET,
        "--profile",
        "guest",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.arg("--target-dir").arg(target_directory);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| no_cargo(&error))?;
    if !output.status.success() {
        return Err(format!("{} does not compile", folder.display()));
    }
    let manifest =
        folder.join("Cargo.toml").canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    artifact(&output.stdout, &manifest).ok_or_else(|| {
        format!("{} makes no component: its [lib] needs `crate-type = [\"cdylib\"]`", manifest.display())
    })
}

/// The `.wasm` among cargo's messages on the crate itself.
fn artifact(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n');
    let of_crate = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).filter(|message| {
        message["reason"] == "compiler-artifact"
            && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest)
    });
    of_crate
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Adds the compile target where it is missing. Installs that happen by themselves may be switched
/// off on a machine, so this one is asked for, and said.
///
/// # Errors
/// When it is missing and cannot be added.
pub(super) fn ensure_target() -> Result<(), String> {
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let library = library.map_err(|error| no_cargo(&error))?.stdout;
    if Path::new(String::from_utf8_lossy(&library).trim()).is_dir() {
        return Ok(());
    }
    say(&format!("hubcap: the compile target is missing: running `rustup target add {TARGET}`"));
    match Command::new("rustup").args(["target", "add", TARGET]).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "the compile target {TARGET} is missing and rustup did not add it; add it to your Rust toolchain"
        )),
    }
}

fn cargo(folder: &Path) -> Command {
    // Set where cargo itself started us; then it is the one that fits.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn no_cargo(error: &std::io::Error) -> String {
    format!("cannot run cargo ({error}); install Rust from https://rustup.rs")
}
