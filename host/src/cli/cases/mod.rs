//! `hubcap plugin test`: whether a plugin does what its cases say.
//!
//! Invariant: the cases run one after the other in the order of their file, in the real sandbox, and
//! nothing of the machine's own configuration has a say. State is granted as it is asked for, empty at the
//! start and gone at the end; nothing else is.

mod compare;
mod file;
mod run;
mod show;
mod written;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::build::{self, Draft, Scratch};
use crate::cli::serve::stop_on_signals;
use crate::cli::{Done, Failure, one, print, print_json};
use crate::config::{Config, Grant, PluginConfig};
use crate::home::Home;
use crate::hub::{Admission, FileReport, Hub, State};
use crate::plugin::checked_settings;

use file::{Case, Cases};
use run::Runner;
use show::Summary;

#[derive(Args)]
pub(super) struct Options {
    /// Folder of the plugin's crate, with a cases.toml or cases.json beside Cargo.toml
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print the results as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options) -> Done {
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let interrupted = |when: &str| Failure::Failed(format!("interrupted while the plugin was {when}"));
    let Cases { config, places, cases } = file::read(&options.folder)?;
    let built = build::compile(&options.folder);
    if stop.is_cancelled() {
        return Err(interrupted("built"));
    }
    let draft = built?;
    let grant = Grant::of_state(&draft.manifest.ask);
    let own = PluginConfig { config, places, grant, ..Config::default().of(&draft.manifest.id) };
    checked_settings(Some(&draft.manifest), &own).map_err(Failure::Usage)?;
    let scratch = Scratch::new(&draft, &draft.out())?;
    let (hub, report) = tokio::select! {
        loaded = load(&draft, &scratch, own) => loaded?,
        () = stop.cancelled() => return Err(interrupted("loading")),
    };
    let runner = Runner { hub, plugin: draft.manifest.id, stop };
    run_all(&runner, &report, &cases, options.json).await
}

/// A hub with this plugin alone, and no configuration but that of the cases.
async fn load(
    draft: &Draft,
    scratch: &Scratch,
    own: PluginConfig,
) -> Result<(Arc<Hub>, FileReport), Failure> {
    let by_plugin = [(draft.manifest.id.clone(), own)].into();
    let config = Config { by_plugin, ..Config::default() };
    let home = Home { directory: Some(scratch.directory().join("home")), ..Home::nowhere(config) };
    let (hub, report) = one::in_file(home, scratch.file(), Admission::Own).await?;
    match report.state {
        State::Ready => Ok((hub, report)),
        _ => Err(Failure::Failed(format!("the sandbox refuses it: {}", report.reason.unwrap_or_default()))),
    }
}

async fn run_all(runner: &Runner, report: &FileReport, cases: &[Case], json: bool) -> Done {
    let mut ended = Vec::new();
    for case in cases {
        let Some(one) = runner.run(case).await else { break };
        if !json {
            print(&show::lines(&one))?;
        }
        ended.push(one);
    }
    let version = report.version.as_deref().unwrap_or_default();
    let summary = Summary { plugin: &runner.plugin, version, ended: &ended, cases: cases.len() };
    match json {
        true => print_json(&summary.json())?,
        false => print(&summary.line())?,
    }
    // Everything was said.
    if summary.failed() == 0 && !summary.is_partial() { Ok(()) } else { Err(Failure::Failed(String::new())) }
}
