//! The pages of a file that is being opened: verified beside whoever reads its rows.
//!
//! redb reads a file twice to verify its pages, one after the other. A file that was closed can be read
//! meanwhile, without relying on any of that: each row carries a checksum, and the count of them is known.
//! One that nobody closed has to be verified first, since that is how redb finds its newest commit.

use super::{
    disk::Attached,
    fault::{Fault, guarded},
    file,
};
use redb::{Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase};
use std::thread::JoinHandle;

pub(super) enum Pages {
    /// They are verified.
    Verified(Database),
    /// They are read while they are verified.
    BeingVerified(ReadOnlyDatabase, Verifying),
}

impl Pages {
    pub(super) fn begin(attached: &Attached) -> Result<Self, Fault> {
        let unchanged = attached.unchanged();
        let reader = guarded(|| Ok(file::builder().open_read_only_with_backend(unchanged)?));
        match reader {
            Ok(reader) => Ok(Self::BeingVerified(reader, Verifying::begin(attached)?)),
            Err(_) => Ok(Self::Verified(guarded(|| file::attach(attached))?)), // which tells why
        }
    }

    /// Everything that is in them.
    pub(super) fn read(&self) -> Result<ReadTransaction, Fault> {
        guarded(|| {
            Ok(match self {
                Self::Verified(database) => database.begin_read()?,
                Self::BeingVerified(reader, _) => reader.begin_read()?,
            })
        })
    }

    /// Waits until they are verified. What was read by [`Pages::read`] is not to be read any more.
    pub(super) fn verified(self) -> Result<Database, Fault> {
        match self {
            Self::Verified(database) => Ok(database),
            Self::BeingVerified(reader, verifying) => {
                guarded(|| Ok(reader.close()?))?;
                verifying.end()
            }
        }
    }
}

/// A thread that verifies the pages of a file. Dropping this waits for it: then nobody holds the file.
pub(super) struct Verifying(Option<JoinHandle<Result<Database, Fault>>>);

impl Verifying {
    fn begin(attached: &Attached) -> Result<Self, Fault> {
        let attached = attached.clone();
        let thread = std::thread::Builder::new().name("verify".into());
        let verifying = thread.spawn(move || guarded(|| file::attach(&attached)))?;
        Ok(Self(Some(verifying)))
    }

    fn end(mut self) -> Result<Database, Fault> {
        self.join().unwrap_or_else(|| {
            let detail = "the thread that verified it panicked";
            Err(Fault::Panicked(detail.to_owned()))
        })
    }

    fn join(&mut self) -> Option<Result<Database, Fault>> {
        self.0.take()?.join().ok()
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        drop(self.join());
    }
}
