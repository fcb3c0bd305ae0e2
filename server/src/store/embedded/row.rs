//! How a row is written: its two indexes, a checksum, its value.
//!
//! ```text
//! created u64 │ modified u64 │ checksum u32 │ value …          little endian
//! ```
//!
//! The checksum (CRC-32) is over key, indexes and value, so a row is known to be the one that was
//! put under this key by this commit.

use super::fault::Fault;
use crate::store::{Index, Key, Row};
use bytes::Bytes;

const INDEX_BYTES: usize = size_of::<u64>();
const HEAD_BYTES: usize = 2 * INDEX_BYTES + size_of::<u32>();

/// A row as it stands in the file.
pub(super) struct Stored<'a> {
    pub(super) created: Index,
    pub(super) modified: Index,
    pub(super) checksum: u32,
    pub(super) value: &'a [u8],
}

impl<'a> Stored<'a> {
    /// The row under this key, about to be written.
    pub(super) fn new(key: &str, row: &'a Row) -> Self {
        let Row {
            value,
            created,
            modified,
        } = row;
        let checksum = checksum(key, *created, *modified, value);
        Self {
            created: *created,
            modified: *modified,
            checksum,
            value,
        }
    }

    /// The row that was written under this key, if it is unharmed.
    pub(super) fn read(key: &str, stored: &'a [u8]) -> Result<Self, Fault> {
        let damaged = |detail| Fault::damaged(Key::new(key), detail);
        let (head, value) = stored
            .split_at_checked(HEAD_BYTES)
            .ok_or_else(|| damaged("the row is cut off"))?;
        let (created, rest) = head.split_at(INDEX_BYTES);
        let (modified, stated) = rest.split_at(INDEX_BYTES);
        let (created, modified) = (Index(number(created)), Index(number(modified)));
        let checksum = checksum(key, created, modified, value);
        if u64::from(checksum) != number(stated) {
            return Err(damaged("the row's checksum does not match"));
        }
        Ok(Self {
            created,
            modified,
            checksum,
            value,
        })
    }

    /// The bytes to write.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.value.len());
        bytes.extend_from_slice(&self.created.0.to_le_bytes());
        bytes.extend_from_slice(&self.modified.0.to_le_bytes());
        bytes.extend_from_slice(&self.checksum.to_le_bytes());
        bytes.extend_from_slice(self.value);
        bytes
    }

    /// The row, as the store's callers see it.
    pub(super) fn row(&self) -> Row {
        Row {
            value: Bytes::copy_from_slice(self.value),
            created: self.created,
            modified: self.modified,
        }
    }
}

/// The number that these bytes are, at most eight, least significant first.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn checksum(key: &str, created: Index, modified: Index, value: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(key.as_bytes());
    sum.update(&created.0.to_le_bytes());
    sum.update(&modified.0.to_le_bytes());
    sum.update(value);
    sum.finalize()
}
