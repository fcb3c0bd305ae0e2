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
//! `format` is read before anything else: it means the same in every format.

use super::{
    fault::Fault,
    row::{Stored, number},
};
use crate::store::{Formats, Index, Key};
use redb::{Range, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

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
    /// How many there are.
    pub(super) rows: u64,
    checksums: u64,
}

impl Head {
    /// Of no rows, as this commit leaves them.
    pub(super) fn at(index: Index) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

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
pub(super) fn initialise(write: &WriteTransaction, formats: Formats) -> Result<(), Fault> {
    write.open_table(ROWS)?;
    state_format(write, formats)?;
    Head::default().write(write)
}

/// Writes that the rows have the newest of these formats.
pub(super) fn state_format(write: &WriteTransaction, formats: Formats) -> Result<(), Fault> {
    put(
        &mut write.open_table(ABOUT)?,
        FORMAT_KEY,
        &[formats.newest()],
    )
}

/// Goes over every row, in order, and ends well only if they are all as they were written.
pub(super) struct Scan {
    /// The format that the file states.
    pub(super) format: u64,
    /// What the file states of all its rows.
    pub(super) head: Head,
    found: Head,
    rows: Range<'static, &'static [u8], &'static [u8]>,
}

impl Scan {
    pub(super) fn begin(read: &ReadTransaction, formats: Formats) -> Result<Self, Fault> {
        let about = read.open_table(ABOUT)?;
        let [format] = get(&about, FORMAT_KEY)?;
        if format > formats.newest() {
            let known = formats.newest();
            return Err(Fault::Newer { format, known });
        }
        if format == 0 {
            return Err(Fault::damaged(FORMAT_KEY, "there is no format 0"));
        }
        let head = Head::read(&about)?;
        let found = Head::at(head.index);
        let rows = read.open_table(ROWS)?.range::<&[u8]>(..)?;
        Ok(Self {
            format,
            head,
            found,
            rows,
        })
    }

    /// Shows the next row, unharmed; `None` after the last, if all were there.
    pub(super) fn next<T>(
        &mut self,
        show: impl FnOnce(&str, &Stored<'_>) -> T,
    ) -> Result<Option<T>, Fault> {
        let Some(entry) = self.rows.next() else {
            return self.end().map(|()| None);
        };
        let (key, stored) = entry?;
        let key = str::from_utf8(key.value())
            .map_err(|error| Fault::damaged(key.value().escape_ascii(), error))?;
        let row = Stored::read(key, stored.value())?;
        let newest = self.head.index;
        if row.modified > newest {
            let detail = format!(
                "the row is of commit {}, the file of {newest}",
                row.modified
            );
            return Err(Fault::damaged(Key::new(key), detail));
        }
        self.found.with(&row);
        Ok(Some(show(key, &row)))
    }

    fn end(&self) -> Result<(), Fault> {
        let Self { head, found, .. } = self;
        if found.rows != head.rows {
            let detail = format!("{} rows are there, {} were written", found.rows, head.rows);
            return Err(Fault::damaged("rows", detail));
        }
        if found != head {
            let detail = "other rows are there than were written";
            return Err(Fault::damaged("rows", detail));
        }
        Ok(())
    }
}

/// Goes over every row. The format that the file states, and what is true of all rows.
pub(super) fn verify(read: &ReadTransaction, formats: Formats) -> Result<(u64, Head), Fault> {
    let mut scan = Scan::begin(read, formats)?;
    while scan.next(|_, _| ())?.is_some() {}
    Ok((scan.format, scan.head))
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
