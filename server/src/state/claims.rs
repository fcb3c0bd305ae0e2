//! Claims and attachments in the tables: who uses what, where, and what is not at rest.

use super::{State, Stored, Touched};
use crate::attachment::{Attachment, AttachmentKey};
use crate::claim::{Claim, ClaimKey};
use crate::id::{AllocationId, ExternalId, Namespace, NodeId, PluginId, VolumeId, VolumeKey};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// The tables of claims and attachments.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    /// Those that are not at an end, those whose volumes were deregistered by force included.
    live: OrdMap<ClaimKey, Arc<Stored<Claim>>>,
    ended: OrdMap<ClaimKey, Arc<Stored<Claim>>>,
    on: OrdMap<NodeId, OrdSet<ClaimKey>>,
    attachments: OrdMap<AttachmentKey, Arc<Stored<Attachment>>>,
    attachments_on: OrdMap<NodeId, OrdSet<AttachmentKey>>,
    users: OrdMap<AttachmentKey, OrdSet<ClaimKey>>,
    restless: OrdSet<ClaimKey>,
    restless_attachments: OrdSet<AttachmentKey>,
}

impl State {
    /// The claims that hold a volume, by allocation.
    pub fn claims(&self, volume: &VolumeKey) -> impl Iterator<Item = &Claim> {
        self.claims_of(volume).map(|stored| &stored.row)
    }

    /// The claims that hold a volume, by allocation, with the commits that they are from.
    pub fn claims_of(&self, volume: &VolumeKey) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        of_volume(&self.claims.live, volume).filter(|stored| !stored.row.dropped)
    }

    /// A claim that is not at an end.
    pub fn claim(&self, claim: &ClaimKey) -> Option<&Arc<Stored<Claim>>> {
        self.claims.live.get(claim)
    }

    /// Whether a claim in a namespace is not at an end, those whose volumes were deregistered by force included.
    pub fn has_claims_in(&self, namespace: &Namespace) -> bool {
        let first = VolumeKey {
            namespace: namespace.clone(),
            id: VolumeId::known(""),
        };
        let mut claims = self.claims.live.range((first, AllocationId::known(""))..);
        claims
            .next()
            .is_some_and(|((volume, _), _)| &volume.namespace == namespace)
    }

    /// The claims on a node that are not at an end, by volume and allocation.
    pub fn claims_on(&self, node: &NodeId) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        let keys = self.claims.on.get(node).into_iter().flatten();
        keys.filter_map(|key| self.claims.live.get(key))
    }

    /// A claim that was released or that failed.
    pub fn ended_claim(&self, claim: &ClaimKey) -> Option<&Arc<Stored<Claim>>> {
        self.claims.ended.get(claim)
    }

    /// The claims of a volume that were released or that failed, by allocation.
    pub fn ended_claims_of(&self, volume: &VolumeKey) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        of_volume(&self.claims.ended, volume)
    }

    /// All claims that were released or that failed.
    pub fn ended_claims(&self) -> impl ExactSizeIterator<Item = &Arc<Stored<Claim>>> {
        self.claims.ended.values()
    }

    /// All claims, at an end or not.
    pub fn all_claims(&self) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        self.claims.live.values().chain(self.claims.ended.values())
    }

    /// An attachment.
    pub fn attachment(&self, key: &AttachmentKey) -> Option<&Arc<Stored<Attachment>>> {
        self.claims.attachments.get(key)
    }

    /// All attachments, by plugin, external id and node.
    pub fn attachments(&self) -> impl Iterator<Item = &Arc<Stored<Attachment>>> {
        self.claims.attachments.values()
    }

    /// The attachments of a backing store, by node.
    pub fn attachments_of(
        &self,
        plugin: &PluginId,
        external: &ExternalId,
    ) -> impl Iterator<Item = &Arc<Stored<Attachment>>> {
        let first = AttachmentKey {
            plugin: plugin.clone(),
            external_id: external.clone(),
            node: NodeId::known(""),
        };
        self.claims
            .attachments
            .range(first..)
            .take_while(move |(key, _)| &key.plugin == plugin && &key.external_id == external)
            .map(|(_, stored)| stored)
    }

    /// The attachments to a node, by plugin and external id.
    pub fn attachments_on(&self, node: &NodeId) -> impl Iterator<Item = &Arc<Stored<Attachment>>> {
        let keys = self.claims.attachments_on.get(node).into_iter().flatten();
        keys.filter_map(|key| self.claims.attachments.get(key))
    }

    /// The claims that use an attachment or wait for it, by volume and allocation.
    pub fn users(&self, attachment: &AttachmentKey) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        let keys = self.claims.users.get(attachment).into_iter().flatten();
        keys.filter_map(|key| self.claims.live.get(key))
    }

    /// The claims of a backing store, of whichever volume, that are not at an end.
    pub fn claims_of_backing(
        &self,
        plugin: &PluginId,
        external: &ExternalId,
    ) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        let first = AttachmentKey {
            plugin: plugin.clone(),
            external_id: external.clone(),
            node: NodeId::known(""),
        };
        self.claims
            .users
            .range(first..)
            .take_while(move |(key, _)| &key.plugin == plugin && &key.external_id == external)
            .flat_map(|(_, claims)| claims)
            .filter_map(|key| self.claims.live.get(key))
    }

    /// The claims for which something is to be done.
    pub fn restless_claims(&self) -> impl Iterator<Item = &Arc<Stored<Claim>>> {
        let keys = self.claims.restless.iter();
        keys.filter_map(|key| self.claims.live.get(key))
    }

    /// The attachments for which something is to be done.
    pub fn restless_attachments(&self) -> impl Iterator<Item = &Arc<Stored<Attachment>>> {
        let keys = self.claims.restless_attachments.iter();
        keys.filter_map(|key| self.claims.attachments.get(key))
    }
}

