//! Calls of other plugins, through the hub: tools, validators, providers.
//!
//! ```no_run
//! use hubcap_sdk::{Error, hub, json};
//!
//! fn search(words: &str) -> Result<String, Error> {
//!     let found = hub::call("github_search", &json!({ "words": words }))?;
//!     Ok(hub::text(&found))
//! }
//! ```
//!
//! Up to 16 calls run at once, as [handles](crate::handle), and what they tell meanwhile can be heard:
//!
//! ```no_run
//! use hubcap_sdk::{Error, handle, hub, progress};
//!
//! fn ask_both(question: &str) -> Result<Vec<String>, Error> {
//!     let request = hub::prompt(question);
//!     let calls = [hub::start_complete("one", &request)?, hub::start_complete("two", &request)?];
//!     let answers = handle::join(calls.into(), |index, event| {
//!         if let hub::Event::Partial(text) = event {
//!             progress::partial(&format!("{index}: {text}"));
//!         }
//!     });
//!     answers.into_iter().map(|answer| Ok(answer?.text)).collect()
//! }
//! ```
//!
//! A call takes the way of every call: the callee's grants and budget are its own, and what it fails with are its
//! own words. It ends with the call that made it: with its deadline, when its caller gives up, and when it
//! returns without having finished. What all of them cost is on the receipt of the call that made them.
//!
//! # Denied
//! The plugin's author asks for each callee in `[[ask.hub]]` of `plugin.toml`, or for `"*"`, which is whichever
//! the operator names, and the operator grants it by its name. A call of anything else fails with the code
//! `denied`, whether or not it is there, and the message has the line that grants it:
//!
//! ```no_run
//! use hubcap_sdk::{Code, hub, json};
//!
//! let denied = hub::call("github_search", &json!({})).unwrap_err();
//! assert_eq!(denied.code(), Code::Denied);
//! assert!(denied.message().contains("hub.tools = [\"github_search\"]"));
//! ```
//!
//! `denied` is also what comes of a call that would go round in a circle, back to a plugin that waits for it, and
//! of one that four plugins stand behind already. What is granted and not there is `unavailable`. More than 16
//! calls at once are `overloaded`, more than 256 in one call `limit`, and so is more than 1 MiB that is sent. A
//! callee that crashes or breaks its promises is `upstream`, one that runs out of its fuel or memory `limit`; the
//! message begins with what it was. Outside of WebAssembly, as in unit tests, there is no host to ask and all
//! functions that call panic.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::plugin::hubcap::plugin::hub;
use crate::bindings::plugin::hubcap::plugin::provider_types::Limits;
use crate::bindings::plugin::wasi::io::poll::Pollable;
use crate::handle::{Handle, Next};
use crate::{
    Artifact, Code, Completion, Content, Error, Message, Options, Output, Report, Request, Role, json_text,
};

pub use crate::bindings::plugin::hubcap::plugin::hub::{Callee, Event};

/// Calls a tool by its full name, `<plugin-id>_<tool>`, and waits for what it returns.
///
/// # Errors
/// As in [the module](self), the tool's own, and [`Code::Internal`] where the arguments cannot be written as
/// JSON.
pub fn call<T: Serialize + ?Sized>(tool: &str, arguments: &T) -> Result<Output, Error> {
    start_call(tool, arguments)?.finish()
}

/// [`call`], without waiting.
///
/// # Errors
/// As [`call`], as far as that is known at once.
pub fn start_call<T: Serialize + ?Sized>(tool: &str, arguments: &T) -> Result<Pending<Output>, Error> {
    Pending::of(hub::start_tool(tool, &serde_json::to_string(arguments)?))
}

/// Has a text judged by one validator, or by all that are granted where none is named. In the `meta` of each
/// finding, `validator` says whose it is; in that of the report, `failed` names each validator that failed.
///
/// # Errors
/// As in [the module](self); where all validators failed, the words of one of them.
pub fn validate(validator: Option<&str>, artifact: &Artifact, options: &Options) -> Result<Report, Error> {
    start_validate(validator, artifact, options)?.finish()
}

/// [`validate`], without waiting.
///
/// # Errors
/// As [`validate`], as far as that is known at once.
pub fn start_validate(
    validator: Option<&str>,
    artifact: &Artifact,
    options: &Options,
) -> Result<Pending<Report>, Error> {
    Pending::of(hub::start_validate(validator, artifact, options))
}

/// Has a conversation completed by a provider and waits for the answer.
///
/// # Errors
/// As in [the module](self), and the provider's own.
pub fn complete(provider: &str, request: &Request) -> Result<Completion, Error> {
    start_complete(provider, request)?.finish()
}

