//! A loaded plugin: what it offers, and how one call of it goes.
//!
//! Invariant: a plugin is compiled and bound when it is loaded; a call only opens a store.

mod convert;
mod define;
mod expand;
mod file;
mod load;
mod schema;

pub use file::{Candidate, Contents, ScanError, Stamp, scan};
pub use load::{Identity, Refusal};

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, trace_span};
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::{BaseIndices, Context, ToolsKindIndices};
use crate::error::CallError;
use crate::model::{Budget, Call, PluginId, Receipt, Tool, ToolOutput};
use crate::outcome::Outcome;
use crate::sandbox::{CallState, CallStore, Sandbox};
use crate::telemetry::STAGE;

use schema::Checker;

/// Longest that `init` may take.
pub(crate) const INIT_DEADLINE: Duration = Duration::from_secs(5);

/// A plugin that can be called.
pub struct Plugin {
    /// Its id.
    pub id: PluginId,
    /// Its version, as its manifest says.
    pub version: String,
    /// Its tools, in the order of their names.
    pub tools: Vec<LoadedTool>,
    pre: InstancePre<CallState>,
    exports: Exports,
    config: String,
    budget: Budget,
    sandbox: Arc<Sandbox>,
}

/// Where the exports are, looked up once.
struct Exports {
    base: BaseIndices,
    tools: Option<ToolsKindIndices>,
}

/// A tool with its checks, made when it is loaded.
pub struct LoadedTool {
    /// The definition, checked and cleaned.
    pub tool: Tool,
    /// Its name inside the plugin.
    pub name: String,
    input: Checker,
    output: Option<Checker>,
}

impl LoadedTool {
    /// Checks a call's arguments against the tool's schema.
    ///
    /// # Errors
    /// `invalid-arguments`, with the paths that fail and why.
    pub fn check_arguments(&self, arguments: &Value) -> Result<(), CallError> {
        self.input.check_arguments(arguments)
    }
}

impl Plugin {
    /// What one call of it may use.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Calls a tool with arguments that were checked. `deadline` counts from when the hub took the call.
    pub async fn call(
        &self,
        tool: &LoadedTool,
        arguments: &Value,
        call: &Call,
        deadline: Instant,
    ) -> Outcome {
        let mut store = trace_span!(target: STAGE, "store")
            .in_scope(|| self.sandbox.open(&self.budget, call.progress.clone()));
        let result = self.run(&mut store, tool, arguments, call, deadline).await;
        let mut receipt = Receipt {
            call_id: call.id.to_string(),
            plugin: self.id.to_string(),
            tool: tool.name.clone(),
            ..store.receipt()
        };
        let result = result.inspect(|(_, bytes)| receipt.result_bytes = *bytes).map(|(output, _)| output);
        trace_span!(target: STAGE, "drop").in_scope(|| drop(store));
        Outcome { result, receipt: Some(receipt) }
    }

    async fn run(
        &self,
        store: &mut CallStore,
        tool: &LoadedTool,
        arguments: &Value,
        call: &Call,
        deadline: Instant,
    ) -> Result<(ToolOutput, u64), CallError> {
        let instance = self.start(store, deadline, &call.cancel).await?;
        let arguments = schema::to_json(arguments)?;
        let context = Context {
            call_id: call.id.to_string(),
            deadline_ms: millis(deadline.saturating_duration_since(Instant::now())),
            depth: 0,
            meta: Vec::new(),
        };
        let returned = store
            .run("the call", deadline, &call.cancel, async |store| {
                let tools = self.tools_export(&mut *store, &instance)?;
                tools.hubcap_plugin_tools().call_call_tool(store, &tool.name, &arguments, &context).await
            })
            .instrument(trace_span!(target: STAGE, "export"))
            .await?;
        convert::output(returned.map_err(convert::guest_error)?, tool.output.as_ref())
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

    fn tools_export(
        &self,
        store: impl wasmtime::AsContextMut<Data = CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<crate::bindings::ToolsKind> {
        match &self.exports.tools {
            Some(tools) => tools.load(store, instance),
            None => Err(wasmtime::Error::msg("the plugin exports no tools")),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
