//! Data keys in the tables.

use super::{State, Stored};
use crate::seal::{DataKey, KeyState};
use crate::store::Index;
use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

/// The data keys, and the newest commit to one.
#[derive(Clone, Debug, Default)]
pub(super) struct DataKeys {
    keys: OrdMap<Uuid, Arc<Stored<DataKey>>>,
    index: Index,
}

impl State {
    /// A data key.
    pub fn data_key(&self, id: Uuid) -> Option<&Stored<DataKey>> {
        self.data_keys.keys.get(&id).map(Arc::as_ref)
    }

    /// All data keys, by id.
    pub fn data_keys(&self) -> impl Iterator<Item = &Stored<DataKey>> {
        self.data_keys.keys.values().map(Arc::as_ref)
    }

    /// The data key that seals. `None`: there is no data key yet.
    pub fn active_data_key(&self) -> Option<&Stored<DataKey>> {
        self.data_keys()
            .find(|key| key.row.state == KeyState::Active)
    }

    /// The newest commit to a data key.
    pub fn data_keys_index(&self) -> Index {
        self.data_keys.index
    }

    pub(super) fn put_data_key(&mut self, stored: Stored<DataKey>) {
        self.data_keys.index = self.data_keys.index.max(stored.modified);
        self.data_keys.keys.insert(stored.row.id, Arc::new(stored));
    }

    pub(super) fn remove_data_key(&mut self, id: Uuid, at: Index) {
        self.data_keys.index = at;
        self.data_keys.keys.remove(&id);
    }
}
