//! `hubcap plugin check`: whether a plugin keeps its promises, whatever it is asked.
//!
//! Invariant: each call takes the way that every call takes, inside the budget in force, and a failure is
//! the plugin's own: what it was asked is what its schemas allow.

mod config;
mod generate;
mod probe;
mod share;
mod show;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::serve::stop_on_signals;
use crate::cli::{Common, Done, Failure, one, print, print_json};
use crate::hub::Admission;

pub(super) use config::complete as configure;
use probe::{Prober, probes};
use show::Report;

#[derive(Args)]
pub(super) struct Options {
    /// The plugin file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the results as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let stop =
        stop_on_signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    if !options.file.is_file() {
        return Err(Failure::Usage(format!("{} is not a plugin file", options.file.display())));
    }
    let mut home = common.home()?;
    let generated = config::complete(&mut home.config, &options.file);
    let (hub, file) = tokio::select! {
        loaded = one::in_file(home, &options.file, Admission::Inspecting) => loaded?,
        () = stop.cancelled() => return Err(Failure::Failed("interrupted while the plugin was loading".into())),
    };
    let mut report = Report::new(file, generated);
    if report.is_loaded() && !options.json {
        print(&report.head())?;
    }
    if let Some(plugin) = hub.plugin(report.file.id.as_deref().unwrap_or_default()).await {
        ask_all(&Prober { hub, plugin, stop }, &mut report, options.json).await?;
    }
    conclude(&report, options.json)
}

/// Asks the plugin everything, and tells people how it went as it goes.
async fn ask_all(prober: &Prober, report: &mut Report, json: bool) -> Done {
    let plugin = Arc::clone(&prober.plugin);
    // Arguments are computed: elsewhere, so that an interrupt is noticed here.
    let generated = tokio::select! {
        probes = tokio::task::spawn_blocking(move || probes(&plugin)) => probes,
        () = prober.stop.cancelled() => {
            report.is_partial = true;
            return Ok(());
        }
    };
    for probe in generated.map_err(|error| Failure::Failed(format!("cannot make arguments: {error}")))? {
        let Some(checked) = prober.check(&probe).await else {
            report.is_partial = true;
            return Ok(());
        };
        if !json {
            print(&show::lines(&checked))?;
        }
        report.checked.push(checked);
    }
    Ok(())
}

fn conclude(report: &Report, json: bool) -> Done {
    match (json, report.is_loaded()) {
        (true, _) => print_json(&report.json())?,
        (false, true) => print(&report.foot())?,
        (false, false) => {
            let why = format!("{}\n{}", one::refusal(&report.file), report.configuration());
            return Err(Failure::Failed(why.trim_end().into()));
        }
    }
    // Everything was said.
    if report.is_passed() { Ok(()) } else { Err(Failure::Failed(String::new())) }
}
