//! What differs between two states, where the commits between them are not known.

use super::{State, Touched};
use crate::id::VolumeKey;
use std::collections::BTreeSet;

impl State {
    /// What differs between these tables and later ones.
    pub fn differences(&self, later: &State) -> Touched {
        let modified =
            |state: &State, key: &VolumeKey| state.volumes.get(key).map(|entry| entry.modified);
        let is_shown_alike = |key: &VolumeKey| {
            modified(self, key) == modified(later, key)
                && self.is_being_deleted(key) == later.is_being_deleted(key)
                && self.claims(key).count() == later.claims(key).count()
                && self.claims(key).zip(later.claims(key)).all(|(one, other)| {
                    one.allocation == other.allocation && one.is_seen_like(other)
                })
        };
        let volumes = self.volumes.keys().chain(later.volumes.keys());
        let plugins = self.plugins.keys().chain(later.plugins.keys());
        let operations = self.operations.keys().chain(later.operations.keys());
        let nodes = self.nodes.keys().chain(later.nodes.keys());
        let namespaces = self.namespaces.keys().chain(later.namespaces.keys());
        let mut touched = Touched {
            volumes: volumes
                .filter(|key| !is_shown_alike(key))
                .cloned()
                .collect(),
            plugins: plugins
                .filter(|id| {
                    let of = |state: &State| state.plugins.get(*id).map(|plugin| plugin.modified);
                    of(self) != of(later)
                })
                .cloned()
                .collect(),
            operations: operations
                .filter(|id| {
                    let of = |state: &State| state.operations.get(*id).map(|row| row.modified);
                    of(self) != of(later)
                })
                .copied()
                .collect(),
            nodes: nodes
                .filter(|id| {
                    let of = |state: &State| state.nodes.get(*id).map(|row| row.modified);
                    of(self) != of(later)
                })
                .cloned()
                .collect(),
            namespaces: namespaces
                .filter(|name| {
                    let of = |state: &State| state.namespaces.get(*name).map(|row| row.modified);
                    of(self) != of(later)
                })
                .cloned()
                .collect(),
            acl: self.acl.differences(&later.acl),
            attachments: BTreeSet::new(),
            claims: BTreeSet::new(),
        };
        self.claims.differences(&later.claims, &mut touched);
        touched
    }
}
