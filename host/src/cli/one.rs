//! One plugin, loaded alone: by its id, or from its file.
//!
//! Invariant: it is loaded as a hub loads it, by the configuration in force.

use std::path::Path;
use std::sync::Arc;

use crate::cli::{Failure, open};
use crate::home::Home;
use crate::hub::{Admission, FileReport, Hub};
use crate::model::text;
use crate::plugin::{Candidate, Identity, scan};

/// Loads the plugin of this id, or in this file, and says what became of it.
pub(super) async fn find(home: Home, named: &str) -> Result<(Arc<Hub>, FileReport), Failure> {
    // An id has none of these, so that nothing can be meant both ways.
    if named.contains(['/', '.']) {
        return in_file(home, Path::new(named), Admission::Inspecting).await;
    }
    let (hub, loader) = open(&home, Admission::Inspecting)?;
    loader.run(Some(named)).await;
    let files = hub.files().await;
    match files.iter().find(|file| file.id.as_deref() == Some(named)) {
        Some(report) => Ok((hub, report.clone())),
        None => Err(unknown(named, files.iter().filter_map(|file| file.id.as_deref()))),
    }
}

/// Loads the plugin in a file.
pub(super) async fn in_file(
    mut home: Home,
    file: &Path,
    admission: Admission,
) -> Result<(Arc<Hub>, FileReport), Failure> {
    home.plugin_dirs = vec![file.to_owned()];
    home.named = true;
    let (hub, loader) = open(&home, admission)?;
    loader.run(None).await;
    let mut files = hub.files().await;
    match (files.pop(), files.is_empty()) {
        (Some(report), true) => Ok((hub, report)),
        _ => Err(Failure::Usage(format!("{} is not a plugin file", file.display()))),
    }
}

/// What the file with this id says of itself, without anything of it being run.
pub(super) fn identity(home: &Home, id: &str) -> Result<Identity, Failure> {
    let (mut identities, mut refused) = (Vec::new(), Vec::new());
    for candidate in candidates(home)? {
        let contents = candidate.read(home.config.limits.component_bytes);
        match contents.and_then(|contents| Identity::of(&candidate, &contents)) {
            Ok(identity) => identities.push(identity),
            Err(reason) => refused.push((candidate, reason)),
        }
    }
    identities.sort_by(|a, b| a.id.cmp(&b.id));
    let (own, others): (Vec<_>, Vec<_>) =
        identities.into_iter().partition(|identity| identity.id.as_str() == id);
    match <[Identity; 1]>::try_from(own) {
        Ok([identity]) => Ok(identity),
        Err(none) if none.is_empty() => Err(match refused.iter().find(|(file, _)| file.stem() == id) {
            Some((file, reason)) => Failure::Failed(format!("{}: {reason}", file.path.display())),
            None => unknown(id, others.iter().map(|identity| identity.id.as_str())),
        }),
        Err(_) => Err(Failure::Usage(format!("several files claim the id {id:?}; keep one"))),
    }
}

/// All files; a default directory that is not there has none.
fn candidates(home: &Home) -> Result<Vec<Candidate>, Failure> {
    let mut all = Vec::new();
    for path in &home.plugin_dirs {
        match scan(path) {
            Ok(found) => all.extend(found),
            Err(error) if error.is_missing() && !home.named => {}
            Err(error) => return Err(Failure::Usage(error.to_string())),
        }
    }
    Ok(all)
}

/// Why a plugin that was asked for cannot be used.
pub(super) fn refusal(report: &FileReport) -> String {
    format!("{} cannot be used: {}", report.path, report.reason.as_deref().unwrap_or_default())
}

pub(super) fn unknown<'a>(named: &str, ids: impl Iterator<Item = &'a str>) -> Failure {
    let offer = text::nearest(named, ids).map(|id| format!("; did you mean {id:?}?")).unwrap_or_default();
    Failure::Usage(format!("there is no plugin {named:?}{offer}; `hubcap plugin list` shows all"))
}
