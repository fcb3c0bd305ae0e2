//! Reading all rows of a file, batch by batch.

use super::{
    fault::{Fault, guarded},
    format::Scan,
    row::Stored,
};
use crate::store::{Batch, Formats, Key, Reading, Row, StoreError};
use bytes::Bytes;
use redb::ReadTransaction;
use std::{ops::Range, path::Path, sync::Arc};

/// The most rows of one batch.
const MOST_ROWS: usize = 1_000;
/// The most bytes of values that are in one piece of memory, unless it is of one value. The piece stays
/// as long as one of its values does: so it is small, and yet far larger than what an allocation costs.
const PIECE_BYTES: usize = 64 * 1_024;
/// The pieces after which a batch takes no more rows.
const ENOUGH_PIECES: usize = 16;

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

/// A row whose value is still in a piece that grows.
struct Buffered {
    key: Key,
    piece: usize,
    value: Range<usize>,
    row: Row,
}

/// The next rows; none at the end.
fn batch(scan: &mut Scan, formats: Formats) -> Result<Batch, Fault> {
    let mut pieces = Vec::new();
    let mut rows: Vec<Buffered> = Vec::with_capacity(MOST_ROWS);
    while rows.len() < MOST_ROWS && pieces.len() < ENOUGH_PIECES {
        let row = scan.next(|key, stored| buffered(key, stored, &mut pieces))?;
        let Some(row) = row else { break };
        rows.push(row);
    }
    let format = scan.format;
    let pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
    let in_place = |buffered: Buffered| {
        let Buffered {
            key,
            piece,
            value,
            row,
        } = buffered;
        let value = formats
            .migrate(format, &key, pieces[piece].slice(value))
            .map_err(|detail| Fault::damaged(&key, detail))?;
        Ok((key, Row { value, ..row }))
    };
    rows.into_iter().map(in_place).collect()
}

/// Copies a value into the last piece, or into a new one if it does not fit there.
fn buffered(key: &str, stored: &Stored<'_>, pieces: &mut Vec<Vec<u8>>) -> Buffered {
    let size = stored.value.len();
    let fits = |piece: &&mut Vec<u8>| piece.capacity() - piece.len() >= size;
    if pieces.last_mut().filter(fits).is_none() {
        pieces.push(Vec::with_capacity(size.max(PIECE_BYTES)));
    }
    let piece = pieces.len() - 1;
    let bytes = &mut pieces[piece];
    let start = bytes.len();
    bytes.extend_from_slice(stored.value);
    Buffered {
        key: Key::new(key),
        piece,
        value: start..bytes.len(),
        row: Row {
            value: Bytes::new(),
            created: stored.created,
            modified: stored.modified,
        },
    }
}
