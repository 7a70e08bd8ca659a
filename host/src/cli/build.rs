//! `hubcap plugin build`: from a crate to a plugin.
//!
//! Invariant: what lands in the output directory has its manifest in it and was loaded in the
//! sandbox before; a build that fails leaves what was there.

use std::path::{Path, PathBuf};

use clap::Args;
use wasm_encoder::{ComponentSection, CustomSection};

use crate::cli::{Done, Failure, cargo, check, one, print, sources};
use crate::config::Config;
use crate::home::Home;
use crate::hub::{Admission, FileReport, State};
use crate::manifest::{self, Manifest};

#[derive(Args)]
pub(super) struct Options {
    /// Folders of crates with a plugin.toml beside Cargo.toml
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Where the plugins go [default: plugins/ in the crate's target directory]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A plugin that was compiled and has its manifest in it, and that nobody has tried yet.
pub(super) struct Draft {
    /// What its author says of it.
    pub(super) manifest: Manifest,
    component: Vec<u8>,
    /// The crate's target directory.
    target: PathBuf,
}

/// A draft as a file, in a directory of its own that goes with it.
pub(super) struct Scratch {
    directory: PathBuf,
    file: PathBuf,
}

/// A plugin that was built.
pub(super) struct Built {
    /// Where it is.
    pub(super) file: PathBuf,
    bytes: usize,
    report: FileReport,
    tools: Vec<String>,
}

pub(super) async fn run(options: Options) -> Done {
    for folder in &options.folders {
        let built = build(folder, options.out.as_deref()).await?;
        print(&built.describe())?;
    }
    Ok(())
}

/// Builds the plugin whose crate is in `folder`.
pub(super) async fn build(folder: &Path, out: Option<&Path>) -> Result<Built, Failure> {
    let draft = compile(folder)?;
    place(&draft, &out.map_or_else(|| draft.out(), Path::to_owned)).await
}

/// Compiles the plugin whose crate is in `folder`.
pub(super) fn compile(folder: &Path) -> Result<Draft, Failure> {
    let (manifest, text) = read_manifest(folder)?;
    cargo::ensure_target().map_err(Failure::Failed)?;
    let target = cargo::target_directory(folder).map_err(Failure::Usage)?;
    let compiled = cargo::build(folder, &target.join("guests")).map_err(Failure::Failed)?;
    let component = std::fs::read(&compiled).map_err(|error| cannot("read", &compiled, &error))?;
    Ok(Draft { manifest, component: embed(component, &text), target })
}

impl Draft {
    /// Where plugins of this crate go if nobody says otherwise.
    pub(super) fn out(&self) -> PathBuf {
        self.target.join("plugins")
    }

    fn file_name(&self) -> String {
        format!("{}.wasm", self.manifest.id)
    }
}

impl Scratch {
    /// The draft in a new directory inside of `out`.
    pub(super) fn new(draft: &Draft, out: &Path) -> Result<Self, Failure> {
        let directory = out.join(format!(".building-{}-{}", draft.manifest.id, std::process::id()));
        std::fs::create_dir_all(&directory).map_err(|error| cannot("create", &directory, &error))?;
        let scratch = Self { file: directory.join(draft.file_name()), directory };
        std::fs::write(&scratch.file, &draft.component)
            .map_err(|error| cannot("write", &scratch.file, &error))?;
        Ok(scratch)
    }

    /// The directory that it is in, which goes with this.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Ours alone, and nothing in it is needed any more.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn read_manifest(folder: &Path) -> Result<(Manifest, String), Failure> {
    let file = folder.join("plugin.toml");
    let text = sources::read_authored(&file).map_err(|why| {
        Failure::Usage(format!("{why}; a plugin needs one, with at least `id` and `version`"))
    })?;
    let manifest = Manifest::parse(&file.display().to_string(), &text)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    Ok((manifest, text))
}

/// Adds the manifest as a custom section.
fn embed(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let section = CustomSection { name: manifest::SECTION.into(), data: manifest.as_bytes().into() };
    section.append_to_component(&mut component);
    component
}

/// Checks the draft in a directory of its own and then moves it to where it belongs.
async fn place(draft: &Draft, out: &Path) -> Result<Built, Failure> {
    let scratch = Scratch::new(draft, out)?;
    let (report, tools) = load(scratch.file()).await?;
    let file = out.join(draft.file_name());
    std::fs::rename(scratch.file(), &file).map_err(|error| cannot("write", &file, &error))?;
    Ok(Built { file, bytes: draft.component.len(), report, tools })
}

/// Loads the file as a hub does, with the smallest configuration that it takes.
async fn load(file: &Path) -> Result<(FileReport, Vec<String>), Failure> {
    let mut config = Config::default();
    check::configure(&mut config, file);
    let (hub, report) = one::in_file(Home::nowhere(config), file, Admission::Own).await?;
    let plugin = hub.plugin(report.id.as_deref().unwrap_or_default()).await;
    match plugin.filter(|_| report.state == State::Ready) {
        Some(plugin) => Ok((report, plugin.tools.iter().map(|tool| tool.tool.name.clone()).collect())),
        None => {
            Err(Failure::Failed(format!("the sandbox refuses it: {}", report.reason.unwrap_or_default())))
        }
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot {what} {}: {error}", path.display()))
}

impl Built {
    fn describe(&self) -> String {
        let version = self.report.version.as_deref().unwrap_or_default();
        let kib = self.bytes.div_ceil(1_024);
        let kinds = self.report.kinds.join(", ");
        let tools: String = self.tools.iter().map(|tool| format!("    {tool}\n")).collect();
        format!("{} {version}  {kib} KiB  {kinds}\n{tools}", self.file.display())
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::read_manifest;
    use crate::cli::Failure;

    #[test]
    fn a_manifest_that_is_no_file_is_refused_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugin.toml");
        mknodat(CWD, &file, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let Err(Failure::Usage(error)) = read_manifest(folder.path()) else { panic!("it is taken") };
        assert!(
            error.contains("plugin.toml: it is neither a file nor a directory; a plugin needs one"),
            "{error}"
        );
    }
}
