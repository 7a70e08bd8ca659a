//! From the bytes of a component to a plugin: whether it keeps the contract, and what it offers.
//!
//! Invariant: each file is judged by itself, and whatever is wrong with it is told in its own words.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use crate::bindings::{
    self, BaseIndices, LIFECYCLE, ProvidersKindIndices, ToolsKindIndices, ValidatorsKindIndices,
};
use crate::config::PluginConfig;
use crate::error::CallError;
use crate::imports::{Commands, Directories, KvAccess, Powers};
use crate::manifest::Ask;
use crate::model::Budget;
use crate::plugin::{
    About, Exports, INIT_DEADLINE, Identity, Kind, LIST_DEADLINE, LOAD_FUEL, Plugin, Refusal, convert,
    define, first_line, providers, settings, validators,
};
use crate::policy::Grants;
use crate::sandbox::{CallState, CallStore, Sandbox};
use crate::secrets::Secrets;

/// Longest that compiling may take. The thread cannot be stopped and goes on, but nobody waits for it.
const COMPILE_DEADLINE: Duration = Duration::from_secs(30);

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
        let powers = powers(&sandbox, &identity, ask, &grants).await?;
        let size = bytes.len();
        let component = compile(&sandbox, bytes, COMPILE_DEADLINE).await?;
        let kinds = check_world(&component)?;
        let pre = sandbox.prepare(&component).map_err(|error| missing_import(&component, &error))?;
        let exports = Exports::find(&pre, &kinds)
            .map_err(|error| format!("wrong world: {}", first_line(&format!("{error:#}"))))?;
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
            powers,
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

impl Exports {
    /// Looks up what a component of these kinds exports.
    fn find(pre: &InstancePre<CallState>, kinds: &[Kind]) -> wasmtime::Result<Self> {
        let has = |kind| kinds.contains(&kind);
        Ok(Self {
            base: BaseIndices::new(pre)?,
            tools: has(Kind::Tools).then(|| ToolsKindIndices::new(pre)).transpose()?,
            validators: has(Kind::Validators).then(|| ValidatorsKindIndices::new(pre)).transpose()?,
            providers: has(Kind::Providers).then(|| ProvidersKindIndices::new(pre)).transpose()?,
        })
    }
}

/// Opens what a plugin was granted: secrets are read, directories and commands pinned.
async fn powers(
    sandbox: &Sandbox,
    identity: &Identity,
    ask: Option<&Ask>,
    grants: &Grants,
) -> Result<Powers, Refusal> {
    let id = &identity.id;
    let secrets = Arc::new(Secrets::read(&grants.secrets).await?);
    let directories = Directories::open(id, &grants.files).await?;
    let asked = ask.map(|ask| ask.process.iter().map(|asked| asked.command.as_str().to_owned()).collect());
    let programs = Arc::clone(sandbox.programs());
    let commands =
        Commands::open(id, asked.unwrap_or_default(), &grants.process, &directories, programs).await?;
    Ok(Powers {
        kv: KvAccess::new(sandbox.state(), id, ask.and_then(Ask::kv), grants.kv),
        egress: sandbox.egress(id, grants, &secrets),
        edges: sandbox.edges(id, ask, grants),
        secrets,
        directories,
        commands,
    })
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
