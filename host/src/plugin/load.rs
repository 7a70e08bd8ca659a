//! From a file to a plugin: what it is, whose it is, whether it keeps the contract.
//!
//! Invariant: each file is judged by itself, and whatever is wrong with it is told in its own words.

use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::Component;

use crate::bindings::{
    self, BaseIndices, LIFECYCLE, ProvidersKindIndices, ToolsKindIndices, ValidatorsKindIndices,
};
use crate::config::PluginConfig;
use crate::error::CallError;
use crate::imports::{Commands, Directories, KvAccess, Powers};
use crate::manifest::{Ask, Manifest};
use crate::model::{Budget, PLUGIN_ID_RULE, PluginId, text};
use crate::plugin::file::{Candidate, Contents};
use crate::plugin::{
    About, Exports, INIT_DEADLINE, Kind, LIST_DEADLINE, LOAD_FUEL, Plugin, convert, define, first_line,
    format, providers, settings, validators,
};
use crate::policy::Grants;
use crate::sandbox::{CallState, CallStore, Sandbox};
use crate::secrets::Secrets;

/// Longest that compiling may take. The thread cannot be stopped and goes on, but nobody waits for it.
const COMPILE_DEADLINE: Duration = Duration::from_secs(30);

/// Why a file is no plugin, in words for the operator.
pub type Refusal = String;

/// Who a file says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// What else its author says, where there is a manifest.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the file, and of the manifest beside it where that is the one that counts.
    pub digest: String,
    /// Whether what is known of it is in the file itself, and not in a manifest beside it.
    pub self_contained: bool,
    /// Who signed it, by the operator's name for the key. [`Identity::of`] does not look at signatures.
    pub publisher: Option<String>,
}

impl Identity {
    /// Reads who a file says it is: from the manifest in it, else from the one beside it, else from
    /// its name.
    ///
    /// # Errors
    /// Why it is no component, or what is wrong with its manifest.
    pub fn of(candidate: &Candidate, contents: &Contents) -> Result<Self, Refusal> {
        let embedded = format::look(&contents.bytes)?;
        let sidecar = contents.sidecar.as_deref().map(|text| (format!("{}.toml", candidate.stem()), text));
        let (manifest, digest) = match (embedded, sidecar) {
            (Some(text), _) => (Some(("plugin.toml".to_owned(), text)), digest(&[&contents.bytes])),
            (None, Some((name, text))) => (Some((name, text)), digest(&[&contents.bytes, text.as_bytes()])),
            (None, None) => (None, digest(&[&contents.bytes])),
        };
        let self_contained = embedded.is_some() || contents.sidecar.is_none();
        let Some((name, text)) = manifest else {
            let id = Self::id_of_name(candidate.stem())?;
            let version = "0.0.0".into();
            return Ok(Self { id, version, manifest: None, digest, self_contained, publisher: None });
        };
        let manifest = Manifest::parse(&name, text).map_err(|error| format!("bad manifest: {error}"))?;
        let (id, version) = (manifest.id.clone(), manifest.version.clone());
        Ok(Self { id, version, manifest: Some(manifest), digest, self_contained, publisher: None })
    }

    fn id_of_name(stem: &str) -> Result<PluginId, Refusal> {
        PluginId::new(stem).ok_or_else(|| {
            format!(
                "bad name: it has no manifest, and {:?} is no plugin id: {PLUGIN_ID_RULE}",
                text::one_line(text::truncate(stem, 100))
            )
        })
    }
}

/// SHA-256 in hexadecimal. A component ends where its format says, so that nothing that follows it can
/// pass for a part of it.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    HEXLOWER.encode(&hash.finalize())
}

