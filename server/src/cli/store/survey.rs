//! What is in a store: counted, and tried.

use crate::state::{Unreadable, readable};
use crate::store::keys::Table;
use crate::store::{Reading, StoreError};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most rows that are named as unreadable.
const MOST_NAMED: usize = 20;

/// What is in a store.
#[derive(Default)]
pub(super) struct Survey {
    tables: BTreeMap<&'static str, Amount>,
    all: Amount,
    /// The first rows that this saddlebag cannot read.
    pub unreadable: Vec<Unreadable>,
}

#[derive(Clone, Copy, Default)]
struct Amount {
    rows: u64,
    bytes: u64,
}

impl Survey {
    /// Goes through all rows.
    pub fn of(reading: Reading) -> Result<Self, StoreError> {
        let mut survey = Self::default();
        for batch in reading.batches {
            for (key, row) in batch? {
                let bytes = key.as_str().len() + row.value.len();
                let word = Table::of(&key).map_or("unknown", |(table, _)| table.word());
                survey.tables.entry(word).or_default().add(bytes);
                survey.all.add(bytes);
                if let Err(row) = readable(&key, &row)
                    && survey.unreadable.len() < MOST_NAMED
                {
                    survey.unreadable.push(row);
                }
            }
        }
        Ok(survey)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.all.rows
    }

    /// A line for each kind of row, and one for all.
    pub fn table(&self) -> String {
        let mut text = format!("  {:<16}{:>12}{:>16}\n", "kind", "rows", "bytes");
        let all = ("all", &self.all);
        for (word, Amount { rows, bytes }) in self.tables.iter().map(|(w, a)| (*w, a)).chain([all])
        {
            // writing to a String does not fail
            let _ = writeln!(text, "  {word:<16}{rows:>12}{bytes:>16}");
        }
        text
    }
}

impl Amount {
    fn add(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes as u64;
    }
}
