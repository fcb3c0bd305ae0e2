//! How a commit changes the tables.

use super::row::{
    Unreadable, backing_key, claim_key, exactly, read, table_of, unreadable, volume_key,
};
use super::{State, Stored, Touched, VolumeEntry};
use crate::attachment::AttachmentKey;
use crate::claim::Claim;
use crate::id::{ExternalId, JobId, Namespace, NodeId, PluginId, SnapshotId};
use crate::namespace::NamespaceRow;
use crate::node::Node;
use crate::operation::Subject;
use crate::store::keys::Table;
use crate::store::{Change, Index, Key, Row};
use crate::volume::Volume;
use std::sync::Arc;
use uuid::Uuid;

impl State {
    /// The tables after a commit, and what it changed. A row that cannot be read is left out and
    /// told; all else is applied.
    pub fn after(&self, change: &Change) -> (State, Touched, Vec<Unreadable>) {
        let mut state = self.clone();
        let mut touched = Touched::default();
        let mut unreadable = Vec::new();
        for (key, row) in &change.rows {
            let read = match row {
                Some(row) => state.put(key, row, &mut touched),
                None => state.remove(key, change.index, &mut touched),
            };
            unreadable.extend(read.err());
        }
        state.settle(change.index, &touched);
        (state, touched, unreadable)
    }

    pub(super) fn put(
        &mut self,
        key: &Key,
        row: &Row,
        touched: &mut Touched,
    ) -> Result<(), Unreadable> {
        let (table, names) = table_of(key)?;
        match table {
            Table::Volume => {
                let stored: Stored<Volume> = read(key, row)?;
                let volume = stored.row.key.clone();
                self.put_volume(volume.clone(), VolumeEntry::new(&stored, row));
                touched.volumes.insert(volume);
            }
            Table::Backing => self.put_backing(backing_key(key, names)?, read(key, row)?),
            Table::Claim | Table::DroppedClaim | Table::EndedClaim => {
                let stored: Stored<Claim> = read(key, row)?;
                self.claims.put(stored, touched);
            }
            Table::Attachment => {
                self.claims.put_attachment(read(key, row)?, touched);
            }
            Table::Doing | Table::DoingSnapshot | Table::Ended => {
                self.put_operation(read(key, row)?, touched);
            }
            Table::Instance => {
                self.put_instance(read(key, row)?, touched);
            }
            Table::Job => {
                self.put_job(read(key, row)?, touched);
            }
            Table::Node => {
                let stored: Stored<Node> = read(key, row)?;
                touched.nodes.insert(stored.row.id.clone());
                self.nodes.insert(stored.row.id.clone(), Arc::new(stored));
            }
            Table::Namespace => {
                let stored: Stored<NamespaceRow> = read(key, row)?;
                touched.namespaces.insert(stored.row.name.clone());
                self.namespaces
                    .insert(stored.row.name.clone(), Arc::new(stored));
            }
            Table::Token | Table::Policy | Table::Role | Table::RoleName | Table::Bootstrap => {
                self.acl.put(table, key, names, row)?;
                touched.acl.insert(table);
            }
            Table::DataKey => self.put_data_key(read(key, row)?),
        }
        Ok(())
    }

    fn remove(&mut self, key: &Key, at: Index, touched: &mut Touched) -> Result<(), Unreadable> {
        let (table, names) = table_of(key)?;
        match table {
            Table::Volume => {
                self.remove_volume(volume_key(key, names)?, touched);
            }
            Table::Backing => {
                self.backings.remove(&backing_key(key, names)?);
            }
            Table::Claim | Table::DroppedClaim => {
                let dropped = table == Table::DroppedClaim;
                self.claims
                    .remove(&claim_key(key, names)?, dropped, touched);
            }
            Table::EndedClaim => {
                self.claims.remove_ended(&claim_key(key, names)?, touched);
            }
            Table::Attachment => {
                let [plugin, external, node] = exactly(key, names)?;
                let attachment = AttachmentKey {
                    plugin: PluginId::known(plugin),
                    external_id: ExternalId::known(external),
                    node: NodeId::known(node),
                };
                self.claims.remove_attachment(&attachment, touched);
            }
            Table::Doing => {
                self.remove_doing(&Subject::Volume(volume_key(key, names)?), touched);
            }
            Table::DoingSnapshot => {
                let [plugin, snapshot] = exactly(key, names)?;
                let (plugin, snapshot) = (PluginId::known(plugin), SnapshotId::known(snapshot));
                self.remove_doing(&Subject::Snapshot(plugin, snapshot), touched);
            }
            Table::Ended => {
                let [id] = exactly(key, names)?;
                let id = Uuid::parse_str(id).map_err(|error| unreadable(key, error))?;
                self.operations.remove(&id);
                touched.operations.insert(id);
            }
            Table::Instance => {
                let [plugin, role, node, job] = exactly(key, names)?;
                let plugin = PluginId::known(plugin);
                self.remove_instance(&plugin, [role, node, job], at, touched);
            }
            Table::Job => {
                let [namespace, id] = exactly(key, names)?;
                let job = (Namespace::known(namespace), JobId::known(id));
                self.remove_job(&job, at, touched);
            }
            Table::Node => {
                let [id] = exactly(key, names)?;
                touched.nodes.insert(NodeId::known(id));
                self.nodes.remove(&NodeId::known(id));
            }
            Table::Namespace => {
                let [name] = exactly(key, names)?;
                touched.namespaces.insert(Namespace::known(name));
                self.namespaces.remove(&Namespace::known(name));
            }
            Table::Token | Table::Policy | Table::Role | Table::RoleName | Table::Bootstrap => {
                let [name] = exactly(key, names)?;
                self.acl.remove(table, name);
                touched.acl.insert(table);
            }
            Table::DataKey => {
                let [id] = exactly(key, names)?;
                let id = Uuid::parse_str(id).map_err(|error| unreadable(key, error))?;
                self.remove_data_key(id, at);
            }
        }
        Ok(())
    }

    /// Encodes what changed, and moves the indexes.
    pub(super) fn settle(&mut self, index: Index, touched: &Touched) {
        for id in &touched.plugins {
            self.show_plugin(id);
        }
        for key in &touched.volumes {
            self.show_volume(key);
        }
        if !touched.plugins.is_empty() {
            self.plugins_index = index;
        }
        if !(touched.volumes.is_empty() && touched.plugins.is_empty()) {
            self.volumes_index = index;
        }
        if !touched.operations.is_empty() {
            self.operations_index = index;
        }
        if !(touched.attachments.is_empty() && touched.claims.is_empty()) {
            self.claims_index = index;
        }
        if !touched.nodes.is_empty() {
            self.nodes_index = index;
        }
        if !touched.namespaces.is_empty() {
            self.namespaces_index = index;
        }
        self.acl.settle(index, &touched.acl);
        self.index = index;
    }
}

/// Whether this row can be read.
pub fn readable(key: &Key, row: &Row) -> Result<(), Unreadable> {
    State::default().put(key, row, &mut Touched::default())
}