impl Plugin {
    /// Compiles and defines a plugin. Takes a moment: never on the way of a call.
    ///
    /// # Errors
    /// Why the file does not keep the contract.
    pub async fn load(
        sandbox: Arc<Sandbox>,
        identity: Identity,
        bytes: Vec<u8>,
        config: &PluginConfig,
    ) -> Result<Self, Refusal> {
        let settings = settings::checked(identity.manifest.as_ref(), config)?;
        let ask = identity.manifest.as_ref().map(|manifest| &manifest.ask);
        let grants = ask.map(|ask| Grants::of(ask, &config.grant)).unwrap_or_default();
        let kv = KvAccess::new(sandbox.state(), &identity.id, ask.and_then(Ask::kv), grants.kv);
        let secrets = Arc::new(Secrets::read(&grants.secrets).await?);
        let directories = Directories::open(&identity.id, &grants.files).await?;
        let asked =
            ask.map(|ask| ask.process.iter().map(|asked| asked.command.as_str().to_owned()).collect());
        let programs = Arc::clone(sandbox.programs());
        let commands =
            Commands::open(&identity.id, asked.unwrap_or_default(), &grants.process, &directories, programs)
                .await?;
        let size = bytes.len();
        let component = compile(&sandbox, bytes, COMPILE_DEADLINE).await?;
        let kinds = check_world(&component)?;
        let pre = sandbox.prepare(&component).map_err(|error| missing_import(&component, &error))?;
        let wrong = |error: wasmtime::Error| format!("wrong world: {}", first_line(&format!("{error:#}")));
        let exports = Exports {
            base: BaseIndices::new(&pre).map_err(wrong)?,
            tools: kinds
                .contains(&Kind::Tools)
                .then(|| ToolsKindIndices::new(&pre))
                .transpose()
                .map_err(wrong)?,
            validators: kinds
                .contains(&Kind::Validators)
                .then(|| ValidatorsKindIndices::new(&pre))
                .transpose()
                .map_err(wrong)?,
            providers: kinds
                .contains(&Kind::Providers)
                .then(|| ProvidersKindIndices::new(&pre))
                .transpose()
                .map_err(wrong)?,
        };
        let egress = sandbox.egress(&identity.id, &grants, &secrets);
        let edges = sandbox.edges(&identity.id, ask, &grants);
        let mut plugin = Self {
            id: identity.id,
            about: About {
                version: identity.version,
                manifest: identity.manifest,
                digest: identity.digest,
                publisher: identity.publisher,
                size,
                imports: import_names(&component),
            },
            tools: Vec::new(),
            rules: Vec::new(),
            models: Vec::new(),
            pre,
            exports,
            grants: Arc::new(grants),
            powers: Powers { kv, secrets, egress, directories, commands, edges },
            config: settings,
            budget: config.budget,
            sandbox,
        };
        // What a plugin says of itself goes out too.
        plugin.define().await.map_err(|refusal| plugin.powers.secrets.redacted(&refusal).into_owned())?;
        if plugin.shows_a_secret() {
            return Err("bad definition: a secret stands in what it says of itself".into());
        }
        Ok(plugin)
    }

    /// Whether a secret stands in a definition.
    fn shows_a_secret(&self) -> bool {
        let tools = self.tools.iter().map(|tool| format!("{:?}", tool.tool));
        let rules = self.rules.iter().map(|rule| format!("{rule:?}"));
        let models = self.models.iter().map(|model| format!("{model:?}"));
        let shows = |text: String| matches!(self.powers.secrets.redacted(&text), std::borrow::Cow::Owned(_));
        !self.powers.secrets.is_empty() && tools.chain(rules).chain(models).any(shows)
    }

    /// Runs `init` and asks for what the plugin offers, in a store of its own.
    async fn define(&mut self) -> Result<(), Refusal> {
        let budget = Budget { fuel: LOAD_FUEL, deadline: INIT_DEADLINE, memory: self.budget.memory };
        let mut store = self.sandbox.open(&budget, None, &self.powers, None).of_the_host();
        let started = self.start(&mut store, Instant::now() + INIT_DEADLINE, &CancellationToken::new()).await;
        let instance = started.map_err(|error| failed("init", &error))?;
        let bad = |what: String| format!("bad definition: {what}");
        if self.exports.tools.is_some() {
            let given =
                ask(&mut store, "list-tools", async |store| self.list_tools(store, &instance).await).await?;
            self.tools = define::tools(&self.id, given).map_err(bad)?;
        }
        if self.exports.validators.is_some() {
            let given =
                ask(&mut store, "rules", async |store| self.list_rules(store, &instance).await).await?;
            self.rules = validators::define(given).map_err(bad)?;
        }
        if self.exports.providers.is_some() {
            let given =
                ask(&mut store, "models", async |store| self.list_models(store, &instance).await).await?;
            self.models = providers::define(given).map_err(bad)?;
        }
        Ok(())
    }
}

