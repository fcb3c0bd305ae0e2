//! Reading a backup.

use super::{About, End, RowLine, VERSION, lines, lines::Sum};
use crate::store::{Batch, Formats, Key, Reading, Row, StoreError};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use std::{
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// The most rows of one batch.
const MOST_ROWS: usize = 1_000;
/// The bytes of values after which a batch takes no more rows.
const ENOUGH_BYTES: usize = 1_024 * 1_024;

/// Reads a backup, blocking: what it says of itself, and its rows in the newest format. `file` is
/// what errors call it.
///
/// # Errors
///
/// [`StoreError::Corrupt`], also as the last item of the rows: it is no backup, or not whole, or not
/// what was written. [`StoreError::Newer`]; [`StoreError::Failed`] if it cannot be read.
pub fn read(file: &Path, from: impl Read + Send + 'static) -> Result<(About, Reading), StoreError> {
    let mut lines = Lines {
        file: file.to_owned(),
        from: BufReader::new(GzDecoder::new(BufReader::new(from))),
        line: Vec::new(),
        number: 0,
        sum: Sum::default(),
        rows: 0,
    };
    let about = lines.about()?;
    let (index, format) = (about.index, about.format);
    let batches = Box::new(Batches {
        format,
        lines: Some(lines),
    });
    let reading = Reading {
        index,
        format,
        batches,
    };
    Ok((about, reading))
}

struct Lines<R> {
    file: PathBuf,
    from: R,
    line: Vec<u8>,
    number: u64,
    sum: Sum,
    rows: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line; `false` at the end.
    fn next(&mut self) -> Result<bool, StoreError> {
        self.number += 1;
        lines::read(&mut self.from, &mut self.line).map_err(|error| self.unreadable(&error))
    }

    fn about(&mut self) -> Result<About, StoreError> {
        let is_one = self.next()?;
        let about: About = match serde_json::from_slice(&self.line) {
            Ok(about) if is_one => about,
            _ => return Err(self.damaged("it is no backup of saddlebag")),
        };
        for (format, known) in [
            (about.saddlebag_backup, VERSION),
            (about.format, Formats::KNOWN.newest()),
        ] {
            if format > known {
                let file = self.file.clone();
                return Err(StoreError::Newer {
                    file,
                    format,
                    known,
                });
            }
        }
        self.sum.add(&self.line);
        Ok(about)
    }

    /// The next row; `None` at the end, if it is the right one.
    fn row(&mut self, format: u64) -> Result<Option<(Key, Row)>, StoreError> {
        if !self.next()? {
            return Err(self.damaged("it is cut off"));
        }
        if self.line.starts_with(b"{\"rows\":") {
            return self.end().map(|()| None);
        }
        self.sum.add(&self.line);
        self.rows += 1;
        let row: RowLine<'_> =
            serde_json::from_slice(&self.line).map_err(|error| self.damaged(error))?;
        let key = Key::new(&*row.key);
        let value = Bytes::copy_from_slice(row.value.get().as_bytes());
        let value = Formats::KNOWN
            .migrate(format, &key, value)
            .map_err(|detail| self.damaged(format!("{key}: {detail}")))?;
        let row = Row {
            value,
            created: row.created,
            modified: row.modified,
        };
        Ok(Some((key, row)))
    }

    fn end(&mut self) -> Result<(), StoreError> {
        let end: End = serde_json::from_slice(&self.line).map_err(|error| self.damaged(error))?;
        if end.rows != self.rows {
            let (there, written) = (self.rows, end.rows);
            return Err(self.damaged(format!("{there} rows are there, {written} were written")));
        }
        if end.sha256 != std::mem::take(&mut self.sum).hex() {
            return Err(self.damaged("the checksum of its rows does not match"));
        }
        match self.next()? {
            false => Ok(()),
            true => Err(self.damaged("something follows its end")),
        }
    }

    fn unreadable(&self, error: &io::Error) -> StoreError {
        match error.kind() {
            // what flate2 says of what is not gzip, was cut off, or was changed
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof => self.damaged(error),
            _ => StoreError::Failed {
                file: self.file.clone(),
                detail: error.to_string(),
                unclear: false,
            },
        }
    }

    fn damaged(&self, detail: impl ToString) -> StoreError {
        StoreError::Corrupt {
            file: self.file.clone(),
            key: format!("line {}", self.number),
            detail: detail.to_string(),
        }
    }
}

struct Batches<R> {
    format: u64,
    /// Nothing after the end.
    lines: Option<Lines<R>>,
}

impl<R: BufRead> Iterator for Batches<R> {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut lines = self.lines.take()?;
        let (mut batch, mut bytes) = (Batch::new(), 0);
        while batch.len() < MOST_ROWS && bytes < ENOUGH_BYTES {
            match lines.row(self.format) {
                Ok(Some((key, row))) => {
                    bytes += row.value.len();
                    batch.push((key, row));
                }
                Ok(None) => return (!batch.is_empty()).then_some(Ok(batch)),
                Err(error) => return Some(Err(error)),
            }
        }
        self.lines = Some(lines);
        Some(Ok(batch))
    }
}
