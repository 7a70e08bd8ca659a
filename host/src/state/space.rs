//! What can be done to one namespace inside a transaction that writes.
//!
//! Invariant: the count of keys and bytes changes in the transaction that changes them, and nothing that
//! goes beyond its bounds is written. What is refused has changed nothing.

use redb::ReadableTable;

use crate::error::{Blame, CallError, Code};
use crate::state::fault::{Fault, Stop};
use crate::state::namespace::MAX_KEYS;
use crate::state::tables::{Tables, Usage, get};

/// One namespace, with its quota in bytes.
pub(super) struct Space<'a, 't> {
    tables: &'a mut Tables<'t>,
    plugin: &'a str,
    quota: u64,
}

impl<'a, 't> Space<'a, 't> {
    /// The namespace of a plugin, which may hold so many bytes.
    pub(super) fn new(tables: &'a mut Tables<'t>, plugin: &'a str, quota: u64) -> Self {
        Self { tables, plugin, quota }
    }

    /// Writes one value.
    pub(super) fn set(&mut self, key: &str, value: &[u8]) -> Result<(), Stop> {
        self.set_all(&[(key, value)])
    }

    /// Writes values under different keys: all of them, or none.
    pub(super) fn set_all(&mut self, entries: &[(&str, &[u8])]) -> Result<(), Stop> {
        let before = self.usage()?;
        let mut after = before;
        for (key, value) in entries {
            match self.tables.values.get((self.plugin, *key))? {
                Some(old) => after.bytes -= old.value().len() as u64,
                None => {
                    after.keys += 1;
                    after.bytes += key.len() as u64;
                }
            }
            after.bytes += value.len() as u64;
        }
        self.check(before, after)?;
        for (key, value) in entries {
            self.tables.values.insert((self.plugin, *key), *value)?;
        }
        Ok(self.set_usage(after)?)
    }

    /// Removes a key, if it is there.
    pub(super) fn delete(&mut self, key: &str) -> Result<(), Stop> {
        let removed = self.tables.values.remove((self.plugin, key))?.map(|value| value.value().len());
        if let Some(len) = removed {
            let Usage { keys, bytes } = self.usage()?;
            self.set_usage(Usage { keys: keys - 1, bytes: bytes - (key.len() + len) as u64 })?;
        }
        Ok(())
    }

    /// Adds to a counter and returns the sum.
    pub(super) fn increment(&mut self, key: &str, by: i64) -> Result<i64, Stop> {
        let held = match get(&self.tables.values, self.plugin, key)? {
            Some(value) => <[u8; 8]>::try_from(value)
                .map_err(|_| invalid("the key holds no counter: one is a signed 64-bit number in 8 bytes"))?,
            None => [0; 8],
        };
        let sum = i64::from_le_bytes(held).checked_add(by);
        let sum = sum.ok_or_else(|| invalid("the sum does not fit into a signed 64-bit number"))?;
        self.set(key, &sum.to_le_bytes())?;
        Ok(sum)
    }

    /// Writes a value if the key holds what is expected, and says whether it did.
    pub(super) fn compare_and_swap(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, Stop> {
        let holds = {
            let held = self.tables.values.get((self.plugin, key))?;
            held.as_ref().map(redb::AccessGuard::value) == expected
        };
        if holds {
            self.set(key, value)?;
        }
        Ok(holds)
    }

    /// Removes everything, and says what that was.
    pub(super) fn clear(&mut self) -> Result<Usage, Stop> {
        let before = self.usage()?;
        let mut all = Vec::new();
        for entry in self.tables.values.range((self.plugin, "")..)? {
            let (place, _) = entry?;
            let (of, key) = place.value();
            if of != self.plugin {
                break;
            }
            all.push(key.to_owned());
        }
        for key in &all {
            self.tables.values.remove((self.plugin, key.as_str()))?;
        }
        self.set_usage(Usage::default())?;
        Ok(before)
    }

    fn usage(&self) -> Result<Usage, Fault> {
        let held = self.tables.usage.get(self.plugin)?;
        let (keys, bytes) = held.map(|held| held.value()).unwrap_or_default();
        Ok(Usage { keys, bytes })
    }

    fn set_usage(&mut self, usage: Usage) -> Result<(), Fault> {
        self.tables.changed = true;
        if usage == Usage::default() {
            self.tables.usage.remove(self.plugin)?;
        } else {
            self.tables.usage.insert(self.plugin, (usage.keys, usage.bytes))?;
        }
        Ok(())
    }

    /// Whoever is over a bound, as after it was lowered, may still write less.
    fn check(&self, before: Usage, after: Usage) -> Result<(), Stop> {
        let more = |before: u64, after: u64, most: u64| after > most && after > before;
        let over = if more(before.keys, after.keys, MAX_KEYS) {
            format!("{} keys, more than {MAX_KEYS}; delete what is not needed", after.keys)
        } else if more(before.bytes, after.bytes, self.quota) {
            let advice = "delete what is not needed, or ask the operator to raise `kv`";
            format!("{} bytes, more than the granted {}; {advice}", after.bytes, self.quota)
        } else {
            return Ok(());
        };
        let message = format!("the state of {} would have {over}", self.plugin);
        Err(Stop::Refused(CallError::new(Code::Limit, Blame::Plugin, message)))
    }
}

fn invalid(message: &str) -> Stop {
    Stop::Refused(CallError::new(Code::InvalidArguments, Blame::Caller, message))
}
