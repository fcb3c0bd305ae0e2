//! Opening and creating the file.

use super::{
    disk::{Attached, Disk},
    fault::{Fault, guarded},
    format::{self, Head, Scan},
    lock::beside,
    pages::Pages,
};
use crate::store::Formats;
use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction,
    backends::FileBackend,
};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
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

/// A file that is open and not changed: what redb wrote to it is held back. Neither its pages nor its
/// rows count as verified until [`Unverified::release`].
pub(super) struct Unverified {
    pages: Pages,
    attached: Attached,
    head: Head,
    pub(super) format: u64,
}

impl Unverified {
    /// Everything that is in it.
    pub(super) fn read(&self) -> Result<ReadTransaction, Fault> {
        self.pages.read()
    }

    /// Verifies all rows, and changes nothing.
    pub(super) fn check(&self, formats: Formats) -> Result<(), Fault> {
        let read = self.read()?;
        guarded(|| format::verify(&read, formats))?;
        Ok(())
    }

    /// Makes what redb wrote, once the pages are verified. Whoever calls this has verified all rows, by
    /// [`Unverified::check`] or a [`Scan`] of [`Unverified::read`] to its end.
    pub(super) fn release(self, formats: Formats) -> Result<Opened, Fault> {
        let Self {
            pages,
            attached,
            head,
            ..
        } = self;
        let database = pages.verified()?;
        guarded(|| {
            let verified = Scan::begin(&database.begin_read()?, formats)?.head;
            if verified != head {
                let detail = "its newest commit is not the one whose rows were read";
                return Err(Fault::damaged("the file", detail));
            }
            attached.release()?;
            Ok(Opened { database, head })
        })
    }
}

/// Opens the file, and has its pages verified, by redb's checksums (which also makes redb build its list
/// of free pages anew, rather than trust the one in the file). Its format may be older.
pub(super) fn begin(disk: &Disk, formats: Formats) -> Result<Unverified, Fault> {
    let attached = disk.attach()?;
    let pages = Pages::begin(&attached)?;
    let read = pages.read()?;
    let Scan { format, head, .. } = guarded(|| Scan::begin(&read, formats))?;
    Ok(Unverified {
        pages,
        attached,
        head,
        format,
    })
}

/// Opens the file and verifies all of it. A file that is refused was not changed. One of an older
/// format is refused, too.
pub(super) fn open(disk: &Disk, formats: Formats) -> Result<Opened, Fault> {
    match begin(disk, formats)? {
        Unverified { format, .. } if format < formats.newest() => Err(Fault::Older { format }),
        unverified => verify(unverified, formats),
    }
}

/// As [`open`], to be migrated: its format may be older.
pub(super) fn open_older(disk: &Disk, formats: Formats) -> Result<Opened, Fault> {
    verify(begin(disk, formats)?, formats)
}

fn verify(unverified: Unverified, formats: Formats) -> Result<Opened, Fault> {
    unverified.check(formats)?;
    unverified.release(formats)
}

/// Opens the file to read it. It is not changed, whatever is in it; its rows are not verified yet.
pub(super) fn look(disk: &Disk) -> Result<Database, Fault> {
    let attached = disk.attach()?;
    guarded(|| attach(&attached))
}

/// Opens what is attached and verifies all its pages.
pub(super) fn attach(attached: &Attached) -> Result<Database, Fault> {
    if attached.is_empty()? {
        return Err(Fault::damaged("the file", "is empty"));
    }
    Ok(builder().create_with_backend(attached.clone())?)
}

/// Makes an empty store. It appears under its name when it is whole, so a file that is cut off is
/// never one that was being made.
pub(super) fn create(path: &Path, formats: Formats) -> Result<(), Fault> {
    let unfinished = make_unfinished(path, |storage| {
        fill(storage, |write| format::initialise(write, formats))
    })?;
    std::fs::rename(&unfinished, path)?;
    sync_folder_of(path)
}

/// Makes a store beside the path, whole and durable, under a name that nobody opens.
pub(super) fn make_unfinished(
    path: &Path,
    fill: impl FnOnce(Attached) -> Result<(), Fault>,
) -> Result<PathBuf, Fault> {
    let unfinished = beside(path, ".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    let same = file.try_clone()?;
    let filled = FileBackend::new(file)
        .map_err(Fault::from)
        .and_then(|storage| fill(Attached::unseen(storage)))
        .and_then(|()| Ok(same.sync_all()?));
    if let Err(fault) = filled {
        let _ = std::fs::remove_file(&unfinished);
        return Err(fault);
    }
    Ok(unfinished)
}

/// Makes durable which files are beside this one, and under which names.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), Fault> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

/// Writes a new store to an empty storage, in one transaction.
pub(super) fn fill(
    storage: impl StorageBackend,
    with: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
) -> Result<(), Fault> {
    guarded(|| {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(storage)?;
        let write = database.begin_write()?;
        with(&write)?;
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

/// How files are opened.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true);
    builder
}
