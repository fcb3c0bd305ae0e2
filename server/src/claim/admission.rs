//! Whether a claim may be had: decided on one state, and committed with its volume.
//!
//! CSI's access modes say how many *nodes* may hold a volume, and only the two youngest how many users
//! there (`VolumeCapability.AccessMode`). So of the claims of one backing store:
//!
//! | mode | readers | writers |
//! |---|---|---|
//! | single-node-reader-only | any number on one node | none |
//! | single-node-writer | any number on one node | any number on the same node |
//! | single-node-single-writer | one claim in all | one claim in all |
//! | single-node-multi-writer | any number on one node | any number on the same node |
//! | multi-node-reader-only | any number on any node | none |
//! | multi-node-single-writer | any number on any node | any number on one node |
//! | multi-node-multi-writer | any number on any node | any number on any node |
//!
//! A driver may allow fewer: it is asked, and what it refuses fails the claim. A claim counts until its
//! row is gone, so until its attachment is taken down if it was the last there.

mod commit;

use super::place::{in_the_way, is_left, taken};
use super::{Claim, ClaimRequest, Stage};
use crate::control::ControlPlane;
use crate::csi::{AccessMode, MountOptions, Topology};
use crate::error::{Error, Fault, Result};
use crate::id::{AllocationId, NodeId, VolumeKey};
use crate::node::Node;
use crate::operation::{Kind, Subject};
use crate::plugin::Plugin;
use crate::state::{State, Stored};
use crate::store::Transaction;
use crate::volume::{Capability, Volume};
use std::collections::BTreeSet;

/// The commit that takes a claim. `request` names its allocation and its node.
pub(super) fn admit(
    cp: &ControlPlane,
    state: &State,
    key: &VolumeKey,
    allocation: &AllocationId,
    node: &NodeId,
    request: ClaimRequest,
) -> Result<Transaction> {
    let asked = Asked::at(state, key, allocation, node)?;
    asked.check_node()?;
    let capability = asked.capability(&request)?;
    asked.check_modes(capability, request.read_only)?;
    asked.check_room()?;
    asked.check_topology()?;
    let own = asked.volume.row.mount_options.open(cp, key)?;
    let mount_options = overlaid(&own, request.mount_options.as_ref());
    asked.check_sharing(cp, &request, &mount_options)?;
    let claim = asked.claim(cp, request, capability, mount_options)?;
    asked.check_place(&claim)?;
    asked.transaction(cp, claim)
}

/// What a claim is asked for, looked up.
struct Asked<'s> {
    state: &'s State,
    volume: Stored<Volume>,
    plugin: &'s Plugin,
    node: &'s Stored<Node>,
    allocation: &'s AllocationId,
}

impl<'s> Asked<'s> {
    fn at(
        state: &'s State,
        key: &VolumeKey,
        allocation: &'s AllocationId,
        node: &NodeId,
    ) -> Result<Self> {
        let about = |fault: Fault| Error::from(fault).volume(&key.id).claim(allocation);
        let volume = match state.volume(key) {
            Some(entry) => entry.stored(),
            None => return Err(about(Fault::VolumeNotFound(key.id.to_string()))),
        };
        let node = state
            .node(node)
            .ok_or_else(|| about(Fault::NodeNotFound(node.to_string())).node(node))?;
        let plugin = &volume.row.plugin;
        let plugin = state.plugin(plugin).ok_or_else(|| {
            about(Fault::PluginOfClaimNotFound(plugin.to_string())).plugin(plugin)
        })?;
        Ok(Self {
            state,
            volume,
            plugin,
            node,
            allocation,
        })
    }

    fn about(&self, fault: Fault) -> Error {
        Error::from(fault)
            .volume(&self.volume.row.key.id)
            .plugin(&self.plugin.id)
            .node(&self.node.row.id)
            .claim(self.allocation)
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        self.about(Fault::ClaimRefused {
            allocation: self.allocation.to_string(),
            volume: self.volume.row.key.id.to_string(),
            why: why.into(),
        })
    }

    fn key(&self) -> &VolumeKey {
        &self.volume.row.key
    }