/// [`complete`], without waiting.
///
/// # Errors
/// As [`complete`], as far as that is known at once.
pub fn start_complete(provider: &str, request: &Request) -> Result<Pending<Completion>, Error> {
    Pending::of(hub::start_complete(provider, request))
}

/// What this plugin may call and is there, by name, each with what it says of itself.
///
/// # Errors
/// Where the host cannot tell.
pub fn callees() -> Result<Vec<Callee>, Error> {
    hub::callees().map_err(Error::from_host)
}

/// A conversation of one question, for the provider's default model.
pub fn prompt(question: impl Into<String>) -> Request {
    Request {
        model: None,
        messages: vec![Message { role: Role::User, text: question.into() }],
        limits: Limits { max_output_tokens: None, stop: Vec::new() },
        output_schema: None,
        meta: Vec::new(),
    }
}

/// The text of a result: that of its blocks of text, else its data as JSON.
pub fn text(output: &Output) -> String {
    let blocks = output.content.iter().filter_map(|block| match block {
        Content::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let text = blocks.collect::<Vec<_>>().join("\n");
    match &output.structured {
        Some(data) if text.is_empty() => data.clone(),
        _ => text,
    }
}

/// The data of a result as a type.
///
/// # Errors
/// [`Code::Upstream`] where there is none, or it is not what the type needs.
pub fn data<T: DeserializeOwned>(output: &Output) -> Result<T, Error> {
    let data = output.structured.as_deref().ok_or_else(|| Error::upstream("the result has no data"))?;
    json_text::read(data)
        .map_err(|what| Error::new(Code::Upstream, format!("the data of the result does not fit {what}")))
}

/// A call that runs, and what it will bring. Dropping it cancels the call and all that it started.
pub struct Pending<T> {
    call: hub::Pending,
    brings: PhantomData<fn() -> T>,
}

impl<T> Pending<T> {
    fn of(
        started: Result<hub::Pending, crate::bindings::plugin::hubcap::plugin::types::Error>,
    ) -> Result<Self, Error> {
        let call = started.map_err(Error::from_host)?;
        Ok(Self { call, brings: PhantomData })
    }
}

/// What a call can bring.
pub trait Reply: Sized {
    /// Takes it out of what the host gives, if that is what it gives.
    #[doc(hidden)]
    fn of(reply: hub::Reply) -> Option<Self>;
}

impl Reply for Output {
    fn of(reply: hub::Reply) -> Option<Self> {
        if let hub::Reply::Tool(output) = reply { Some(output) } else { None }
    }
}

impl Reply for Report {
    fn of(reply: hub::Reply) -> Option<Self> {
        if let hub::Reply::Report(report) = reply { Some(report) } else { None }
    }
}

impl Reply for Completion {
    fn of(reply: hub::Reply) -> Option<Self> {
        if let hub::Reply::Completion(completion) = reply { Some(completion) } else { None }
    }
}

impl<T: Reply> Handle for Pending<T> {
    type Event = Event;
    type Output = T;

    fn subscribe(&self) -> Pollable {
        self.call.subscribe()
    }

    fn next(&self) -> Result<Next<Event>, Error> {
        Handle::next(&self.call)
    }

    fn finish(self) -> Result<T, Error> {
        let reply = Handle::finish(self.call)?;
        T::of(reply).ok_or_else(|| Error::new(Code::Internal, "the host gave another kind of result"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, data, prompt, text};
    use crate::{Code, Content};

    #[test]
    fn the_text_of_a_result_is_that_of_its_blocks_or_its_data() {
        let mut output = Output::text("one");
        output.content.push(Content::Text("two".to_owned()));
        assert_eq!(text(&output), "one\ntwo");
        output.structured = Some("[1]".to_owned());
        assert_eq!(text(&output), "one\ntwo");
        output.content.clear();
        assert_eq!(text(&output), "[1]");
    }

    #[test]
    fn data_is_read_as_a_type_or_told_why_not() {
        let output = Output::structured(&vec![1, 2]).unwrap();
        assert_eq!(data::<Vec<u8>>(&output).unwrap(), [1, 2]);
        let wrong = data::<Vec<String>>(&output).unwrap_err();
        assert_eq!(wrong.code(), Code::Upstream);
        assert!(wrong.message().contains("/0"), "{wrong}");
        assert!(data::<u8>(&Output::text("x")).is_err());
        assert_eq!(prompt("why?").messages[0].text, "why?");
    }
}
