//! The traits that a plugin implements, and their way to the generated exports.

use crate::bindings::plugin::hubcap::plugin::types;
use crate::bindings::{plugin, providers, tools, validators};
use crate::{
    Artifact, Completion, Context, Error, Model, Options, Output, Report, Request, Rule, Status, Tool,
};

/// What every plugin is.
pub trait Plugin {
    /// Takes the operator's configuration, a JSON object, before anything else in every call.
    ///
    /// # Errors
    /// One that tells the operator what to change in the configuration.
    fn init(_config: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Says whether the plugin can work.
    ///
    /// # Errors
    /// Counts as unhealthy, with the error's text.
    fn health() -> Result<Status, Error> {
        Ok(Status { healthy: true, message: String::new() })
    }
}

/// The kind `tools`.
pub trait Tools: Plugin {
    /// The tools, the same list every time.
    ///
    /// # Errors
    /// Any error keeps the plugin from being loaded.
    fn list_tools() -> Result<Vec<Tool>, Error>;

    /// Runs one tool; see [`crate::arguments`] for its arguments.
    ///
    /// # Errors
    /// The caller gets the code and the message.
    fn call_tool(name: &str, arguments: &str, context: Context) -> Result<Output, Error>;
}

/// The kind `validators`.
pub trait Validators: Plugin {
    /// The rules, the same list every time.
    ///
    /// # Errors
    /// Any error keeps the plugin from being loaded.
    fn rules() -> Result<Vec<Rule>, Error>;

    /// Judges one text.
    ///
    /// # Errors
    /// The caller gets the code and the message. A text that does not parse is no error.
    fn validate(artifact: Artifact, options: Options, context: Context) -> Result<Report, Error>;
}

/// The kind `providers`.
pub trait Providers: Plugin {
    /// The models, the default one first.
    ///
    /// # Errors
    /// Any error keeps the plugin from being loaded.
    fn models() -> Result<Vec<Model>, Error>;

    /// Completes one conversation.
    ///
    /// # Errors
    /// The caller gets the code and the message.
    fn complete(request: Request, context: Context) -> Result<Completion, Error>;
}

impl<T: Plugin> plugin::exports::hubcap::plugin::lifecycle::Guest for T {
    fn init(config: String) -> Result<(), types::Error> {
        T::init(&config).map_err(Error::into_wit)
    }

    fn health() -> Result<Status, types::Error> {
        T::health().map_err(Error::into_wit)
    }
}

impl<T: Tools> tools::exports::hubcap::plugin::tools::Guest for T {
    fn list_tools() -> Result<Vec<Tool>, types::Error> {
        T::list_tools().map_err(Error::into_wit)
    }

    fn call_tool(name: String, arguments: String, context: Context) -> Result<Output, types::Error> {
        T::call_tool(&name, &arguments, context).map_err(Error::into_wit)
    }
}

impl<T: Validators> validators::exports::hubcap::plugin::validators::Guest for T {
    fn rules() -> Result<Vec<Rule>, types::Error> {
        T::rules().map_err(Error::into_wit)
    }

    fn validate(artifact: Artifact, options: Options, context: Context) -> Result<Report, types::Error> {
        T::validate(artifact, options, context).map_err(Error::into_wit)
    }
}

impl<T: Providers> providers::exports::hubcap::plugin::providers::Guest for T {
    fn models() -> Result<Vec<Model>, types::Error> {
        T::models().map_err(Error::into_wit)
    }

    fn complete(request: Request, context: Context) -> Result<Completion, types::Error> {
        T::complete(request, context).map_err(Error::into_wit)
    }
}
