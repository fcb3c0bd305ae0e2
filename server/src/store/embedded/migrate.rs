//! Bringing an older file to the newest format, in one transaction, with a copy of the old one kept.

use super::{
    disk::Disk,
    fault::{Fault, guarded},
    file,
    format::{self, Head, ROWS, Scan},
    lock::beside,
    row::Stored,
};
use crate::store::{Formats, Key, Row};
use redb::{ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// Where the copy of a file of this format is kept: `<file>.v1.bak`.
fn kept(path: &Path, format: u64) -> PathBuf {
    beside(path, &format!(".v{format}.bak"))
}

/// Copies the file as it is. The copy appears under its name when it is whole.
pub(super) fn keep(path: &Path, format: u64) -> Result<PathBuf, Fault> {
    let kept = kept(path, format);
    let unfinished = beside(&kept, ".new");
    std::fs::copy(path, &unfinished)?;
    File::open(&unfinished)?.sync_all()?;
    std::fs::rename(&unfinished, &kept)?;
    file::sync_folder_of(&kept)?;
    Ok(kept)
}

/// Makes every row one of the newest format. If one cannot be, nothing was changed.
pub(super) fn migrate(disk: &Disk, formats: Formats) -> Result<(), Fault> {
    let opened = file::open_older(disk, formats)?;
    guarded(|| {
        let read = opened.database.begin_read()?;
        let write = opened.database.begin_write()?;
        rewrite(&read, &write, formats)?;
        drop(read);
        write.commit()?;
        Ok(opened.database.close()?)
    })
}

fn rewrite(
    read: &ReadTransaction,
    write: &WriteTransaction,
    formats: Formats,
) -> Result<(), Fault> {
    let mut scan = Scan::begin(read, formats)?;
    let (format, mut head) = (scan.format, Head::at(scan.head.index));
    let mut rows = write.open_table(ROWS)?;
    while let Some((key, row)) = scan.next(|key, row| (Key::new(key), row.row()))? {
        let value = formats
            .migrate(format, &key, row.value)
            .map_err(|detail| Fault::damaged(&key, detail))?;
        let row = Row { value, ..row };
        put(&mut rows, &key, &row, &mut head)?;
    }
    drop(rows);
    format::state_format(write, formats)?;
    head.write(write)
}

/// Puts a row into a file that is being made, and adds it to what is true of all.
pub(super) fn put(
    rows: &mut format::Rows<'_>,
    key: &Key,
    row: &Row,
    head: &mut Head,
) -> Result<(), Fault> {
    let stored = Stored::new(key.as_str(), row);
    rows.insert(key.as_str().as_bytes(), stored.bytes().as_slice())?;
    head.with(&stored);
    Ok(())
}
