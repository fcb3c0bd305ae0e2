//! A volume's own part of the answers that show it.

use super::claim::allocation;
use super::{Fragments, encode, splice};
use crate::claim::Claim;
use crate::csi::{MountOptions, Topology};
use crate::http::wire::{self, MountFlags, Withheld};
use crate::plugin::PluginHealth;
use crate::state::{State, Stored};
use crate::volume::{Capability, GivenUp, Volume};
use bytes::Bytes;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A volume's own part of the answers that show it.
#[derive(Debug, Default)]
pub struct VolumePicture {
    read: Bytes,
    stub: Bytes,
    being_deleted: bool,
}

impl VolumePicture {
    /// Encodes it, with its claims and nodes as this state has them.
    pub fn of(state: &State, stored: &Stored<Volume>, being_deleted: bool) -> Self {
        let claims: Vec<_> = state.claims_of(&stored.row.key).collect();
        Self {
            read: encode(&read(state, stored, &claims)),
            stub: encode(&stub(stored, &claims)),
            being_deleted,
        }
    }

    /// The volume as reading shows it. Without fragments its plugin is gone.
    pub fn read(&self, volume: &Volume, plugin: Option<&Fragments>) -> Bytes {
        match plugin {
            Some(fragments) => splice(&self.read, fragments.read(!self.being_deleted)),
            None => splice(
                &self.read,
                &encode(&super::plugin::read_part(&gone(volume), false)),
            ),
        }
    }

    /// The volume as lists show it. Without fragments its plugin is gone.
    pub fn stub(&self, volume: &Volume, plugin: Option<&Fragments>) -> Bytes {
        match plugin {
            Some(fragments) => splice(&self.stub, fragments.stub(!self.being_deleted)),
            None => splice(
                &self.stub,
                &encode(&super::plugin::stub_part(&gone(volume), false)),
            ),
        }
    }
}

/// What a volume shows of a plugin that is gone: what it was, and that nothing of it is healthy.
fn gone(volume: &Volume) -> PluginHealth {
    PluginHealth {
        provider: volume.provider.clone(),
        version: volume.provider_version.clone(),
        controller_required: volume.controller_required,
        ..PluginHealth::default()
    }
}

/// How it is used now: what its claims share.
fn current(claims: &[&Arc<Stored<Claim>>]) -> (&'static str, &'static str) {
    match claims.first() {
        Some(claim) => (
            claim.row.capability.access_mode.as_str(),
            claim.row.capability.attachment_mode.as_str(),
        ),
        None => ("", ""),
    }
}

fn read<'a>(
    state: &'a State,
    stored: &'a Stored<Volume>,
    claims: &[&'a Arc<Stored<Claim>>],
) -> wire::VolumeRow<'a> {
    let volume = &stored.row;
    let (access_mode, attachment_mode) = current(claims);
    let (readers, writers): (Vec<&Arc<Stored<Claim>>>, Vec<_>) =
        claims.iter().partition(|claim| claim.row.read_only);
    let ids = |claims: &[&'a Arc<Stored<Claim>>]| -> BTreeMap<Cow<'a, str>, ()> {
        let ids = claims.iter().map(|claim| claim.row.allocation.as_str());
        ids.map(|id| (id.into(), ())).collect()
    };
    let node_name = |claim: &Claim| match state.node(&claim.node) {
        Some(node) => node.row.name.as_str(),
        None => "",
    };
    wire::VolumeRow {
        access_mode: access_mode.into(),
        allocations: readers
            .iter()
            .chain(&writers)
            .map(|claim| allocation(claim, node_name(&claim.row)))
            .collect(),
        attachment_mode: attachment_mode.into(),
        capacity: volume.capacity,
        clone_id: volume.clone_id.as_str().into(),
        context: Cow::Borrowed(&volume.context),
        create_index: stored.created.0,
        create_time: nanoseconds(volume.created_at),
        delete_given_up: volume.delete_given_up.as_ref().map(delete_given_up),
        external_id: volume.external_id.as_str().into(),
        id: volume.key.id.as_str().into(),
        modify_index: stored.modified.0,
        modify_time: nanoseconds(volume.modified_at),
        mount_options: mount_options(&volume.mount_options),
        name: volume.name.as_str().into(),
        namespace: volume.key.namespace.as_str().into(),
        parameters: Cow::Borrowed(&volume.parameters),
        plugin_id: volume.plugin.as_str().into(),
        read_allocs: ids(&readers),
        requested_capabilities: Some(volume.capabilities.iter().map(capability).collect()),
        requested_capacity_max: volume.capacity_max,
        requested_capacity_min: volume.capacity_min,
        requested_topologies: volume.requested_topologies.as_ref().map(|request| {
            wire::TopologyRequirement {
                preferred: request.preferred.as_deref().map(topologies),
                required: request.required.as_deref().map(topologies),
            }
        }),
        resource_exhausted: None,
        secrets: Withheld,
        snapshot_id: volume.snapshot_id.as_str().into(),
        topologies: topologies(&volume.topologies),
        write_allocs: ids(&writers),
    }
}

fn stub<'a>(stored: &'a Stored<Volume>, claims: &[&Arc<Stored<Claim>>]) -> wire::VolumeStubRow<'a> {
    let volume = &stored.row;
    let (access_mode, attachment_mode) = current(claims);
    let readers = claims.iter().filter(|claim| claim.row.read_only).count();
    wire::VolumeStubRow {
        access_mode: access_mode.into(),
        attachment_mode: attachment_mode.into(),
        create_index: stored.created.0,
        create_time: nanoseconds(volume.created_at),
        current_readers: readers as i64,
        current_writers: (claims.len() - readers) as i64,
        external_id: volume.external_id.as_str().into(),
        id: volume.key.id.as_str().into(),
        modify_index: stored.modified.0,
        modify_time: nanoseconds(volume.modified_at),
        name: volume.name.as_str().into(),
        namespace: volume.key.namespace.as_str().into(),
        plugin_id: volume.plugin.as_str().into(),
        resource_exhausted: None,
        topologies: topologies(&volume.topologies),
    }
}

fn capability(capability: &Capability) -> wire::VolumeCapability<'static> {
    wire::VolumeCapability {
        access_mode: capability.access_mode.as_str().into(),
        attachment_mode: capability.attachment_mode.as_str().into(),
    }
}

fn delete_given_up(given_up: &GivenUp) -> wire::DeleteGivenUp<'_> {
    wire::DeleteGivenUp {
        by: given_up.by.as_str().into(),
        operation_id: given_up.operation.to_string().into(),
        reason: given_up.reason.as_str().into(),
        time: given_up.at,
    }
}

pub(super) fn mount_options(options: &MountOptions) -> wire::MountOptions<'_> {
    wire::MountOptions {
        fs_type: options.fs_type.as_str().into(),
        mount_flags: match options.mount_flags.is_empty() {
            true => MountFlags::Absent,
            false => MountFlags::Redacted,
        },
    }
}

pub(super) fn topologies(topologies: &[Topology]) -> Vec<wire::Topology<'_>> {
    topologies.iter().map(topology).collect()
}

pub(super) fn topology(topology: &Topology) -> wire::Topology<'_> {
    wire::Topology {
        segments: Some(Cow::Borrowed(&topology.segments)),
    }
}

/// Since 1970; what does not fit into 64 bits (the year 2262) is cut.
pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    let all = time.as_nanosecond();
    i64::try_from(all).unwrap_or(if all < 0 { i64::MIN } else { i64::MAX })
}
