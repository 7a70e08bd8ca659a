//! What is written down of the operator's own doing: a plugin accepted, a grant added.
//!
//! Invariant: it is short, whatever a plugin is called and asks for; no text that is shown to agents is in it.

use std::time::SystemTime;

use serde::Serialize;

use crate::audit::record::{Body, Style};
use crate::audit::time::rfc3339;
use crate::model::text;

/// Changes that a record names.
const MAX_CHANGES: usize = 64;
/// Characters of one of them.
const MAX_CHANGE: usize = 300;

/// What the operator did about a plugin on the command line.
pub struct Deed {
    /// What it was.
    pub kind: DeedKind,
    /// The plugin's id.
    pub plugin: String,
    /// SHA-256 of its file now.
    pub digest: String,
    /// SHA-256 of the file that was accepted before, where there was one.
    pub before: Option<String>,
    /// What changed by it, each in short.
    pub changes: Vec<String>,
}

/// What the operator can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedKind {
    /// Said yes to what a plugin is.
    Accepted,
    /// Added grants to the configuration.
    Granted,
}

#[derive(Serialize)]
struct Done<'a> {
    time: String,
    run: &'a str,
    caller: &'static str,
    plugin: &'a str,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a str>,
    changes: Vec<String>,
}

impl Deed {
    /// The text of a record.
    pub(super) fn body(&self, style: &Style) -> Body {
        let kind = match self.kind {
            DeedKind::Accepted => "accepted",
            DeedKind::Granted => "granted",
        };
        let done = Done {
            time: rfc3339(SystemTime::now()),
            run: &style.run,
            caller: "command line",
            plugin: &self.plugin,
            digest: &self.digest,
            before: self.before.as_deref(),
            changes: short(&self.changes),
        };
        Body::new(kind, &done)
    }
}

fn short(changes: &[String]) -> Vec<String> {
    let told = changes.iter().take(MAX_CHANGES).map(|change| text::clean_and_cut(change, MAX_CHANGE));
    let more = changes.len().saturating_sub(MAX_CHANGES);
    told.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Deed, DeedKind, MAX_CHANGE, MAX_CHANGES};
    use crate::audit::MAX_RECORD;
    use crate::audit::record::Style;
    use crate::config::Arguments;

    #[test]
    fn a_deed_has_a_record_of_a_bounded_length() {
        let long = "\u{1f9e8}\"\n".repeat(10_000);
        let deed = Deed {
            kind: DeedKind::Accepted,
            plugin: "echo".into(),
            digest: "d".repeat(64),
            before: None,
            changes: vec![long; 1_000],
        };
        let body = deed.body(&Style { run: "01234567".into(), arguments: Arguments::Hash });
        assert!(body.fields.len() < MAX_RECORD, "{}", body.fields.len());
        let record: Value = serde_json::from_str(&format!("{{{}}}", body.fields)).unwrap();
        let changes = record["changes"].as_array().unwrap();
        assert_eq!((changes.len(), &changes[MAX_CHANGES]), (MAX_CHANGES + 1, &"and 936 more".into()));
        let longest = changes.iter().map(|change| change.as_str().unwrap().chars().count()).max().unwrap();
        assert!(longest <= MAX_CHANGE + 20, "{longest}");
        assert_eq!((body.kind, record.get("before")), ("accepted", None));
    }
}
