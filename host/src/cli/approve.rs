//! `hubcap plugin approve`: what changed in a plugin, or what a new one is, and the operator's yes to it.
//!
//! Invariant: what is accepted is what was shown, by its digest; whatever the file is by then. Only the
//! command line can accept: there is no tool for it.

use std::fmt::Write;
use std::io::IsTerminal;

use clap::Args;
use similar::{ChangeTag, TextDiff};

use crate::audit::{Deed, DeedKind};
use crate::cli::{Common, Done, Failure, deed, one, open, print};
use crate::hub::{Admission, FileReport, Review};
use crate::lock::{Change, LockFile, Pin, changes};
use crate::model::{PluginId, text};

#[derive(Args)]
pub(super) struct Options {
    /// Id of the plugin
    id: String,
    /// Accept without asking
    #[arg(long)]
    yes: bool,
}

/// Lines around a difference that are shown with it.
const AROUND: usize = 2;

pub(super) async fn run(common: &Common, options: Options) -> Done {
    let home = common.home()?;
    let (hub, loader) = open(&home, Admission::Looking)?;
    // All of them: what is said of the others' tools needs to be seen, too.
    loader.run(None).await;
    let files = hub.files().await;
    let known = files.iter().find(|file| file.id.as_deref() == Some(&options.id));
    let (Some(review), Some(id)) = (hub.review(&options.id).await, PluginId::new(&options.id)) else {
        let ids = files.iter().filter_map(|file| file.id.as_deref());
        return Err(known.map_or_else(|| one::unknown(&options.id, ids), nothing_to_accept));
    };
    if let Some(before) = review.before.as_ref().filter(|before| changes(before, &review.now).is_empty()) {
        return print(&format!("nothing waits: {id} {} is accepted as it is\n", before.version));
    }
    print(&describe(&id, &review))?;
    let lock =
        home.lock().ok_or_else(|| Failure::Usage("there is no home for a lock: give --home".into()))?;
    if !options.yes && !is_confirmed()? {
        return Err(Failure::Failed("not accepted; everything is as it was".into()));
    }
    // Before it holds: what is accepted has a record, wherever this is killed.
    deed::write_down(&home, &deed_of(&id, &review)).await;
    let accepted = LockFile::at(&lock).accept(id.clone(), review.now.clone());
    accepted.map_err(|error| Failure::Failed(error.to_string()))?;
    print(&format!("accepted: {id} {}; hubs that run take it at their next start\n", review.now.version))
}

/// The yes, for the audit log.
fn deed_of(id: &PluginId, review: &Review) -> Deed {
    Deed {
        kind: DeedKind::Accepted,
        plugin: id.to_string(),
        digest: review.now.digest.clone(),
        before: review.before.as_ref().map(|before| before.digest.clone()),
        changes: shown(review).into_iter().map(|change| change.what).collect(),
    }
}

fn nothing_to_accept(report: &FileReport) -> Failure {
    Failure::Failed(format!("there is nothing to accept: {}", one::refusal(report)))
}

/// Asks on a terminal.
fn is_confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let message = "nobody can be asked here: look at what is shown, and accept it with --yes";
        return Err(Failure::Usage(message.into()));
    }
    print("Accept this? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Everything that the operator says yes to.
fn describe(id: &PluginId, review: &Review) -> String {
    let now = &review.now;
    let mut page = match &review.before {
        Some(before) => format!("{id} {} → {}\n", before.version, now.version),
        None => format!("{id} {}, which is new\n", now.version),
    };
    let before = review.before.as_ref().filter(|before| before.digest != now.digest);
    let was = before.map(|before| format!("sha256:{}\n    → ", before.digest)).unwrap_or_default();
    let _ = writeln!(page, "  digest {was}sha256:{}", now.digest);
    if let Some(publisher) = &now.publisher {
        let _ = writeln!(page, "  signed by {publisher}");
    }
    for warning in &review.warnings {
        let _ = writeln!(page, "  look: {warning}");
    }
    page.extend(shown(review).iter().map(describe_change));
    page
}

/// What changed; of a new plugin, everything.
fn shown(review: &Review) -> Vec<Change> {
    let now = &review.now;
    let nothing = || Pin::new(now.version.clone(), now.digest.clone(), None, [].into());
    changes(review.before.as_ref().unwrap_or(&nothing()), now)
}

fn describe_change(change: &Change) -> String {
    let lines = change.texts.as_ref().map(|(before, now)| differences(before, now)).unwrap_or_default();
    format!("\n{}\n{lines}", change.what)
}

/// The lines that differ, with some around them. Every line has a mark before it, so that no text can look
/// like one of ours.
fn differences(before: &str, now: &str) -> String {
    let diff = TextDiff::from_lines(before, now);
    let mut shown = String::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            shown.push_str("  ⋮\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let line = change.value().trim_end_matches(['\r', '\n']);
            let _ = writeln!(shown, "  {mark} {}", text::one_line(line));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn lines_that_differ_are_shown_with_some_around_them() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let now = before.replace("line 3\n", "line three\n").replace("line 18\n", "");
        assert_eq!(
            differences(&before, &now),
            "    line 1\n    line 2\n  - line 3\n  + line three\n    line 4\n    line 5\n  ⋮\n    line 16\n    line 17\n  - line 18\n    line 19\n    line 20\n"
        );
        assert_eq!(differences("", "new\u{1b}\ntext"), "  + new\\u{1b}\n  + text\n");
    }
}
