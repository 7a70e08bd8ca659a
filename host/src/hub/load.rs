//! Fills the hub: looks at every file, settles who has which id, loads the rest side by side.
//!
//! Invariant: ids are settled before the first plugin is published, so that no order of files
//! decides who gets a name; a bad file costs the others nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::stream::{self, StreamExt};

use crate::audit::Audit;
use crate::config::PluginConfig;
use crate::engine::Engine;
use crate::home::Home;
use crate::hub::admit::{Admission, Desk, Door, holder, withhold};
use crate::hub::approval::Policy;
use crate::hub::bulkhead::Hall;
use crate::hub::reach::reach;
use crate::hub::readable::{Readable, Unreadable};
use crate::hub::registry::{FileReport, Loaded, Registry, State};
use crate::hub::report::{Claim, announce, contested, disabled, locked_out, outdone, refused, report};
use crate::hub::{Hub, LOADING_WAIT};
use crate::lock::Lock;
use crate::model::{PluginId, text};
use crate::plugin::{Candidate, Contents, Identity, Plugin, Refusal, ScanError, Stamp, scan};
use crate::sandbox::{Programs, Sandbox};
use crate::state;
use crate::supervisor::Launcher;
use crate::toml_file::FileError;
use crate::trust::{self, Signed, Trust};

