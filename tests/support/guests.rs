//! The guest programs: those in Rust are built once for each run, the hand-written ones assembled.
//!
//! Invariant: a guest that does not build fails every test that needs it, with cargo's own words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const TARGET: &str = "wasm32-wasip2";

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The component of a Rust guest in `tests/guests/src/bin`.
pub(crate) fn wasm(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let directory =
        BUILT.get_or_init(|| build("test-guests")).as_ref().unwrap_or_else(|message| panic!("{message}"));
    let path = directory.join(name).with_extension("wasm");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The component of an example, without its manifest.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let directory = build(name).unwrap_or_else(|message| panic!("{message}"));
    let path = directory.join(name.replace('-', "_")).with_extension("wasm");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The component of a hand-written guest in `tests/guests/wat`.
pub(crate) fn wat(name: &str) -> Vec<u8> {
    let path = wat_directory().join(name).with_extension("wat");
    assemble(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Assembles the text of a component, with what makes it a plugin where it asks for that.
pub(crate) fn assemble(text: &str) -> Vec<u8> {
    let part = fs::read_to_string(wat_directory().join("plugin.part")).unwrap();
    with_part(text, &part)
}

fn with_part(text: &str, part: &str) -> Vec<u8> {
    wat::parse_str(text.replace("  ;; include plugin.part\n", part)).unwrap_or_else(|error| panic!("{error}"))
}

/// The plugin that only answers, with this in the place of what plugins have in common.
pub(crate) fn wat_component(part: &str) -> Vec<u8> {
    with_part(&fs::read_to_string(wat_directory().join("plain.wat")).unwrap(), part)
}

/// A plugin whose `run` only answers, with more text in front of it.
pub(crate) fn plugin_with(text: &str) -> Vec<u8> {
    assemble(&format!(
        r#"(component
{text}
  (core module $case (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)"#
    ))
}

fn wat_directory() -> PathBuf {
    root().join("tests/guests/wat")
}

fn build(package: &str) -> Result<PathBuf, String> {
    add_target()?;
    let target = root().join("target/guests");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--locked", "--package", package, "--target", TARGET, "--profile", "guest"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root()))?;
    Ok(target.join(TARGET).join("guest"))
}

/// Installs the target's standard library where it is missing, and says so.
fn add_target() -> Result<(), String> {
    let found = run(Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(root()))?;
    if Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir() {
        return Ok(());
    }
    eprintln!("the target {TARGET} is missing: running `rustup target add {TARGET}`");
    run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(root())).map(drop)
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}:\n{words}", output.status))
}
