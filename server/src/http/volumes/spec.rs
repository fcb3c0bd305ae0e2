//! From the body of register and create to what the domain is told.

use crate::csi::{MountOptions, Topology};
use crate::error::Result;
use crate::http::edge::options::{DEFAULT_NAMESPACE, check_region};
use crate::http::edge::{Refusal, WriteOptions};
use crate::http::request::{TopologySegmentsRequest, VolumeRequest, VolumesRequest};
use crate::volume::Spec;

/// The volumes of a request. A volume's namespace is the body's, else the query's, else the
/// envelope's, else `default`.
pub(super) fn specs(
    request: VolumesRequest,
    options: &WriteOptions,
    region: &str,
) -> Result<Vec<Spec>, Refusal> {
    check_region(request.envelope.region.as_deref(), region)?;
    let namespace = options
        .namespace
        .clone()
        .or(request.envelope.namespace)
        .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    let volumes = request.volumes.into_iter();
    Ok(volumes.map(|volume| spec(volume, &namespace)).collect())
}

fn spec(volume: VolumeRequest, namespace: &str) -> Spec {
    let (required, preferred) = match volume.requested_topologies {
        Some(request) => (request.required, request.preferred),
        None => (None, None),
    };
    let places = |list: Option<Vec<TopologySegmentsRequest>>| {
        list.map(|list| list.into_iter().map(place).collect())
    };
    let topologies = volume.topologies.unwrap_or_default();
    Spec {
        id: volume.id,
        namespace: volume.namespace.unwrap_or_else(|| namespace.to_owned()),
        name: volume.name,
        plugin_id: volume.plugin_id,
        external_id: volume.external_id,
        capabilities: volume
            .requested_capabilities
            .unwrap_or_default()
            .into_iter()
            .map(|capability| (capability.access_mode, capability.attachment_mode))
            .collect(),
        capacity_min: volume.requested_capacity_min,
        capacity_max: volume.requested_capacity_max,
        mount_options: volume.mount_options.map(|options| MountOptions {
            fs_type: options.fs_type,
            mount_flags: options.mount_flags.unwrap_or_default(),
        }),
        parameters: volume.parameters.unwrap_or_default(),
        context: volume.context.unwrap_or_default(),
        secrets: volume.secrets,
        secrets_from: volume.secrets_from,
        clone_id: volume.clone_id,
        snapshot_id: volume.snapshot_id,
        required: places(required),
        preferred: places(preferred),
        topologies: topologies.into_iter().filter_map(place).collect(),
    }
}

fn place(topology: TopologySegmentsRequest) -> Option<Topology> {
    topology.segments.map(|segments| Topology { segments })
}