/// Why there can be no hub.
#[derive(Debug)]
pub enum LoadError {
    /// A directory that the operator named cannot be read.
    Directory(ScanError),
    /// The lock is wrong.
    Lock(FileError),
    /// A directory of `validate-dirs` cannot be read.
    Unreadable(Unreadable),
    /// The machine cannot run guests.
    Engine(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
            Self::Unreadable(error) => error.fmt(f),
            Self::Engine(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for LoadError {}

/// Loads the plugins of a hub.
pub struct Loader {
    hub: Arc<Hub>,
    sandbox: Arc<Sandbox>,
    home: Home,
    door: Door,
}

/// A file whose id is settled.
struct Settled {
    candidate: Candidate,
    identity: Identity,
    bytes: Vec<u8>,
    config: PluginConfig,
}

impl Loader {
    /// Makes an empty hub and finds the files. Quick: nothing is read or compiled yet.
    ///
    /// # Errors
    /// When a named directory or the lock cannot be read or the machine cannot run guests.
    pub fn new(home: &Home, admission: Admission) -> Result<(Arc<Hub>, Self), LoadError> {
        Self::audited(home, admission, Audit::off())
    }

    /// The same for a hub whose calls are written down.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn audited(
        home: &Home,
        admission: Admission,
        audit: Arc<Audit>,
    ) -> Result<(Arc<Hub>, Self), LoadError> {
        find(home)?;
        let door = Door::open(home, admission).map_err(LoadError::Lock)?;
        // Loading runs guests too: they take their own share of the pool, never a call's.
        let places = Hall::places(&home.config.limits) + cores();
        let engine = Engine::new(places).map_err(LoadError::Engine)?;
        let programs = Programs::new(Launcher::this_program(), home.config.limits.programs);
        let readable = Readable::open(&home.config.validate_dirs).map_err(LoadError::Unreadable)?;
        let hub =
            Hub::new(&home.config.limits, LOADING_WAIT, readable, audit).under(Policy::of(&home.config));
        let hub = Arc::new(hub);
        let exchange: Weak<Hub> = Arc::downgrade(&hub);
        let sandbox = Sandbox::new(engine, state::State::new(home.state()), programs, exchange)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        let loader = Self { hub: Arc::clone(&hub), sandbox: Arc::new(sandbox), home: home.clone(), door };
        Ok((hub, loader))
    }

    /// Loads everything. The first time, each plugin is published as soon as it is ready; later, the
    /// old ones serve until all new ones are. `only` loads that one plugin and what it may call, and leaves the
    /// others out.
    pub async fn run(&self, only: Option<&str>) {
        let candidates = match find(&self.home) {
            Ok(candidates) => candidates,
            Err(error) => {
                tracing::warn!("{error}; what is loaded goes on");
                // Nobody has to wait for what does not come.
                self.hub.loaded.send_replace(true);
                return;
            }
        };
        if candidates.is_empty() {
            let looked: Vec<_> = self.home.plugin_dirs.iter().map(|dir| dir.display().to_string()).collect();
            tracing::warn!(
                "there is no plugin in {}: drop a .wasm there, or name another directory with --plugins",
                looked.join(", ")
            );
        }
        let (settled, mut files) = self.settle(candidates, only).await;
        let mut plugins: Vec<Loaded> = files.iter().filter_map(|file| self.still_serving(file)).collect();
        let mut loading =
            stream::iter(settled).map(|one| load(Arc::clone(&self.sandbox), one)).buffer_unordered(cores());
        let mut desk = self.door.desk();
        while let Some((mut report, plugin)) = loading.next().await {
            let plugin = plugin.filter(|plugin| self.is_let_in(&mut desk, plugin, &mut report));
            announce(&report);
            let ready = match plugin {
                Some(plugin) => {
                    let (plugin, seats) = (Arc::new(plugin), self.hub.hall.seats());
                    let definitions = Arc::new(desk.definitions(&plugin.id));
                    // A file that took over the id of one that broke.
                    plugins.retain(|other: &Loaded| other.plugin.id != plugin.id);
                    Some(Loaded { plugin, seats, path: report.path.clone(), definitions })
                }
                None => {
                    let before = self.still_serving(&report);
                    before.filter(|before| plugins.iter().all(|other| other.plugin.id != before.plugin.id))
                }
            };
            plugins.extend(ready);
            files.push(report);
            if !*self.hub.loaded.borrow() {
                self.publish(&plugins, files.clone());
            }
        }
        for (id, waits) in desk.close().await {
            plugins.retain(|other| other.plugin.id != id);
            for report in files.iter_mut().filter(|report| report.is_ready_as(&id)) {
                withhold(report, &waits);
                announce(report);
            }
        }
        let registry = Registry::new(&plugins, files).with_reviews(desk.reviews());
        self.hub.registry.store(Arc::new(registry));
        self.warn_of_unused_tables();
        if only.is_none() {
            self.warn_of_idle_rules();
        }
        self.hub.loaded.send_replace(true);
    }

    fn is_let_in(&self, desk: &mut Desk, plugin: &Plugin, report: &mut FileReport) -> bool {
        let granted = !self.home.config.of(&plugin.id).grant.is_empty();
        let waits = desk.look(plugin, granted);
        if let Some(waits) = &waits {
            withhold(report, waits);
        }
        waits.is_none()
    }

    /// The version before a refused one: it goes on until there is a better one, or none.
    fn still_serving(&self, refused: &FileReport) -> Option<Loaded> {
        let before =
            self.hub.registry.load().at(&refused.path).filter(|_| refused.state == State::Refused)?;
        tracing::warn!(plugin = %before.plugin.id, "the version before goes on serving");
        Some(before)
    }

    fn publish(&self, plugins: &[Loaded], files: Vec<FileReport>) {
        self.hub.registry.store(Arc::new(Registry::new(plugins, files)));
        self.hub.loaded.send_modify(|_| {});
    }

    /// Loads everything, and again whenever a file has changed and then stayed as it is for one `pause`, so
    /// that a file that is still being written is left alone. Never ends.
    pub async fn watch(&self, pause: Duration) {
        let mut served = self.stamps();
        self.run(None).await;
        loop {
            tokio::time::sleep(pause).await;
            let seen = self.stamps();
            if seen == served {
                continue;
            }
            tokio::time::sleep(pause).await;
            if self.stamps() == seen {
                tracing::info!("the plugin files have changed: loading them again");
                self.run(None).await;
                served = seen;
            }
        }
    }

    fn stamps(&self) -> Vec<(PathBuf, Stamp)> {
        let candidates = find(&self.home).unwrap_or_default();
        candidates.into_iter().map(|candidate| (candidate.path.clone(), candidate.stamp())).collect()
    }

    /// Reads every file and settles the ids: the files that can be loaded, and reports on the others.
    async fn settle(
        &self,
        candidates: Vec<Candidate>,
        only: Option<&str>,
    ) -> (Vec<Settled>, Vec<FileReport>) {
        let reader = Reader {
            max: self.home.config.limits.component_bytes,
            trust: self.door.trust(),
            lock: Arc::clone(&self.door.lock),
        };
        let mut files = Vec::new();
        let mut by_id: BTreeMap<PluginId, Vec<Claim>> = BTreeMap::new();
        let mut reading =
            stream::iter(candidates).map(|candidate| read(candidate, reader.clone())).buffered(cores());
        while let Some((candidate, found)) = reading.next().await {
            match found {
                Ok((identity, bytes)) => {
                    by_id.entry(identity.id.clone()).or_default().push((candidate, identity, bytes));
                }
                Err((identity, reason)) => files.push(refused(&candidate, identity.as_deref(), reason)),
            }
        }
        files.iter().for_each(announce);
        let wanted = only.map(|only| reach(only, &by_id, &self.home.config));
        let mut settled = Vec::new();
        for (id, mut claims) in by_id {
            let identities: Vec<&Identity> = claims.iter().map(|(_, identity, _)| identity).collect();
            if let Some(at) = holder(&self.door, &identities).filter(|_| claims.len() > 1) {
                let pinned = claims.remove(at);
                files.extend(outdone(&id, &pinned.0, &claims));
                claims = vec![pinned];
            }
            let config = self.home.config.of(&id);
            match <[_; 1]>::try_from(claims) {
                Ok([(candidate, identity, _)]) if !config.enabled => {
                    files.push(disabled(&candidate, &identity));
                }
                Ok([(candidate, identity, bytes)])
                    if wanted.as_ref().is_none_or(|wanted| wanted.contains(&id)) =>
                {
                    match self.door.locks_out(&identity) {
                        Some(waits) => files.push(locked_out(&candidate, &identity, &waits)),
                        None => {
                            let config = self.door.narrow(&identity, config);
                            settled.push(Settled { candidate, identity, bytes, config });
                        }
                    }
                }
                Ok(_) => {}
                Err(claims) => files.extend(contested(&id, &claims)),
            }
        }
        // The small ones first: a file that takes long to compile then holds up few.
        settled.sort_by_key(|one: &Settled| one.bytes.len());
        (settled, files)
    }

    fn warn_of_idle_rules(&self) {
        let (registry, builtins) = (self.hub.registry.load(), &self.hub.builtins);
        let tools = registry.tools.iter().chain(builtins.all()).map(|tool| tool.name.as_str());
        for idle in self.hub.policy.rules.idle(&tools.collect::<Vec<_>>()) {
            tracing::warn!("hubcap.toml: {idle} that is loaded");
        }
    }

    fn warn_of_unused_tables(&self) {
        let registry = self.hub.registry.load();
        let known: Vec<&str> = registry.files.iter().filter_map(|file| file.id.as_deref()).collect();
        for id in self.home.config.by_plugin.keys().filter(|id| !known.contains(&id.as_str())) {
            let offer = text::nearest(id.as_str(), known.iter().copied());
            tracing::warn!(plugin = %id, nearest = offer, "the configuration has a table for a plugin that is not there");
        }
    }
}

/// As many files at once as there are cores.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn find(home: &Home) -> Result<Vec<Candidate>, LoadError> {
    let mut candidates: Vec<Candidate> = Vec::new();
    // One directory under two names is one directory, and a file in it that is named too is one file.
    let real = |path: &Path| {
        // The path of a file in the working directory has an empty parent.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    };
    let mut seen = BTreeSet::new();
    for path in &home.plugin_dirs {
        match scan(path) {
            Ok(found) => candidates.extend(found.into_iter().filter(|candidate| {
                let directory = candidate.path.parent().map(real).unwrap_or_default();
                seen.insert((directory, candidate.file.clone()))
            })),
            // The default one is made when the first plugin is.
            Err(error) if error.is_missing() && !home.named => {}
            Err(error) => return Err(LoadError::Directory(error)),
        }
    }
    candidates.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(candidates)
}

/// What a file is, and its bytes; or why it is none of ours, and who it says it is as far as that is known.
type Found = Result<(Identity, Vec<u8>), (Option<Box<Identity>>, Refusal)>;

/// What reading a file needs to know.
#[derive(Clone)]
struct Reader {
    max: usize,
    trust: Arc<Trust>,
    lock: Arc<Lock>,
}

impl Reader {
    /// Reads the file once: all that follows is about these bytes.
    fn read(&self, file: &Candidate) -> Found {
        let contents: Contents = file.read(self.max).map_err(|reason| (None, reason))?;
        let mut identity = Identity::of(file, &contents).map_err(|reason| (None, reason))?;
        let signed = Signed {
            bytes: &contents.bytes,
            signature: contents.signature.as_deref(),
            id: &identity.id,
            version: &identity.version,
            self_contained: identity.self_contained,
            accepted: self.lock.0.get(&identity.id).map(|pin| pin.version.as_str()),
        };
        match trust::check(&self.trust, &signed) {
            Ok(publisher) => identity.publisher = publisher,
            Err(reason) => return Err((Some(Box::new(identity)), reason)),
        }
        Ok((identity, contents.bytes))
    }
}

async fn read(candidate: Candidate, reader: Reader) -> (Candidate, Found) {
    let file = candidate.clone();
    let read = tokio::task::spawn_blocking(move || reader.read(&file));
    let found = read.await.unwrap_or_else(|_| Err((None, "reading it crashed".into())));
    (candidate, found)
}

async fn load(sandbox: Arc<Sandbox>, one: Settled) -> (FileReport, Option<Plugin>) {
    let Settled { candidate, identity, bytes, config } = one;
    match Plugin::load(sandbox, identity.clone(), bytes, &config).await {
        Ok(plugin) => {
            let mut report = report(&candidate, Some(&identity), State::Ready, None);
            report.kinds = plugin.kinds().into_iter().map(|kind| kind.as_str().to_owned()).collect();
            report.tools = plugin.tools.len();
            report.rules = plugin.rules.len();
            report.models = plugin.models.len();
            (report, Some(plugin))
        }
        Err(reason) => (refused(&candidate, Some(&identity), reason), None),
    }
}
