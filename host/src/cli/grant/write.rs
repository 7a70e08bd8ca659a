//! Adds grants to `hubcap.toml`, comments and order kept.
//!
//! Invariant: the file is replaced whole and only by one that reads back; whoever reads it meanwhile
//! sees the old one or the new one, and of two who write it, both are in it. What stands there already is
//! never changed: it may be narrower on purpose.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::cli::Failure;
use crate::cli::grant::callees;
use crate::cli::grant::choose::{self, Choice};
use crate::config::Config;
use crate::home::Home;
use crate::model::PluginId;
use crate::origin::{Method, Origin};
use crate::policy::{Bound, Wanted};
use crate::program::Shape;

/// Adds what was chosen to the file, which need not be there yet.
pub(super) fn add(home: &Home, file: &Path, id: &PluginId, chosen: &[Choice]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot write {}: {error}", file.display()));
    let real = followed(file).map_err(failed)?;
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    // Held until the end: another one of these waits here, and reads what this one wrote.
    let lock = File::open(folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let before = match std::fs::read_to_string(&real) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::Usage(format!("cannot read {}: {error}", file.display()))),
    };
    let after = edited(&before, id, chosen)
        .map_err(|why| Failure::Usage(format!("{}: {why}; change it by hand", file.display())))?;
    let config = Config::parse(file, &after).map_err(|error| Failure::Usage(error.message))?;
    home.guard(&config).map_err(|error| Failure::Usage(error.to_string()))?;
    replace(&real, folder, &after).map_err(failed)
}

/// Where a link leads: that is what is replaced.
fn followed(file: &Path) -> std::io::Result<PathBuf> {
    match file.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound && !file.is_symlink() => Ok(file.to_owned()),
        real => real,
    }
}

/// The text with the grants in it, or what stands in their way.
fn edited(before: &str, id: &PluginId, chosen: &[Choice]) -> Result<String, String> {
    let mut document: DocumentMut = before.parse().map_err(|error| format!("{error}"))?;
    let plugins = table_in(document.as_table_mut(), "plugins")?;
    let plugin = table_in(plugins, id.as_str())?;
    let grant = table_in(plugin, "grant")?;
    for choice in chosen {
        put(grant, choice)?;
    }
    Ok(document.to_string())
}

/// The table of this name, made where it is missing.
fn table_in<'a>(outer: &'a mut dyn TableLike, key: &str) -> Result<&'a mut dyn TableLike, String> {
    if !outer.contains_key(key) {
        let mut table = Table::new();
        // Only the innermost one, which has the grants, gets a line of its own.
        table.set_implicit(true);
        outer.insert(key, Item::Table(table));
    }
    outer.get_mut(key).and_then(Item::as_table_like_mut).ok_or_else(|| format!("`{key}` is not a table"))
}

fn put(grant: &mut dyn TableLike, choice: &Choice) -> Result<(), String> {
    match &choice.wanted {
        Wanted::State(bytes) => {
            let bytes = i64::try_from(*bytes).map_err(|error| error.to_string())?;
            insert(grant, "kv", bytes.into())
        }
        Wanted::Http { origin, methods } => push(grant, http(origin, methods.iter())),
        Wanted::Files { name, write } => {
            let path: Value = choice.given.as_str().into();
            let granted = if *write { inline([("path", path), ("write", true.into())]).into() } else { path };
            insert(table_in(grant, "files")?, name, granted)
        }
        Wanted::Secret { name, bound, reveal } => {
            insert(table_in(grant, "secrets")?, name, secret(&choice.given, bound.as_ref(), *reveal).into())
        }
        Wanted::Hub { callee: Some(callee), .. } => {
            callees::put(table_in(grant, "hub")?, std::slice::from_ref(callee))
        }
        Wanted::Hub { kind, callee: None } => {
            callees::put(table_in(grant, "hub")?, &callees::list(*kind, &choice.given)?)
        }
        Wanted::Command { name, args, env } => {
            insert_item(table_in(grant, "process")?, name, command(&choice.given, args, env)?)
        }
    }
}

