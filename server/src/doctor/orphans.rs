//! Where what is registered and what a driver has differ.
//!
//! A driver's list is as of some moment between two states, so only what both states agree on counts.

use super::finding::{Finding, Kind, request};
use super::listing::{Listed, Listing};
use crate::attachment::{AttachmentKey, Stage};
use crate::id::{ExternalId, NodeId, PluginId, VolumeKey};
use crate::operation::{self, Operation, Progress, Subject};
use crate::plugin::Role;
use crate::state::State;
use std::collections::BTreeSet;

/// What this plugin's list tells. `before` and `after`: the state when it was asked, and when it had
/// answered.
pub(super) fn find(before: &State, after: &State, listing: &Listing) -> Vec<Finding> {
    let compared = Compared {
        before,
        after,
        plugin: &listing.plugin,
    };
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(listing.silence.as_ref().map(|why| compared.silent(why)));
    for listed in &listing.volumes {
        if compared.is_registered(&listed.external_id) {
            findings.extend(compared.publications(listed));
        } else {
            findings.push(compared.unregistered(listed));
        }
    }
    let is_orphan = |finding: &Finding| finding.kind == Kind::UnregisteredVolume;
    if listing.is_complete() {
        findings.extend(compared.missing(listing));
    }
    if !listing.is_complete() || findings.iter().any(is_orphan) {
        findings.extend(compared.abandoned().map(Compared::abandoned_create));
    }
    findings
}

struct Compared<'a> {
    before: &'a State,
    after: &'a State,
    plugin: &'a PluginId,
}

impl<'a> Compared<'a> {
    fn silent(&self, why: &str) -> Finding {
        let plugin = self.plugin.as_str();
        Finding::of(
            Kind::SilentDriver,
            self.plugin,
            format!(
                "the driver of plugin {plugin:?} did not say all that it has, so orphans may not be seen: {why}"
            ),
            format!("see what is wrong with it: GET /v1/plugin/csi/{plugin}, and its log"),
        )
    }

    /// Whether a volume stands for this, or did a moment ago.
    fn is_registered(&self, external_id: &ExternalId) -> bool {
        let is_in = |state: &State| state.backing(self.plugin, external_id).is_some();
        is_in(self.before) || is_in(self.after)
    }

    fn unregistered(&self, listed: &Listed) -> Finding {
        let (plugin, id) = (self.plugin.as_str(), listed.external_id.as_str());
        let mut meaning = format!(
            "the driver of plugin {plugin:?} has volume {id:?}, which nobody registered: an orphan, or somebody else's"
        );
        if !listed.nodes.is_empty() {
            meaning += &format!("; it is attached to {}", listed.nodes.join(", "));
        }
        let left_by = self
            .abandoned()
            .find(|create| id.contains(&create.csi_name));
        if let Some(create) = left_by {
            meaning += &format!("; the {}, which was given up, left it", create.describe());
        } else if self.is_creating() {
            meaning += "; or it was made by a create that is under way";
        }
        let remedy = format!(
            "to use it, register it: PUT /v1/volume/csi/<ID> with PluginID {plugin:?} and ExternalID {id:?}; \
             to destroy it and its data, register it and then DELETE /v1/volume/csi/<ID>/delete"
        );
        Finding {
            external_id: Some(listed.external_id.clone()),
            operation: left_by.map(|create| create.id),
            ..Finding::of(Kind::UnregisteredVolume, self.plugin, meaning, remedy)
        }
    }

    /// Where this is attached although nobody claimed it there.
    fn publications(&self, listed: &Listed) -> impl Iterator<Item = Finding> {
        let external_id = &listed.external_id;
        let foreign = listed
            .nodes
            .iter()
            .filter(|node| !self.is_attached(external_id, node));
        foreign.filter_map(|node| {
            let (plugin, id) = (self.plugin.as_str(), external_id.as_str());
            let volume = self.volume(external_id)?;
            let here = self.node(node);
            let shown = here.as_ref().map_or(node.as_str(), NodeId::as_str);
            let remedy = match here {
                Some(_) => format!(
                    "to take it away, claim the volume there and release the claim: {} with NodeID {shown:?}, \
                     then {}; if somebody else put it there, ask him",
                    request("PUT", &volume, "/claim"),
                    request("DELETE", &volume, "/claim/<AllocationID>"),
                ),
                None => "the node is not known here: ask who put it there, or detach it with the storage's own tools"
                    .to_owned(),
            };
            let meaning = format!(
                "the driver of plugin {plugin:?} says that {id:?} is attached to node {shown}, where nobody has claimed it"
            );
            Some(Finding {
                volume: Some(volume),
                external_id: Some(external_id.clone()),
                node: Some(shown.to_owned()),
                ..Finding::of(Kind::ForeignPublication, self.plugin, meaning, remedy)
            })
        })
    }

