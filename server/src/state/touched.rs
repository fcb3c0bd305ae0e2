//! What a commit changed.

use crate::attachment::AttachmentKey;
use crate::claim::ClaimKey;
use crate::id::{Namespace, NodeId, PluginId, VolumeKey};
use crate::store::keys::Table;
use std::collections::BTreeSet;
use uuid::Uuid;

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
    /// Namespaces that changed, came or went.
    pub namespaces: BTreeSet<Namespace>,
    /// The tables of access control in which something changed.
    pub acl: BTreeSet<Table>,
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
        self.namespaces.extend(later.namespaces.iter().cloned());
        self.acl.extend(&later.acl);
    }
}
