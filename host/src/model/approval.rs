//! Asking a person whether a call may run.
//!
//! Invariant: only [`Answer::Approved`] lets a call run; every other end of a question, whatever its reason,
//! is a no.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// What a person is asked, and what exactly the answer is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Full name of the tool.
    pub tool: String,
    /// SHA-256 of the plugin's file; empty for a tool of the hub's own.
    pub file: String,
    /// Fingerprint of the tool's definition.
    pub definition: String,
    /// SHA-256 of the arguments, in one order of their keys.
    pub arguments: String,
    /// Who calls.
    pub caller: String,
    /// All that the person sees: whose tool, what with, and what to beware of.
    pub text: String,
    /// How long the answer may take.
    pub wait: Duration,
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A person said yes, to this question.
    Approved,
    /// A person said no.
    Declined,
    /// A person put the question away.
    Dismissed,
    /// Nobody answered in time.
    TimedOut,
    /// Nobody can be asked: why.
    Nobody(String),
    /// An answer came, and it does not count: why.
    Void(String),
    /// The question goes out with the end of this call, and a later call brings the answer.
    Asked,
}

/// Somebody who can be asked whether a call may run.
pub trait Approver: fmt::Debug + Send + Sync {
    /// Who calls, in words for the person who is asked.
    fn caller(&self) -> String;

    /// Asks. Whoever drops the future takes the question back.
    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}