/// The origin with what was shown and no more: a later version that asks for more has to be granted it.
fn http<'a>(origin: &Origin, methods: impl Iterator<Item = &'a Method>) -> InlineTable {
    let methods: Array = methods.map(Method::as_str).collect();
    let mut granted = inline([("url", origin.to_string().into()), ("methods", methods.into())]);
    if origin.host.is_none() {
        granted.insert("broad", true.into());
    }
    granted
}

/// The source, and where the secret goes, as it was shown.
fn secret(given: &str, bound: Option<&Bound>, reveal: bool) -> InlineTable {
    let mut granted: InlineTable =
        choose::source(given).into_iter().map(|(kind, from)| (kind, Value::from(from))).collect();
    if let Some(Bound { origin, header, prefix }) = bound {
        granted.insert("url", origin.to_string().into());
        granted.insert("header", header.as_str().into());
        granted.insert("prefix", prefix.as_str().into());
    }
    if reveal {
        granted.insert("reveal", true.into());
    }
    granted
}

/// The program with the arguments and variables that were shown, a line for each.
fn command(path: &str, args: &Shape, env: &[String]) -> Result<Item, String> {
    let mut granted = Table::new();
    granted.insert("path", value(path));
    let args: Value = args.to_string().parse().map_err(|error| format!("{args}: {error}"))?;
    granted.insert("args", value(args));
    if !env.is_empty() {
        granted.insert("env", value(env.iter().collect::<Array>()));
    }
    Ok(Item::Table(granted))
}

fn insert(table: &mut dyn TableLike, key: &str, granted: Value) -> Result<(), String> {
    insert_item(table, key, value(granted))
}

fn insert_item(table: &mut dyn TableLike, key: &str, granted: Item) -> Result<(), String> {
    if table.contains_key(key) {
        return Err(format!("`{key}` is granted already, with less than is asked for"));
    }
    table.insert(key, granted);
    Ok(())
}

fn push(grant: &mut dyn TableLike, granted: InlineTable) -> Result<(), String> {
    match grant.entry("http").or_insert_with(|| value(Array::new())) {
        Item::ArrayOfTables(tables) => tables.push(granted.into_table()),
        item => item.as_array_mut().ok_or("`http` is not a list")?.push(granted),
    }
    Ok(())
}

fn inline<const N: usize>(entries: [(&str, Value); N]) -> InlineTable {
    entries.into_iter().collect()
}

