//! What must survive a restart, and nothing else.
//!
//! A store holds rows under keys. It changes by transactions, each of which gets an [`Index`]: one
//! number for the whole control plane, growing, never reused. What may be relied on:
//!
//! - a commit that was answered is durable;
//! - a transaction whose guards do not hold changes nothing;
//! - [`Store::follow`] tells every commit, in order, each once, and none before it is durable.

pub mod backup;
mod embedded;
mod format;
mod limits;
mod reading;

pub use embedded::{Embedded, Opening, Place, RESTORE_STEP, There};
pub use format::{Formats, Migration};
pub use reading::{Batch, Reading};

pub mod keys;
mod rows;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::{fmt, path::PathBuf, sync::Arc};

/// The number of a commit. `0` is the state before the first one.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Index(pub u64);

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a row is kept. Rows are ordered by the bytes of their key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// A key of these characters; at most [`MOST_KEY_BYTES`].
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The key's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_default(), f)
    }
}

/// The largest key, in bytes.
pub const MOST_KEY_BYTES: usize = 1_024;
/// The largest value, in bytes.
pub const MOST_VALUE_BYTES: usize = 256 * 1_024;
/// The most writes, and the most guards, of one transaction (etcd takes 128 operations).
pub const MOST_OPERATIONS: usize = 120;
/// The most bytes of keys and values of one transaction (etcd takes 1.5 MB a request).
pub const MOST_TRANSACTION_BYTES: usize = 1_000_000;

/// A stored row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was put.
    pub value: Bytes,
    /// The commit that put it where nothing was.
    pub created: Index,
    /// The newest commit that put it.
    pub modified: Index,
}

/// What must hold for a transaction to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The row is there and was last put by this commit.
    At(Key, Index),
    /// No row is there.
    Absent(Key),
    /// No row's key begins with this.
    Empty(Key),
}

/// One change of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts a row, new or not.
    Put(Key, Bytes),
    /// Removes a row; nothing happens if there is none.
    Delete(Key),
}

impl Guard {
    /// The key, or beginning of keys, that it looks at.
    pub fn key(&self) -> &Key {
        match self {
            Guard::At(key, _) | Guard::Absent(key) | Guard::Empty(key) => key,
        }
    }
}

impl Write {
    /// The key that it changes.
    pub fn key(&self) -> &Key {
        match self {
            Write::Put(key, _) | Write::Delete(key) => key,
        }
    }
}

/// Changes that are made together or not at all. A key is written at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// What must hold. All are looked at before the first write.
    pub guards: Vec<Guard>,
    /// What changes.
    pub writes: Vec<Write>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is durable, under this index. One that had nothing to change (no writes, or only deletes
    /// of rows that were not there) is no commit of its own: this is the index of the newest
    /// commit that its guards were held against, and followers are told nothing.
    At(Index),
    /// The guard on this key did not hold; nothing was changed.
    Conflict(Key),
}

/// One commit, as followers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its index.
    pub index: Index,
    /// Every row it put (`Some`) or removed (`None`; only rows that were there).
    pub rows: Vec<(Key, Option<Row>)>,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The next commit.
    Change(Arc<Change>),
    /// Commits between the last one told and now are no longer known: load, and follow from there.
    /// It is the last that this follower is told.
    Compacted,
}

/// Why the store could not do it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The transaction is larger than a store takes, or writes one key more than once. Nothing was
    /// changed.
    #[error("{what} is {size}, more than a store takes ({limit})")]
    TooLarge {
        /// What is too large, with the key if it is about one.
        what: String,
        /// Its size.
        size: usize,
        /// The largest that is taken.
        limit: usize,
    },
    /// The file is damaged. It was not changed.
    #[error("{file} is damaged: {key}: {detail}")]
    Corrupt {
        /// The damaged file.
        file: PathBuf,
        /// The key where it shows, or what part of the file it is.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The file was written by a newer saddlebag. It was not changed.
    #[error("{file} has format {format}, this saddlebag knows formats up to {known}")]
    Newer {
        /// The file.
        file: PathBuf,
        /// The format it states.
        format: u64,
        /// The newest format known here.
        known: u64,
    },
    /// Another process has the file open.
    #[error("{file} is in use by {holder}")]
    InUse {
        /// The file.
        file: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// The storage below the store failed. Whether the transaction was made durable is not known
    /// if `unclear`; otherwise nothing was changed. A later commit may succeed.
    #[error("{file}: {detail}")]
    Failed {
        /// The file.
        file: PathBuf,
        /// What the storage said.
        detail: String,
        /// Whether the transaction may have been made durable all the same.
        unclear: bool,
    },
}

impl StoreError {
    /// What an operator may do about a store that is not opened for this reason.
    pub fn advice(&self) -> &'static str {
        match self {
            StoreError::Corrupt { .. } => {
                "It was left as it is. `saddlebag store restore BACKUP --force` puts a backup in its \
                 place and keeps it aside."
            }
            StoreError::Newer { .. } => {
                "It was left as it is. Use the saddlebag that wrote it, or a newer one."
            }
            StoreError::InUse { .. } => "Stop that process first, or use another data folder.",
            StoreError::Failed { .. } => "Nothing was changed. Look at the disk that it is on.",
            StoreError::TooLarge { .. } => "Nothing was changed.",
        }
    }
}

/// A place for rows. Cheap to share; all methods may be called at once from anywhere.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// All rows at the newest commit, as it is now: commits that are made meanwhile do not show.
    async fn read(&self) -> Result<Reading, StoreError>;

    /// Makes the transaction's writes durable, together, if all its guards hold. Whoever drops the
    /// future does not take the transaction back.
    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError>;

    /// Every commit after `index`, in order, without end while the store is open. A follower that
    /// falls too far behind is told [`Followed::Compacted`]; it never holds up a commit.
    fn follow(&self, index: Index) -> BoxStream<'static, Followed>;

    /// Waits for the commits that are under way and lets go of everything that the store holds, so
    /// that another process can have it. Whatever is asked for later fails; followers come to an end.
    /// Closing a second time does nothing.
    async fn close(&self) -> Result<(), StoreError>;
}