    /// The claims of the volume's backing store, of whichever volume.
    fn others(&self) -> impl Iterator<Item = &'s Claim> {
        let external = self.volume.row.remote_id();
        let claims: Vec<_> = self
            .state
            .claims_of_backing(&self.volume.row.plugin, &external)
            .map(|stored| &stored.row)
            .collect();
        claims.into_iter()
    }

    /// Whether the node takes claims, and the plugin can serve the volume there.
    fn check_node(&self) -> Result<()> {
        let (plugin, node) = (&self.plugin.id, &self.node.row.id);
        if let Some(fenced) = &self.node.row.fenced {
            return Err(self.about(Fault::NodeFenced {
                node: node.to_string(),
                reason: fenced.reason.clone(),
            }));
        }
        let lacking = |how: &str| {
            let text = format!("CSI plugin {plugin} is {how} client {node}");
            Err(self.about(Fault::NoInstance(text)))
        };
        match self.plugin.node_instance(node) {
            None => return lacking("missing from"),
            Some(instance) if !instance.healthy => return lacking("unhealthy on"),
            Some(_) => {}
        }
        if let Some(doing) = self.state.doing(&Subject::Volume(self.key().clone()))
            && doing.row.kind == Kind::Delete
        {
            return Err(self
                .about(Fault::VolumeBusy {
                    volume: self.key().id.to_string(),
                    doing: doing.row.kind.word().to_owned(),
                    operation: doing.row.id.to_string(),
                })
                .operation(doing.row.id));
        }
        if !self.plugin.health().schedulable() || self.plugin.lacks_controller() {
            let refused = self.refused("volume is currently unschedulable");
            return Err(refused.map_fault(|fault| Fault::NoInstance(fault.to_string())));
        }
        Ok(())
    }

    /// How the volume is to be used: as asked. What the request leaves open is as the volume is used
    /// now, else as in the only way that fits.
    fn capability(&self, request: &ClaimRequest) -> Result<Capability> {
        let possible = self.possible();
        let fits = |capability: &Capability| {
            let Capability {
                access_mode,
                attachment_mode,
            } = capability;
            request
                .access_mode
                .is_none_or(|asked| asked == *access_mode)
                && request
                    .attachment_mode
                    .is_none_or(|asked| asked == *attachment_mode)
        };
        let fitting: Vec<_> = possible.iter().copied().filter(fits).collect();
        let current = self.others().next().map(|claim| claim.capability);
        let usual = current.filter(|current| fitting.contains(current));
        match (usual, fitting.as_slice()) {
            (Some(usual), _) => Ok(usual),
            (None, [only]) => Ok(*only),
            (None, []) => {
                let asked = [
                    request
                        .access_mode
                        .map(|mode| format!("access mode {mode}")),
                    request
                        .attachment_mode
                        .map(|mode| format!("attachment mode {mode}")),
                ];
                let asked: Vec<_> = asked.into_iter().flatten().collect();
                Err(self.refused(format!(
                    "{} is not among its requested capabilities",
                    asked.join(" with ")
                )))
            }
            (None, several) => {
                let text = format!(
                    "AccessMode and AttachmentMode have to be said: volume {:?} may be used in {} ways",
                    self.key().id.as_str(),
                    several.len()
                );
                Err(self.about(Fault::RefusedLocally(text)))
            }
        }
    }

    /// The ways in which the volume may be used now, and after a growth that is under way.
    fn possible(&self) -> Vec<Capability> {
        let mut possible = self.volume.row.capabilities.clone();
        if let Some(described) = self.described() {
            possible.retain(|capability| described.capabilities.contains(capability));
        }
        possible
    }

    /// The volume as a growth that is under way will store it.
    fn described(&self) -> Option<&'s Volume> {
        let doing = self.state.doing(&Subject::Volume(self.key().clone()))?;
        match &doing.row.kind {
            Kind::Expand(described) => Some(described),
            _ => None,
        }
    }

    /// Whether the mode allows this claim beside those that are there.
    fn check_modes(&self, capability: Capability, read_only: bool) -> Result<()> {
        let others: Vec<&Claim> = self.others().collect();
        for other in &others {
            if other.capability.attachment_mode != capability.attachment_mode {
                return Err(self.refused("cannot change attachment mode of claimed volume"));
            }
            if other.capability.access_mode != capability.access_mode {
                return Err(self.refused(format!(
                    "cannot change access mode of claimed volume: it is used as {}",
                    other.capability.access_mode
                )));
            }
        }
        let node = &self.node.row.id;
        let elsewhere = |claim: &&&Claim| &claim.node != node;
        let fits = match capability.access_mode {
            AccessMode::SingleNodeReaderOnly | AccessMode::MultiNodeReaderOnly if !read_only => {
                return Err(self.refused("volume is currently unschedulable"));
            }
            AccessMode::SingleNodeReaderOnly
            | AccessMode::SingleNodeWriter
            | AccessMode::SingleNodeMultiWriter => others.iter().find(elsewhere).is_none(),
            AccessMode::SingleNodeSingleWriter => others.is_empty(),
            AccessMode::MultiNodeSingleWriter => {
                let writers = others.iter().filter(|claim| !claim.read_only);
                read_only || writers.into_iter().find(elsewhere).is_none()
            }
            AccessMode::MultiNodeReaderOnly | AccessMode::MultiNodeMultiWriter => true,
        };
        match fits {
            true => Ok(()),
            false => Err(self.refused("volume max claims reached")),
        }
    }

    /// Whether the node has room for one volume more of this plugin. The driver has the last word, so
    /// nothing guards this number.
    fn check_room(&self) -> Result<()> {
        let (plugin, node) = (&self.plugin.id, &self.node.row.id);
        let most = self
            .plugin
            .node_info(node)
            .map_or(i64::MAX, |info| info.max_volumes);
        if most <= 0 || most == i64::MAX {
            return Ok(());
        }
        let external = self.volume.row.remote_id();
        let others = self
            .state
            .attachments_on(node)
            .filter(|other| {
                &other.row.key.plugin == plugin && other.row.key.external_id != external
            })
            .count();
        if i64::try_from(others).unwrap_or(i64::MAX) < most {
            return Ok(());
        }
        Err(self.refused(format!(
            "CSI plugin {plugin} has the maximum number of volumes on client {node}"
        )))
    }

    /// Whether the volume can be reached from where the node is.
    fn check_topology(&self) -> Result<()> {
        let places = &self.volume.row.topologies;
        let here = self
            .plugin
            .node_info(&self.node.row.id)
            .and_then(|info| info.accessible_topology.as_ref());
        let is_here = |place: &Topology| {
            here.is_some_and(|here| {
                let mut segments = place.segments.iter();
                segments.all(|(key, value)| here.segments.get(key) == Some(value))
            })
        };
        match places.is_empty() || places.iter().any(is_here) {
            true => Ok(()),
            false => Err(self.refused("did not meet topology requirement")),
        }
    }

    /// Whether it agrees with those with which it shares an attachment, or will.
    fn check_sharing(
        &self,
        cp: &ControlPlane,
        request: &ClaimRequest,
        options: &MountOptions,
    ) -> Result<()> {
        let described = self.described();
        let described = described.map(|volume| volume.mount_options.open(cp, &volume.key));
        if described.transpose()?.is_some_and(|described| {
            overlaid(&described, request.mount_options.as_ref()) != *options
        }) {
            return Err(self.refused("the mount options are being changed: try again"));
        }
        for other in self.others() {
            if other.node != self.node.row.id || other.stage == Stage::Unpublished {
                continue;
            }
            let theirs = other.mount_options.open(cp, &other.volume)?;
            if !is_same_mount(&theirs, options) {
                return Err(self.refused(
                    "its mount options differ from those that it is mounted with on this node",
                ));
            }
        }
        let key = self.attachment_key();
        let there = self
            .state
            .attachment(&key)
            .filter(|there| !there.row.leaving);
        if there.is_some_and(|there| there.row.read_only && !request.read_only) {
            return Err(self.refused("it is attached to this node for reading only"));
        }
        Ok(())
    }

    /// Whether the target path that a client named is no other claim's, nor above or below one. Claims
    /// of several volumes that come at the same moment are told apart by the node.
    fn check_place(&self, claim: &Claim) -> Result<()> {
        if claim.request.target_path.is_none() {
            return Ok(());
        }
        let others = self.state.claims_on(&claim.node);
        if let Some(other) = in_the_way(others.map(|stored| &stored.row), claim) {
            return Err(self.refused(taken(claim, other)));
        }
        let attachments = self.state.attachments_on(&claim.node);
        match is_left(attachments.map(|stored| &stored.row), claim) {
            false => Ok(()),
            true => Err(self.refused(format!(
                "at TargetPath {} something may still be mounted that is being taken down: try again",
                claim.target_path.display()
            ))),
        }
    }

    fn attachment_key(&self) -> crate::attachment::AttachmentKey {
        crate::attachment::AttachmentKey {
            plugin: self.plugin.id.clone(),
            external_id: self.volume.row.remote_id(),
            node: self.node.row.id.clone(),
        }
    }
}

/// A volume's mount options with a request's on top.
fn overlaid(volume: &MountOptions, request: Option<&MountOptions>) -> MountOptions {
    let mut options = volume.clone();
    if let Some(request) = request {
        if !request.fs_type.is_empty() {
            options.fs_type.clone_from(&request.fs_type);
        }
        if !request.mount_flags.is_empty() {
            options.mount_flags.clone_from(&request.mount_flags);
        }
    }
    options
}

/// Whether two options mount alike: the order of flags does not matter.
fn is_same_mount(one: &MountOptions, other: &MountOptions) -> bool {
    let flags = |options: &MountOptions| {
        let flags = options.mount_flags.iter();
        flags.cloned().collect::<BTreeSet<_>>()
    };
    one.fs_type == other.fs_type && flags(one) == flags(other)
}
