//! `wasi:random`: the host's generator, up to a bound per call.
//!
//! Invariant: the bound is on the sum, so that many small requests are no way around it.

use std::fmt;

use rand::{Rng, RngExt};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// Random bytes that one call may take.
const MAX_BYTES: u64 = 1 << 20;

/// The guest wanted more than [`MAX_BYTES`].
#[derive(Debug)]
pub(crate) struct TooMuchRandom;

impl fmt::Display for TooMuchRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {MAX_BYTES} random bytes in one call")
    }
}

impl std::error::Error for TooMuchRandom {}

/// Random bytes of one call. All come from the thread's cryptographic generator: there is no reason
/// to keep a weaker one beside it.
pub(crate) struct RandomSource {
    left: u64,
}

impl RandomSource {
    /// A source with the whole bound left.
    pub(crate) fn new() -> Self {
        Self { left: MAX_BYTES }
    }

    fn take(&mut self, bytes: u64) -> Result<(), TooMuchRandom> {
        self.left = self.left.checked_sub(bytes).ok_or(TooMuchRandom)?;
        Ok(())
    }

    fn bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.take(len)?;
        // It is at most MAX_BYTES now.
        let mut bytes = vec![0; usize::try_from(len)?];
        rand::rng().fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn number(&mut self) -> wasmtime::Result<u64> {
        self.take(8)?;
        Ok(rand::rng().random())
    }
}

impl random::Host for RandomSource {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number()
    }
}

impl insecure::Host for RandomSource {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number()
    }
}

impl insecure_seed::Host for RandomSource {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.number()?, self.number()?))
    }
}

#[cfg(test)]
mod tests {
    use wasmtime_wasi::p2::bindings::random::random::Host;

    use super::{MAX_BYTES, RandomSource, TooMuchRandom};

    #[test]
    fn the_bound_holds_for_one_request_and_for_many() {
        assert_eq!(RandomSource::new().get_random_bytes(MAX_BYTES).unwrap().len(), 1 << 20);
        assert!(RandomSource::new().get_random_bytes(MAX_BYTES + 1).unwrap_err().is::<TooMuchRandom>());
        let mut source = RandomSource::new();
        for _ in 0..MAX_BYTES / 8 {
            source.get_random_u64().unwrap();
        }
        assert!(source.get_random_u64().unwrap_err().is::<TooMuchRandom>());
    }
}
