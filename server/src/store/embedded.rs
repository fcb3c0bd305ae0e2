//! The store in one local file, on redb. What may be relied on:
//!
//! - A commit is answered after fsync, and after those who follow can see it. Transactions that
//!   wait at the same time share one fsync.
//! - The file is verified whole before it is changed. One that was damaged, is newer, or is in use
//!   is refused by name and left as it was; an older one is migrated. One that a crash left behind
//!   is complete up to the last commit that was answered, at least.
//! - A failing disk fails the commits it fails, no more: once it works, so does the store.
//! - Nothing on a commit's path grows with the number of rows, but the depth of redb's tree.
//!
//! What cannot be told: after a crash of the machine, damage to the very newest commit from a
//! newest commit that was never finished.
//!
//! ```text
//! commit ─► requests ─► writer thread: gather, judge, write ─► fsync ─► history ─► answers
//!                                                                          └─► followers
//! ```

mod ahead;
mod disk;
mod fault;
mod file;
mod format;
mod group;
mod history;
mod lock;
mod migrate;
mod opening;
mod pages;
mod place;
mod row;
mod scan;
mod unchanged;
mod writer;

pub use opening::Opening;
pub use place::{Place, RESTORE_STEP, There};

use super::{Committed, Followed, Formats, Index, Reading, Store, StoreError, Transaction, limits};
use async_trait::async_trait;
use disk::Disk;
use fault::Fault;
use file::{Opened, Unverified};
use futures::stream::BoxStream;
use history::History;
use lock::Lock;
use redb::StorageBackend;
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot};
use writer::{Answer, Request, Writer};

/// How many requests wait in the queue; more wait in their callers.
const QUEUE: usize = 512;

/// The store in one local file.
///
/// Dropping it waits for the commits that are under way, closes the file and unlocks it, blocking
/// the thread for that long (one fsync or a few); [`Store::close`] does so without blocking.
pub struct Embedded {
    file: Arc<Path>,
    formats: Formats,
    history: History,
    /// Nothing once it is being closed.
    open: Mutex<Option<Open>>,
}

struct Open {
    requests: mpsc::Sender<Request>,
    writer: JoinHandle<Result<(), StoreError>>,
}

