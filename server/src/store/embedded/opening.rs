//! A store on its way: open, but not changed and not verified yet.
//!
//! Whoever needs all rows at a start reads them here, and verifies the file by it: it is gone over
//! once and not twice. Whatever redb wants to write is held back until then ([`super::disk`]).

use super::{Embedded, disk::Disk, file::Unverified, lock::Lock, scan};
use crate::store::{Batch, Formats, Reading, StoreError};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A store that is open, as long as nothing of it was changed. Dropping it leaves the file as it is.
pub struct Opening {
    pub(super) file: Arc<Path>,
    pub(super) disk: Disk,
    pub(super) formats: Formats,
    pub(super) unverified: Unverified,
    pub(super) lock: Option<Lock>,
    /// Whether all rows were read and are right.
    pub(super) verified: Arc<AtomicBool>,
}

impl Opening {
    /// All rows, each verified as it is read, and that none is missing at the end. Who reads them to
    /// the end spares [`Opening::finish`] from it. Nobody can change them meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`], [`StoreError::Failed`].
    pub fn rows(&self) -> Result<Reading, StoreError> {
        let read = self.unverified.read();
        let read = read.map_err(|fault| fault.refusal(&self.file))?;
        let Reading {
            index,
            format,
            batches,
        } = scan::read(self.file.clone(), &read, self.formats, ())?;
        let batches = Verifying {
            batches,
            all_right: true,
            verified: self.verified.clone(),
        };
        Ok(Reading {
            index,
            format,
            batches: Box::new(batches),
        })
    }

    /// The store, once the file is verified whole: by now if all of [`Opening::rows`] was read, here
    /// otherwise, blocking as long.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] and the file was not changed; [`StoreError::Failed`].
    pub fn finish(self) -> Result<Embedded, StoreError> {
        let checked = match self.verified.load(Ordering::Acquire) {
            true => Ok(()),
            false => self.unverified.check(self.formats),
        };
        let opened = checked
            .and_then(|()| self.unverified.release(self.formats))
            .map_err(|fault| fault.refusal(&self.file))?;
        Embedded::start(self.file, self.disk, self.formats, opened, self.lock)
    }
}

/// Rows that say when all of them were right.
struct Verifying {
    batches: Box<dyn Iterator<Item = Result<Batch, StoreError>> + Send>,
    /// Those so far.
    all_right: bool,
    verified: Arc<AtomicBool>,
}

impl Iterator for Verifying {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next();
        match &batch {
            Some(Ok(_)) => {}
            Some(Err(_)) => self.all_right = false,
            None if self.all_right => self.verified.store(true, Ordering::Release),
            None => {}
        }
        batch
    }
}
