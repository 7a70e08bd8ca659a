//! The error that a plugin returns.
//!
//! Invariant: it does not implement [`std::error::Error`], so that `?` turns any error into it.

use std::fmt;

use crate::bindings::plugin::hubcap::plugin::types;

/// What kind of failure it is; the host treats each in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The caller has to change the arguments.
    InvalidArguments,
    /// There is no tool of that name.
    UnknownTool,
    /// Something was not granted.
    Denied,
    /// A bound was reached.
    Limit,
    /// Time ran out.
    Deadline,
    /// Cannot work now; later it may.
    Unavailable,
    /// Too much at once.
    Overloaded,
    /// Too much in too short a time.
    RateLimited,
    /// A service behind the plugin failed.
    Upstream,
    /// The caller gave up.
    Cancelled,
    /// The plugin's own fault.
    Internal,
}

impl Code {
    /// Every code.
    const ALL: [Self; 11] = [
        Self::InvalidArguments,
        Self::UnknownTool,
        Self::Denied,
        Self::Limit,
        Self::Deadline,
        Self::Unavailable,
        Self::Overloaded,
        Self::RateLimited,
        Self::Upstream,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The code as the WIT writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArguments => "invalid-arguments",
            Self::UnknownTool => "unknown-tool",
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Deadline => "deadline",
            Self::Unavailable => "unavailable",
            Self::Overloaded => "overloaded",
            Self::RateLimited => "rate-limited",
            Self::Upstream => "upstream",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

/// Why a call failed: a code for programs and a message for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    /// An error with its code and a message that says what happened and what to do next.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The caller has to change the arguments.
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArguments, message)
    }

    /// There is no tool `name`.
    pub fn unknown_tool(name: &str) -> Self {
        Self::new(Code::UnknownTool, format!("this plugin has no tool {name:?}"))
    }

    /// A service behind the plugin failed.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(Code::Upstream, message)
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl<E: std::error::Error> From<E> for Error {
    /// Any error becomes [`Code::Internal`], with its sources behind it.
    fn from(error: E) -> Self {
        Self::new(Code::Internal, with_sources(&error))
    }
}

/// The text of an error and of what is behind it.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}

impl Error {
    /// An error that an import gave; an unknown code counts as [`Code::Internal`].
    pub fn from_host(error: types::Error) -> Self {
        let code = Code::ALL.into_iter().find(|code| code.as_str() == error.code);
        Self::new(code.unwrap_or(Code::Internal), error.message)
    }

    /// The error as it crosses to the host.
    pub(crate) fn into_wit(self) -> types::Error {
        types::Error { code: self.code.as_str().to_owned(), message: self.message, meta: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Error};

    #[test]
    fn a_question_mark_turns_any_error_into_an_internal_one_with_its_text() {
        fn parse() -> Result<u8, Error> {
            Ok("no number".parse::<u8>()?)
        }
        let error = parse().unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert_eq!(error.message(), "invalid digit found in string");
    }
}
