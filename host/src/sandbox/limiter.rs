//! Bounds a guest's memories and tables, all of a store together.
//!
//! Invariant: wasmtime's own limits are per memory; these are sums, so that many small memories
//! cannot do what one large one may not.

use wasmtime::{Error, ResourceLimiter, Result};

use crate::engine::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};

/// What was refused, for the classification of a trap that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Memory,
    Tables,
}

#[derive(Debug)]
pub(super) struct Limiter {
    memory_limit: usize,
    memory: usize,
    /// What the growth that is under way adds, to be taken back if it fails.
    growing: usize,
    peak_memory: usize,
    table_elements: usize,
    refused: Option<Refused>,
}

impl Limiter {
    pub(super) fn new(memory_limit: usize) -> Self {
        Self { memory_limit, memory: 0, growing: 0, peak_memory: 0, table_elements: 0, refused: None }
    }

    /// Most bytes that the guest held at once.
    pub(super) fn peak_memory(&self) -> usize {
        self.peak_memory
    }

    /// What the guest was last refused.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let more = desired.saturating_sub(current);
        let total = self.memory.saturating_add(more);
        if total > self.memory_limit {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = total;
        self.growing = more;
        self.peak_memory = self.peak_memory.max(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.memory -= std::mem::take(&mut self.growing);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.refused = Some(Refused::Tables);
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter;

    use super::{Limiter, Refused};

    const PAGE: usize = 65_536;

    #[test]
    fn memories_are_summed_and_the_one_that_goes_beyond_is_refused() {
        let mut limiter = Limiter::new(3 * PAGE);
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(0, PAGE, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Memory));
        assert_eq!(limiter.peak_memory(), 3 * PAGE);
    }

    #[test]
    fn a_growth_that_fails_is_given_back() {
        let mut limiter = Limiter::new(2 * PAGE);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
    }

    #[test]
    fn growth_beyond_a_memorys_own_maximum_counts_for_nothing() {
        let mut limiter = Limiter::new(4 * PAGE);
        assert!(!limiter.memory_growing(0, 2 * PAGE, Some(PAGE)).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(limiter.memory_growing(0, 4 * PAGE, None).unwrap());
    }

    #[test]
    fn table_elements_are_summed() {
        let mut limiter = Limiter::new(0);
        assert!(limiter.table_growing(0, 60_000, None).unwrap());
        assert!(limiter.table_growing(0, 40_000, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Tables));
    }
}
