//! What the hub tells of a file: refused, switched off, withheld or ready, and why.
//!
//! Invariant: a report is one line for people, whatever the file calls itself.

use crate::hub::admit::withhold;
use crate::hub::registry::{FileReport, State};
use crate::model::{PluginId, text};
use crate::plugin::{Candidate, Identity, Refusal};

/// A file that claims an id, and what was read of it.
pub(super) type Claim = (Candidate, Identity, Vec<u8>);

/// Reports on files that claim an id that the lock holds for another file.
pub(super) fn outdone(id: &PluginId, pinned: &Candidate, claims: &[Claim]) -> Vec<FileReport> {
    let reason = format!(
        "duplicate id: {:?} stays with {}, whose digest the lock holds; keep one",
        id.as_str(),
        pinned.path.display()
    );
    all_refused(claims, &reason)
}

/// Reports on files that claim one id which the lock holds for none of them.
pub(super) fn contested(id: &PluginId, claims: &[Claim]) -> Vec<FileReport> {
    let all: Vec<String> =
        claims.iter().map(|(candidate, ..)| candidate.path.to_string_lossy().into_owned()).collect();
    let reason = format!("duplicate id: {} all claim {:?}; keep one", all.join(", "), id.as_str());
    all_refused(claims, &reason)
}

/// One reason for all of them, told in the log too.
fn all_refused(claims: &[Claim], reason: &str) -> Vec<FileReport> {
    let refuse = |(candidate, identity, _): &Claim| refused(candidate, Some(identity), reason.to_owned());
    let reports: Vec<_> = claims.iter().map(refuse).collect();
    reports.iter().for_each(announce);
    reports
}

/// The report on a file.
pub(super) fn report(
    candidate: &Candidate,
    identity: Option<&Identity>,
    state: State,
    reason: Option<String>,
) -> FileReport {
    FileReport {
        file: text::one_line(&candidate.file).into_owned(),
        path: text::one_line(&candidate.path.to_string_lossy()).into_owned(),
        id: identity.map(|identity| identity.id.to_string()),
        version: identity.map(|identity| identity.version.clone()),
        kinds: Vec::new(),
        state,
        reason,
        warnings: Vec::new(),
        tools: 0,
        rules: 0,
        models: 0,
    }
}

/// The report on a file that is no plugin.
pub(super) fn refused(candidate: &Candidate, identity: Option<&Identity>, reason: Refusal) -> FileReport {
    report(candidate, identity, State::Refused, Some(text::clean_and_cut(&reason, 2_000)))
}

/// The report on a file that the operator switched off.
pub(super) fn disabled(candidate: &Candidate, identity: &Identity) -> FileReport {
    report(candidate, Some(identity), State::Disabled, Some("switched off in the configuration".into()))
}

/// The report on a file that waits without having been loaded, told in the log too.
pub(super) fn locked_out(candidate: &Candidate, identity: &Identity, waits: &str) -> FileReport {
    let mut report = report(candidate, Some(identity), State::Ready, None);
    withhold(&mut report, waits);
    announce(&report);
    report
}

/// Says it in the log.
pub(super) fn announce(report: &FileReport) {
    match report.state {
        State::Ready => {
            tracing::info!(plugin = report.id, file = report.file, tools = report.tools, "plugin is ready");
        }
        State::Disabled => tracing::info!(plugin = report.id, file = report.file, "plugin is switched off"),
        State::Refused | State::Quarantined => tracing::warn!(
            plugin = report.id,
            file = report.file,
            "{}: {}",
            if report.state == State::Refused { "refused" } else { "withheld" },
            report.reason.as_deref().unwrap_or_default()
        ),
    }
}
