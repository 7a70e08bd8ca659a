//! Who is let in: each plugin that was loaded, against what the lock holds of it.
//!
//! Invariant: what differs from its pin in anything that an agent could read, or in its file, is withheld
//! before the next list; and only a file whose digest the lock holds gets what its id was granted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::config::{Grant, PluginConfig};
use crate::home::Home;
use crate::hub::registry::{FileReport, State};
use crate::lock::{Lock, LockFile, Part, Pin, changes, summary};
use crate::model::{PluginId, Tool};
use crate::plugin::{Identity, Kind, Plugin};
use crate::policy;
use crate::toml_file::FileError;
use crate::trust::lint::{self, Said};
use crate::trust::{Mode, Trust};

/// Why a newcomer waits where nothing new runs.
const LOCKED: &str = "it is new, and [trust] mode is \"locked\"";

/// How a hub treats what the lock does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// As `[trust]` says; newcomers that need no look are pinned.
    Pinning,
    /// The same, and nothing is written.
    Looking,
    /// Everything is let in to be looked at, without what it was granted unless the lock holds its digest.
    Inspecting,
    /// Everything is let in with all that it was granted: an author's own plugins.
    Own,
}

/// What became of a plugin at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What the lock holds.
    pub before: Option<Pin>,
    /// What was loaded.
    pub now: Pin,
    /// Why it waits for the operator, where it does.
    pub waits: Option<String>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// The lock as a hub found it at its start.
#[derive(Clone)]
pub(super) struct Door {
    admission: Admission,
    trust: Arc<Trust>,
    file: Option<LockFile>,
    pub(super) lock: Arc<Lock>,
}

impl Door {
    /// Reads the lock.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub(super) fn open(home: &Home, admission: Admission) -> Result<Self, FileError> {
        let file = home.lock().map(|path| LockFile::at(&path));
        let lock = file.as_ref().map(LockFile::read).transpose()?.unwrap_or_default();
        Ok(Self { admission, trust: Arc::new(home.config.trust.clone()), file, lock: Arc::new(lock) })
    }

    pub(super) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust)
    }

    /// Whether this is the file that was accepted for its id.
    pub(super) fn holds(&self, identity: &Identity) -> bool {
        self.lock.0.get(&identity.id).is_some_and(|pin| pin.digest == identity.digest)
    }

    /// The configuration with what this file may have of the grants in it.
    pub(super) fn narrow(&self, identity: &Identity, mut config: PluginConfig) -> PluginConfig {
        match self.admission {
            Admission::Own => {}
            _ if self.holds(identity) => {}
            _ => config.grant = Grant::default(),
        }
        config
    }

    /// Why this file is not even compiled, where nothing but what is pinned runs.
    pub(super) fn locks_out(&self, identity: &Identity) -> Option<String> {
        let is_locked = self.admission == Admission::Pinning && self.trust.mode == Mode::Locked;
        (is_locked && !self.holds(identity)).then(|| match self.lock.0.contains_key(&identity.id) {
            true => "digest changed".into(),
            false => LOCKED.into(),
        })
    }

    /// Somebody who looks at each plugin of one run.
    pub(super) fn desk(&self) -> Desk {
        Desk { door: self.clone(), seen: BTreeMap::new() }
    }
}

/// Looks at the plugins of one run.
pub(super) struct Desk {
    door: Door,
    seen: BTreeMap<PluginId, Seen>,
}

struct Seen {
    review: Review,
    said: Vec<Said>,
    tools: Vec<String>,
}

impl Desk {
    /// Looks at a plugin; says why it is withheld, where it is. `granted` is whether its id has grants.
    pub(super) fn look(&mut self, plugin: &Plugin, granted: bool) -> Option<String> {
        let parts = parts(plugin);
        let about = &plugin.about;
        let ask = about.manifest.as_ref().map(|manifest| policy::asked(&manifest.ask)).unwrap_or_default();
        let now = Pin::new(about.version.clone(), about.digest.clone(), about.publisher.clone(), ask)
            .with_parts(parts.clone());
        let before = self.door.lock.0.get(&plugin.id).cloned();
        let mut seen = Seen {
            said: parts.into_iter().map(|(part, said)| Said { what: part.to_string(), said }).collect(),
            tools: plugin.tools.iter().map(|tool| tool.tool.name.clone()).collect(),
            review: Review { before, now, waits: None, warnings: Vec::new() },
        };
        seen.lint(&plugin.id, &pinned_tools(&self.door.lock));
        seen.review.waits = waits(&seen.review, self.door.trust.mode, granted);
        let waits = seen.review.waits.clone();
        self.seen.insert(plugin.id.clone(), seen);
        waits.filter(|_| self.door.withholds())
    }

    /// The fingerprints of what a plugin that was looked at says of itself.
    pub(super) fn definitions(&self, id: &PluginId) -> BTreeMap<Part, String> {
        self.seen.get(id).map(|seen| seen.review.now.fingerprints()).unwrap_or_default()
    }

