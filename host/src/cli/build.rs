//! `hubcap plugin build`: from a crate to a plugin.
//!
//! Invariant: what lands in the output directory has its manifest in it and was loaded in the
//! sandbox before; a build that fails leaves what was there.

use std::path::{Path, PathBuf};

use clap::Args;
use wasm_encoder::{ComponentSection, CustomSection};

use crate::cli::{Done, Failure, cargo, one, print};
use crate::config::Config;
use crate::home::Home;
use crate::hub::{FileReport, State};
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
    let (manifest, text) = read_manifest(folder)?;
    cargo::ensure_target().map_err(Failure::Failed)?;
    let target = cargo::target_directory(folder).map_err(Failure::Usage)?;
    let compiled = cargo::build(folder, &target.join("guests")).map_err(Failure::Failed)?;
    let component = std::fs::read(&compiled).map_err(|error| cannot("read", &compiled, &error))?;
    let out = out.map_or_else(|| target.join("plugins"), Path::to_owned);
    place(&manifest, embed(component, &text), &out).await
}

fn read_manifest(folder: &Path) -> Result<(Manifest, String), Failure> {
    let file = folder.join("plugin.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Failure::Usage(format!(
            "cannot read {}: {error}; a plugin needs one, with at least `id` and `version`",
            file.display()
        ))
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

/// Checks the component in a directory of its own and then moves it to where it belongs.
async fn place(manifest: &Manifest, component: Vec<u8>, out: &Path) -> Result<Built, Failure> {
    let name = format!("{}.wasm", manifest.id);
    let scratch = out.join(format!(".building-{}-{}", manifest.id, std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|error| cannot("create", &scratch, &error))?;
    let draft = scratch.join(&name);
    let placed = async {
        std::fs::write(&draft, &component).map_err(|error| cannot("write", &draft, &error))?;
        let (report, tools) = check(&draft).await?;
        let file = out.join(&name);
        std::fs::rename(&draft, &file).map_err(|error| cannot("write", &file, &error))?;
        Ok(Built { file, bytes: component.len(), report, tools })
    }
    .await;
    // Ours alone, and nothing in it is needed any more.
    let _ = std::fs::remove_dir_all(&scratch);
    placed
}

/// Loads the file as a hub does.
async fn check(file: &Path) -> Result<(FileReport, Vec<String>), Failure> {
    let home = Home { plugin_dirs: Vec::new(), named: true, config: Config::default() };
    let (hub, report) = one::in_file(home, file).await?;
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