impl Embedded {
    /// Opens the store in this file, or makes an empty one (mode 0600) if there is none. Blocks
    /// while it reads the whole file.
    ///
    /// Beside the file stands `<file>.lock`, by which one process at a time has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`], [`StoreError::Corrupt`], [`StoreError::Newer`]; and
    /// [`StoreError::Failed`] if it could not be read or made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Formats::KNOWN)
    }

    /// As [`Embedded::open`], with the newest of these formats. A file of an older one is migrated,
    /// all of it or nothing, after a copy of it was made durable as `<file>.v<format>.bak`. The copy
    /// stays, for who wants to go back to the saddlebag that wrote it.
    ///
    /// # Errors
    ///
    /// As [`Embedded::open`]; [`StoreError::Corrupt`] names the row that cannot be migrated.
    pub fn open_as(path: &Path, formats: Formats) -> Result<Self, StoreError> {
        Self::begin_as(path, formats)?.finish()
    }

    /// As [`Embedded::open`], for who needs all rows at once: they are read by the same pass over the
    /// file that verifies it.
    ///
    /// # Errors
    ///
    /// As [`Embedded::open`]. Damage to rows is told by [`Opening::rows`] or [`Opening::finish`].
    pub fn begin(path: &Path) -> Result<Opening, StoreError> {
        Self::begin_as(path, Formats::KNOWN)
    }

    fn begin_as(path: &Path, formats: Formats) -> Result<Opening, StoreError> {
        let lock = Lock::take(path)?;
        let made = match path.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => file::create(path, formats),
            Err(error) => Err(error.into()),
        };
        made.map_err(|fault| fault.refusal(path))?;
        ahead::read_ahead(path);
        let disk = Disk::new({
            let path = path.to_owned();
            move || file::storage(&path)
        });
        let unverified =
            begin_or_migrate(path, &disk, formats).map_err(|fault| fault.refusal(path))?;
        Ok(Opening {
            file: path.into(),
            disk,
            formats,
            unverified,
            lock: Some(lock),
            verified: Arc::default(),
        })
    }

    /// Opens the store in this storage, or makes an empty one if the storage is empty. `file` is
    /// what errors call it. The storage is opened again, by the same function, after it failed.
    ///
    /// For storage that is not a file, and for tests that make one fail. Nothing is locked.
    ///
    /// # Errors
    ///
    /// As [`Embedded::open`].
    pub fn open_on(
        file: &Path,
        storage: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        Self::begin_on(file, storage)?.finish()
    }

    /// As [`Embedded::open_on`], as far as [`Embedded::begin`] goes.
    ///
    /// # Errors
    ///
    /// As [`Embedded::begin`].
    pub fn begin_on(
        file: &Path,
        storage: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Opening, StoreError> {
        let formats = Formats::KNOWN;
        let disk = Disk::new(storage);
        let unverified = disk
            .fill_if_empty(formats)
            .and_then(|()| file::begin(&disk, formats))
            .map_err(|fault| fault.refusal(file))?;
        Ok(Opening {
            file: file.into(),
            disk,
            formats,
            unverified,
            lock: None,
            verified: Arc::default(),
        })
    }

    fn start(
        file: Arc<Path>,
        disk: Disk,
        formats: Formats,
        opened: Opened,
        lock: Option<Lock>,
    ) -> Result<Self, StoreError> {
        let (teller, history) = history::begin(opened.head.index);
        let (requests, queue) = mpsc::channel(QUEUE);
        let writer = Writer::new(file.clone(), disk, formats, opened, teller, lock);
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(queue))
            .map_err(|error| Fault::from(error).refusal(&file))?;
        Ok(Self {
            file,
            formats,
            history,
            open: Mutex::new(Some(Open { requests, writer })),
        })
    }

    /// Ends the writer and gives it to be waited for; nothing the second time.
    fn end(&self) -> Option<JoinHandle<Result<(), StoreError>>> {
        let open = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        open.map(|open| open.writer)
    }

    fn requests(&self) -> Option<mpsc::Sender<Request>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(|open| open.requests.clone())
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, StoreError> {
        let gone = |unclear| self.failed("the writer of the store is gone", unclear);
        let requests = self.requests().ok_or_else(|| gone(false))?;
        let (answer, answered) = oneshot::channel();
        requests
            .send(request(answer))
            .await
            .map_err(|_| gone(false))?;
        drop(requests);
        answered.await.unwrap_or_else(|_| Err(gone(true)))
    }

    fn failed(&self, detail: &str, unclear: bool) -> StoreError {
        StoreError::Failed {
            file: self.file.to_path_buf(),
            detail: detail.into(),
            unclear,
        }
    }
}

#[async_trait]
impl Store for Embedded {
    async fn read(&self) -> Result<Reading, StoreError> {
        let read = self.ask(Request::Read).await?;
        scan::read(self.file.clone(), &read, self.formats, ())
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        limits::check(&transaction)?;
        self.ask(|answer| Request::Commit(transaction, answer))
            .await
    }

    fn follow(&self, index: Index) -> BoxStream<'static, Followed> {
        self.history.clone().follow(index)
    }

    async fn close(&self) -> Result<(), StoreError> {
        let Some(writer) = self.end() else {
            return Ok(());
        };
        match tokio::task::spawn_blocking(move || writer.join()).await {
            Ok(Ok(closed)) => closed,
            Ok(Err(_)) => Err(self.failed(PANICKED, false)),
            Err(_) => Err(self.failed("the closing was stopped with its runtime", false)),
        }
    }
}

fn begin_or_migrate(path: &Path, disk: &Disk, formats: Formats) -> Result<Unverified, Fault> {
    let unverified = file::begin(disk, formats)?;
    let (old, new) = (unverified.format, formats.newest());
    if old == new {
        return Ok(unverified);
    }
    unverified.check(formats)?;
    drop(unverified);
    let kept = migrate::keep(path, old)?;
    migrate::migrate(disk, formats)?;
    let kept = kept.display();
    tracing::info!(file = %path.display(), %kept, "migrated from format {old} to {new}; the old file is kept");
    file::begin(disk, formats)
}

const PANICKED: &str = "the writer of the store panicked";

impl Drop for Embedded {
    fn drop(&mut self) {
        let closed = match self.end().map(JoinHandle::join) {
            Some(Ok(closed)) => closed,
            Some(Err(_)) => Err(self.failed(PANICKED, false)),
            None => Ok(()),
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the store could not be closed; it is repaired when next opened");
        }
    }
}
