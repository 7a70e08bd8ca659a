//! The plugin `placeholder-detector`: finds unfinished or elided code before it lands.
//!
//! Invariant: only this file touches the host; everything else is plain functions on text.

mod arguments;
mod finding;
mod fix;
mod language;
mod report;
mod rules;
mod scan;
mod schema;
mod text;
mod tools;
mod validator;

// The tools without a host around them: what `fuzz/` calls.
#[doc(hidden)]
pub use tools::call;

use hubcap_sdk::{
    Artifact, Context, Error, Options, Output, Plugin, Report, Rule, Tool, Tools, Validators, progress,
};

/// The plugin.
pub struct Detector;

impl Plugin for Detector {}

impl Tools for Detector {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        Ok(tools::list())
    }

    fn call_tool(name: &str, arguments: &str, _context: Context) -> Result<Output, Error> {
        call(name, arguments, &|done, total, path| {
            progress::report(done as f64, Some(total as f64), Some(path));
        })
    }
}

impl Validators for Detector {
    fn rules() -> Result<Vec<Rule>, Error> {
        Ok(validator::rules())
    }

    fn validate(artifact: Artifact, options: Options, _context: Context) -> Result<Report, Error> {
        validator::validate(&artifact, &options)
    }
}

hubcap_sdk::export!(Detector: tools, validators);

#[cfg(test)]
#[path = "tests/corpus.rs"]
mod corpus;
