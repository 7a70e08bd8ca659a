//! Random numbers that nobody can guess, from `wasi:random`; the standard library has none.
//!
//! ```no_run
//! use hubcap_sdk::random;
//!
//! let die = random::u64() % 6 + 1;
//! let token = random::bytes(16);
//! ```
//!
//! # Denied
//! Nothing has to be granted. One call gets 1 MiB in all; asking for more ends it with the code `limit`.
//! Outside of WebAssembly, as in unit tests, there is no host to ask and both functions panic.

use crate::bindings::plugin::wasi::random::random;

/// `len` random bytes.
pub fn bytes(len: usize) -> Vec<u8> {
    random::get_random_bytes(len as u64)
}

/// A random number out of all that fit.
pub fn u64() -> u64 {
    random::get_random_u64()
}
