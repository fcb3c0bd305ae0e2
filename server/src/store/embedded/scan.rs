//! Reading all rows of a file, batch by batch.

use super::{
    fault::{Fault, guarded},
    format::Scan,
    row::Stored,
};
use crate::store::{Batch, Formats, Key, Reading, Row, StoreError};
use bytes::{Bytes, BytesMut};
use redb::ReadTransaction;
use std::{ops::Range, path::Path, sync::Arc};

/// The most rows of one batch.
const MOST_ROWS: usize = 1_000;
/// The bytes of values after which a batch takes no more rows.
const ENOUGH_BYTES: usize = 1_024 * 1_024;

/// Reads what the transaction sees. `keep` is held on to until the end.
pub(super) fn read(
    file: Arc<Path>,
    read: &ReadTransaction,
    formats: Formats,
    keep: impl Send + 'static,
) -> Result<Reading, StoreError> {
    let scan = guarded(|| Scan::begin(read, formats)).map_err(|fault| fault.refusal(&file))?;
    let (index, format) = (scan.head.index, scan.format);
    let batches = Batches {
        file,
        scan: Some(scan),
        formats,
        _keep: keep,
    };
    Ok(Reading {
        index,
        format,
        batches: Box::new(batches),
    })
}

struct Batches<T> {
    file: Arc<Path>,
    /// Nothing after the end.
    scan: Option<Scan>,
    formats: Formats,
    _keep: T,
}

impl<T> Iterator for Batches<T> {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut scan = self.scan.take()?;
        match guarded(|| batch(&mut scan, self.formats)) {
            Ok(batch) if batch.is_empty() => None,
            Ok(batch) => {
                self.scan = Some(scan);
                Some(Ok(batch))
            }
            Err(fault) => Some(Err(fault.refusal(&self.file))),
        }
    }
}

/// A row whose value is still in the buffer of its batch.
struct Buffered {
    key: Key,
    value: Range<usize>,
    row: Row,
}

/// The next rows, all values in one piece of memory; none at the end.
fn batch(scan: &mut Scan, formats: Formats) -> Result<Batch, Fault> {
    let mut buffer = BytesMut::new();
    let mut rows: Vec<Buffered> = Vec::new();
    while rows.len() < MOST_ROWS && buffer.len() < ENOUGH_BYTES {
        let row = scan.next(|key, stored| buffered(key, stored, &mut buffer))?;
        let Some(row) = row else { break };
        rows.push(row);
    }
    let format = scan.format;
    let buffer = buffer.freeze();
    let in_place = |Buffered { key, value, row }: Buffered| {
        let value = formats
            .migrate(format, &key, buffer.slice(value))
            .map_err(|detail| Fault::damaged(&key, detail))?;
        Ok((key, Row { value, ..row }))
    };
    rows.into_iter().map(in_place).collect()
}

fn buffered(key: &str, stored: &Stored<'_>, buffer: &mut BytesMut) -> Buffered {
    let start = buffer.len();
    buffer.extend_from_slice(stored.value);
    Buffered {
        key: Key::new(key),
        value: start..buffer.len(),
        row: Row {
            value: Bytes::new(),
            created: stored.created,
            modified: stored.modified,
        },
    }
}
