//! `hubcap plugin grant`: shows what a plugin asks for, in words, and writes what the operator allows.
//!
//! Invariant: nothing is granted that was not shown, and a file that would not be read back is not
//! written.

mod callees;
mod choose;
mod write;

use std::io::IsTerminal;

use clap::Args;

use crate::audit::{Deed, DeedKind};
use crate::cli::{Common, Done, Failure, deed, one, print};
use crate::manifest::Ask;
use crate::model::{Callee, PluginId};
use crate::policy::{self, Missing};

use choose::Choice;

#[derive(Args)]
pub(super) struct Options {
    /// Id of a plugin in the plugin directories
    id: String,
    /// A directory for the plugin, under the name that it has for it; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = choose::named)]
    file: Vec<(String, String)>,
    /// Where a secret comes from, `env:VARIABLE` or `file:PATH`, under the name that the plugin has for it; may be repeated
    #[arg(long, value_name = "NAME=SOURCE", value_parser = choose::named)]
    secret: Vec<(String, String)>,
    /// The program of a command, under the name that the plugin has for it; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = choose::named)]
    program: Vec<(String, String)>,
    /// What the plugin may call where it leaves that to you, such as `provider=claude-cli`; may be repeated
    #[arg(long, value_name = "KIND=NAME", value_parser = callees::named)]
    callee: Vec<Callee>,
    /// Allow all that is asked for without asking back; directories, secrets, programs and callees as far as they are named here
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(common: &Common, options: &Options) -> Done {
    let home = common.home()?;
    let Some(file) = home.config_file.clone() else {
        return Err(Failure::Usage("there is no home to write hubcap.toml to; name one with --home".into()));
    };
    let identity = one::identity(&home, &options.id)?;
    let ask = identity.manifest.map(|manifest| manifest.ask).unwrap_or_default();
    let missing = policy::missing(&ask, &home.config.of(&identity.id).grant);
    print(&describe(&options.id, &ask, &missing))?;
    if missing.is_empty() {
        return Ok(());
    }
    if !options.yes && !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to be asked; `--yes` allows what is shown above, with `--file`, `--secret`, `--program` and `--callee` for what has to be named".into(),
        ));
    }
    let chosen: Vec<Choice> = choose::from(&missing, options)?;
    if chosen.is_empty() {
        return print("Nothing was granted.\n");
    }
    write::add(&home, &file, &identity.id, &chosen)?;
    let lines: Vec<String> = chosen.iter().map(Choice::line).collect();
    deed::write_down(&home, &deed_of(&identity.id, identity.digest, &lines)).await;
    print(&format!("Written to {}:\n{}", file.display(), lines.concat()))?;
    let left = missing.len() - chosen.len();
    if left > 0 {
        print(&format!("{left} more asked for and not granted.\n"))?;
    }
    print("A server that runs takes it at its next start.\n")
}

/// What was allowed, for the audit log.
fn deed_of(id: &PluginId, digest: String, lines: &[String]) -> Deed {
    let changes = lines.iter().map(|line| line.trim().to_owned()).collect();
    Deed { kind: DeedKind::Granted, plugin: id.to_string(), digest, before: None, changes }
}

fn describe(id: &str, ask: &Ask, missing: &[Missing]) -> String {
    if ask.is_empty() {
        return format!("{id} asks for nothing.\n");
    }
    if missing.is_empty() {
        return format!("{id} has all that it asks for.\n");
    }
    let asked = missing.iter().map(|missing| {
        let why = missing.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("  {}{why}\n", missing.what)
    });
    format!("{id} asks for:\n{}", asked.collect::<String>())
}
