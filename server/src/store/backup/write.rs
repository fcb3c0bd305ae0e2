//! Writing a backup.

use super::{About, End, RowLine, lines, lines::Sum};
use crate::store::{Key, Reading, Row, StoreError};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::io::{self, BufWriter, Write};

/// Why a backup could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The rows cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is none that a saddlebag wrote.
    #[error("row {key}: {detail}")]
    Row {
        /// Its key.
        key: Key,
        /// What is wrong with it.
        detail: serde_json::Error,
    },
    /// The backup cannot be written to where it should be.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Writes all rows to `out`, blocking, and flushes it. What was written counts only if this
/// succeeds: without its end it is no backup.
pub fn write(reading: Reading, taken_at: Timestamp, out: impl Write) -> Result<(), WriteError> {
    let mut out = BufWriter::new(GzEncoder::new(out, Compression::fast()));
    let (mut line, mut sum, mut rows) = (Vec::new(), Sum::default(), 0);
    lines::write(&mut out, &mut line, &About::now(reading.index, taken_at))?;
    sum.add(&line);
    for batch in reading.batches {
        for (key, row) in &batch? {
            let value = value(key, row)?;
            let row = RowLine {
                key: key.as_str().into(),
                created: row.created,
                modified: row.modified,
                value,
            };
            lines::write(&mut out, &mut line, &row)?;
            sum.add(&line);
            rows += 1;
        }
    }
    let sha256 = sum.hex();
    lines::write(&mut out, &mut line, &End { rows, sha256 })?;
    let compressed = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    compressed.finish()?.flush()?;
    Ok(())
}

fn value<'r>(key: &Key, row: &'r Row) -> Result<&'r RawValue, WriteError> {
    serde_json::from_slice(&row.value).map_err(|detail| WriteError::Row {
        key: key.clone(),
        detail,
    })
}