/// Writes beside the file and moves that into its place.
fn replace(file: &Path, folder: &Path, text: &str) -> std::io::Result<()> {
    let draft: PathBuf = folder.join(format!(".hubcap.toml-{}", std::process::id()));
    let written = (|| {
        let mut draft_file = File::create(&draft)?;
        if let Ok(metadata) = std::fs::metadata(file) {
            draft_file.set_permissions(metadata.permissions())?;
        }
        draft_file.write_all(text.as_bytes())?;
        draft_file.sync_all()?;
        std::fs::rename(&draft, file)
    })();
    if written.is_err() {
        // Ours alone, and of no use any more.
        let _ = std::fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Config, Home, add, edited};
    use crate::cli::grant::choose::Choice;
    use crate::manifest::Manifest;
    use crate::model::PluginId;
    use crate::policy;

    const ASK: &str = "id = \"x\"\nversion = \"1.0.0\"\n[ask]\nkv = 1024\n[[ask.http]]\nurl = \"https://a.example\"\n\
        [[ask.files]]\nname = \"work\"\naccess = \"write\"\n\
        [[ask.secrets]]\nname = \"token\"\nurl = \"https://a.example\"\nheader = \"x-key\"\n\
        [[ask.process]]\ncommand = \"log\"\nargs = [\"log\", { slot = \"n\", pattern = \"[0-9]+\" }]\nenv = [\"LANG\"]\n";

    fn choices() -> Vec<Choice> {
        let ask = Manifest::parse("plugin.toml", ASK).unwrap().ask;
        let missing = policy::missing(&ask, &Default::default());
        let given = ["", "", "/srv/work", "env:TOKEN", "/usr/bin/git"];
        let choice = |(missing, given): (policy::Missing, &str)| Choice {
            wanted: missing.wanted,
            given: given.into(),
        };
        missing.into_iter().zip(given).map(choice).collect()
    }

    fn id() -> PluginId {
        PluginId::new("x").unwrap()
    }

    fn nowhere() -> Home {
        Home::nowhere(Config::default())
    }

    fn with(before: &str) -> Result<String, String> {
        edited(before, &id(), &choices())
    }

    #[test]
    fn an_empty_file_gets_what_was_shown_and_no_more() {
        assert_eq!(
            with("").unwrap(),
            "[plugins.x.grant]\nkv = 1024\nhttp = [{ url = \"https://a.example\", methods = [\"GET\"] }]\n\n\
             [plugins.x.grant.files]\nwork = { path = \"/srv/work\", write = true }\n\n\
             [plugins.x.grant.secrets]\ntoken = { env = \"TOKEN\", url = \"https://a.example\", header = \"x-key\", prefix = \"\" }\n\n\
             [plugins.x.grant.process.log]\npath = \"/usr/bin/git\"\nargs = [\"log\", { slot = \"n\", pattern = \"[0-9]+\" }]\nenv = [\"LANG\"]\n"
        );
    }

    #[test]
    fn comments_order_and_other_grants_stay() {
        let before = "# mine\n[plugins.x]\nenabled = true # yes\n\n[plugins.x.grant] # what it may\nhttp = [\n  \"https://old.example\", # old\n]\n\n[defaults]\nfuel = 7\n";
        let after = with(before).unwrap();
        for kept in [
            "# mine",
            "enabled = true # yes",
            "[plugins.x.grant] # what it may",
            "\"https://old.example\"",
            "# old",
            "fuel = 7",
        ] {
            assert!(after.contains(kept), "{kept:?} in {after}");
        }
        assert!(
            after.contains("\"https://a.example\"") && after.find("[plugins.x]") < after.find("[defaults]")
        );
    }

    #[test]
    fn every_way_of_writing_a_list_is_added_to() {
        let inline = with("plugins = { x = { grant = { http = [] } } }\n").unwrap();
        let tables = with("[[plugins.x.grant.http]]\nurl = \"https://old.example\"\n").unwrap();
        for after in [inline, tables] {
            assert!(after.contains("https://a.example") && after.contains("kv = 1024"), "{after}");
        }
    }

    #[test]
    fn what_stands_there_already_is_not_changed() {
        for (before, why) in [
            ("[plugins.x.grant]\nkv = 1\n", "`kv` is granted already"),
            (
                "[plugins.x.grant]\nfiles.work = { path = \"/srv\", quota = 7 } # mine\n",
                "`work` is granted already",
            ),
            (
                "[plugins.x.grant]\nsecrets.token = { env = \"A\", url = \"https://b.example\" }\n",
                "`token` is granted already",
            ),
            ("[plugins.x.grant]\nhttp = 1\n", "`http` is not a list"),
            ("plugins = 1\n", "`plugins` is not a table"),
            ("[plugins.x\n", "TOML parse error"),
        ] {
            let error = with(before).unwrap_err();
            assert!(error.contains(why), "{before}: {error}");
        }
    }

    #[test]
    fn two_at_once_are_both_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hubcap.toml");
        let grant = |id: String| {
            let chosen = choices().into_iter().take(2).collect::<Vec<_>>();
            add(&nowhere(), &file, &PluginId::new(&id).unwrap(), &chosen).is_ok()
        };
        std::thread::scope(|scope| {
            let grant = &grant;
            let all: Vec<_> = (0..8).map(|n| scope.spawn(move || grant(format!("p{n}")))).collect();
            assert!(all.into_iter().all(|one| one.join().unwrap()));
        });
        let written = std::fs::read_to_string(&file).unwrap();
        assert!((0..8).all(|n| written.contains(&format!("[plugins.p{n}.grant]"))), "{written}");
    }

    #[test]
    fn a_link_stays_one_and_one_that_leads_nowhere_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let chosen = choices().into_iter().take(1).collect::<Vec<_>>();
        assert!(add(&nowhere(), &link, &id(), &chosen).is_err() && !file.exists());
        std::fs::write(&file, "").unwrap();
        assert!(add(&nowhere(), &link, &id(), &chosen).is_ok() && link.is_symlink());
        assert!(std::fs::read_to_string(&file).unwrap().contains("kv = 1024"));
    }
}
