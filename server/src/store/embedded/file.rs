//! Opening and creating the file.

use super::{
    disk::{Attached, Disk},
    fault::{Fault, guarded},
    format::{self, Head},
    lock::beside,
};
use redb::{Builder, Database, ReadableDatabase, StorageBackend, backends::FileBackend};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What redb may keep of the file in memory. Reads of the control plane come from elsewhere: this
/// is for the upper pages of the tree, and for the pages of one group of commits.
const CACHE_BYTES: usize = 8 * 1_024 * 1_024;

/// A file that is open and verified.
pub(super) struct Opened {
    pub(super) database: Database,
    /// What its newest commit left.
    pub(super) head: Head,
}

/// Opens the file and verifies all of it: redb's pages by redb's checksums (which also makes it
/// build its list of free pages anew, rather than trust the one in the file), the rows by ours.
/// A file that is refused was not changed.
pub(super) fn open(disk: &Disk) -> Result<Opened, Fault> {
    let attached = disk.attach()?;
    guarded(|| {
        if attached.is_empty()? {
            return Err(Fault::damaged("the file", "is empty"));
        }
        let database = builder().create_with_backend(attached.clone())?;
        let head = format::verify(&database.begin_read()?, |_, _| {})?;
        attached.release()?;
        Ok(Opened { database, head })
    })
}

/// Makes an empty store. It appears under its name when it is whole, so a file that is cut off is
/// never one that was being made.
pub(super) fn create(path: &Path) -> Result<(), Fault> {
    let unfinished = beside(path, ".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    let same = file.try_clone()?;
    fill(Attached::unseen(FileBackend::new(file)?))?;
    same.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// Writes an empty store to an empty storage.
pub(super) fn fill(storage: impl StorageBackend) -> Result<(), Fault> {
    guarded(|| {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(storage)?;
        let write = database.begin_write()?;
        format::initialise(&write)?;
        write.commit()?;
        Ok(database.close()?)
    })
}

/// The storage of a file that is there.
pub(super) fn storage(path: &Path) -> io::Result<Box<dyn StorageBackend>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let storage = FileBackend::new(file).map_err(io::Error::other)?;
    Ok(Box::new(storage))
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true);
    builder
}
