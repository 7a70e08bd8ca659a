//! The one error of a call: a code for programs, a blame, a text for the caller, a source for the log.
//!
//! Invariant: the public text has no secret and no backtrace; the source is never part of it.

use std::fmt;

use crate::model::text;

/// Characters of an error text that reach a caller.
pub const MAX_MESSAGE_CHARS: usize = 10_000;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$item])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that stands for it outside of the program.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The reverse of [`Self::as_str`].
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What kind of failure it is.
    Code {
        /// The arguments do not match the tool's schema, or the plugin refuses them.
        InvalidArguments = "invalid-arguments",
        /// There is no such tool.
        UnknownTool = "unknown-tool",
        /// Wall time ran out.
        Deadline = "deadline",
        /// The fuel ran out.
        Fuel = "fuel",
        /// The guest needed more memory than it may have.
        Memory = "memory",
        /// Another bound was reached: tables, handles, random bytes, result size.
        Limit = "limit",
        /// The guest crashed.
        Trap = "trap",
        /// Something was not granted.
        Denied = "denied",
        /// A person said no, or nobody could be asked.
        Approval = "approval",
        /// The plugin cannot work now.
        Unavailable = "unavailable",
        /// Too much at once.
        Overloaded = "overloaded",
        /// Too much in too short a time.
        RateLimited = "rate-limited",
        /// What the plugin returned is not what it promised.
        InvalidOutput = "invalid-output",
        /// The plugin changed and waits for the operator.
        Quarantined = "quarantined",
        /// A service behind the plugin failed.
        Upstream = "upstream",
        /// The caller gave up.
        Cancelled = "cancelled",
        /// A fault inside the plugin (its own word) or the hub.
        Internal = "internal",
    }
}

words! {
    /// Who has to act.
    Blame {
        /// Who called.
        Caller = "caller",
        /// Who wrote the plugin.
        Plugin = "plugin",
        /// The operator's rules.
        Policy = "policy",
        /// A service behind the plugin.
        Upstream = "upstream",
        /// hubcap, or the machine it runs on.
        Host = "host",
    }
}

/// Why a call failed.
#[derive(Debug)]
pub struct CallError {
    /// What kind of failure.
    pub code: Code,
    /// Who has to act.
    pub blame: Blame,
    message: String,
    private: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CallError {
    /// An error with a public text: what happened and what to do next. The text is cleaned and cut.
    pub fn new(code: Code, blame: Blame, message: impl AsRef<str>) -> Self {
        Self {
            code,
            blame,
            message: text::clean_and_cut(message.as_ref(), MAX_MESSAGE_CHARS),
            private: false,
            source: None,
        }
    }

    /// With what the log should know.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Its text repeats what a caller sent or a guest wrote: the caller gets it, the log does not.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// What the log may have of the text.
    pub fn log_text(&self) -> &str {
        if self.private { "(the text is the caller's alone)" } else { &self.message }
    }

    /// The same error with other words in its public text.
    #[must_use]
    pub fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        self.message = reword(&self.message);
        self
    }

    /// The public text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blame, CallError, Code, MAX_MESSAGE_CHARS};

    #[test]
    fn a_message_of_10000_characters_is_kept_and_a_longer_one_is_cut() {
        let error = |n| CallError::new(Code::Internal, Blame::Plugin, "é".repeat(n));
        assert_eq!(error(MAX_MESSAGE_CHARS).message().chars().count(), MAX_MESSAGE_CHARS);
        let cut = error(MAX_MESSAGE_CHARS + 1);
        assert_eq!(cut.message().chars().count(), MAX_MESSAGE_CHARS);
        assert!(cut.message().ends_with(" [cut]"));
    }

    #[test]
    fn codes_are_read_back_from_their_words() {
        assert_eq!(Code::parse(Code::RateLimited.as_str()), Some(Code::RateLimited));
        assert_eq!(Code::parse("no-such-code"), None);
    }
}