/// Compiles beside the runtime's own threads.
async fn compile(sandbox: &Arc<Sandbox>, bytes: Vec<u8>, deadline: Duration) -> Result<Component, Refusal> {
    let compiler = Arc::clone(sandbox);
    let compiling = tokio::task::spawn_blocking(move || compiler.engine().compile(&bytes));
    tokio::time::timeout(deadline, compiling)
        .await
        .map_err(|_| format!("too large: it takes longer than {} s to compile", deadline.as_secs()))?
        .map_err(|_| "not a valid component: compiling it crashed".to_owned())?
        .map_err(|error| format!("not a valid component: {}", first_line(&format!("{error:#}"))))
}

/// Calls one of the exports that list something.
async fn ask<T>(
    store: &mut CallStore,
    what: &str,
    step: impl AsyncFnOnce(&mut Store<CallState>) -> wasmtime::Result<Result<T, bindings::Error>>,
) -> Result<T, Refusal> {
    let listed = store.run(what, Instant::now() + LIST_DEADLINE, &CancellationToken::new(), step).await;
    listed.and_then(|listed| listed.map_err(convert::guest_error)).map_err(|error| failed(what, &error))
}

fn failed(step: &str, error: &CallError) -> Refusal {
    format!("failed in {step}: {error}")
}

/// The kinds that a component exports.
fn check_world(component: &Component) -> Result<Vec<Kind>, Refusal> {
    let engine = component.engine();
    let exports: Vec<String> =
        component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |interface: &str| exports.iter().any(|export| export == interface);
    if !has(LIFECYCLE) {
        let package = LIFECYCLE.split('/').next().unwrap_or_default();
        let other = exports.iter().find(|export| export.starts_with(package));
        return Err(match other {
            Some(other) => format!("wrong world: it exports {other}, and this hubcap needs {LIFECYCLE}"),
            None => format!("wrong world: it does not export {LIFECYCLE}"),
        });
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| has(interface(*kind))).collect();
    if kinds.is_empty() {
        return Err("wrong world: it exports no kind: tools, validators or providers".into());
    }
    Ok(kinds)
}

/// The interface that a plugin of this kind exports.
fn interface(kind: Kind) -> &'static str {
    match kind {
        Kind::Tools => bindings::TOOLS,
        Kind::Validators => bindings::VALIDATORS,
        Kind::Providers => bindings::PROVIDERS,
    }
}

/// The interfaces that a component imports, by name.
fn import_names(component: &Component) -> Vec<String> {
    let mut names: Vec<String> =
        component.component_type().imports(component.engine()).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

/// Names the import that is not there, as wasmtime's own text does in more words.
fn missing_import(component: &Component, error: &wasmtime::Error) -> Refusal {
    let text = format!("{error:#}");
    let named = import_names(component).into_iter().find(|name| text.contains(&format!("`{name}`")));
    match named {
        Some(name) => format!(
            "missing import: it imports `{name}`, which hubcap does not offer ({})",
            first_line(&text)
        ),
        None => format!("missing import: {}", first_line(&text)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    use super::{COMPILE_DEADLINE, compile};
    use crate::engine::Engine;
    use crate::imports::Double;
    use crate::sandbox::{Programs, Sandbox};
    use crate::state::State;
    use crate::supervisor::Launcher;

    #[tokio::test]
    async fn compiling_is_given_up_when_it_takes_too_long() {
        let nobody: Weak<Double> = Weak::new();
        let programs = Programs::new(Launcher::this_program(), 1);
        let sandbox = Sandbox::new(Engine::new(1).unwrap(), State::new(None), programs, nobody);
        let sandbox = Arc::new(sandbox.unwrap());
        assert!(compile(&sandbox, wasm_encoder::Component::new().finish(), COMPILE_DEADLINE).await.is_ok());
        let locals = "i32 ".repeat(5_000);
        let turns = "local.get 0 local.set 9 local.get 9 br_if 0 end ".repeat(300);
        let slow = format!("(func (param i32) (local {locals}) {} {turns})", "loop ".repeat(300));
        let slow = wat::parse_str(format!("(component (core module {}))", slow.repeat(20))).unwrap();
        let refused = compile(&sandbox, slow, Duration::ZERO).await;
        assert!(refused.err().unwrap().contains("longer than 0 s to compile"));
    }
}
