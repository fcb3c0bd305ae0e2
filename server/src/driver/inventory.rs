//! All records, in memory, and what is promised of the capacity.
//!
//! Filled at start from the root; afterwards a record enters only after it is on disk, and leaves
//! only after it is gone there. Readers get shared copies and never wait for a disk.

use super::record::{Record, Snapshot, Volume};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Default)]
pub(super) struct Inventory(Mutex<Tables>);

#[derive(Default)]
pub(super) struct Tables {
    pub(super) volumes: Table<Volume>,
    pub(super) snapshots: Table<Snapshot>,
    /// The volume at each target path.
    targets: HashMap<String, String>,
    /// Bytes of what is being made.
    pub(super) reserved_bytes: u64,
    /// Attachments being made.
    pub(super) reserved_attachments: usize,
}

impl Inventory {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn volume(&self, id: &str) -> Option<Arc<Volume>> {
        self.tables().volumes.get(id)
    }

    pub(super) fn snapshot(&self, id: &str) -> Option<Arc<Snapshot>> {
        self.tables().snapshots.get(id)
    }
}

impl Tables {
    pub(super) fn put_volume(&mut self, volume: Volume) {
        self.forget_targets(&volume.id);
        for target in volume.publications.keys() {
            self.targets.insert(target.clone(), volume.id.clone());
        }
        self.volumes.put(volume);
    }

    pub(super) fn remove_volume(&mut self, id: &str) {
        self.forget_targets(id);
        self.volumes.remove(id);
    }

    fn forget_targets(&mut self, id: &str) {
        if let Some(old) = self.volumes.get(id) {
            for target in old.publications.keys() {
                self.targets.remove(target);
            }
        }
    }

    /// The volume that is published at a target path.
    pub(super) fn volume_at(&self, target: &str) -> Option<&str> {
        self.targets.get(target).map(String::as_str)
    }

    /// Bytes promised to what exists and to what is being made.
    pub(super) fn promised_bytes(&self) -> u64 {
        self.volumes
            .bytes
            .saturating_add(self.snapshots.bytes)
            .saturating_add(self.reserved_bytes)
    }
}

/// Records of one kind, in the order of their ids.
pub(super) struct Table<R> {
    rows: BTreeMap<String, Arc<R>>,
    ids: HashMap<String, String>,
    bytes: u64,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            ids: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<R: Record> Table<R> {
    pub(super) fn get(&self, id: &str) -> Option<Arc<R>> {
        self.rows.get(id).cloned()
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<R>> {
        self.get(self.ids.get(name)?)
    }

    pub(super) fn put(&mut self, record: R) {
        self.remove(record.id());
        self.bytes = self.bytes.saturating_add(record.bytes());
        self.ids.insert(record.name().into(), record.id().into());
        self.rows.insert(record.id().into(), Arc::new(record));
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(gone) = self.rows.remove(id) {
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            self.ids.remove(gone.name());
        }
    }

    /// Every record from an id on, that id included.
    pub(super) fn from(&self, id: &str) -> impl Iterator<Item = &Arc<R>> {
        let start = (Bound::Included(id), Bound::Unbounded);
        self.rows.range::<str, _>(start).map(|(_, record)| record)
    }
}
