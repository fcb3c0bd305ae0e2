//! A volume's own part of the answers that show it.

use super::claim::allocation;
use super::plugin::{read_part, stub_part};
use super::{Fragments, encode, splice};
use crate::claim::Claim;
use crate::csi::Topology;
use crate::filter::Fields;
use crate::http::wire::{self, MountFlags, Withheld};
use crate::plugin::PluginHealth;
use crate::state::{Stored, VolumeEntry};
use crate::volume::{Capability, GivenUp, SealedMountOptions, Volume};
use bytes::Bytes;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A claim that holds a volume, and the name of its node.
pub type ShownClaim<'a> = (&'a Arc<Stored<Claim>>, &'a str);

/// A volume's own part of the answers that show it: what reading it and lists show alike, and what
/// only one of them does, so that nothing is kept twice.
#[derive(Debug)]
pub struct VolumePicture {
    /// Summary, detail and users, one behind the other.
    encoded: Box<[u8]>,
    /// Where the detail begins.
    detail: u32,
    /// Where the users begin.
    users: u32,
    is_used: bool,
    being_deleted: bool,
}

impl VolumePicture {
    /// Encodes it, with the claims that hold it.
    pub fn of(stored: &Stored<Volume>, claims: &[ShownClaim<'_>], being_deleted: bool) -> Self {
        let summary = encode(&summary(stored, claims));
        let detail = encode(&detail(&stored.row, claims));
        let users = encode(&users(claims));
        // rows are far smaller than 4 GiB
        let [summary_end, detail_end] =
            [summary.len(), summary.len() + detail.len()].map(|end| end as u32);
        Self {
            encoded: [summary, detail, users].concat().into(),
            detail: summary_end,
            users: detail_end,
            is_used: !claims.is_empty(),
            being_deleted,
        }
    }

    /// Whether it shows a volume that has no claims and is not being deleted.
    pub fn is_unused(&self) -> bool {
        !self.is_used && !self.being_deleted
    }

    fn summary(&self) -> &[u8] {
        &self.encoded[..self.detail as usize]
    }

    fn detail(&self) -> &[u8] {
        &self.encoded[self.detail as usize..self.users as usize]
    }

    fn users(&self) -> &[u8] {
        &self.encoded[self.users as usize..]
    }
}

impl VolumeEntry {
    /// The volume as reading shows it. Without fragments its plugin is gone.
    pub fn read(&self, plugin: Option<&Fragments>) -> Bytes {
        let picture = self.picture();
        let mut read = Vec::new();
        let mut own = |plugin: &[u8]| {
            splice(&mut read, [picture.summary(), picture.detail(), plugin]);
        };
        match plugin {
            Some(fragments) => own(fragments.read(!picture.being_deleted)),
            None => own(&encode(&read_part(&gone(&self.stored().row), false))),
        }
        read.into()
    }

    /// Writes the volume as lists show it. Without fragments its plugin is gone.
    pub fn write_stub(&self, plugin: Option<&Fragments>, list: &mut Vec<u8>) {
        let picture = self.picture();
        let mut own = |plugin: &[u8]| splice(list, [picture.summary(), picture.users(), plugin]);
        match plugin {
            Some(fragments) => own(fragments.stub(!picture.being_deleted)),
            None => own(&encode(&stub_part(&gone(&self.stored().row), false))),
        }
    }
}

/// A volume as filters see it: what reading it and lists show.
pub struct VolumeFields<'v> {
    picture: &'v VolumePicture,
    plugin: Cow<'v, [u8]>,
}

impl VolumeEntry {
    /// The volume as filters see it. Without fragments its plugin is gone.
    pub fn fields<'v>(&'v self, plugin: Option<&'v Fragments>) -> VolumeFields<'v> {
        let picture = self.picture();
        VolumeFields {
            picture,
            plugin: match plugin {
                Some(fragments) => Cow::Borrowed(fragments.read(!picture.being_deleted)),
                None => {
                    let gone = encode(&read_part(&gone(&self.stored().row), false));
                    Cow::Owned(gone.to_vec())
                }
            },
        }
    }
}

