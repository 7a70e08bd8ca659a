//! The hub's own tools, for agents: `hubcap_validate` and `hubcap_complete`. Each is there when a
//! plugin of its kind is.
//!
//! Invariant: they do nothing by themselves; whatever runs goes through [`Hub::call`].

mod complete;
mod validate;

use std::future::Future;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Blame, CallError, Code};
use crate::hub::Hub;
use crate::hub::approval::Subject;
use crate::hub::audited::Unended;
use crate::hub::registry::Registry;
use crate::model::{Annotations, Call, Tool, ToolCall, ToolOutput};
use crate::outcome::Outcome;
use crate::plugin::Kind;
use crate::schema::Checker;

const VALIDATE: &str = "hubcap_validate";
const COMPLETE: &str = "hubcap_complete";

/// The hub's own tools with their checks.
pub(super) struct Builtins(Vec<Builtin>);

struct Builtin {
    kind: Kind,
    tool: Tool,
    checker: Option<Checker>,
}

impl Builtins {
    /// All of them; `reads` where there are directories that the hub may read.
    pub(super) fn new(reads: bool) -> Self {
        Self(vec![complete::tool(), validate::tool(reads)])
    }

    /// Those that there are plugins for.
    pub(super) fn offered(&self, registry: &Registry) -> Vec<&Tool> {
        let offered = |builtin: &&Builtin| !registry.plugins(builtin.kind).is_empty();
        self.0.iter().filter(offered).map(|builtin| &builtin.tool).collect()
    }

    /// All of them, offered or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &Tool> {
        self.0.iter().map(|builtin| &builtin.tool)
    }

    fn check(&self, name: &str, arguments: &Value) -> Result<(), CallError> {
        let checker = self
            .0
            .iter()
            .find(|builtin| builtin.tool.name == name)
            .and_then(|builtin| builtin.checker.as_ref());
        checker.map_or(Ok(()), |checker| checker.check_arguments(arguments))
    }
}

fn builtin(kind: Kind, name: &str, title: &str, description: &str, input: Value) -> Builtin {
    let input = match input {
        Value::Object(input) => input,
        _ => Map::new(),
    };
    let read_only = kind == Kind::Validators;
    let annotations =
        Annotations { read_only: Some(read_only), destructive: Some(false), ..Annotations::default() };
    Builtin {
        kind,
        checker: Checker::new(&input).ok(),
        tool: Tool {
            name: name.into(),
            title: Some(title.into()),
            description: description.into(),
            input_schema: input.into(),
            output_schema: None,
            annotations,
        },
    }
}

/// Whether a tool of this name is one of them, offered or not.
pub(super) fn is_own(tool: &str) -> bool {
    matches!(tool, VALIDATE | COMPLETE)
}

impl Hub {
    /// Calls one of them.
    pub(super) async fn call_own(&self, call: Call<ToolCall>) -> Outcome<ToolOutput> {
        let unended = Unended::new(&self.audit, &call);
        let outcome = match call.work.tool.as_str() {
            VALIDATE => self.own(VALIDATE, &call, |arguments| self.validate_all(&call, arguments)).await,
            _ => self.own(COMPLETE, &call, |arguments| self.complete(&call, arguments)).await,
        };
        let by = unended.end();
        self.write_down(call, by, &outcome);
        outcome
    }

    async fn own<A, F>(
        &self,
        name: &str,
        call: &Call<ToolCall>,
        run: impl FnOnce(A) -> F,
    ) -> Outcome<ToolOutput>
    where
        A: DeserializeOwned,
        F: Future<Output = Outcome<ToolOutput>>,
    {
        let parsed = self
            .refuse(name)
            .and_then(|()| self.builtins.check(name, &call.work.arguments))
            .and_then(|()| A::deserialize(&call.work.arguments).map_err(|error| wrong(error.to_string())));
        let arguments = match parsed {
            Ok(arguments) => arguments,
            Err(error) => return Outcome::refused(error),
        };
        match self.ask_own(name, call).await {
            Ok(()) => run(arguments).await,
            Err(error) => Outcome::refused(error),
        }
    }

    /// Asks whether a tool of the hub's own may run, by the same rules as any other.
    async fn ask_own(&self, name: &str, call: &Call<ToolCall>) -> Result<(), CallError> {
        let Some(tool) = self.builtins.all().find(|tool| tool.name == name) else { return Ok(()) };
        let arguments = &call.work.arguments;
        let subject = Subject { plugin: "hubcap", file: None, tool, arguments, secrets: None };
        self.ask(&subject, call, None, || true).await
    }
}

fn wrong(message: String) -> CallError {
    CallError::new(Code::InvalidArguments, Blame::Caller, message)
}