    /// Once all were looked at: looks at newcomers beside each other, pins those that need no more than
    /// that, and says which are withheld after all.
    pub(super) async fn close(&mut self) -> Vec<(PluginId, String)> {
        let mut tools = pinned_tools(&self.door.lock);
        for (id, seen) in &self.seen {
            tools.extend(seen.tools.iter().map(|tool| (tool.clone(), id.to_string())));
        }
        let ready: Vec<PluginId> = self
            .seen
            .iter()
            .filter(|(_, seen)| seen.review.waits.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for (id, seen) in &mut self.seen {
            seen.lint(id, &tools);
            if seen.review.before.is_none() && seen.review.waits.is_none() {
                seen.review.waits = look_needed(&seen.review.warnings);
            }
        }
        if self.door.admission == Admission::Pinning {
            self.tell_of_newcomers();
            self.pin().await;
        }
        let late = ready.into_iter().filter_map(|id| {
            let waits = self.seen.get(&id)?.review.waits.clone()?;
            Some((id, waits))
        });
        late.filter(|_| self.door.withholds()).collect()
    }

    fn tell_of_newcomers(&self) {
        for (id, seen) in self.seen.iter().filter(|(_, seen)| seen.review.before.is_none()) {
            for warning in &seen.review.warnings {
                tracing::warn!(plugin = %id, "look: {warning}");
            }
        }
    }

    /// What became of each, by id.
    pub(super) fn reviews(self) -> BTreeMap<String, Arc<Review>> {
        self.seen.into_iter().map(|(id, seen)| (id.to_string(), Arc::new(seen.review))).collect()
    }

    /// Pins the newcomers that wait for nothing. One that another hub has pinned differently in the
    /// meantime waits.
    async fn pin(&mut self) {
        let is_new = |seen: &&Seen| seen.review.before.is_none() && seen.review.waits.is_none();
        let pins: BTreeMap<PluginId, Pin> = self
            .seen
            .iter()
            .filter(|(_, seen)| is_new(seen))
            .map(|(id, seen)| (id.clone(), seen.review.now.clone()))
            .collect();
        if pins.is_empty() {
            return;
        }
        let ids: Vec<PluginId> = pins.keys().cloned().collect();
        let added = match self.door.file.clone() {
            Some(file) => {
                tokio::task::spawn_blocking(move || file.add(pins).map_err(|error| error.to_string()))
                    .await
                    .unwrap_or_else(|_| Err("writing the lock crashed".into()))
            }
            None => Err("there is no home".into()),
        };
        let lock = match added {
            Ok(lock) => lock,
            Err(why) => {
                let ids: Vec<&str> = ids.iter().map(PluginId::as_str).collect();
                return tracing::warn!(
                    plugins = ids.join(" "),
                    "plugins are not pinned, so that changes of them go unnoticed: {why}; with `mode = \"locked\"` \
                     under [trust] in hubcap.toml only what is pinned runs"
                );
            }
        };
        for id in ids {
            let (Some(seen), Some(pin)) = (self.seen.get_mut(&id), lock.0.get(&id)) else { continue };
            let differs = changes(pin, &seen.review.now);
            if differs.is_empty() {
                tracing::info!(plugin = %id, digest = pin.digest, "pinned when it was first seen");
            } else {
                seen.review.waits = Some(summary(&differs));
                seen.review.before = Some(pin.clone());
            }
        }
    }
}

impl Door {
    fn withholds(&self) -> bool {
        matches!(self.admission, Admission::Pinning | Admission::Looking)
    }
}

impl Seen {
    fn lint(&mut self, id: &PluginId, others: &BTreeMap<String, String>) {
        self.review.warnings = lint::instructions(&self.said);
        self.review.warnings.extend(lint::relations(id.as_str(), &self.tools, &self.said, others));
    }
}

/// Why a plugin waits for the operator, if it does.
fn waits(review: &Review, mode: Mode, granted: bool) -> Option<String> {
    match &review.before {
        Some(before) => {
            let differs = changes(before, &review.now);
            (!differs.is_empty()).then(|| summary(&differs))
        }
        None if mode == Mode::Locked => Some(LOCKED.into()),
        None if granted => Some("it is new, and hubcap.toml grants its id something".into()),
        None => look_needed(&review.warnings),
    }
}

/// A newcomer whose texts need a person's look.
fn look_needed(warnings: &[String]) -> Option<String> {
    let (first, more) = warnings.split_first()?;
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    Some(format!("it is new, and {first}{more}"))
}

/// Withholds a plugin: what the report on its file then says.
pub(super) fn withhold(report: &mut FileReport, waits: &str) {
    let id = report.id.as_deref().unwrap_or_default();
    report.reason = Some(format!("{waits}; `hubcap plugin approve {id}` shows it and accepts it"));
    report.state = State::Quarantined;
    (report.tools, report.rules, report.models) = (0, 0, 0);
}

/// Of the files that claim one id, the one that the lock holds. Copies of it are the same file.
pub(super) fn holder(door: &Door, identities: &[&Identity]) -> Option<usize> {
    identities.iter().position(|identity| door.holds(identity))
}

/// The full names of all tools that the lock holds, with the id of their plugin.
fn pinned_tools(lock: &Lock) -> BTreeMap<String, String> {
    let of = |(id, pin): (&PluginId, &Pin)| -> Vec<(String, String)> {
        pin.tools(id).map(|tool| (tool, id.to_string())).collect()
    };
    lock.0.iter().flat_map(of).collect()
}

/// All that a plugin says of itself, as it was cleaned.
fn parts(plugin: &Plugin) -> Vec<(Part, Value)> {
    let tools = plugin.tools.iter().map(|tool| (Part::Tool(tool.name.clone()), definition(&tool.tool)));
    let kinds = plugin.kinds();
    let rules = kinds.contains(&Kind::Validators).then(|| (Part::Rules, json!(plugin.rules)));
    let models = kinds.contains(&Kind::Providers).then(|| (Part::Models, json!(plugin.models)));
    tools.chain(rules).chain(models).collect()
}

/// All that a tool says of itself, but for its name.
pub(super) fn definition(tool: &Tool) -> Value {
    let said = &tool.annotations;
    let hints = [
        ("readOnly", said.read_only),
        ("destructive", said.destructive),
        ("idempotent", said.idempotent),
        ("openWorld", said.open_world),
    ];
    let hints: Map<String, Value> =
        hints.into_iter().filter_map(|(key, hint)| hint.map(|hint| (key.to_owned(), hint.into()))).collect();
    json!({
        "title": tool.title, "description": tool.description, "annotations": hints,
        "inputSchema": *tool.input_schema, "outputSchema": tool.output_schema.as_deref(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::json;

    use super::{Admission, Door, Mode, Part, Pin, PluginId, Review, Trust, look_needed, waits};
    use crate::config::Config;
    use crate::lock::Lock;
    use crate::plugin::Identity;

    fn review(before: Option<&str>, warnings: &[&str]) -> Review {
        let pin = |description: &str| {
            Pin::new("1.0.0".into(), "0".repeat(64), None, [].into())
                .with_parts([(Part::Tool("say".into()), json!({ "description": description }))])
        };
        let warnings = warnings.iter().map(|warning| (*warning).to_owned()).collect();
        Review { before: before.map(pin), now: pin("now"), waits: None, warnings }
    }

    #[test]
    fn grants_are_for_the_file_that_was_accepted() {
        let content = "[plugins.echo.grant]\nkv = 1024\n";
        let config = Config::parse(Path::new("hubcap.toml"), content).unwrap();
        let id = PluginId::new("echo").unwrap();
        let pin = Pin::new("1.0.0".into(), "0".repeat(64), None, [].into());
        let lock = Arc::new(Lock([(id.clone(), pin)].into()));
        let granted = |admission, digest: &str| {
            let trust = Arc::new(Trust::default());
            let door = Door { admission, trust, file: None, lock: Arc::clone(&lock) };
            let identity = Identity {
                id: id.clone(),
                version: "1.0.0".into(),
                manifest: None,
                digest: digest.repeat(64),
                self_contained: true,
                publisher: None,
            };
            !door.narrow(&identity, config.of(&id)).grant.is_empty()
        };
        for admission in [Admission::Pinning, Admission::Looking, Admission::Inspecting] {
            assert!(granted(admission, "0"), "{admission:?}");
            assert!(!granted(admission, "1"), "{admission:?}");
        }
        assert!(granted(Admission::Own, "0") && granted(Admission::Own, "1"));
    }

    #[test]
    fn what_is_pinned_as_it_is_waits_for_nothing() {
        for mode in [Mode::FirstUse, Mode::Locked] {
            assert_eq!(waits(&review(Some("now"), &["a warning"]), mode, true), None);
        }
    }

    #[test]
    fn a_change_waits_whatever_the_mode() {
        for mode in [Mode::FirstUse, Mode::Locked] {
            let why = waits(&review(Some("before"), &[]), mode, false);
            assert_eq!(why.as_deref(), Some("the description of tool say changed"));
        }
    }

    #[test]
    fn a_newcomer_waits_where_it_is_locked_out_granted_something_or_warned_of() {
        let why = |mode, granted, warnings: &[&str]| waits(&review(None, warnings), mode, granted);
        assert_eq!(why(Mode::FirstUse, false, &[]), None);
        assert!(why(Mode::Locked, false, &[]).unwrap().contains("locked"));
        assert!(why(Mode::FirstUse, true, &[]).unwrap().contains("grants its id something"));
        assert_eq!(why(Mode::FirstUse, false, &["x"]).unwrap(), "it is new, and x");
        assert_eq!(look_needed(&["x".into(), "y".into()]).unwrap(), "it is new, and x, and 1 more");
    }
}
