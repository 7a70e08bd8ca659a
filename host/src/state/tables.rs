//! The two tables of the database: the values, and how much of them is whose.
//!
//! Invariant: every row is under the name of its namespace, so that what starts with another name is
//! none of it.

use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction,
};

use crate::state::fault::Fault;
use crate::state::space::Space;

/// A namespace and a key in it.
pub(super) type Place = (&'static str, &'static str);

const VALUES: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("values");
/// Keys and bytes of each namespace that has any.
const USAGE: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("usage");

/// What a namespace holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In byte order.
    pub keys: Vec<String>,
    /// Where the next page starts; absent on the last one.
    pub next: Option<String>,
}

/// Makes the tables where they are missing; fails on tables of another kind.
pub(super) fn make(database: &Database) -> Result<(), Fault> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.open_table(VALUES)?;
    transaction.open_table(USAGE)?;
    Ok(transaction.commit()?)
}

/// The tables as they were at one moment.
pub(super) struct Snapshot {
    values: ReadOnlyTable<Place, &'static [u8]>,
    usage: ReadOnlyTable<&'static str, (u64, u64)>,
}

impl Snapshot {
    pub(super) fn of(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self { values: transaction.open_table(VALUES)?, usage: transaction.open_table(USAGE)? })
    }

    pub(super) fn get(&self, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        get(&self.values, plugin, key)
    }

    /// At most `most` of the keys with a prefix, from `start` on.
    pub(super) fn list(
        &self,
        plugin: &str,
        prefix: &str,
        start: Option<&str>,
        most: usize,
    ) -> Result<Page, Fault> {
        let mut keys = Vec::new();
        for entry in self.values.range((plugin, start.unwrap_or("").max(prefix))..)? {
            let (place, _) = entry?;
            let (of, key) = place.value();
            if of != plugin || !key.starts_with(prefix) {
                break;
            }
            if keys.len() == most {
                return Ok(Page { keys, next: Some(key.to_owned()) });
            }
            keys.push(key.to_owned());
        }
        Ok(Page { keys, next: None })
    }

    /// Everything in a namespace.
    pub(super) fn all(&self, plugin: &str) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let mut all = Vec::new();
        for entry in self.values.range((plugin, "")..)? {
            let (place, value) = entry?;
            let (of, key) = place.value();
            if of != plugin {
                break;
            }
            all.push((key.to_owned(), value.value().to_owned()));
        }
        Ok(all)
    }

    /// Every namespace with anything in it, by name.
    pub(super) fn usage(&self) -> Result<Vec<(String, Usage)>, Fault> {
        let mut all = Vec::new();
        for entry in self.usage.iter()? {
            let (plugin, usage) = entry?;
            let (keys, bytes) = usage.value();
            all.push((plugin.value().to_owned(), Usage { keys, bytes }));
        }
        Ok(all)
    }
}

/// What a key holds.
pub(super) fn get(
    values: &impl ReadableTable<Place, &'static [u8]>,
    plugin: &str,
    key: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    Ok(values.get((plugin, key))?.map(|value| value.value().to_owned()))
}

/// The tables inside a transaction that writes.
pub(super) struct Tables<'t> {
    pub(super) values: Table<'t, Place, &'static [u8]>,
    pub(super) usage: Table<'t, &'static str, (u64, u64)>,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        let values = transaction.open_table(VALUES)?;
        Ok(Self { values, usage: transaction.open_table(USAGE)?, changed: false })
    }

    /// One namespace of them, which may hold so many bytes.
    pub(super) fn space<'a>(&'a mut self, plugin: &'a str, quota: u64) -> Space<'a, 't> {
        Space::new(self, plugin, quota)
    }
}
