//! The tables, and how they are read.

use super::VolumeEntry;
use super::acl::Acl;
use super::claims::Claims;
use super::data_keys::DataKeys;
use crate::id::{ExternalId, JobId, Namespace, NodeId, PluginId, VolumeKey};
use crate::namespace::NamespaceRow;
use crate::node::Node;
use crate::operation::{Operation, Subject};
use crate::picture::Fragments;
use crate::plugin::{Plugin, PluginJob};
use crate::store::Index;
use crate::volume::Backing;
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;
use uuid::Uuid;

/// A row, and the commits that it is from.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// The row.
    pub row: T,
    /// The commit that first put it.
    pub created: Index,
    /// The commit that put it last.
    pub modified: Index,
}

/// Everything, at one index. Cloning shares all of it.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The newest commit in it.
    pub index: Index,
    /// The newest commit to a volume, a claim or a plugin.
    pub volumes_index: Index,
    /// The newest commit to a plugin.
    pub plugins_index: Index,
    /// The newest commit to an operation.
    pub operations_index: Index,
    /// The newest commit to a claim or an attachment, ended claims included.
    pub claims_index: Index,
    /// The newest commit to a node.
    pub nodes_index: Index,
    /// The newest commit to a namespace.
    pub namespaces_index: Index,
    pub(super) volumes: OrdMap<VolumeKey, Arc<VolumeEntry>>,
    pub(super) volumes_of: OrdMap<PluginId, OrdSet<VolumeKey>>,
    pub(super) backings: OrdMap<(PluginId, ExternalId), Arc<Stored<Backing>>>,
    pub(super) claims: Claims,
    pub(super) operations: OrdMap<Uuid, Arc<Stored<Operation>>>,
    pub(super) doing: OrdMap<Subject, Uuid>,
    pub(super) doing_at: OrdMap<(PluginId, ExternalId), OrdSet<Uuid>>,
    /// How many operations of each plugin are under way.
    pub(super) doing_of: OrdMap<PluginId, usize>,
    pub(super) plugins: OrdMap<PluginId, Arc<Plugin>>,
    pub(super) fragments: OrdMap<PluginId, Arc<Fragments>>,
    pub(super) jobs: OrdMap<(Namespace, JobId), Arc<Stored<PluginJob>>>,
    pub(super) nodes: OrdMap<NodeId, Arc<Stored<Node>>>,
    pub(super) namespaces: OrdMap<Namespace, Arc<Stored<NamespaceRow>>>,
    pub(super) acl: Acl,
    pub(super) data_keys: DataKeys,
}

impl State {
    /// Nothing at all, where everything changed at this index: all that there was is gone.
    pub fn emptied_at(index: Index) -> Self {
        Self {
            index,
            volumes_index: index,
            plugins_index: index,
            operations_index: index,
            claims_index: index,
            nodes_index: index,
            namespaces_index: index,
            acl: Acl::emptied_at(index),
            ..Self::default()
        }
    }

    /// A volume.
    pub fn volume(&self, key: &VolumeKey) -> Option<&Arc<VolumeEntry>> {
        self.volumes.get(key)
    }

    /// The volumes of a plugin, by namespace and id.
    pub fn volumes_of(&self, plugin: &PluginId) -> OrdSet<VolumeKey> {
        self.volumes_of.get(plugin).cloned().unwrap_or_default()
    }

    /// Which volumes stand for a backing store.
    pub fn backing(&self, plugin: &PluginId, external: &ExternalId) -> Option<&Stored<Backing>> {
        self.backings
            .get(&(plugin.clone(), external.clone()))
            .map(Arc::as_ref)
    }

    /// An operation, under way or ended.
    pub fn operation(&self, id: Uuid) -> Option<&Arc<Stored<Operation>>> {
        self.operations.get(&id)
    }

    /// All operations, under way or ended.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<Stored<Operation>>> {
        self.operations.values()
    }

    /// The operation that is under way on a subject.
    pub fn doing(&self, subject: &Subject) -> Option<&Arc<Stored<Operation>>> {
        self.operations.get(self.doing.get(subject)?)
    }

    /// All operations that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Arc<Stored<Operation>>> {
        self.doing.values().filter_map(|id| self.operations.get(id))
    }

    /// How many operations of a plugin are under way.
    pub fn under_way_of(&self, plugin: &PluginId) -> usize {
        self.doing_of.get(plugin).copied().unwrap_or(0)
    }

    /// The operations that are under way on a backing store. Creations have none yet.
    pub fn under_way_at(
        &self,
        plugin: &PluginId,
        external: &ExternalId,
    ) -> impl Iterator<Item = &Arc<Stored<Operation>>> {
        let at = (plugin.clone(), external.clone());
        let ids = self.doing_at.get(&at).into_iter().flatten();
        ids.filter_map(|id| self.operations.get(id))
    }

    /// How many operations have ended and can be read.
    pub fn ended_count(&self) -> usize {
        self.operations.len() - self.doing.len()
    }

    /// A plugin.
    pub fn plugin(&self, id: &PluginId) -> Option<&Arc<Plugin>> {
        self.plugins.get(id)
    }

    /// All plugins, by id.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// What volumes show of a plugin, encoded.
    pub fn fragments(&self, plugin: &PluginId) -> Option<&Arc<Fragments>> {
        self.fragments.get(plugin)
    }

    /// A plugin job.
    pub fn job(&self, namespace: &Namespace, id: &JobId) -> Option<&Stored<PluginJob>> {
        self.jobs
            .get(&(namespace.clone(), id.clone()))
            .map(Arc::as_ref)
    }

    /// All plugin jobs, by namespace and id.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Stored<PluginJob>>> {
        self.jobs.values()
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Stored<Node>>> {
        self.nodes.values()
    }

    /// A node.
    pub fn node(&self, id: &NodeId) -> Option<&Stored<Node>> {
        self.nodes.get(id).map(Arc::as_ref)
    }

    /// The host name of a node; empty if it is not known.
    pub fn name_of(&self, node: &NodeId) -> &str {
        self.node(node).map_or("", |stored| &stored.row.name)
    }

    /// The boot that a node is in; empty if it is not known.
    pub fn boot_of(&self, node: &NodeId) -> &str {
        self.node(node).map_or("", |stored| &stored.row.boot_id)
    }

    /// A namespace.
    pub fn namespace(&self, name: &Namespace) -> Option<&Stored<NamespaceRow>> {
        self.namespaces.get(name).map(Arc::as_ref)
    }

    /// All namespaces, by name.
    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Stored<NamespaceRow>>> {
        self.namespaces.values()
    }

    /// How many volumes there are.
    pub fn volume_count(&self) -> usize {
        self.volumes.len()
    }
}
