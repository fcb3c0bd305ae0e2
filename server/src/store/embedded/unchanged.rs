//! A storage that is only read.

use redb::{BackendError, StorageBackend, backends::FileBackend};
use std::{fs::File, io, ops::Bound, path::Path, sync::Arc};

/// A storage of which nothing is changed, locked or closed. Whoever has it keeps others away by the lock
/// beside the file.
#[derive(Debug)]
pub(super) struct Unchanged(Arc<dyn StorageBackend>);

impl Unchanged {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = FileBackend::new(File::open(path)?).map_err(io::Error::other)?;
        Ok(Self(Arc::new(file)))
    }

    pub(super) fn of(storage: Arc<dyn StorageBackend>) -> Self {
        Self(storage)
    }
}

impl StorageBackend for Unchanged {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
