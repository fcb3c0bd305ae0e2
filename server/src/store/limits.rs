//! What a store takes, checked before it is asked: the same for every implementation.

use super::{
    Key, MOST_KEY_BYTES, MOST_OPERATIONS, MOST_TRANSACTION_BYTES, MOST_VALUE_BYTES, StoreError,
    Transaction, Write,
};
use std::collections::HashSet;

/// How much of an overlong key an error shows, in characters.
const SHOWN: usize = 64;

/// Refuses a transaction that is too large in any respect, or that writes a key twice.
pub(super) fn check(transaction: &Transaction) -> Result<(), StoreError> {
    let Transaction { guards, writes } = transaction;
    at_most(guards.len(), MOST_OPERATIONS, || {
        "the number of guards".into()
    })?;
    at_most(writes.len(), MOST_OPERATIONS, || {
        "the number of writes".into()
    })?;

    let mut bytes = 0;
    for guard in guards {
        bytes += checked_key(guard.key())?;
    }
    let mut written = HashSet::with_capacity(writes.len());
    for write in writes {
        bytes += checked_key(write.key())?;
        if let Write::Put(key, value) = write {
            at_most(value.len(), MOST_VALUE_BYTES, || {
                format!("the size in bytes of the value of {key}")
            })?;
            bytes += value.len();
        }
        let times = if written.insert(write.key()) { 1 } else { 2 };
        at_most(times, 1, || {
            format!("the number of writes to {} in one transaction", write.key())
        })?;
    }
    at_most(bytes, MOST_TRANSACTION_BYTES, || {
        "the size in bytes of the transaction's keys and values".into()
    })
}

fn checked_key(key: &Key) -> Result<usize, StoreError> {
    let bytes = key.as_str().len();
    at_most(bytes, MOST_KEY_BYTES, || {
        let beginning: String = key.as_str().chars().take(SHOWN).collect();
        format!("the size in bytes of the key {}…", Key::new(beginning))
    })?;
    Ok(bytes)
}

fn at_most(size: usize, limit: usize, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge {
        what: what(),
        size,
        limit,
    })
}