impl Fields for VolumeFields<'_> {
    /// Nomad's filters know the users of a volume by names of their own too.
    fn field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let name = match name {
            "ReadClaims" => "ReadAllocs",
            "WriteClaims" => "WriteAllocs",
            "PastClaims" => return Some(Cow::Borrowed(b"{}")),
            name => name,
        };
        let picture = self.picture;
        let mut parts = [
            picture.summary(),
            picture.users(),
            &self.plugin,
            picture.detail(),
        ];
        parts.swap(0, likely_part(name));
        parts.into_iter().find_map(|part| part.field(name))
    }
}

/// In which part a field is to be looked for first: 0 the summary, 1 the users, 2 the plugin, 3 the detail. A wrong
/// guess only costs time.
fn likely_part(field: &str) -> usize {
    match field {
        "CurrentReaders" | "CurrentWriters" => 1,
        "ControllerRequired"
        | "ControllersExpected"
        | "ControllersHealthy"
        | "NodesExpected"
        | "NodesHealthy"
        | "Provider"
        | "ProviderVersion"
        | "Schedulable" => 2,
        "Allocations"
        | "Capacity"
        | "CloneID"
        | "Context"
        | "DeleteGivenUp"
        | "MountOptions"
        | "Parameters"
        | "ReadAllocs"
        | "RequestedCapabilities"
        | "RequestedCapacityMax"
        | "RequestedCapacityMin"
        | "RequestedTopologies"
        | "Secrets"
        | "SnapshotID"
        | "WriteAllocs" => 3,
        _ => 0,
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
fn current(claims: &[ShownClaim<'_>]) -> (&'static str, &'static str) {
    match claims.first() {
        Some((claim, _)) => (
            claim.row.capability.access_mode.as_str(),
            claim.row.capability.attachment_mode.as_str(),
        ),
        None => ("", ""),
    }
}

fn summary<'a>(stored: &'a Stored<Volume>, claims: &[ShownClaim<'a>]) -> wire::VolumeSummary<'a> {
    let volume = &stored.row;
    let (access_mode, attachment_mode) = current(claims);
    wire::VolumeSummary {
        access_mode: access_mode.into(),
        attachment_mode: attachment_mode.into(),
        create_index: stored.created.0,
        create_time: nanoseconds(volume.created_at),
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

fn detail<'a>(volume: &'a Volume, claims: &[ShownClaim<'a>]) -> wire::VolumeDetail<'a> {
    let (readers, writers): (Vec<ShownClaim<'a>>, Vec<_>) =
        claims.iter().partition(|(claim, _)| claim.row.read_only);
    let ids = |claims: &[ShownClaim<'a>]| -> BTreeMap<Cow<'a, str>, ()> {
        let ids = claims
            .iter()
            .map(|(claim, _)| claim.row.allocation.as_str());
        ids.map(|id| (id.into(), ())).collect()
    };
    wire::VolumeDetail {
        allocations: readers
            .iter()
            .chain(&writers)
            .map(|(claim, node_name)| allocation(claim, node_name))
            .collect(),
        capacity: volume.capacity,
        clone_id: volume.clone_id.as_str().into(),
        context: Cow::Borrowed(&volume.context),
        delete_given_up: volume.delete_given_up.as_ref().map(delete_given_up),
        mount_options: mount_options(&volume.mount_options),
        parameters: Cow::Borrowed(&volume.parameters),
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
        secrets: Withheld,
        snapshot_id: volume.snapshot_id.as_str().into(),
        write_allocs: ids(&writers),
    }
}

fn users(claims: &[ShownClaim<'_>]) -> wire::VolumeUsers {
    let readers = claims
        .iter()
        .filter(|(claim, _)| claim.row.read_only)
        .count();
    wire::VolumeUsers {
        current_readers: readers as i64,
        current_writers: (claims.len() - readers) as i64,
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

pub(super) fn mount_options(options: &SealedMountOptions) -> wire::MountOptions<'_> {
    wire::MountOptions {
        fs_type: options.fs_type.as_str().into(),
        mount_flags: match options.mount_flags {
            None => MountFlags::Absent,
            Some(_) => MountFlags::Redacted,
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
