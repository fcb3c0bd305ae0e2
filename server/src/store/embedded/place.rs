//! A file that this process alone has, without a store running on it: to look at, or to restore.

use super::{
    disk::Disk,
    fault::{Fault, guarded},
    file,
    format::{self, Head, ROWS},
    lock::{Lock, beside},
    migrate, scan,
    unchanged::Unchanged,
};
use crate::store::{Formats, Index, Reading, Row, StoreError};
use redb::{ReadableDatabase, WriteTransaction};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// By how much the index grows with a restore, beyond the highest that is known.
///
/// Clients block on indexes that they were told after the backup was taken. The file that told them
/// may be lost, so how far it came is not known: it is assumed to have made fewer commits than this.
pub const RESTORE_STEP: u64 = 1_000_000_000;

/// The place of a store's file, held against every other process.
pub struct Place {
    path: PathBuf,
    lock: Lock,
}

/// What is at a place.
#[derive(Debug)]
pub enum There {
    /// No file.
    Nothing,
    /// A store with so many rows, whose newest commit is this.
    Store(u64, Index),
    /// A file that cannot be read.
    Unreadable(StoreError),
}

impl Place {
    /// Holds the place of this file, which need not be there; its folder must.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`], which names who holds it; [`StoreError::Failed`].
    pub fn hold(path: &Path) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let path = path.to_owned();
        Ok(Self { path, lock })
    }

    /// What is there, after a look at all of it.
    pub fn look(&self) -> There {
        match self.path.try_exists() {
            Ok(false) => There::Nothing,
            _ => match guarded(|| look(&self.path)) {
                Ok(Head { index, rows, .. }) => There::Store(rows, index),
                Err(fault) => There::Unreadable(fault.refusal(&self.path)),
            },
        }
    }

    /// Reads the file without changing it: one that a crash left behind stays as it is, and an older
    /// one is not migrated. The place is held until the reading is dropped.
    ///
    /// # Errors
    ///
    /// As [`super::Embedded::open`].
    pub fn read(self) -> Result<Reading, StoreError> {
        let Self { path, lock } = self;
        let begun = file::look(&disk_to_read(&path)).and_then(|database| {
            let read = guarded(|| Ok(database.begin_read()?))?;
            Ok((database, read))
        });
        let (database, read) = begun.map_err(|fault| fault.refusal(&path))?;
        scan::read(Arc::from(path), &read, Formats::KNOWN, (database, lock))
    }

    /// Puts a store with these rows there, as one commit [`RESTORE_STEP`] after the newest known:
    /// each row is modified by that commit, so that whoever blocks on an older index is woken. What
    /// was there is kept under the second path, if one is given. The change is made at once and at
    /// the end, when the new file is whole, durable and verified. The index of the commit.
    ///
    /// # Errors
    ///
    /// That of the rows; [`StoreError::Failed`]. Nothing was changed.
    pub fn restore(&self, rows: Reading, keep: Option<&Path>) -> Result<Index, StoreError> {
        let newest = match self.look() {
            There::Store(_, index) => index.max(rows.index),
            There::Nothing | There::Unreadable(_) => rows.index,
        };
        let index = Index(newest.0.saturating_add(RESTORE_STEP));
        let mut refused = None;
        let restored = file::make_unfinished(&self.path, |storage| {
            file::fill(storage, |write| fill(write, rows, index, &mut refused))
        })
        .and_then(|new| {
            let put = self.put(&new, keep);
            let _ = std::fs::remove_file(&new); // not there any more if all went well
            put
        });
        match (restored, refused) {
            (_, Some(error)) => Err(error),
            (restored, None) => restored
                .map(|()| index)
                .map_err(|fault| fault.refusal(&self.path)),
        }
    }

    /// The new file in place of the old one, at no moment neither.
    fn put(&self, new: &Path, keep: Option<&Path>) -> Result<(), Fault> {
        look(new)?;
        if let Some(keep) = keep {
            std::fs::hard_link(&self.path, keep)?;
        }
        std::fs::rename(new, &self.path)?;
        file::sync_folder_of(&self.path)
    }

    /// A path beside the file that is not taken yet, for [`Place::restore`] to keep the file under.
    pub fn unused(&self, suffix: &str) -> PathBuf {
        let path = |n: u32| match n {
            1 => beside(&self.path, suffix),
            n => beside(&self.path, &format!("{suffix}.{n}")),
        };
        let free = (1..).map(path).find(|path| !path.exists());
        free.unwrap_or_else(|| beside(&self.path, suffix))
    }
}

fn disk_to_read(path: &Path) -> Disk {
    let path = path.to_owned();
    Disk::new(move || Ok(Box::new(Unchanged::open(&path)?)))
}

/// Verifies the file without changing it; what is true of its rows.
fn look(path: &Path) -> Result<Head, Fault> {
    let database = file::look(&disk_to_read(path))?;
    let (_, head) = guarded(|| format::verify(&database.begin_read()?, Formats::KNOWN))?;
    Ok(head)
}

/// Writes all rows into a new file. What is wrong with the rows themselves is told in `refused`.
fn fill(
    write: &WriteTransaction,
    reading: Reading,
    index: Index,
    refused: &mut Option<StoreError>,
) -> Result<(), Fault> {
    format::initialise(write, Formats::KNOWN)?;
    let mut head = Head::at(index);
    let mut rows = write.open_table(ROWS)?;
    for batch in reading.batches {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                *refused = Some(error);
                return Err(io::Error::other("the rows to restore cannot be read").into());
            }
        };
        for (key, row) in batch {
            let modified = index;
            migrate::put(&mut rows, &key, &Row { modified, ..row }, &mut head)?;
        }
    }
    drop(rows);
    head.write(write)
}
