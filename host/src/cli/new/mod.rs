//! `hubcap plugin new`: a crate to start from.
//!
//! Invariant: the new folder is there whole or not at all, and whatever was there before stays as it was.

mod name;
mod sdk;
mod template;
mod workspace;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::{Done, Failure, print};
use crate::model::PluginId;

use sdk::Sdk;

#[derive(Args)]
pub(super) struct Options {
    /// Id of the plugin; its crate is made in a new folder of this name
    name: String,
    /// What the plugin is to agents
    #[arg(long, value_name = "KIND", default_value = "tool")]
    kind: Kind,
    /// Language that it is written in
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    lang: Language,
    /// Folder of the crate hubcap-sdk [default: in the checkout around the new folder, else in the one that
    /// this program was built from, else its version in the registry]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// What a plugin starts as.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A function that agents call
    Tool,
    /// A rule that texts are judged by
    Validator,
    /// A model that answers
    Provider,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Rust,
}

pub(super) fn run(options: &Options) -> Done {
    let id = name::check(&options.name)?;
    let here = std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .map_err(|error| Failure::Failed(format!("cannot tell the current directory: {error}")))?;
    let folder = here.join(id.as_str());
    refuse_existing(&folder)?;
    let sdk = Sdk::find(options.sdk.as_deref(), &here, Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let alone = !workspace::takes(&folder);
    let files = match options.lang {
        Language::Rust => template::rust(options.kind, &id, &sdk.dependency()?, alone),
    };
    make(&here, &id, &files).map_err(|error| {
        let here = here.display();
        Failure::Failed(format!("cannot make {id}: {error}; see that {here} can be written to and has room"))
    })?;
    let made: String = files.iter().map(|(path, _)| format!("  {id}/{path}\n")).collect();
    let [build, try_it, test] = options.kind.next(&id);
    print(&format!("Made:\n{made}\nhubcap-sdk: {sdk}\n\nNext:\n  {build}\n  {try_it}\n  {test}\n"))
}

/// Even a link to nothing is something.
fn refuse_existing(folder: &Path) -> Done {
    match fs::symlink_metadata(folder) {
        Ok(_) => Err(Failure::Usage(format!(
            "{} exists already, and stays as it is: choose another name, or move it away",
            folder.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::Failed(format!("cannot look at {}: {error}", folder.display()))),
    }
}

/// Writes all files into a scratch folder and gives that its name when it is whole, which fails where
/// something but an empty folder was put there meanwhile.
fn make(here: &Path, id: &PluginId, files: &[(&str, String)]) -> io::Result<()> {
    let scratch = here.join(format!(".making-{id}-{}", std::process::id()));
    fs::create_dir(&scratch)?;
    let made = fill(&scratch, files).and_then(|()| fs::rename(&scratch, here.join(id.as_str())));
    if made.is_err() {
        // Ours alone, and the error that led here is the one to tell.
        let _ = fs::remove_dir_all(&scratch);
    }
    made
}

fn fill(folder: &Path, files: &[(&str, String)]) -> io::Result<()> {
    for (path, text) in files {
        let file = folder.join(path);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, text)?;
    }
    Ok(())
}

impl Kind {
    /// What to run next: build it, see it work, test it. An id needs no quotes.
    fn next(self, id: &PluginId) -> [String; 3] {
        let try_it = match self {
            Self::Tool => format!("hubcap call {id}_greet '{{\"name\": \"Ada\"}}' --plugins plugins"),
            Self::Validator => {
                format!("printf 'two  \\n' | hubcap validate - --validator {id} --plugins plugins")
            }
            Self::Provider => format!(
                "hubcap call hubcap_complete '{{\"prompt\": \"Hello\", \"provider\": \"{id}\"}}' --plugins plugins"
            ),
        };
        [format!("hubcap plugin build {id} --out plugins"), try_it, format!("hubcap plugin test {id}")]
    }
}
