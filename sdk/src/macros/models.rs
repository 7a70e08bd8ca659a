//! Models behind `#[model]`: which one answers.

use super::unique;
use crate::{Completion, Context, Error, Model, Request};

/// One model.
pub struct ModelEntry {
    /// Its id.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Tokens that fit in all.
    pub context_tokens: Option<u64>,
    /// Answers a conversation.
    pub complete: fn(Request, Context) -> Result<Completion, Error>,
}

impl ModelEntry {
    /// Stands where the function was refused, so that this is the only message.
    pub const fn broken() -> Self {
        Self { id: "", title: "", context_tokens: None, complete: |_, _| Ok(Completion::text("")) }
    }
}

/// Something that `plugin!(models: […])` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "not made by `#[model]`",
    note = "put `#[hubcap_sdk::model]` on the function `{Self}`"
)]
pub trait IsModel {
    /// The model.
    const MODEL: ModelEntry;
}

/// Fails the build where the last id is among the others.
#[track_caller]
pub const fn unique_models(ids: &[&str]) {
    if let Some((last, others)) = ids.split_last() {
        let fix = "remove it from the list, or give one another id with `#[model(id = \"…\")]`";
        unique::check("the model", last, others, fix);
    }
}

/// The definitions of all models.
pub fn models(entries: &[ModelEntry]) -> Vec<Model> {
    let define = |entry: &ModelEntry| Model {
        id: entry.id.to_owned(),
        title: entry.title.to_owned(),
        context_tokens: entry.context_tokens,
        meta: Vec::new(),
    };
    entries.iter().map(define).collect()
}

/// Has the model that is asked for answer, else the first.
///
/// # Errors
/// Those of the model, and one for an id that is none.
pub fn complete(entries: &[ModelEntry], request: Request, context: Context) -> Result<Completion, Error> {
    let wanted = |entry: &&ModelEntry| request.model.as_ref().is_none_or(|id| id == entry.id);
    let Some(entry) = entries.iter().find(wanted) else {
        let known: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let asked = request.model.unwrap_or_default();
        let message = format!("there is no model {asked:?}; the models are {}", known.join(", "));
        return Err(Error::invalid_arguments(message));
    };
    let mut completion = (entry.complete)(request, context)?;
    if completion.model.is_empty() {
        completion.model = entry.id.to_owned();
    }
    Ok(completion)
}
