//! What a reader waits for.

use super::{State, Touched};
use crate::claim::ClaimKey;
use crate::id::{Namespace, NodeId, PluginId, VolumeKey};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The rows that an answer shows. Readers with equal interests share one wake-up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// One volume, with what it shows of its plugin.
    Volume(VolumeKey),
    /// One plugin.
    Plugin(PluginId),
    /// One operation.
    Operation(Uuid),
    /// One claim, with its attachment.
    Claim(ClaimKey),
    /// The claims of one volume, with their attachments.
    Claims(VolumeKey),
    /// One node, with the plugins there.
    Node(NodeId),
    /// The claims on one node, and the plugins there.
    Allocations(NodeId),
    /// All nodes.
    Nodes,
    /// All namespaces.
    Namespaces,
    /// The volumes of a query, with what they show of their plugins.
    Volumes(VolumeQuery),
    /// The plugins whose id begins with this.
    Plugins(String),
    /// All tokens, policies and roles.
    AccessControl,
}

/// Which volumes a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VolumeQuery {
    /// In this namespace; `None`: in all.
    pub namespace: Option<Namespace>,
    /// In these namespaces; `None`: in all.
    pub among: Option<BTreeSet<Namespace>>,
    /// Whose id begins with this.
    pub prefix: String,
    /// Of this plugin.
    pub plugin: Option<PluginId>,
    /// Claimed on a node whose id begins with this, in lower case.
    pub node: Option<String>,
}

impl VolumeQuery {
    /// Whether a namespace is one that it looks into, whichever it names.
    pub(super) fn is_among(&self, namespace: &Namespace) -> bool {
        self.among
            .as_ref()
            .is_none_or(|among| among.contains(namespace))
    }

    /// Whether a volume is shown.
    pub fn shows(&self, state: &State, key: &VolumeKey) -> bool {
        let Some(entry) = state.volume(key) else {
            return false;
        };
        let claimed_on = |prefix: &String| {
            state
                .claims(key)
                .any(|claim| claim.node.as_str().starts_with(prefix))
        };
        self.namespace
            .as_ref()
            .is_none_or(|namespace| namespace == &key.namespace)
            && self.is_among(&key.namespace)
            && key.id.as_str().starts_with(&self.prefix)
            && self
                .plugin
                .as_ref()
                .is_none_or(|plugin| plugin == &entry.plugin)
            && self.node.as_ref().is_none_or(claimed_on)
    }
}

impl Interest {
    /// Whether it is about a set of rows rather than one.
    pub(super) fn is_broad(&self) -> bool {
        match self {
            Interest::Volume(_)
            | Interest::Plugin(_)
            | Interest::Operation(_)
            | Interest::Claim(_)
            | Interest::Claims(_)
            | Interest::Node(_) => false,
            // found by no name that a commit tells
            Interest::Allocations(_) => true,
            Interest::Volumes(_)
            | Interest::Plugins(_)
            | Interest::Nodes
            | Interest::Namespaces
            | Interest::AccessControl => true,
        }
    }

    /// Whether a commit changed what it is about.
    pub(super) fn is_touched(&self, before: &State, after: &State, touched: &Touched) -> bool {
        match self {
            Interest::Volume(key) => {
                let plugin_touched = |state: &State| {
                    state
                        .volume(key)
                        .is_some_and(|entry| touched.plugins.contains(&entry.plugin))
                };
                touched.volumes.contains(key) || plugin_touched(after)
            }
            Interest::Plugin(id) => touched.plugins.contains(id),
            Interest::Operation(id) => touched.operations.contains(id),
            Interest::Claim(key) => touched.claims.contains(key),
            Interest::Claims(volume) => touched.claims.iter().any(|(of, _)| of == volume),
            Interest::Node(id) => touches_node(id, before, after, touched),
            Interest::Allocations(node) => {
                let is_there = |claim: &ClaimKey| {
                    let mut claims = [before.claim(claim), after.claim(claim)]
                        .into_iter()
                        .flatten();
                    claims.any(|stored| &stored.row.node == node)
                };
                touched.claims.iter().any(is_there) || touches_node(node, before, after, touched)
            }
            Interest::Nodes => !touched.nodes.is_empty(),
            Interest::Namespaces => !touched.namespaces.is_empty(),
            Interest::AccessControl => !touched.acl.is_empty(),
            Interest::Plugins(prefix) => touched
                .plugins
                .iter()
                .any(|id| id.as_str().starts_with(prefix)),
            Interest::Volumes(query) => {
                let shown = |key: &VolumeKey| query.shows(before, key) || query.shows(after, key);
                let plugin_shown = |id: &PluginId| {
                    query.plugin.as_ref().is_none_or(|wanted| wanted == id)
                        && after
                            .volumes_of(id)
                            .iter()
                            .any(|key| query.shows(after, key))
                };
                touched.volumes.iter().any(shown) || touched.plugins.iter().any(plugin_shown)
            }
        }
    }
}

/// Whether a commit changed a node or a plugin there.
fn touches_node(id: &NodeId, before: &State, after: &State, touched: &Touched) -> bool {
    let is_there = |plugin: &PluginId| {
        let plugins = [before.plugin(plugin), after.plugin(plugin)];
        let mut instances = plugins.into_iter().flatten().flat_map(|it| &it.instances);
        instances.any(|instance| &instance.row.node == id)
    };
    touched.nodes.contains(id) || touched.plugins.iter().any(is_there)
}
