//! How a commit changes the tables.

use super::{State, Stored, VolumeEntry};
use crate::attachment::AttachmentKey;
use crate::claim::{Claim, ClaimKey};
use crate::id::{
    AllocationId, ExternalId, JobId, Namespace, NodeId, PluginId, SnapshotId, VolumeId, VolumeKey,
};
use crate::namespace::NamespaceRow;
use crate::node::Node;
use crate::operation::{Kind, Operation, Subject};
use crate::picture::{Fragments, VolumePicture};
use crate::plugin::{Instance, Plugin, PluginJob};
use crate::store::keys::Table;
use crate::store::{Change, Index, Key, Row, Snapshot};
use crate::volume::Volume;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// A row that is not what its key says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("row {key}: {detail}")]
pub struct Unreadable {
    /// Its key.
    pub key: Key,
    /// What is wrong with it.
    pub detail: String,
}

/// What a commit changed, for who waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Volumes that changed, came or went, or whose claims did as far as volumes show them.
    pub volumes: BTreeSet<VolumeKey>,
    /// Plugins whose jobs or instances changed, came or went.
    pub plugins: BTreeSet<PluginId>,
    /// Operations that changed, came or went.
    pub operations: BTreeSet<Uuid>,
    /// Claims that changed, came, ended or went, or whose attachments did.
    pub claims: BTreeSet<ClaimKey>,
    /// Attachments that changed, came or went.
    pub attachments: BTreeSet<AttachmentKey>,
    /// Nodes that changed or came.
    pub nodes: BTreeSet<NodeId>,
}

impl Touched {
    /// Adds what a later commit touched.
    pub fn extend(&mut self, later: &Touched) {
        self.volumes.extend(later.volumes.iter().cloned());
        self.plugins.extend(later.plugins.iter().cloned());
        self.operations.extend(&later.operations);
        self.claims.extend(later.claims.iter().cloned());
        self.attachments.extend(later.attachments.iter().cloned());
        self.nodes.extend(later.nodes.iter().cloned());
    }
}

impl State {
    /// The tables as a snapshot of the store has them.
    pub fn of(snapshot: Snapshot) -> Result<State, Unreadable> {
        let mut state = State::default();
        let mut touched = Touched::default();
        for (key, row) in snapshot.rows {
            state.put(&key, &row, &mut touched)?;
        }
        state.settle(snapshot.index, &touched);
        Ok(state)
    }

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

