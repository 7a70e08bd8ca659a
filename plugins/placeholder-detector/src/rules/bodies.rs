//! What findings of functions without a real body say, in Python as in JavaScript and TypeScript.
//!
//! Invariant: each message says why the body is taken for a stub, and what to do.

/// A comment says so.
pub(super) const SAID: &str = "This function has no real body, and a comment in it says so: write the body.";

/// The signature names a result.
pub(super) const PROMISED: &str = "The signature of this function promises a result, and the body does not give one: \
                                   write the body, or correct the type.";

/// The name does.
pub(super) const NAMED: &str = "The name and the parameters of this function promise something, and its body is empty: \
                                write the body, or say in a name such as `noop` that it is meant so.";

/// It is always the same.
pub(super) const CONSTANT: &str = "This function ignores its parameters and always returns the same: write the body, or \
                                   name the parameters with `_` if it is meant so.";