impl Claims {
    pub(super) fn put(&mut self, stored: Stored<Claim>, touched: &mut Touched) {
        let claim = &stored.row;
        let key = claim.key();
        touched.claims.insert(key.clone());
        if claim.ended_at.is_some() {
            self.ended.insert(key, Arc::new(stored));
            return;
        }
        let before = self.live.get(&key);
        if before.is_none_or(|before| !before.row.is_seen_like(claim)) && !claim.dropped {
            touched.volumes.insert(claim.volume.clone());
        }
        if before.is_none() {
            let attachment = self.users.entry(claim.attachment_key()).or_default();
            attachment.insert(key.clone());
            self.on
                .entry(claim.node.clone())
                .or_default()
                .insert(key.clone());
        }
        if claim.is_at_rest() {
            self.restless.remove(&key);
        } else {
            self.restless.insert(key.clone());
        }
        self.live.insert(key, Arc::new(stored));
    }

    /// Removes a live claim. `dropped` says which of its two rows went: one that became the other
    /// stays.
    pub(super) fn remove(&mut self, key: &ClaimKey, dropped: bool, touched: &mut Touched) {
        if !dropped {
            touched.volumes.insert(key.0.clone());
        }
        let Some(gone) = self.live.get(key).map(|stored| stored.row.clone()) else {
            return;
        };
        if gone.dropped != dropped {
            return;
        }
        self.live.remove(key);
        self.restless.remove(key);
        touched.claims.insert(key.clone());
        forget(&mut self.users, &gone.attachment_key(), key);
        forget(&mut self.on, &gone.node, key);
    }

    pub(super) fn remove_ended(&mut self, key: &ClaimKey, touched: &mut Touched) {
        self.ended.remove(key);
        touched.claims.insert(key.clone());
    }

    pub(super) fn put_attachment(&mut self, stored: Stored<Attachment>, touched: &mut Touched) {
        let key = stored.row.key.clone();
        self.touch(&key, touched);
        self.attachments_on
            .entry(key.node.clone())
            .or_default()
            .insert(key.clone());
        if stored.row.is_at_rest() {
            self.restless_attachments.remove(&key);
        } else {
            self.restless_attachments.insert(key.clone());
        }
        self.attachments.insert(key, Arc::new(stored));
    }

    pub(super) fn remove_attachment(&mut self, key: &AttachmentKey, touched: &mut Touched) {
        self.touch(key, touched);
        self.attachments.remove(key);
        self.restless_attachments.remove(key);
        forget(&mut self.attachments_on, &key.node, key);
    }

    /// The claims that differ between these tables and later ones, or whose attachments do.
    pub(super) fn differences(&self, later: &Claims, touched: &mut Touched) {
        let all = |claims: &Claims| {
            let keys = claims.live.keys().chain(claims.ended.keys());
            keys.cloned().collect::<Vec<_>>()
        };
        let shown = |claims: &Claims, key: &ClaimKey| {
            let live = claims.live.get(key);
            let attachment = live.and_then(|live| {
                let attachment = claims.attachments.get(&live.row.attachment_key())?;
                Some(attachment.modified)
            });
            let modified = |stored: &Arc<Stored<Claim>>| stored.modified;
            let ended = claims.ended.get(key).map(modified);
            (live.map(modified), ended, attachment)
        };
        for key in all(self).into_iter().chain(all(later)) {
            if shown(self, &key) != shown(later, &key) {
                touched.claims.insert(key);
            }
        }
        let attachments = self.attachments.keys().chain(later.attachments.keys());
        for key in attachments {
            let of = |claims: &Claims| claims.attachments.get(key).map(|row| row.modified);
            if of(self) != of(later) {
                touched.attachments.insert(key.clone());
            }
        }
    }

    fn touch(&self, key: &AttachmentKey, touched: &mut Touched) {
        touched.attachments.insert(key.clone());
        let users = self.users.get(key).into_iter().flatten();
        touched.claims.extend(users.cloned());
    }
}

/// The rows of a volume, by allocation.
fn of_volume<'s>(
    table: &'s OrdMap<ClaimKey, Arc<Stored<Claim>>>,
    volume: &VolumeKey,
) -> impl Iterator<Item = &'s Arc<Stored<Claim>>> {
    let first = (volume.clone(), AllocationId::known(""));
    table
        .range(first..)
        .take_while(move |((claimed, _), _)| claimed == volume)
        .map(|(_, stored)| stored)
}

/// Takes a member out of a set, and the set out of the table once it is empty.
pub(super) fn forget<Name: Ord + Clone, Member: Ord + Clone>(
    table: &mut OrdMap<Name, OrdSet<Member>>,
    name: &Name,
    member: &Member,
) {
    if let Some(members) = table.get_mut(name) {
        members.remove(member);
        if members.is_empty() {
            table.remove(name);
        }
    }
}
