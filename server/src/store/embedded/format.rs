//! What is in the file: the table of rows, and beside it what must be true of them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `rows` | the row's key | see [`super::row`] |
//! | `about` | `format` | the number of this format |
//! | `about` | `head` | index of the newest commit, number of rows, sum of their checksums |
//!
//! What is in `about` is little endian `u64`s and a CRC-32 of them. Every commit writes the head,
//! so a row that was lost, or that came back, is noticed although each row left is unharmed.
//! `format` is written once and read before anything else: it means the same in every format.

use super::{
    fault::Fault,
    row::{Stored, number},
};
use crate::store::{Index, Key, Row, Snapshot};
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

/// The format that is written, and the newest that is read.
pub(super) const FORMAT: u64 = 1;

pub(super) const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const ABOUT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("about");
const FORMAT_KEY: &str = "format";
const HEAD_KEY: &str = "head";

pub(super) type Rows<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// What is true of all rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The newest commit.
    pub(super) index: Index,
    rows: u64,
    checksums: u64,
}

impl Head {
    /// With one row more.
    pub(super) fn with(&mut self, row: &Stored<'_>) {
        self.rows = self.rows.wrapping_add(1);
        self.checksums = self.checksums.wrapping_add(row.checksum.into());
    }

    /// With one row less.
    pub(super) fn without(&mut self, row: &Stored<'_>) {
        self.rows = self.rows.wrapping_sub(1);
        self.checksums = self.checksums.wrapping_sub(row.checksum.into());
    }

    /// Writes it beside the rows that it is about.
    pub(super) fn write(&self, write: &WriteTransaction) -> Result<(), Fault> {
        let mut about = write.open_table(ABOUT)?;
        put(
            &mut about,
            HEAD_KEY,
            &[self.index.0, self.rows, self.checksums],
        )
    }

    fn read(about: &impl ReadableTable<&'static [u8], &'static [u8]>) -> Result<Self, Fault> {
        let [index, rows, checksums] = get(about, HEAD_KEY)?;
        Ok(Self {
            index: Index(index),
            rows,
            checksums,
        })
    }
}

/// Makes an empty store of a new file.
pub(super) fn initialise(write: &WriteTransaction) -> Result<(), Fault> {
    write.open_table(ROWS)?;
    put(&mut write.open_table(ABOUT)?, FORMAT_KEY, &[FORMAT])?;
    Head::default().write(write)
}

/// Goes over every row, in order, and says what is true of all of them, or what is not as it was
/// written.
pub(super) fn verify(
    read: &ReadTransaction,
    mut each: impl FnMut(&str, &Stored<'_>),
) -> Result<Head, Fault> {
    let about = read.open_table(ABOUT)?;
    let [format] = get(&about, FORMAT_KEY)?;
    if format > FORMAT {
        return Err(Fault::Newer { format });
    }
    let head = Head::read(&about)?;
    let mut found = Head {
        index: head.index,
        ..Head::default()
    };
    for entry in read.open_table(ROWS)?.iter()? {
        let (key, stored) = entry?;
        let key = str::from_utf8(key.value())
            .map_err(|error| Fault::damaged(key.value().escape_ascii(), error))?;
        let row = Stored::read(key, stored.value())?;
        if row.modified > head.index {
            let detail = format!(
                "the row is of commit {}, the file of {}",
                row.modified, head.index
            );
            return Err(Fault::damaged(Key::new(key), detail));
        }
        found.with(&row);
        each(key, &row);
    }
    if found.rows != head.rows {
        let detail = format!("{} rows are there, {} were written", found.rows, head.rows);
        return Err(Fault::damaged("rows", detail));
    }
    if found != head {
        return Err(Fault::damaged(
            "rows",
            "other rows are there than were written",
        ));
    }
    Ok(head)
}

/// Every row, verified.
pub(super) fn snapshot(read: &ReadTransaction) -> Result<Snapshot, Fault> {
    let mut rows: Vec<(Key, Row)> = Vec::new();
    let head = verify(read, |key, row| rows.push((Key::new(key), row.row())))?;
    Ok(Snapshot {
        index: head.index,
        rows,
    })
}

fn put<const N: usize>(about: &mut Rows<'_>, key: &str, numbers: &[u64; N]) -> Result<(), Fault> {
    let mut bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    about.insert(key.as_bytes(), bytes.as_slice())?;
    Ok(())
}

fn get<const N: usize>(
    about: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &str,
) -> Result<[u64; N], Fault> {
    let stored = about
        .get(key.as_bytes())?
        .ok_or_else(|| Fault::damaged(key, "is not there"))?;
    let (numbers, stated) = stored
        .value()
        .split_at_checked(N * size_of::<u64>())
        .ok_or_else(|| Fault::damaged(key, "is cut off"))?;
    if stated != crc32fast::hash(numbers).to_le_bytes() {
        return Err(Fault::damaged(key, "the checksum does not match"));
    }
    let mut parts = numbers.chunks_exact(size_of::<u64>()).map(number);
    Ok(std::array::from_fn(|_| parts.next().unwrap_or_default()))
}
