//! What the arguments of a tool are read into.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// What a parameter of a tool may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a tool",
    label = "cannot be read from JSON with a schema",
    note = "each type of your own in it needs `#[derive(serde::Deserialize, schemars::JsonSchema)]`; add `serde` and \
            `schemars` to Cargo.toml"
)]
pub trait Argument: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Argument for T {}

/// All arguments of a tool.
pub trait Arguments: DeserializeOwned + JsonSchema {}

/// Arguments that the author's own type holds.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct All<T>(pub T);

/// All of the type's own, its identity too, so that a type which holds itself refers to the root.
impl<T: JsonSchema> JsonSchema for All<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: Argument> Arguments for All<T> {}

/// Reads the arguments.
///
/// # Errors
/// The path and the reason.
pub fn read<T: Arguments>(json: &str) -> Result<T, Error> {
    crate::arguments(json)
}
