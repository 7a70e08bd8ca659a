//! One plugin's own part of the state.
//!
//! Invariant: its name is the plugin's id, which the host gives; keys are compared byte by byte, and
//! whatever stands in one is only a key.

use std::sync::Arc;

use crate::error::{Blame, CallError, Code};
use crate::model::PluginId;
use crate::state::State;
use crate::state::fault::Stop;
use crate::state::space::Space;
use crate::state::tables::{Page, Snapshot, Usage};

/// Bytes of a key.
pub const MAX_KEY: usize = 512;
/// Bytes of a value.
pub const MAX_VALUE: usize = 64 << 10;
/// Keys of a namespace.
pub const MAX_KEYS: u64 = 1_000;
/// Keys of a page.
pub(super) const MAX_PAGE: usize = 256;

/// One plugin's own part of the state.
#[derive(Clone)]
pub struct Namespace {
    state: Arc<State>,
    plugin: PluginId,
    quota: u64,
}

impl Namespace {
    /// The part of a plugin, which may hold so many bytes of keys and values.
    pub fn new(state: Arc<State>, plugin: PluginId, quota: u64) -> Self {
        Self { state, plugin, quota }
    }

    /// What a key holds.
    ///
    /// # Errors
    /// `invalid-arguments` where it is no key, `unavailable` where the database cannot be used; so all
    /// the others do, and those that write also `limit`.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, CallError> {
        check_key(&key)?;
        let plugin = self.plugin.clone();
        self.state.read(move |snapshot| snapshot.get(plugin.as_str(), &key)).await
    }

    /// Writes a value over whatever was there.
    ///
    /// # Errors
    /// As [`Self::get`], and `limit`.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), CallError> {
        self.set_all(vec![(key, value)]).await
    }

    /// Writes values under different keys: all of them, or none.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn set_all(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), CallError> {
        for (key, value) in &entries {
            check_key(key)?;
            check_value(value)?;
        }
        self.change(move |space| {
            let entries: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), &value[..])).collect();
            space.set_all(&entries)
        })
        .await
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn delete(&self, key: String) -> Result<(), CallError> {
        check_key(&key)?;
        self.change(move |space| space.delete(&key)).await
    }

    /// The keys with a prefix, a page of them. `start` is `next` of the page before.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn list(&self, prefix: String, start: Option<String>) -> Result<Page, CallError> {
        let plugin = self.plugin.clone();
        let read =
            move |snapshot: &Snapshot| snapshot.list(plugin.as_str(), &prefix, start.as_deref(), MAX_PAGE);
        self.state.read(read).await
    }

    /// Adds to a counter, a signed 64-bit number in little-endian bytes, and returns the sum.
    ///
    /// # Errors
    /// As [`Self::set`]; `invalid-arguments` also where the key holds something else, or the sum does
    /// not fit.
    pub async fn increment(&self, key: String, by: i64) -> Result<i64, CallError> {
        check_key(&key)?;
        self.change(move |space| space.increment(&key, by)).await
    }

    /// Writes a value if the key holds exactly what is expected, and says whether it did.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn compare_and_swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, CallError> {
        check_key(&key)?;
        check_value(&value)?;
        self.change(move |space| space.compare_and_swap(&key, expected.as_deref(), &value)).await
    }

    /// Everything in it, in the order of the keys.
    ///
    /// # Errors
    /// `unavailable`, where the database cannot be used.
    pub async fn all(&self) -> Result<Vec<(String, Vec<u8>)>, CallError> {
        let plugin = self.plugin.clone();
        self.state.read(move |snapshot| snapshot.all(plugin.as_str())).await
    }

    /// Removes everything, and says what that was.
    ///
    /// # Errors
    /// `unavailable`, where the database cannot be used.
    pub async fn clear(&self) -> Result<Usage, CallError> {
        // As a path it is not general enough in its lifetimes.
        #[allow(clippy::redundant_closure_for_method_calls, reason = "the path does not compile")]
        self.change(|space| space.clear()).await
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Space<'_, '_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, CallError> {
        let (plugin, quota) = (self.plugin.clone(), self.quota);
        self.state.change(move |tables| change(&mut tables.space(plugin.as_str(), quota))).await
    }
}

fn check_key(key: &str) -> Result<(), CallError> {
    if (1..=MAX_KEY).contains(&key.len()) {
        return Ok(());
    }
    let message = format!("a key has 1 to {MAX_KEY} bytes, and this one has {}", key.len());
    Err(CallError::new(Code::InvalidArguments, Blame::Caller, message))
}

fn check_value(value: &[u8]) -> Result<(), CallError> {
    if value.len() <= MAX_VALUE {
        return Ok(());
    }
    let message = format!("a value has at most {MAX_VALUE} bytes, and this one has {}", value.len());
    Err(CallError::new(Code::Limit, Blame::Plugin, message))
}
