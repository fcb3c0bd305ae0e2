//! The storage below redb, made to keep two promises that redb alone does not.
//!
//! - **A file that is refused was not changed.** redb writes while it opens a file: flags, and after
//!   a crash its choice between the two newest commits. Those writes are held back in memory until
//!   everything was verified; then they are made, in their order.
//! - **What is read after a failure is durable.** After a failed fsync the kernel may show bytes
//!   that are not on the disk and never will be, and call the next fsync a success. So what a
//!   failed fsync was to make durable is written again, from what can be read, and synced, before
//!   anything is believed.

use super::{fault::Fault, file, format, unchanged::Unchanged};
use crate::store::Formats;
use redb::{BackendError, StorageBackend};
use std::{
    fmt, io,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Open = dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync;

/// A place of storage that can be opened again after it failed.
pub(super) struct Disk {
    open: Box<Open>,
    written: Arc<Mutex<Written>>,
}

/// What was written since the last sync that succeeded.
#[derive(Debug, Default)]
struct Written {
    /// No sync was asked for since.
    unsynced: Vec<Extent>,
    /// A sync of it failed.
    doubtful: Vec<Extent>,
}

/// Where something was written.
#[derive(Clone, Copy, Debug)]
struct Extent {
    offset: u64,
    length: usize,
}

impl Disk {
    pub(super) fn new(
        open: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            written: Arc::default(),
        }
    }

    /// Opens it, with every write held back until [`Attached::release`].
    pub(super) fn attach(&self) -> io::Result<Attached> {
        let storage: Arc<dyn StorageBackend> = (self.open)()?.into();
        self.settle(&*storage)?;
        Ok(Attached(Arc::new(Attachment {
            writes: Mutex::new(Writes::HeldBack {
                held: Vec::new(),
                end: storage.len()?,
            }),
            storage,
            written: self.written.clone(),
        })))
    }

    /// Writes an empty store if there is nothing.
    pub(super) fn fill_if_empty(&self, formats: Formats) -> Result<(), Fault> {
        let attached = self.attach()?;
        if !attached.is_empty()? {
            return Ok(attached.close()?);
        }
        attached.release()?;
        file::fill(attached, |write| format::initialise(write, formats))
    }

    /// Makes durable whatever a failure left behind.
    fn settle(&self, storage: &dyn StorageBackend) -> io::Result<()> {
        let mut written = lock(&self.written);
        if written.unsynced.is_empty() && written.doubtful.is_empty() {
            return Ok(());
        }
        let end = storage.len()?;
        for Extent { offset, length } in &written.doubtful {
            let there = usize::try_from(end.saturating_sub(*offset)).unwrap_or(usize::MAX);
            let mut bytes = vec![0; there.min(*length)];
            storage.read(*offset, &mut bytes)?;
            storage.write(*offset, &bytes)?;
        }
        let Written { unsynced, doubtful } = &mut *written;
        doubtful.append(unsynced);
        storage.sync_data()?;
        doubtful.clear();
        Ok(())
    }
}

/// A [`Disk`] that is open: what redb is given.
#[derive(Clone, Debug)]
pub(super) struct Attached(Arc<Attachment>);

#[derive(Debug)]
struct Attachment {
    storage: Arc<dyn StorageBackend>,
    writes: Mutex<Writes>,
    written: Arc<Mutex<Written>>,
}

/// What becomes of a write.
enum Writes {
    /// It waits here, in order with the others; the storage ends where it did.
    HeldBack { held: Vec<Held>, end: u64 },
    /// It is made.
    Made,
    /// It is made and never synced: the file has no name yet, and is synced before it gets one.
    Unsynced,
}

enum Held {
    Write { offset: u64, bytes: Vec<u8> },
    Length(u64),
    Sync,
}

impl Attached {
    /// A storage for a file that nobody can see yet.
    pub(super) fn unseen(storage: impl StorageBackend) -> Self {
        Self(Arc::new(Attachment {
            storage: Arc::new(storage),
            writes: Mutex::new(Writes::Unsynced),
            written: Arc::default(),
        }))
    }

