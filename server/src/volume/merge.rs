//! Updating a stored volume by a client's description of it (Nomad's rules and texts).

use super::{Capability, Spec, TopologyRequest, Volume};
use crate::claim::Claim;
use crate::csi::MountOptions;
use std::collections::BTreeSet;

/// The volume with what the description changes; `options` are its mount options. Those, sizes and secrets are
/// not merged here. The error is everything that contradicts what is stored.
pub(super) fn merge(
    volume: &Volume,
    options: &MountOptions,
    spec: &Spec,
    capabilities: Vec<Capability>,
    claims: &[Claim],
) -> Result<Volume, Vec<String>> {
    let mut conflicts = Vec::new();
    let mut refuse_if = |refused: bool, text: &str| {
        if refused {
            conflicts.push(text.to_owned());
        }
    };
    let differs = |sent: &str, stored: &str| !sent.is_empty() && sent != stored;

    refuse_if(
        differs(&spec.name, &volume.name),
        "volume name cannot be updated",
    );
    refuse_if(
        differs(&spec.external_id, volume.external_id.as_str()),
        "volume external ID cannot be updated",
    );
    refuse_if(
        spec.plugin_id != volume.plugin.as_str(),
        "volume plugin ID cannot be updated",
    );
    refuse_if(
        differs(&spec.clone_id, &volume.clone_id),
        "volume clone ID cannot be updated",
    );
    refuse_if(
        differs(&spec.snapshot_id, &volume.snapshot_id),
        "volume snapshot ID cannot be updated",
    );
    refuse_if(
        !claims
            .iter()
            .all(|claim| capabilities.contains(&claim.capability)),
        "volume requested capabilities update was not compatible with existing capability in use",
    );
    refuse_if(
        !volume.topologies.is_empty()
            && !is_same_request(&spec.topology_request(), &volume.requested_topologies),
        "volume topology request update was not compatible with existing topology",
    );
    let same_options = spec
        .mount_options
        .as_ref()
        .is_some_and(|asked| is_same_mount(asked, options));
    refuse_if(
        !claims.is_empty() && !same_options,
        "can not update mount options while volume is in use",
    );
    refuse_if(
        !spec.parameters.is_empty() && spec.parameters != volume.parameters,
        "volume parameters cannot be updated",
    );
    if !conflicts.is_empty() {
        return Err(conflicts);
    }

    let mut merged = volume.clone();
    merged.capabilities = capabilities;
    merged.requested_topologies = spec.topology_request();
    if !spec.context.is_empty() {
        merged.context = spec.context.clone();
    }
    Ok(merged)
}

/// Whether two requests ask for the same places in the same order; an empty one asks for none.
fn is_same_request(one: &Option<TopologyRequest>, other: &Option<TopologyRequest>) -> bool {
    let places = |request: &Option<TopologyRequest>| {
        let TopologyRequest {
            required,
            preferred,
        } = request.clone().unwrap_or_default();
        (required.unwrap_or_default(), preferred.unwrap_or_default())
    };
    places(one) == places(other)
}

/// Whether two options mount alike: the order of flags does not matter.
fn is_same_mount(one: &MountOptions, other: &MountOptions) -> bool {
    let flags =
        |options: &MountOptions| options.mount_flags.iter().cloned().collect::<BTreeSet<_>>();
    one.fs_type == other.fs_type && flags(one) == flags(other)
}
