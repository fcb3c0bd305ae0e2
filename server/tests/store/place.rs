//! Where a store is kept, and the words in which the tests talk of what is in it.

use crate::disk::Disk;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use saddlebag::store::{
    Change, Committed, Embedded, Followed, Guard, Index, Key, Reading, Row, Store, StoreError,
    Transaction, Write,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tempfile::TempDir;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place that holds one store, which can be opened, dropped, and opened again.
#[async_trait]
pub trait Place: Sync {
    async fn open(&self) -> Arc<dyn Store>;

    /// Makes the store forget all commits so far, as far as followers are concerned.
    async fn forget(&self, store: &dyn Store);
}

/// A file in a folder of its own.
pub struct InFile(TempDir);

impl InFile {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.0.path().join("store.redb")
    }
}

#[async_trait]
impl Place for InFile {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(Embedded::open(&self.path()).unwrap())
    }

    async fn forget(&self, store: &dyn Store) {
        write_much(store).await;
    }
}

#[async_trait]
impl Place for Disk {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(Disk::open(self).unwrap())
    }

    async fn forget(&self, store: &dyn Store) {
        write_much(store).await;
    }
}

/// Writes more than the embedded store remembers.
async fn write_much(store: &dyn Store) {
    let value = Bytes::from(vec![7; 250_000]);
    for _ in 0..14 {
        let writes = ["a", "b", "c"].map(|name| put(&format!("much/{name}"), value.clone()));
        commit(store, [], writes).await;
    }
}

pub fn key(key: &str) -> Key {
    Key::new(key)
}

pub fn put(at: &str, value: impl Into<Bytes>) -> Write {
    Write::Put(key(at), value.into())
}

pub fn delete(at: &str) -> Write {
    Write::Delete(key(at))
}

pub fn transaction(
    guards: impl IntoIterator<Item = Guard>,
    writes: impl IntoIterator<Item = Write>,
) -> Transaction {
    Transaction {
        guards: guards.into_iter().collect(),
        writes: writes.into_iter().collect(),
    }
}

/// Commits what must succeed; its index.
pub async fn commit(
    store: &dyn Store,
    guards: impl IntoIterator<Item = Guard>,
    writes: impl IntoIterator<Item = Write>,
) -> Index {
    match store.commit(transaction(guards, writes)).await {
        Ok(Committed::At(index)) => index,
        other => panic!("not committed: {other:?}"),
    }
}

pub async fn try_commit(
    store: &dyn Store,
    guards: impl IntoIterator<Item = Guard>,
    writes: impl IntoIterator<Item = Write>,
) -> Result<Committed, StoreError> {
    store.commit(transaction(guards, writes)).await
}

/// All rows as one commit left them, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub index: Index,
    pub rows: Vec<(Key, Row)>,
}

pub async fn load(store: &dyn Store) -> Snapshot {
    try_load(store).await.unwrap()
}

pub async fn try_load(store: &dyn Store) -> Result<Snapshot, StoreError> {
    let reading = store.read().await?;
    tokio::task::spawn_blocking(|| collected(reading))
        .await
        .unwrap()
}

/// Everything that is read.
pub fn collected(reading: Reading) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot {
        index: reading.index,
        rows: Vec::new(),
    };
    for batch in reading.batches {
        snapshot.rows.extend(batch?);
    }
    Ok(snapshot)
}

/// The row under this key, if there is one.
pub async fn row(store: &dyn Store, at: &str) -> Option<Row> {
    rows(load(store).await).remove(&key(at))
}

pub fn rows(snapshot: Snapshot) -> BTreeMap<Key, Row> {
    snapshot.rows.into_iter().collect()
}

/// Everything that was committed after `from` up to `to`.
pub async fn followed(store: &dyn Store, from: Index, to: Index) -> Vec<Arc<Change>> {
    let mut changes = Vec::new();
    let mut stream = store.follow(from);
    while changes
        .last()
        .map_or(from, |change: &Arc<Change>| change.index)
        < to
    {
        match soon(stream.next()).await {
            Some(Followed::Change(change)) => changes.push(change),
            other => panic!("{other:?} instead of the commit after {:?}", changes.last()),
        }
    }
    changes
}

/// Applies a change to the rows that were there before it.
pub fn replay(rows: &mut BTreeMap<Key, Row>, change: &Change) {
    for (key, row) in &change.rows {
        match row {
            Some(row) => rows.insert(key.clone(), row.clone()),
            None => rows.remove(key),
        };
    }
}

/// What comes of it, unless it takes suspiciously long.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("nothing came")
}