    /// Makes the writes that were held back, and from now on makes each at once.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut writes = lock(&self.0.writes);
        if let Writes::HeldBack { held, .. } = &*writes {
            for held in held {
                match held {
                    Held::Write { offset, bytes } => self.0.write(*offset, bytes)?,
                    Held::Length(length) => self.0.storage.set_len(*length)?,
                    Held::Sync => self.0.sync()?,
                }
            }
        }
        *writes = Writes::Made;
        Ok(())
    }
}

impl Attached {
    /// The storage as it is without the writes that are held back, for reading only. To be let go of
    /// before [`Attached::release`].
    pub(super) fn unchanged(&self) -> Unchanged {
        Unchanged::of(Arc::clone(&self.0.storage))
    }

    /// Whether there is nothing in it, not even a store without rows.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

impl Attachment {
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        lock(&self.written).unsynced.push(Extent {
            offset,
            length: bytes.len(),
        });
        self.storage.write(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // what another thread writes meanwhile is not of this sync
        let mut syncing = std::mem::take(&mut lock(&self.written).unsynced);
        self.storage
            .sync_data()
            .inspect_err(|_| lock(&self.written).doubtful.append(&mut syncing))
    }
}

impl StorageBackend for Attached {
    fn len(&self) -> io::Result<u64> {
        let writes = lock(&self.0.writes);
        match writes.held().rev().find_map(Held::length) {
            Some(length) => Ok(length),
            None => self.0.storage.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let writes = lock(&self.0.writes);
        let (held, end) = match &*writes {
            Writes::HeldBack { held, end } if !held.is_empty() => (held, *end),
            _ => {
                drop(writes);
                return self.0.storage.read(offset, out);
            }
        };
        let there = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (there, beyond) = out.split_at_mut(there.min(out.len()));
        self.0.storage.read(offset, there)?;
        beyond.fill(0);
        for held in held {
            if let Held::Write {
                offset: written,
                bytes,
            } = held
            {
                overlay(out, offset, bytes, *written);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        match &mut *lock(&self.0.writes) {
            Writes::HeldBack { held, .. } => held.push(Held::Length(length)),
            Writes::Made | Writes::Unsynced => return self.0.storage.set_len(length),
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut writes = lock(&self.0.writes);
        match &mut *writes {
            Writes::HeldBack { held, .. } => held.push(Held::Sync),
            Writes::Unsynced => {}
            Writes::Made => {
                drop(writes);
                return self.0.sync();
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut writes = lock(&self.0.writes);
        match &mut *writes {
            Writes::HeldBack { held, .. } => held.push(Held::Write {
                offset,
                bytes: bytes.to_vec(),
            }),
            Writes::Unsynced => return self.0.storage.write(offset, bytes),
            Writes::Made => {
                drop(writes);
                return self.0.write(offset, bytes);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.storage.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.query_lock_range(start, end)
    }
}

impl Writes {
    fn held(&self) -> std::slice::Iter<'_, Held> {
        match self {
            Writes::HeldBack { held, .. } => held.iter(),
            Writes::Made | Writes::Unsynced => [].iter(),
        }
    }
}

impl Held {
    fn length(&self) -> Option<u64> {
        match self {
            Held::Length(length) => Some(*length),
            Held::Write { .. } | Held::Sync => None,
        }
    }
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Writes::HeldBack { .. } => "HeldBack",
            Writes::Made => "Made",
            Writes::Unsynced => "Unsynced",
        })
    }
}

/// Puts over `under`, read at `offset`, what was written at `written`.
fn overlay(under: &mut [u8], offset: u64, bytes: &[u8], written: u64) {
    let end = |start: u64, length: usize| start.saturating_add(length as u64);
    let first = offset.max(written);
    let last = end(offset, under.len()).min(end(written, bytes.len()));
    if first < last {
        // all three are within one of the two slices
        let [length, to, from] =
            [last - first, first - offset, first - written].map(|n| n as usize);
        under[to..to + length].copy_from_slice(&bytes[from..from + length]);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