    fn is_attached(&self, external_id: &ExternalId, node: &str) -> bool {
        [self.before, self.after].into_iter().any(|state| {
            let mut attachments = state.attachments_of(self.plugin, external_id);
            attachments.any(|attachment| {
                let row = &attachment.row;
                row.external_node_id == node && row.stage != Stage::Detached
            })
        }) || self.node(node).is_some_and(|here| {
            let key = AttachmentKey {
                plugin: self.plugin.clone(),
                external_id: external_id.clone(),
                node: here,
            };
            [self.before, self.after]
                .into_iter()
                .filter_map(|state| state.attachment(&key))
                .any(|attachment| attachment.row.stage != Stage::Detached)
        })
    }

    /// The node that the driver calls so.
    fn node(&self, external: &str) -> Option<NodeId> {
        let plugin = self.after.plugin(self.plugin)?;
        let mut nodes = plugin.of_role(Role::Node);
        let found = nodes.find(|instance| {
            let said = instance.fingerprint.as_ref();
            said.and_then(|said| said.node.as_ref())
                .is_some_and(|node| node.id == external)
        });
        found.map(|instance| instance.node.clone())
    }

    /// The first volume that stands for this.
    fn volume(&self, external_id: &ExternalId) -> Option<VolumeKey> {
        let backing = self.after.backing(self.plugin, external_id)?;
        backing.row.volumes.first().cloned()
    }

    /// The volumes that the driver, which told all, does not have.
    fn missing(&self, listing: &Listing) -> Vec<Finding> {
        let listed = listing.volumes.iter();
        let listed: BTreeSet<&str> = listed.map(|it| it.external_id.as_str()).collect();
        let keys = self.after.volumes_of(self.plugin);
        let registered = keys.iter().filter_map(|key| {
            let is_settled = |state: &State| state.doing(&Subject::Volume(key.clone())).is_none();
            let (before, after) = (self.before.volume(key)?, self.after.volume(key)?);
            let external_id = after.stored().row.remote_id();
            let is_old = before.stored().row.remote_id() == external_id;
            let is_missing = is_old
                && is_settled(self.before)
                && is_settled(self.after)
                && !listed.contains(external_id.as_str());
            is_missing.then_some((key, external_id))
        });
        registered
            .map(|(key, external_id)| {
                let meaning = format!(
                    "the driver of plugin {:?} listed all that it has, and not {:?}, which is volume {:?} here",
                    self.plugin.as_str(),
                    external_id.as_str(),
                    key.id.as_str()
                );
                let remedy = format!(
                    "look for it at the storage; if it is gone for good, forget it: {}",
                    request("DELETE", key, "")
                );
                Finding {
                    volume: Some(key.clone()),
                    external_id: Some(external_id),
                    ..Finding::of(Kind::MissingVolume, self.plugin, meaning, remedy)
                }
            })
            .collect()
    }

    /// The creates of the plugin that were given up.
    fn abandoned(&self) -> impl Iterator<Item = &'a Operation> {
        let plugin = self.plugin;
        let all = self.after.operations().map(|stored| &stored.row);
        all.filter(move |row| {
            &row.plugin == plugin
                && matches!(row.kind, operation::Kind::Create(_))
                && matches!(row.progress, Progress::Abandoned(_))
        })
    }

    fn is_creating(&self) -> bool {
        let is_create = |row: &Operation| {
            &row.plugin == self.plugin && matches!(row.kind, operation::Kind::Create(_))
        };
        [self.before, self.after].into_iter().any(|state| {
            let mut under_way = state.under_way();
            under_way.any(|stored| is_create(&stored.row))
        })
    }

    fn abandoned_create(create: &Operation) -> Finding {
        let name = create.csi_name.as_str();
        let reason = match &create.progress {
            Progress::Abandoned(reason) => reason.as_str(),
            _ => "",
        };
        let meaning = format!(
            "the {} was given up: {reason}; the storage may have made the volume all the same, under the name {name:?}",
            create.describe()
        );
        let remedy = format!(
            "look at the storage for {name:?}; to use what you find, register it with its ExternalID: \
             PUT /v1/volume/csi/<ID>; to destroy it, register it and then DELETE /v1/volume/csi/<ID>/delete"
        );
        Finding {
            volume: create.volume().cloned(),
            operation: Some(create.id),
            since: create.ended_at,
            ..Finding::of(Kind::AbandonedCreate, &create.plugin, meaning, remedy)
        }
    }
}
