//! Adds grants to `hubcap.toml`, comments and order kept.
//!
//! Invariant: the file is replaced whole and only by one that reads back; whoever reads it meanwhile
//! sees the old one or the new one.

use std::io::Write;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::cli::Failure;
use crate::cli::grant::choose::{self, Choice};
use crate::config::Config;
use crate::model::PluginId;
use crate::policy::Wanted;

/// Adds what was chosen to the file, which need not be there yet.
pub(super) fn add(file: &Path, id: &PluginId, chosen: &[Choice]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot write {}: {error}", file.display()));
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::Usage(format!("cannot read {}: {error}", file.display()))),
    };
    let after = edited(&before, id, chosen).ok_or_else(|| {
        Failure::Usage(format!(
            "{}: `plugins.{id}.grant` is not a table; write the grants by hand",
            file.display()
        ))
    })?;
    Config::parse(file, &after).map_err(|error| Failure::Usage(error.to_string()))?;
    replace(file, &after).map_err(failed)
}

/// The text with the grants in it; nothing where there is something else in their place.
fn edited(before: &str, id: &PluginId, chosen: &[Choice]) -> Option<String> {
    let mut document: DocumentMut = before.parse().ok()?;
    let plugins = table_in(document.as_table_mut(), "plugins")?;
    let plugin = table_in(plugins, id.as_str())?;
    let grant = table_in(plugin, "grant")?;
    for choice in chosen {
        put(grant, choice)?;
    }
    Some(document.to_string())
}

/// The table of this name, made where it is missing.
fn table_in<'a>(outer: &'a mut dyn TableLike, key: &str) -> Option<&'a mut dyn TableLike> {
    if !outer.contains_key(key) {
        let mut table = Table::new();
        // Only the innermost one, which has the grants, gets a line of its own.
        table.set_implicit(true);
        outer.insert(key, Item::Table(table));
    }
    outer.get_mut(key)?.as_table_like_mut()
}

fn put(grant: &mut dyn TableLike, choice: &Choice) -> Option<()> {
    match &choice.wanted {
        Wanted::State(bytes) => _ = grant.insert("kv", value(i64::try_from(*bytes).ok()?)),
        Wanted::Http(origin) => {
            let list = grant.entry("http").or_insert_with(|| value(Array::new())).as_array_mut()?;
            match origin.host {
                Some(_) => list.push(origin.to_string()),
                None => list.push(inline([("url", origin.to_string().into()), ("broad", true.into())])),
            }
        }
        Wanted::Files { name, write } => {
            let path: Value = choice.given.as_str().into();
            let granted = if *write { inline([("path", path), ("write", true.into())]).into() } else { path };
            table_in(grant, "files")?.insert(name, value(granted));
        }
        Wanted::Secret { name, reveal } => {
            let (kind, from) = choose::source(&choice.given)?;
            let mut granted = inline([(kind, from.into())]);
            if *reveal {
                granted.insert("reveal", true.into());
            }
            table_in(grant, "secrets")?.insert(name, value(granted));
        }
    }
    Some(())
}

fn inline<const N: usize>(entries: [(&str, Value); N]) -> InlineTable {
    entries.into_iter().collect()
}

/// Writes beside the file and moves that into its place.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft: PathBuf = folder.join(format!(".hubcap.toml-{}", std::process::id()));
    let written = (|| {
        let mut draft_file = std::fs::File::create(&draft)?;
        if let Ok(metadata) = std::fs::metadata(&file) {
            draft_file.set_permissions(metadata.permissions())?;
        }
        draft_file.write_all(text.as_bytes())?;
        draft_file.sync_all()?;
        std::fs::rename(&draft, &file)
    })();
    if written.is_err() {
        // Ours alone, and of no use any more.
        let _ = std::fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::edited;
    use crate::cli::grant::choose::Choice;
    use crate::model::PluginId;
    use crate::origin::Origin;
    use crate::policy::Wanted;

    fn choices() -> Vec<Choice> {
        let choice = |wanted, given: &str| Choice { wanted, given: given.into() };
        vec![
            choice(Wanted::State(1024), ""),
            choice(Wanted::Http(Origin::parse("https://a.example").unwrap()), ""),
            choice(Wanted::Files { name: "work".into(), write: true }, "/srv/work"),
            choice(Wanted::Secret { name: "token".into(), reveal: false }, "env:TOKEN"),
        ]
    }

    fn add(before: &str) -> Option<String> {
        edited(before, &PluginId::new("x").unwrap(), &choices())
    }

    #[test]
    fn an_empty_file_gets_one_table_with_what_is_granted() {
        assert_eq!(
            add("").unwrap(),
            "[plugins.x.grant]\nkv = 1024\nhttp = [\"https://a.example\"]\n\n\
             [plugins.x.grant.files]\nwork = { path = \"/srv/work\", write = true }\n\n\
             [plugins.x.grant.secrets]\ntoken = { env = \"TOKEN\" }\n"
        );
    }

    #[test]
    fn comments_order_and_other_grants_stay() {
        let before = "# mine\n[plugins.x]\nenabled = true # yes\n\n[plugins.x.grant] # what it may\nhttp = [\n  \"https://old.example\", # old\n]\n\n[defaults]\nfuel = 7\n";
        let after = add(before).unwrap();
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
    fn inline_tables_are_added_to_and_what_is_no_table_is_left_alone() {
        let after = add("plugins = { x = { grant = { kv = 1 } } }\n").unwrap();
        assert!(after.contains("kv = 1024") && after.contains("https://a.example"), "{after}");
        assert_eq!(add("plugins = 1\n"), None);
        assert_eq!(add("[plugins.x.grant]\nhttp = 1\n"), None);
    }
}