    /// What differs between these tables and later ones.
    pub fn differences(&self, later: &State) -> Touched {
        let modified = |state: &State, key: &VolumeKey| {
            state.volumes.get(key).map(|entry| entry.stored.modified)
        };
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
            attachments: BTreeSet::new(),
            claims: BTreeSet::new(),
        };
        self.claims.differences(&later.claims, &mut touched);
        touched
    }

    fn put(&mut self, key: &Key, row: &Row, touched: &mut Touched) -> Result<(), Unreadable> {
        let (table, _) = parts(key)?;
        match table {
            Table::Volume => {
                let stored: Stored<Volume> = read(key, row)?;
                let volume = stored.row.key.clone();
                self.forget_plugin_of(&volume);
                let plugin = stored.row.plugin.clone();
                self.volumes_of
                    .entry(plugin)
                    .or_default()
                    .insert(volume.clone());
                let entry = VolumeEntry {
                    stored,
                    picture: VolumePicture::default(),
                };
                self.volumes.insert(volume.clone(), Arc::new(entry));
                touched.volumes.insert(volume);
            }
            Table::Backing => {
                let (_, at) = parts(key)?;
                let [plugin, external] = exactly(key, &at)?;
                let at = (PluginId::known(plugin), ExternalId::known(external));
                self.backings.insert(at, Arc::new(read(key, row)?));
            }
            Table::Claim | Table::DroppedClaim | Table::EndedClaim => {
                let stored: Stored<Claim> = read(key, row)?;
                self.claims.put(stored, touched);
            }
            Table::Attachment => {
                self.claims.put_attachment(read(key, row)?, touched);
            }
            Table::Doing | Table::DoingSnapshot | Table::Ended => {
                let stored: Stored<Operation> = read(key, row)?;
                let operation = &stored.row;
                touched.operations.insert(operation.id);
                if !operation.progress.has_ended() {
                    let known = self.doing.insert(operation.subject.clone(), operation.id);
                    touched.volumes.extend(
                        operation
                            .volume()
                            .filter(|_| known.is_none() && operation.kind == Kind::Delete)
                            .cloned(),
                    );
                }
                self.operations.insert(operation.id, Arc::new(stored));
            }
            Table::Instance => {
                let stored: Stored<Instance> = read(key, row)?;
                let modified = stored.modified;
                let plugin = self.plugin_to_change(&stored.row.plugin, modified, touched);
                let same = |other: &Arc<Stored<Instance>>| {
                    let (a, b) = (&other.row, &stored.row);
                    (a.role, &a.node, &a.job) == (b.role, &b.node, &b.job)
                };
                plugin.instances.retain(|other| !same(other));
                plugin.instances.push(Arc::new(stored));
                plugin.instances.sort_by(|a, b| {
                    let order = |s: &Arc<Stored<Instance>>| {
                        (s.row.role, s.row.node.clone(), s.row.job.clone())
                    };
                    order(a).cmp(&order(b))
                });
            }
            Table::Job => {
                let stored: Arc<Stored<PluginJob>> = Arc::new(read(key, row)?);
                let job = &stored.row;
                let at = (job.namespace.clone(), job.id.clone());
                self.forget_job(&at, stored.modified, touched);
                let plugin = self.plugin_to_change(&job.plugin, stored.modified, touched);
                plugin.jobs.push(Arc::clone(&stored));
                plugin.jobs.sort_by(|a, b| {
                    (&a.row.namespace, &a.row.id).cmp(&(&b.row.namespace, &b.row.id))
                });
                self.jobs.insert(at, stored);
            }
            Table::Node => {
                let stored: Stored<Node> = read(key, row)?;
                touched.nodes.insert(stored.row.id.clone());
                self.nodes.insert(stored.row.id.clone(), Arc::new(stored));
            }
            Table::Namespace => {
                let stored: Stored<NamespaceRow> = read(key, row)?;
                self.namespaces
                    .insert(stored.row.name.clone(), Arc::new(stored));
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: &Key, at: Index, touched: &mut Touched) -> Result<(), Unreadable> {
        let (table, names) = parts(key)?;
        match table {
            Table::Volume => {
                let volume = volume_key(key, &names)?;
                self.forget_plugin_of(&volume);
                self.volumes.remove(&volume);
                touched.volumes.insert(volume);
            }
            Table::Backing => {
                let [plugin, external] = exactly(key, &names)?;
                self.backings
                    .remove(&(PluginId::known(plugin), ExternalId::known(external)));
            }
            Table::Claim | Table::DroppedClaim => {
                let dropped = table == Table::DroppedClaim;
                self.claims
                    .remove(&claim_key(key, &names)?, dropped, touched);
            }
            Table::EndedClaim => {
                self.claims.remove_ended(&claim_key(key, &names)?, touched);
            }
            Table::Attachment => {
                let [plugin, external, node] = exactly(key, &names)?;
                let attachment = AttachmentKey {
                    plugin: PluginId::known(plugin),
                    external_id: ExternalId::known(external),
                    node: NodeId::known(node),
                };
                self.claims.remove_attachment(&attachment, touched);
            }
            Table::Doing => {
                let volume = volume_key(key, &names)?;
                if self.is_being_deleted(&volume) {
                    touched.volumes.insert(volume.clone());
                }
                self.doing.remove(&Subject::Volume(volume));
            }
            Table::DoingSnapshot => {
                let [plugin, snapshot] = exactly(key, &names)?;
                self.doing.remove(&Subject::Snapshot(
                    PluginId::known(plugin),
                    SnapshotId::known(snapshot),
                ));
            }
            Table::Ended => {
                let [id] = exactly(key, &names)?;
                let id = Uuid::parse_str(id).map_err(|error| unreadable(key, error))?;
                self.operations.remove(&id);
                touched.operations.insert(id);
            }
            Table::Instance => {
                let [plugin, role, node, job] = exactly(key, &names)?;
                let plugin = self.plugin_to_change(&PluginId::known(plugin), at, touched);
                plugin.instances.retain(|stored| {
                    let row = &stored.row;
                    (row.role.as_str(), row.node.as_str(), row.job.as_str()) != (role, node, job)
                });
            }
            Table::Job => {
                let [namespace, id] = exactly(key, &names)?;
                let job = (Namespace::known(namespace), JobId::known(id));
                self.forget_job(&job, at, touched);
                self.jobs.remove(&job);
            }
            Table::Node => {
                let [id] = exactly(key, &names)?;
                touched.nodes.insert(NodeId::known(id));
                self.nodes.remove(&NodeId::known(id));
            }
            Table::Namespace => {
                let [name] = exactly(key, &names)?;
                self.namespaces.remove(&Namespace::known(name));
            }
        }
        Ok(())
    }

    /// Encodes what changed, drops plugins that nothing speaks for, and moves the indexes.
    fn settle(&mut self, index: Index, touched: &Touched) {
        for id in &touched.plugins {
            match self.plugins.get(id) {
                Some(plugin) if plugin.is_gone() => {
                    self.plugins.remove(id);
                    self.fragments.remove(id);
                }
                Some(plugin) => {
                    let fragments = Fragments::of(plugin);
                    self.fragments.insert(id.clone(), Arc::new(fragments));
                }
                None => {}
            }
        }
        for key in &touched.volumes {
            let Some(entry) = self.volumes.get(key) else {
                continue;
            };
            let being_deleted = self.is_being_deleted(key);
            let entry = VolumeEntry {
                stored: entry.stored.clone(),
                picture: VolumePicture::of(self, &entry.stored, being_deleted),
            };
            self.volumes.insert(key.clone(), Arc::new(entry));
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
        self.index = index;
    }

    fn is_being_deleted(&self, volume: &VolumeKey) -> bool {
        self.doing(&Subject::Volume(volume.clone()))
            .is_some_and(|doing| doing.row.kind == Kind::Delete)
    }

    fn forget_plugin_of(&mut self, volume: &VolumeKey) {
        let Some(old) = self.volumes.get(volume) else {
            return;
        };
        let plugin = old.stored.row.plugin.clone();
        if let Some(volumes) = self.volumes_of.get_mut(&plugin) {
            volumes.remove(volume);
            if volumes.is_empty() {
                self.volumes_of.remove(&plugin);
            }
        }
    }

    fn forget_job(&mut self, job: &(Namespace, JobId), at: Index, touched: &mut Touched) {
        let Some(old) = self.jobs.get(job).cloned() else {
            return;
        };
        let plugin = self.plugin_to_change(&old.row.plugin, at, touched);
        plugin
            .jobs
            .retain(|stored| (&stored.row.namespace, &stored.row.id) != (&job.0, &job.1));
    }

    fn plugin_to_change(&mut self, id: &PluginId, at: Index, touched: &mut Touched) -> &mut Plugin {
        touched.plugins.insert(id.clone());
        let plugin = self
            .plugins
            .entry(id.clone())
            .or_insert_with(|| Arc::new(Plugin::empty(id.clone(), at)));
        let plugin = Arc::make_mut(plugin);
        plugin.created = plugin.created.min(at);
        plugin.modified = plugin.modified.max(at);
        plugin
    }
}

fn read<T: DeserializeOwned>(key: &Key, row: &Row) -> Result<Stored<T>, Unreadable> {
    let value = serde_json::from_slice(&row.value).map_err(|error| unreadable(key, error))?;
    Ok(Stored {
        row: value,
        created: row.created,
        modified: row.modified,
    })
}

fn parts(key: &Key) -> Result<(Table, Vec<&str>), Unreadable> {
    Table::of(key).ok_or_else(|| unreadable(key, "no such table"))
}

fn exactly<'a, const N: usize>(key: &Key, names: &[&'a str]) -> Result<[&'a str; N], Unreadable> {
    names
        .try_into()
        .map_err(|_| unreadable(key, format!("{} parts, not {N}", names.len())))
}

fn volume_key(key: &Key, names: &[&str]) -> Result<VolumeKey, Unreadable> {
    let [namespace, id] = exactly(key, names)?;
    Ok(VolumeKey {
        namespace: Namespace::known(namespace),
        id: VolumeId::known(id),
    })
}

fn claim_key(key: &Key, names: &[&str]) -> Result<ClaimKey, Unreadable> {
    let [namespace, id, allocation] = exactly(key, names)?;
    let volume = volume_key(key, &[namespace, id])?;
    Ok((volume, AllocationId::known(allocation)))
}

fn unreadable(key: &Key, detail: impl ToString) -> Unreadable {
    Unreadable {
        key: key.clone(),
        detail: detail.to_string(),
    }
}
