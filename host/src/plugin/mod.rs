//! A loaded plugin: what it offers, and how one call of it goes.
//!
//! Invariant: a plugin is compiled and bound when it is loaded; a call only opens a store.

mod convert;
pub(crate) mod define;
mod file;
mod format;
mod health;
mod identity;
mod load;
mod providers;
mod settings;
mod tools;
mod validators;
mod work;

pub(crate) use convert::{MAX_RESULT, within_result_limit};
pub use file::{Candidate, Contents, ScanError, Stamp, scan};
pub use identity::{Identity, Refusal};
pub(crate) use settings::checked as checked_settings;
pub use tools::LoadedTool;
pub use work::{Kind, Running, Work};

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, trace_span};
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::{BaseIndices, Context, ProvidersKindIndices, ToolsKindIndices, ValidatorsKindIndices};
use crate::error::CallError;
use crate::imports::{Powers, Serving};
use crate::manifest::Manifest;
use crate::model::{Budget, Call, Model, PluginId, Receipt, Rule, text};
use crate::outcome::Outcome;
use crate::policy::Grants;
use crate::sandbox::{CallState, CallStore, Sandbox};
use crate::secrets::Secrets;
use crate::telemetry::STAGE;

/// Longest that `init` may take.
pub(crate) const INIT_DEADLINE: Duration = Duration::from_secs(5);
/// Longest that a list or a health check may take.
const LIST_DEADLINE: Duration = Duration::from_secs(2);
/// Fuel for `init` and one list, or a health check.
const LOAD_FUEL: u64 = 200_000_000;

/// A plugin that can be called.
pub struct Plugin {
    /// Its id.
    pub id: PluginId,
    /// What is known of it besides.
    pub about: About,
    /// Its tools, in the order of their names.
    pub tools: Vec<LoadedTool>,
    /// Its validator's rules, in the order of their ids.
    pub rules: Vec<Rule>,
    /// Its provider's models, the default one first.
    pub models: Vec<Model>,
    pre: InstancePre<CallState>,
    exports: Exports,
    grants: Arc<Grants>,
    powers: Powers,
    config: String,
    budget: Budget,
    sandbox: Arc<Sandbox>,
}

/// What is known of a plugin from its file.
#[derive(Clone, Debug)]
pub struct About {
    /// Its version, as its manifest says.
    pub version: String,
    /// What its author says of it.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the file in hexadecimal.
    pub digest: String,
    /// Who signed it, by the operator's name for the key.
    pub publisher: Option<String>,
    /// Bytes of the file.
    pub size: usize,
    /// Interfaces that it imports, by name.
    pub imports: Vec<String>,
}

/// Where the exports are, looked up once.
struct Exports {
    base: BaseIndices,
    tools: Option<ToolsKindIndices>,
    validators: Option<ValidatorsKindIndices>,
    providers: Option<ProvidersKindIndices>,
}

impl Plugin {
    /// What one call of it may use.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What it may do.
    pub fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    /// The secrets that it was granted.
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.powers.secrets
    }

    /// What it exports.
    pub fn kinds(&self) -> Vec<Kind> {
        let exports = |kind: &Kind| match kind {
            Kind::Tools => self.exports.tools.is_some(),
            Kind::Validators => self.exports.validators.is_some(),
            Kind::Providers => self.exports.providers.is_some(),
        };
        Kind::ALL.into_iter().filter(exports).collect()
    }

    /// Does work that was checked. `deadline` counts from when the hub took the call.
    pub async fn call<W: Work>(&self, call: &Call<W>, deadline: Instant) -> Outcome<W::Output> {
        let mut store = trace_span!(target: STAGE, "store").in_scope(|| self.open(call, deadline));
        let result = self.redacted::<W>(self.run(&mut store, call, deadline).await);
        let mut receipt = Receipt {
            call_id: call.id.to_string(),
            plugin: self.id.to_string(),
            tool: call.work.name().to_owned(),
            ..store.receipt()
        };
        receipt.callees = store.settle().await;
        let result = result.inspect(|(_, bytes)| receipt.result_bytes = *bytes).map(|(output, _)| output);
        trace_span!(target: STAGE, "drop").in_scope(|| drop(store));
        Outcome { result, receipt: Some(receipt) }
    }

    fn open<W: Work>(&self, call: &Call<W>, deadline: Instant) -> CallStore {
        let serving = Serving {
            plugin: self.id.clone(),
            call: call.id,
            deadline,
            cancel: call.cancel.clone(),
            caller: call.caller.clone(),
        };
        self.sandbox.open(&call.work.budget(self), call.progress.clone(), &self.powers, Some(serving))
    }

    /// The same without the plugin's secrets.
    fn redacted<W: Work>(
        &self,
        result: Result<(W::Output, u64), CallError>,
    ) -> Result<(W::Output, u64), CallError> {
        if self.powers.secrets.is_empty() {
            return result;
        }
        match result {
            Ok((mut output, bytes)) => {
                W::redact(&mut output, &self.powers.secrets);
                Ok((output, bytes))
            }
            Err(error) => Err(error.reworded(|text| self.powers.secrets.redacted(text).into_owned())),
        }
    }

    async fn run<W: Work>(
        &self,
        store: &mut CallStore,
        call: &Call<W>,
        deadline: Instant,
    ) -> Result<(W::Output, u64), CallError> {
        let instance = self.start(store, deadline, &call.cancel).await?;
        let context = Context {
            call_id: call.id.to_string(),
            deadline_ms: millis(deadline.saturating_duration_since(Instant::now())),
            depth: u32::try_from(call.depth()).unwrap_or(u32::MAX),
            meta: Vec::new(),
        };
        let running =
            Running { store, instance: &instance, context: &context, deadline, cancel: &call.cancel };
        call.work.run(self, running).await
    }

    /// Instantiates and initialises.
    async fn start(
        &self,
        store: &mut CallStore,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Instance, CallError> {
        let deadline = deadline.min(Instant::now() + INIT_DEADLINE);
        let (instance, ready) = store
            .run("starting the plugin", deadline, cancel, async |store| {
                let instance = self
                    .pre
                    .instantiate_async(&mut *store)
                    .instrument(trace_span!(target: STAGE, "instantiate"))
                    .await?;
                let init = async {
                    let base = self.exports.base.load(&mut *store, &instance)?;
                    base.hubcap_plugin_lifecycle().call_init(store, &self.config).await
                };
                let ready = init.instrument(trace_span!(target: STAGE, "init")).await?;
                Ok((instance, ready))
            })
            .await?;
        ready.map_err(convert::guest_error)?;
        Ok(instance)
    }
}

/// A kind was asked of a plugin that does not export it: a fault of the host.
fn not_exported() -> wasmtime::Error {
    wasmtime::Error::msg("the plugin does not export this kind")
}

/// What a library says, in one line that is fit to show.
fn first_line(long: &str) -> String {
    text::clean_and_cut(long.lines().next().unwrap_or_default(), 500)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
