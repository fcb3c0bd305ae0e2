//! Rows are JSON: how they get into a transaction.

use super::{Key, Transaction, Write};
use crate::error::{Fault, Result};
use serde::Serialize;

impl Transaction {
    /// Adds the putting of a row.
    pub fn put<T: Serialize + ?Sized>(&mut self, key: Key, row: &T) -> Result<()> {
        let value = serde_json::to_vec(row).map_err(|error| {
            tracing::error!("row {key} cannot be written: {error}");
            Fault::Internal
        })?;
        self.writes.push(Write::Put(key, value.into()));
        Ok(())
    }
}
