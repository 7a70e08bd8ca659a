//! `hubcap state`: what plugins keep between calls, seen, copied and removed by the operator.
//!
//! Invariant: the same locks and bounds as for plugins. While a server uses the state, nobody else does.

mod lines;

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Common, Done, Failure, one, print, print_json};
use crate::error::CallError;
use crate::home::Home;
use crate::model::{PLUGIN_ID_RULE, PluginId, text};
use crate::policy::Grants;
use crate::state::{Namespace, State, Usage};

#[derive(Subcommand)]
pub(super) enum StateCommand {
    /// List the plugins that keep something, with their keys and bytes
    List(ListOptions),
    /// Print all that a plugin keeps, a JSON object for each key
    ///
    /// A value that is text stands in `value`, any other one in `base64`.
    Export(ExportOptions),
    /// Write the lines of an export into what a plugin keeps: all of them, or none
    ///
    /// Keys that are there already are written over, others are left. The plugin has to be granted state, and
    /// its bounds hold here too.
    Import(ImportOptions),
    /// Remove all that a plugin keeps
    Clear(ClearOptions),
}

#[derive(Args)]
pub(super) struct ListOptions {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ExportOptions {
    /// The plugin's id
    #[arg(value_parser = plugin_id)]
    id: PluginId,
}

#[derive(Args)]
pub(super) struct ImportOptions {
    /// The plugin's id
    #[arg(value_parser = plugin_id)]
    id: PluginId,
    /// Where the lines are, or - for stdin
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct ClearOptions {
    /// The plugin's id
    #[arg(value_parser = plugin_id)]
    id: PluginId,
    /// Without asking back
    #[arg(long)]
    yes: bool,
}

fn plugin_id(written: &str) -> Result<PluginId, String> {
    PluginId::new(written).ok_or_else(|| format!("it has to be {PLUGIN_ID_RULE}"))
}

pub(super) async fn run(common: &Common, command: StateCommand) -> Done {
    let home = common.home()?;
    let store = Store(State::new(home.state()));
    match command {
        StateCommand::List(options) => list(&store, &options).await,
        StateCommand::Export(options) => export(&store, &options.id).await,
        StateCommand::Import(options) => import(&store, &home, &options).await,
        StateCommand::Clear(options) => clear(&store, &options).await,
    }
}

/// The state, with errors that say where it is.
struct Store(Arc<State>);

impl Store {
    fn failed(&self, error: &CallError) -> Failure {
        let path = self.0.path().map(|path| format!("{}: ", path.display()));
        Failure::Failed(format!("{}{}", path.unwrap_or_default(), error.message()))
    }

    /// What each plugin keeps. Looking makes nothing.
    async fn usage(&self) -> Result<Vec<(String, Usage)>, Failure> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        self.0.usage().await.map_err(|error| self.failed(&error))
    }

    /// The namespace of a plugin that keeps something, and how much that is.
    async fn kept_by(&self, id: &PluginId) -> Result<(Namespace, Usage), Failure> {
        let all = self.usage().await?;
        let Some((_, usage)) = all.iter().find(|(plugin, _)| plugin == id.as_str()) else {
            let nearest = text::nearest(id.as_str(), all.iter().map(|(plugin, _)| plugin.as_str()));
            let offer = nearest.map(|id| format!("; did you mean {id:?}?")).unwrap_or_default();
            return Err(Failure::Usage(format!(
                "nothing is kept for {:?}{offer}; `hubcap state list` shows all",
                id.as_str()
            )));
        };
        Ok((Namespace::new(Arc::clone(&self.0), id.clone(), 0), *usage))
    }
}

async fn list(store: &Store, options: &ListOptions) -> Done {
    let all = store.usage().await?;
    if options.json {
        let plugins =
            all.iter().map(|(id, Usage { keys, bytes })| json!({ "id": id, "keys": keys, "bytes": bytes }));
        return print_json(&json!({ "plugins": plugins.collect::<Vec<_>>() }));
    }
    let line = |(id, usage): &(String, Usage)| format!("{id:24}  {}\n", in_words(*usage));
    print(&all.iter().map(line).collect::<String>())
}

fn in_words(usage: Usage) -> String {
    let s = if usage.keys == 1 { "" } else { "s" };
    format!("{} key{s} ({} bytes)", usage.keys, usage.bytes)
}

async fn export(store: &Store, id: &PluginId) -> Done {
    let (namespace, _) = store.kept_by(id).await?;
    let all = namespace.all().await.map_err(|error| store.failed(&error))?;
    for (key, value) in all {
        print_json(&lines::Line::new(key, value))?;
    }
    Ok(())
}

async fn import(store: &Store, home: &Home, options: &ImportOptions) -> Done {
    let identity = one::identity(home, options.id.as_str())?;
    let ask = identity.manifest.map(|manifest| manifest.ask).unwrap_or_default();
    let Some(quota) = Grants::of(&ask, &home.config.of(&options.id).grant).kv else {
        return Err(Failure::Usage(format!(
            "{id} is granted no state; `hubcap plugin inspect {id}` says what is missing",
            id = options.id
        )));
    };
    let entries = read(options)?;
    let count = entries.len();
    let namespace = Namespace::new(Arc::clone(&store.0), options.id.clone(), quota);
    namespace.set_all(entries).await.map_err(|error| store.failed(&error))?;
    print(&format!("{count} key{} written\n", if count == 1 { "" } else { "s" }))
}

/// The entries of a whole file, which is right to its last line.
fn read(options: &ImportOptions) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    if options.file.as_os_str() == "-" {
        return lines::read(std::io::stdin().lock(), "stdin").map_err(Failure::Usage);
    }
    let name = options.file.display().to_string();
    let file = std::fs::File::open(&options.file)
        .map_err(|error| Failure::Usage(format!("cannot read {name}: {error}")))?;
    lines::read(BufReader::new(file), &name).map_err(Failure::Usage)
}

async fn clear(store: &Store, options: &ClearOptions) -> Done {
    let (namespace, usage) = store.kept_by(&options.id).await?;
    if !options.yes && !is_confirmed(&options.id, usage)? {
        return print("Nothing was removed.\n");
    }
    let removed = namespace.clear().await.map_err(|error| store.failed(&error))?;
    print(&format!("{} removed\n", in_words(removed)))
}

/// Asks on the terminal. Nothing but a clear yes removes anything.
fn is_confirmed(id: &PluginId, usage: Usage) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "nobody is there to be asked; `--yes` removes the {} of {id}",
            in_words(usage)
        )));
    }
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot ask on the terminal: {error}"));
    let mut stderr = std::io::stderr();
    let asked =
        write!(stderr, "Remove the {} of {id}? [y/N] ", in_words(usage)).and_then(|()| stderr.flush());
    asked.map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
